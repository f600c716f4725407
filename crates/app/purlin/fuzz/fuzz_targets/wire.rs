//! Any bytes on the wire, to every hosted function: an error, or an answer that can be encoded and read again.
//!
//! `scripts/fuzz.sh 600 wire`. What it does is in `fuzz/bodies`; the tests replay the corpus with the same.

#![no_main]

use std::sync::LazyLock;

use purlin_function::Functions;

#[path = "../bodies/wire.rs"]
mod body;
#[path = "../../src/hosted.rs"]
mod hosted;

static FUNCTIONS: LazyLock<Functions> = LazyLock::new(hosted::functions);

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(&FUNCTIONS, bytes));
