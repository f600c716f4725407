#!/usr/bin/env bash
# Makes the package of Purlin's functions for every architecture: target/package/function-purlin-*.xpkg.
#
# ARCHS chooses other architectures than both, ONLY="patch-and-transform auto-ready" makes the packages of these functions as well,
# and PURLIN names a purlin that is built already, to make the packages with.
set -euo pipefail
cd "$(dirname "$0")/.."
chosen=()
for arch in ${ARCHS:-amd64 arm64}; do
  scripts/static.sh "$arch"
  chosen+=(--binary "$arch=target/static/purlin-linux-$arch")
done
purlin=${PURLIN:-}
if [ -z "$purlin" ]; then
  profile=${PROFILE:-demo}
  cargo build --locked --profile "$profile" -p purlin
  purlin=${CARGO_TARGET_DIR:-target}/$([ "$profile" = dev ] && echo debug || echo "$profile")/purlin
fi
mkdir -p target/package
"$purlin" package build --function "${chosen[@]}" -o target/package/function-purlin.xpkg
for name in ${ONLY:-}; do
  "$purlin" package build --function --only "$name" "${chosen[@]}" -o "target/package/function-${name#function-}.xpkg"
done
