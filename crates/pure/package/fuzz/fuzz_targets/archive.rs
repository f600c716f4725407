//! Any bytes as an `.xpkg` or OCI layout: refused, or read within the limits.
//!
//! `MAX_LEN=16384 scripts/fuzz.sh 600 archive`. What it does is in `fuzz/bodies`; the tests replay the corpus with the same.

#![no_main]

#[path = "../bodies/archive.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
