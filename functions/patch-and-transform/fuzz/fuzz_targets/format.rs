//! Any text as the format of a patch: a text or a mistake, bounded in size and time.
//!
//! `scripts/fuzz.sh 600 format`. What it does is in `fuzz/bodies`; the tests replay the corpus with the same.

#![no_main]

#[path = "../bodies/format.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
