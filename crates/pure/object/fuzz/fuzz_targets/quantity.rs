//! Any text as a quantity or an instant: an error or a number.
//!
//! `scripts/fuzz.sh 600 quantity`. What it does is in `fuzz/bodies`; the tests replay the corpus with the same.

#![no_main]

#[path = "../bodies/quantity.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
