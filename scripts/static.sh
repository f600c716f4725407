#!/usr/bin/env bash
# Builds the program of a function's image, static and for one architecture: scripts/static.sh amd64|arm64. It ends up in target/static.
#
# It is purlin with the verbs that an image needs (the profile `image`, without the feature `tools`). The C library is glibc, linked
# statically: its allocator is what the figures in docs/benchmarks.md were measured with. The program is linked for a fixed address,
# because relocating it would make a copy of the pages that are relocated.
#
# Needed are the standard library of Rust for that architecture, which rustup installs, and for another architecture than this machine's
# a C compiler for it (Debian: gcc-aarch64-linux-gnu, gcc-x86-64-linux-gnu). RUSTC names another compiler that has both, such as a
# distribution's with the development files of its standard library for the other architecture.
set -euo pipefail
cd "$(dirname "$0")/.."

case ${1:-} in
amd64) machine=x86_64 ;;
arm64) machine=aarch64 ;;
*) echo "usage: $0 amd64|arm64" >&2; exit 2 ;;
esac
architecture=$1
target=$machine-unknown-linux-gnu
rustc=${RUSTC:-rustc}

if [ ! -d "$("$rustc" --print sysroot)/lib/rustlib/$target/lib" ]; then
  if [ -n "${RUSTC:-}" ] || ! command -v rustup >/dev/null || ! rustup target add "$target"; then
    echo "$0: the compiler has no standard library for $target, and rustup cannot install it here." >&2
    echo "Install it (rustup target add $target), or name a compiler that has it in RUSTC." >&2
    exit 3
  fi
fi
if [ "$machine" != "$(uname -m)" ]; then
  linker=$machine-linux-gnu-gcc
  if ! command -v "$linker" >/dev/null; then
    echo "$0: $linker is missing, which links programs for $architecture (Debian: gcc-${machine/_/-}-linux-gnu)." >&2
    exit 3
  fi
  name=$(tr a-z- A-Z_ <<<"$target")
  export "CARGO_TARGET_${name}_LINKER=$linker" "CC_${target//-/_}=$linker"
fi
# No names of this machine's folders: whoever builds the same sources with the same compiler gets the same bytes.
flags=(-C target-feature=+crt-static -C relocation-model=static
  "--remap-path-prefix=$PWD=." "--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo")
CARGO_ENCODED_RUSTFLAGS=$(printf '%s\x1f' "${flags[@]}")
export CARGO_ENCODED_RUSTFLAGS=${CARGO_ENCODED_RUSTFLAGS%?}
# What rustup's compiler built is not for another one, and the other way round.
out=${CARGO_TARGET_DIR:-target}
[ -z "${RUSTC:-}" ] || out=$out/other-rustc
# A target of its own keeps the flags away from procedural macros and build scripts, which cannot be static.
cargo build --locked --profile image --no-default-features --target "$target" --target-dir "$out" -p purlin
mkdir -p target/static
program=target/static/purlin-linux-$architecture
cp "$out/$target/image/purlin" "$program"
packed=$(gzip -9 -c "$program" | wc -c)
printf '%s: %s bytes, %s compressed\n' "$program" "$(wc -c <"$program")" "$packed"
# Every node that runs the function pulls it.
if [ "$packed" -gt 15000000 ]; then
  echo "$0: that is more than 15 MB: see docs/decisions/0044-the-image-has-a-program-of-its-own.md" >&2
  exit 1
fi
