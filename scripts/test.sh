#!/usr/bin/env bash
# Runs every test of the workspace. What the end-to-end tests need besides Rust and git is installed first.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/need-kubectl.sh
scripts/need-registry.sh
exec cargo test --workspace --locked "$@"
