#!/usr/bin/env bash
# Runs fuzz targets: scripts/fuzz.sh [SECONDS] [TARGET…]; 60 seconds each and all of them unless told otherwise.
#
# New inputs are kept in target/fuzz/corpus; a crash is in target/fuzz/artifacts, and becomes a seed in the target's own
# corpus once it is mended. Needs cargo-fuzz (cargo install cargo-fuzz --locked) and a C++ compiler.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=60
if [[ ${1:-} =~ ^[0-9]+$ ]]; then
    seconds=$1
    shift
fi
if ! command -v cargo-fuzz >/dev/null; then
    echo "cargo-fuzz is missing: cargo install cargo-fuzz --locked" >&2
    exit 2
fi

# The compiler of rust-toolchain.toml, allowed the flags that coverage needs: a second toolchain is not worth it.
export RUSTC_BOOTSTRAP=1
out=$PWD/target/fuzz
wanted=("$@")
known=()
failed=()

# A slow input is as bad as a crash: 10 s is a thousand times what one takes. Our code has no unsafe blocks, so that
# address sanitizing would only slow it down.
run() { # FOLDER TARGET
    mkdir -p "$out/corpus/$2" "$out/artifacts/$2"
    # The same dependencies as the workspace's.
    cp Cargo.lock "$1/Cargo.lock"
    cargo fuzz run --fuzz-dir "$1" --target-dir "$out/build" --sanitizer none "$2" \
        "$out/corpus/$2" "$1/corpus/$2" -- \
        -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len="${MAX_LEN:-4096}" \
        -artifact_prefix="$out/artifacts/$2/" -print_final_stats=1
}

while read -r file; do
    target=$(basename "$file" .rs)
    folder=${file%/fuzz_targets/*}
    known+=("$target")
    if [ ${#wanted[@]} -gt 0 ] && [[ ! " ${wanted[*]} " == *" $target "* ]]; then
        continue
    fi
    echo "== $target ($folder), $seconds s"
    run "$folder" "$target" </dev/null || failed+=("$target")
done < <(find crates functions -path '*/fuzz/fuzz_targets/*.rs' | sort)

for target in ${wanted[@]+"${wanted[@]}"}; do
    if [[ ! " ${known[*]} " == *" $target "* ]]; then
        echo "there is no target $target; known: ${known[*]}" >&2
        exit 2
    fi
done
if [ ${#failed[@]} -gt 0 ]; then
    echo "failed: ${failed[*]}; see target/fuzz/artifacts" >&2
    exit 1
fi
