#!/usr/bin/env bash
# Installs what the tests need beside Go and a C compiler. On a machine without apt-get, or without the right to use
# it, it says what is missing; the tests that need it say so too.
set -euo pipefail
. "$(dirname "$0")/components.sh"

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
