#!/usr/bin/env bash
# Formatting, vet, linters, freshness of generated files, known vulnerabilities (where the database can be reached).
set -euo pipefail
cd "$(dirname "$0")/.."
tool() { go tool -modfile=tools/go.mod "$@"; }

unformatted=$(git ls-files '*.go' ':!*_templ.go' | xargs -r go tool -modfile=tools/go.mod gofumpt -l)
if [ -n "$unformatted" ]; then
  echo "gofumpt would change:" && echo "$unformatted" && exit 1
fi
go vet ./...
tool golangci-lint run ./...
go mod verify >/dev/null
if ! go mod tidy -diff; then
  echo "go.mod is not tidy: run go mod tidy" && exit 1
fi
if grep -rq --include='*.go' '^//go:generate' .; then
  before=$(git status --porcelain)
  go generate ./...
  if [ "$(git status --porcelain)" != "$before" ]; then
    echo "generated files are stale: run make generate" && git status --porcelain && exit 1
  fi
fi
# The vulnerability database is on the network; without it there is nothing to compare with.
if ! out=$(tool govulncheck ./... 2>&1); then
  case "$out" in
    *"Vulnerability #"*) echo "$out"; exit 1 ;;
    *) echo "govulncheck: the database cannot be reached; not checked" ;;
  esac
fi
