//! Any text as a duration: nothing, or what is written back the same.
//!
//! `scripts/fuzz.sh 600 duration`. What it does is in `fuzz/bodies`; the tests replay the corpus with the same.

#![no_main]

#[path = "../bodies/duration.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
