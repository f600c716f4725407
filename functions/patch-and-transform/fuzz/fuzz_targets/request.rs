//! Any bytes that decode as a request: an answer that encodes.
//!
//! `cargo +nightly fuzz run request` in `functions/patch-and-transform`. The corpus is replayed by the tests.

#![no_main]

use libfuzzer_sys::fuzz_target;
use prost::Message as _;
use purlin_function::RunFunctionRequest;

fuzz_target!(|bytes: &[u8]| {
    let Ok(request) = RunFunctionRequest::decode(bytes) else {
        return;
    };
    let response = function_patch_and_transform::hosted().function.run(&request);
    drop(response.encode_to_vec());
});
