#!/usr/bin/env bash
# Runs the official conformance cases of CEL against our evaluator. `make test` does not: the cases are not part of this tree.
#
#   scripts/cel-conformance.sh [DIR]
#
# DIR holds the `*.textproto` files of `tests/simple/testdata` of the CEL specification. Without it, `CEL_SPEC` is the
# directory of a checkout of the specification (github.com/google/cel-spec).
set -euo pipefail
cd "$(dirname "$0")/.."
dir=${1:-${CEL_SPEC:+$CEL_SPEC/tests/simple/testdata}}
if [ -z "$dir" ] || ! ls "$dir"/*.textproto >/dev/null 2>&1; then
  echo "name the directory with the *.textproto files, or set CEL_SPEC to a checkout of the CEL specification" >&2
  exit 2
fi
CEL_CONFORMANCE=$(cd "$dir" && pwd) exec cargo test -p purlin-expr --locked --test conformance -- --nocapture
