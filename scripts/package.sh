#!/usr/bin/env bash
# Makes the package of Purlin's functions for every architecture: target/package/function-purlin-*.xpkg. ARCHS chooses others.
set -euo pipefail
cd "$(dirname "$0")/.."
archs=${ARCHS:-amd64 arm64}
chosen=()
for arch in $archs; do
  scripts/static.sh "$arch"
  chosen+=(--binary "$arch=target/static/purlin-linux-$arch")
done
mkdir -p target/package
# Any of them makes the package; the one for this machine can run here.
case $(uname -m) in x86_64) here=amd64 ;; aarch64) here=arm64 ;; *) here=none ;; esac
purlin=target/static/purlin-linux-$here
[ -x "$purlin" ] || { echo "$0: include the architecture of this machine in ARCHS" >&2; exit 3; }
"$purlin" package build --function "${chosen[@]}" -o target/package/function-purlin.xpkg
