//! Any text as a template: an output or a mistake, bounded in size and time.
//!
//! `scripts/fuzz.sh 600 template`. What it does is in `fuzz/bodies`; the tests replay the corpus with the same.

#![no_main]

#[path = "../bodies/template.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
