//! Every folder of `cases/` holds a request and the response it gets. `PURLIN_BLESS=1` rewrites the responses.

use std::path::{Path, PathBuf};

use function_blueprint::Blueprint;
use prost::Message as _;
use purlin_function::{Function as _, RunFunctionRequest, protojson};
use serde_json::Value;

fn read(path: &Path) -> Option<Value> {
    let text = std::fs::read_to_string(path).ok()?;
    let (documents, found) = purlin_yaml::load(&path.display().to_string(), &text);
    assert!(!found.has_errors(), "{found:?}");
    documents.into_iter().next().map(|document| document.value)
}

/// As it comes over the wire, where all numbers are doubles.
fn request(json: Value) -> RunFunctionRequest {
    let request = protojson::request_from_json(json).expect("the request is one");
    RunFunctionRequest::decode(request.encode_to_vec().as_slice())
        .expect("what was encoded decodes")
}

#[test]
fn every_case_gets_its_response() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut cases: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    assert!(cases.len() >= 18);
    let function = Blueprint::default();
    let (mut wrong, mut answered) = (Vec::new(), 0);
    for case in cases {
        let request = request(read(&case.join("request.yaml")).expect("a case has a request"));
        let response = protojson::response_to_json(&function.run(&request));
        assert_eq!(
            protojson::response_to_json(&function.run(&request)),
            response,
            "the second run is the same"
        );
        if let Some(short) = function.run_short(&request) {
            assert_eq!(protojson::response_to_json(&short), response, "in a hurry");
            answered += 1;
        }
        if read(&case.join("response.yaml")).as_ref() != Some(&response) {
            if std::env::var_os("PURLIN_BLESS").is_some() {
                std::fs::write(
                    case.join("response.yaml"),
                    purlin_yaml::to_string(&response),
                )
                .unwrap();
                continue;
            }
            wrong.push(format!(
                "{}:\n{}",
                case.display(),
                purlin_yaml::to_string(&response)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(answered >= 12, "only {answered} are answered in a hurry");
}
