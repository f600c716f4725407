# One line each: what a person does every day. `make help` lists them.
PROFILE ?= demo
PURLIN  := target/$(PROFILE)/purlin

.DEFAULT_GOAL := help
.PHONY: help demo test check bench package fmt lint docs fuzz bless

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
demo: ## Show it all: a claim becomes managed resources, a version is promoted
	@scripts/demo.sh
test: ## Run every test: unit, golden, property, fuzz corpus, end to end with kubectl
	@scripts/test.sh
check: fmt lint docs deny test ## Run all that CI would, and the linters
bench: ## Measure the function server against a bare echo, and claims to Ready
	@scripts/bench.sh
fuzz: ## Run every fuzz target (needs cargo-fuzz): make fuzz SECONDS=600 TARGETS="wire load"
	@scripts/fuzz.sh $(or $(SECONDS),60) $(TARGETS)
package: ## Build the static programs and the Function package of all architectures
	@scripts/package.sh
fmt: ## Check the formatting
	cargo fmt --all --check
lint: ## Lint everything, warnings are errors
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo clippy --package purlin --no-default-features --locked -- -D warnings
docs: ## Build the API documentation, warnings are errors
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet
deny:
	@scripts/deny.sh
bless: ## Rewrite the lists of known failures (they may only shrink) and the expected outputs
	PURLIN_BLESS=1 cargo test --workspace --locked
