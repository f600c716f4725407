//! Any format over values of every kind: a text, bounded in size.
//!
//! `scripts/fuzz.sh 600 printf`. What it does is in `fuzz/bodies`; the tests replay the corpus with the same.

#![no_main]

#[path = "../bodies/printf.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
