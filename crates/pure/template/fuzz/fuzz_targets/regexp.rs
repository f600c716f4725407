//! Any expression over any text: an error, or matches in bounded time and memory.
//!
//! `scripts/fuzz.sh 600 regexp`. What it does is in `fuzz/bodies`; the tests replay the corpus with the same.

#![no_main]

#[path = "../bodies/regexp.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
