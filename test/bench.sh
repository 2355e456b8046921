#!/usr/bin/env bash
# Measures speed and size: the benchmarks of the packages, then imports from end to end, and queries among ten million
# exchanges. RUNS (6) is how often each benchmark runs, for benchstat. With --once every benchmark runs once, so that
# none can rot, and the imports are small. The tables at the end are those of docs/performance.md.
set -euo pipefail
cd "$(dirname "$0")/.."
once=
[ "${1:-}" = --once ] && once=yes
RUNS=${RUNS:-6}
SESHAT=${SESHAT:-bin/seshat}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ ! -x "$SESHAT" ]; then
  SESHAT=$work/seshat
  go build -trimpath -o "$SESHAT" ./cmd/seshat
fi

# The benchmarks of all packages that have any. That of ten million exchanges runs only where its variable is set.
mapfile -t packages < <(grep -rl --include='*_timing_test.go' '^func Benchmark' . | xargs -n1 dirname | sort -u)
if [ -n "$once" ]; then
  go test -run='^$' -bench=. -benchtime=1x -timeout 10m "${packages[@]}" >"$work/bench" || { cat "$work/bench"; exit 1; }
  printf '%d benchmarks of %d packages ran once\n' "$(grep -c '^Benchmark' "$work/bench")" "${#packages[@]}"
  go build -o "$work/benchgateway" ./test/benchgateway
  "$work/benchgateway" -seshat "$SESHAT" -only seshat,reverseproxy -rounds 1 -requests 2000 -rate-for 1s 2>/dev/null
else
  # One package after the other: two at once would slow each other down.
  go test -p 1 -run='^$' -bench=. -benchmem -count="$RUNS" -timeout 120m "${packages[@]}" >"$work/bench" || { cat "$work/bench"; exit 1; }
  go tool -modfile=tools/go.mod benchstat "$work/bench"
fi

# repeat FILE COPIES: the exchanges of a packed capture, again and again: each copy an hour later, with other IDs.
repeat() {
  gzip -dc "$1" | awk -v copies="$2" '
    { lines[NR] = $0 }
    END {
      for (n = 0; n < copies; n++) {
        stamp = sprintf("\"time\":\"2026-%02d-%02dT%02d:", 1 + n / 672 % 12, 1 + n / 24 % 28, n % 24)
        for (i = 1; i <= NR; i++) {
          line = lines[i]
          sub(/"id":"/, "\"id\":\"" n "-", line)
          sub(/"time":"[0-9]+-[0-9]+-[0-9]+T[0-9]+:/, stamp, line)
          print line
        }
      }
    }'
}

# weblog LINES: a combined log with 20 requests of each client, among 200 pages and 40 browsers.
weblog() {
  awk -v lines="$1" 'BEGIN {
    srand(1)
    for (n = 0; n < lines; n++) {
      c = int(n / 200) * 10 + int(10 * rand()) # ten clients at once
      s = int(n / 10)
      printf "%d.%d.%d.%d - - [%02d/Jan/2026:%02d:%02d:%02d +0000] \"GET /%s/%d?page=%d HTTP/1.1\" %d %d \"https://www.shop.example/products\" \"Mozilla/5.0 (X11; Linux x86_64; rv:%d.0) Gecko/20100101 Firefox/%d.0\"\n",
        10 + c % 200, c / 200 % 250, c / 50000 % 250, 1 + c % 7, 1 + s / 86400, s / 3600 % 24, s / 60 % 60, s % 60,
        c % 3 ? "products" : "orders", 200 * rand() * rand(), n % 20, rand() < 0.97 ? 200 : 404, 500 + 20000 * rand(), 100 + c % 40, 100 + c % 40
    }
  }'
}

# import_of NAME FILE: imports FILE and prints a row of the table.
import_of() {
  local data=$work/data read bad seconds bytes
  rm -rf "$data"
  read -r read bad seconds < <("$SESHAT" --data "$data" --quiet import --output json "$2" | jq -r '"\(.read) \(.bad) \(.seconds)"')
  bytes=$(find "$data" -name '*.duckdb*' -exec cat {} + | wc -c)
  [ "$bad" = 0 ] || { echo "bench: $bad lines of $2 cannot be read" >&2; exit 1; }
  awk -v name="$1" -v n="$read" -v s="$seconds" -v b="$bytes" \
    'BEGIN { printf "| %-28s | %9d | %7.2f | %9.0f | %5.1f |\n", name, n, s, n / s, b / n }'
  rm -rf "$data"
}

exchanges=200000 lines=1000000
if [ -n "$once" ]; then exchanges=20000 lines=50000; fi
if [ -n "${SESHAT_MATERIAL:-}" ]; then
  capture=$SESHAT_MATERIAL/traffic/dev/exchanges.ndjson.gz
else
  go run ./test/trafficgen -shape mixed -seed 1 -sessions 400 -o "$work/traffic" >/dev/null
  capture=$work/traffic/exchanges.ndjson.gz
fi
size=$(gzip -dc "$capture" | wc -l)
repeat "$capture" $(((exchanges + size - 1) / size)) >"$work/exchanges.ndjson"
weblog "$lines" >"$work/access.log"

printf '\n| import, end to end           | exchanges | seconds |  a second | bytes |\n|---|---:|---:|---:|---:|\n'
import_of 'NDJSON, tokens and bodies' "$work/exchanges.ndjson"
import_of 'combined log' "$work/access.log"
rm -f "$work/exchanges.ndjson" "$work/access.log"
printf '\nbytes: on disk, for each exchange. %s processors, %s.\n' "$(getconf _NPROCESSORS_ONLN)" "$(go version | cut -d' ' -f3-)"

if [ -z "$once" ]; then
  echo
  # The directory is kept for the next time when SESHAT_TEN_MILLION names it.
  SESHAT_TEN_MILLION=${SESHAT_TEN_MILLION:-$work/ten-million} \
    go test -run='^$' -bench='^BenchmarkTenMillion$' -timeout 120m ./internal/store/duckdb | grep -v '^ok\|^PASS'
fi
