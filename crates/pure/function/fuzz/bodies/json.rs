//! Any JSON as a request and as a response: an error, or a message that can be written as JSON and read again.

use prost::Message as _;
use purlin_function::protojson::{
    request_from_json, request_to_json, response_from_json, response_to_json,
};
use purlin_function::{RunFunctionRequest, RunFunctionResponse};

pub(crate) fn run(bytes: &[u8]) {
    let Ok(json) = serde_json::from_slice::<serde_json::Value>(bytes) else {
        return;
    };
    if let Ok(request) = request_from_json(json.clone()) {
        let again = RunFunctionRequest::decode(request.encode_to_vec().as_slice());
        if let Ok(again) = again {
            assert_eq!(again, request);
        }
        drop(request_from_json(request_to_json(&request)));
    }
    if let Ok(response) = response_from_json(json) {
        if let Ok(again) = RunFunctionResponse::decode(response.encode_to_vec().as_slice()) {
            assert_eq!(again, response);
        }
        drop(response_from_json(response_to_json(&response)));
    }
}
