# What one does with this repository. "make" lists it.

.POSIX:
.PHONY: help test test-nocgo chaos verify checks bench run build clean

help: ## Print this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

test: ## Run all tests on SQLite and a private PostgreSQL, the pages in Chromium, and say which were skipped
	scripts/with-skips scripts/with-browser scripts/with-postgres go test -race -shuffle=on -timeout 30m ./...

test-nocgo: ## Build without cgo and run the short tests so
	CGO_ENABLED=0 go build ./...
	CGO_ENABLED=0 scripts/with-skips scripts/with-postgres go test -short -timeout 20m ./...

chaos: ## Kill and stop workers at random while 20,000 jobs run, on both databases, and print the figures
	GNJ_CHAOS_JOBS=20000 scripts/with-skips scripts/with-postgres go test -race -count=1 -v -run TestChaos -timeout 60m ./internal/chaos

verify: ## Regenerate, check go.mod, format, vet and lint; change nothing
	@before=$$($(TREE)) && $(MAKE) checks && after=$$($(TREE)) && \
	{ test "$$before" = "$$after" || { echo "verify: the files changed; commit these changes:"; $(GIT) status --short; exit 1; }; }

bench: ## Run the benchmarks on both databases
	scripts/with-postgres go test -run '^$$' -bench . -benchmem ./...

run: ## Start the standalone server
	go run ./cmd/gnj run

build: ## Build the server and tool as bin/gnj
	go build -trimpath -o bin/gnj ./cmd/gnj

clean: ## Remove what was built and measured; databases stay
	rm -rf bin coverage.out coverage.html

checks:
	go generate ./...
	go mod tidy -diff
	@unformatted=$$(gofmt -l .) && test -z "$$unformatted" || { echo "gofmt -w" $$unformatted; exit 1; }
	go vet ./...
	$(LINT) run ./...

# Pinned, and built by Go itself, so that nobody installs it.
LINT = GOFLAGS=-buildvcs=false go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

# A checkout may belong to another user, as in many CI containers.
GIT = git -c safe.directory="$$PWD"

# TREE sums up the working tree: what is staged, what is not, and new files.
TREE = { $(GIT) status --porcelain && $(GIT) diff --binary && $(GIT) ls-files -o --exclude-standard | $(GIT) hash-object --stdin-paths; } | git hash-object --stdin
