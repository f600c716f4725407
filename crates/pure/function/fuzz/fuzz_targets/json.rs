//! Any JSON as a request or response: an error, or a message that is read again where it was written.
//!
//! `scripts/fuzz.sh 600 json`. What it does is in `fuzz/bodies`; the tests replay the corpus with the same.

#![no_main]

#[path = "../bodies/json.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
