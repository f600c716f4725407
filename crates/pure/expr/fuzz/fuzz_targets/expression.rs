//! Any text as an expression: refused, or checked and evaluated in bounded steps and memory.
//!
//! `scripts/fuzz.sh 600 expression`. What it does is in `fuzz/bodies`; the tests replay the corpus with the same.

#![no_main]

#[path = "../bodies/expression.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
