//! Any bytes as a reference, a version, a constraint, a key, or a bundle with a signature.
//!
//! `scripts/fuzz.sh 600 words`. What it does is in `fuzz/bodies`; the tests replay the corpus with the same.

#![no_main]

#[path = "../bodies/words.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
