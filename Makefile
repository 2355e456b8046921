# make help lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash
GO ?= go
BIN := bin
SESHAT := $(BIN)/seshat
TOOL := $(GO) tool -modfile=tools/go.mod
DEMO_DATA ?= $(BIN)/demo-data
export GOFLAGS ?= -mod=readonly

.PHONY: help
help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/seshat
	@mkdir -p $(BIN)
	@$(GO) build -trimpath -o $(SESHAT) ./cmd/seshat

.PHONY: run
run: build ## build, and start the demo: a shop, its clients, and Seshat between them (DEMO_ARGS="--pace 100ms")
	@exec $(SESHAT) demo $(DEMO_ARGS)

.PHONY: sample
sample: build ## build, import the sample capture, show its sessions, and say what to do next
	@SESHAT=$(SESHAT) DATA=$(DEMO_DATA) ./examples/run.sh

.PHONY: test
test: ## install what the tests need, and run them all
	@./test/install.sh
	@$(GO) test -race -timeout 45m ./...

.PHONY: test-short
test-short: ## run the tests without the race detector, and install nothing
	@$(GO) test ./...

.PHONY: soak
soak: ## run the demonstration under the race detector for SESHAT_SOAK (10m)
	@SESHAT_SOAK=$${SESHAT_SOAK:-10m} $(GO) test -timeout 25m -run '^TestSoak$$' -v ./test

.PHONY: screenshots
screenshots: ## take the pictures of the README again: docs/images/{overview,session,rules}.png
	@mkdir -p docs/images
	@SESHAT_PICTURES=$(CURDIR)/docs/images $(GO) test -count=1 -timeout 5m -run '^TestScreenshots$$' -v ./test

.PHONY: fuzz
fuzz: ## run every fuzz test for FUZZTIME (10s)
	@./test/fuzz.sh $${FUZZTIME:-10s}

.PHONY: check
check: ## formatting, vet, linters, generated files, known vulnerabilities
	@./test/check.sh

.PHONY: accuracy
accuracy: build ## score how well sessions are found, on recorded and on generated traffic
	@./test/accuracy.sh

.PHONY: bench
bench: build ## measure speed and size; RUNS=6 for benchstat
	@./test/bench.sh

.PHONY: bench-gateway
bench-gateway: build ## measure the gateway beside NGINX, Caddy and Envoy; ROUNDS=6 REQUESTS=40000
	@SESHAT=$(SESHAT) ./test/bench-gateway.sh

.PHONY: generate
generate: ## write the generated files again
	@$(GO) generate ./...

.PHONY: clean
clean: ## remove what was built
	@rm -rf $(BIN)
