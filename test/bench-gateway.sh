#!/usr/bin/env bash
# Measures what the gateway costs beside NGINX, Caddy, the proxy of Go's standard library, and Envoy with Seshat as its
# external processor beside Envoy with an empty one; all in one run, in front of the same origin. The table is that of
# docs/performance.md. ROUNDS (6), REQUESTS (40000) of a round and RATE_FOR (10s) say how long. What is not there is left
# out, and said.
set -euo pipefail
cd "$(dirname "$0")/.."
. test/components.sh
SESHAT=${SESHAT:-bin/seshat}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

missing() { echo "test/bench-gateway.sh: left out: $1" >&2; }

[ -x "$SESHAT" ] || { SESHAT=$work/seshat && go build -trimpath -o "$SESHAT" ./cmd/seshat; }
go build -o "$work/benchgateway" ./test/benchgateway
arguments=(-seshat "$SESHAT" -rounds "${ROUNDS:-6}" -requests "${REQUESTS:-40000}" -rate-for "${RATE_FOR:-10s}")

# NGINX is often where only root looks for programs.
if nginx=$(PATH=$PATH:/usr/local/sbin:/usr/sbin command -v nginx); then
  arguments+=(-nginx "$nginx")
else
  arguments+=(-nginx "")
  missing "NGINX, what all others are compared with (test/install.sh installs it)"
fi

# Caddy is built with the module of this repository, which its plain proxy does not use.
if (cd caddymodule && go build -o "$work/caddy" ./cmd/caddy); then
  arguments+=(-caddy "$work/caddy")
else
  missing "Caddy, which could not be built"
fi

envoy=$ENVOY_FOLDER/envoy/_bin/envoy
if [ -x "$envoy" ]; then
  go build -o "$work/emptyextproc" ./test/benchgateway/emptyextproc
  arguments+=(-envoy "$envoy" -empty-ext-proc "$work/emptyextproc")
else
  missing "Envoy (test/install.sh installs it)"
fi

echo "Load of the machine before: $(cut -d' ' -f1-3 /proc/loadavg 2>/dev/null || echo unknown), on $(getconf _NPROCESSORS_ONLN) processors."
"$work/benchgateway" "${arguments[@]}" 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
