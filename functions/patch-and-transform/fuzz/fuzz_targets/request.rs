//! Any bytes that decode as a request: an answer that encodes.
//!
//! `scripts/fuzz.sh 600 request`. What it does is in `fuzz/bodies`; the tests replay the corpus with the same.

#![no_main]

#[path = "../bodies/request.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
