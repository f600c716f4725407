#!/usr/bin/env bash
# Licences, sources and duplicates; advisories too, where the advisory database can be reached.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v cargo-deny >/dev/null || cargo install cargo-deny --locked --quiet
cargo deny --offline check bans licenses sources
if ! cargo deny check advisories; then
  echo "advisories: not checked (the database could not be reached) or not clean; see above" >&2
  [ -z "${PURLIN_ADVISORIES_REQUIRED:-}" ] || exit 1
fi
