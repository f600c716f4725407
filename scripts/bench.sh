#!/usr/bin/env bash
# Measures, in one run: the function server against a bare echo of the same bytes, then claims to Ready on `purlin up`.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --locked -p purlin -p purlin-bench
exec target/release/purlin-bench "$@"
