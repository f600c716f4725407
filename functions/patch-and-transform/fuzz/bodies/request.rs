//! Any bytes that decode as a request: an answer that encodes.

use prost::Message as _;
use purlin_function::RunFunctionRequest;

pub(crate) fn run(bytes: &[u8]) {
    if let Ok(request) = RunFunctionRequest::decode(bytes) {
        let response = function_patch_and_transform::hosted()
            .function
            .run(&request);
        drop(response.encode_to_vec());
    }
}
