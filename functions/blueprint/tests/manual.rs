//! The examples of the manual run: a block `blueprint`, what it is given in a block `given`, and what a block `gives` shows.

#![expect(clippy::unwrap_used, reason = "a test may")]

use std::path::PathBuf;

use function_blueprint::Blueprint;
use prost::Message as _;
use purlin_function::{
    Function as _, RunFunctionRequest, RunFunctionResponse, Severity, protojson,
};
use serde_json::{Map, Value, json};

/// A fenced block: what it is, its first line, and its text.
struct Block {
    word: String,
    line: usize,
    text: String,
}

fn blocks(manual: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (at, line) in manual.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, Some(word)) => {
                open = Some(Block {
                    word: word.to_owned(),
                    line: at + 1,
                    text: String::new(),
                });
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is never closed");
    blocks
}

fn yaml(block: &Block) -> Value {
    let name = format!("blueprint.md, line {}", block.line);
    let (documents, found) = purlin_yaml::load(&name, &block.text);
    assert!(!found.has_errors(), "{found:?}");
    documents.into_iter().next().unwrap().value
}

/// The request that a block `given` stands for.
fn request(input: &Value, given: &Value) -> RunFunctionRequest {
    let mut input = input.clone();
    let map = input.as_object_mut().unwrap();
    map.insert(
        "apiVersion".to_owned(),
        json!("blueprint.fn.purlin.dev/v1alpha1"),
    );
    map.insert("kind".to_owned(), json!("Blueprint"));
    let each = |key: &str, of: &dyn Fn(&Value) -> Value| -> Value {
        let all = given[key].as_object().cloned().unwrap_or_default();
        Value::Object(
            all.iter()
                .map(|(name, one)| (name.clone(), of(one)))
                .collect(),
        )
    };
    let mut composite =
        json!({"apiVersion": "example.org/v1", "kind": "XApp", "metadata": {"name": "shop"}});
    for (key, value) in given["xr"].as_object().into_iter().flatten() {
        composite[key] = value.clone();
    }
    let request = json!({
        "input": input,
        "observed": {"composite": {"resource": composite}, "resources": each("observed", &|one| json!({"resource": one}))},
        "requiredResources": each("required", &|all| {
            let items: Vec<Value> = all.as_array().unwrap().iter().map(|one| json!({"resource": one})).collect();
            json!({"items": items})
        }),
        "credentials": each("credentials", &|data| json!({"credentialData": {"data": data}})),
        "context": {"apiextensions.crossplane.io/environment": given.get("environment").cloned().unwrap_or_else(|| json!({}))},
    });
    let request = protojson::request_from_json(request).unwrap();
    // As it comes over the wire.
    RunFunctionRequest::decode(request.encode_to_vec().as_slice()).unwrap()
}

/// The response in the words of a block `gives`.
fn told(response: &RunFunctionResponse) -> Map<String, Value> {
    let mut told = Map::new();
    let state = response.desired.clone().unwrap_or_default();
    let resources = state.resources.iter();
    let resources =
        resources.map(|(name, one)| (name.clone(), one.resource.as_ref().unwrap().to_json()));
    told.insert("resources".to_owned(), Value::Object(resources.collect()));
    let composite = state.composite.unwrap_or_default();
    let status = composite
        .resource
        .map(|object| object.to_json()["status"].clone());
    told.insert("status".to_owned(), status.unwrap_or_else(|| json!({})));
    let details = composite.connection_details.iter();
    let details = details.map(|(key, bytes)| (key.clone(), json!(String::from_utf8_lossy(bytes))));
    told.insert("connection".to_owned(), Value::Object(details.collect()));
    let json = protojson::response_to_json(response);
    let ready = state
        .resources
        .iter()
        .filter(|(_, one)| one.ready == 1)
        .map(|(name, _)| json!(name));
    told.insert("ready".to_owned(), Value::Array(ready.collect()));
    told.insert(
        "requirements".to_owned(),
        json.pointer("/requirements/resources")
            .cloned()
            .unwrap_or_else(|| json!({})),
    );
    let conditions = response
        .conditions
        .iter()
        .filter(|one| one.r#type != "Composed");
    let conditions = conditions.map(|one| {
        let status =
            ["Unspecified", "Unknown", "True", "False"][usize::try_from(one.status).unwrap()];
        let mut told = json!({"type": one.r#type, "status": status, "reason": one.reason});
        if let Some(message) = &one.message {
            told["message"] = json!(message);
        }
        told
    });
    told.insert("conditions".to_owned(), Value::Array(conditions.collect()));
    for (key, severity) in [
        ("fatal", Severity::Fatal),
        ("warning", Severity::Warning),
        ("says", Severity::Normal),
    ] {
        let results = response
            .results
            .iter()
            .filter(|result| result.severity() == severity);
        let message: Vec<&str> = results.map(|result| result.message.as_str()).collect();
        if !message.is_empty() {
            told.insert(key.to_owned(), json!(message.join("\n")));
        }
    }
    told
}

#[test]
fn every_example_gives_what_it_shows() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/manual/blueprint.md");
    let manual = std::fs::read_to_string(path).unwrap();
    let function = Blueprint::default();
    let (mut input, mut given) = (Value::Null, json!({}));
    let (mut run, mut wrong) = (0, Vec::new());
    for block in blocks(&manual) {
        match block.word.as_str() {
            "yaml blueprint" => {
                input = yaml(&block);
                given = json!({});
            }
            "yaml given" => given = yaml(&block),
            "yaml gives" => {
                run += 1;
                let told = told(&function.run(&request(&input, &given)));
                let shown = yaml(&block);
                for (key, shown) in shown.as_object().unwrap() {
                    let told = told.get(key).unwrap_or(&Value::Null);
                    if told != shown {
                        let told = purlin_yaml::to_string(&json!({key: told}));
                        wrong.push(format!("line {}: {told}", block.line));
                    }
                }
                if told.contains_key("fatal") && shown.get("fatal").is_none() {
                    wrong.push(format!("line {}: {}", block.line, told["fatal"]));
                }
            }
            // Files of modules, commands.
            "yaml" | "sh" => {}
            word => panic!("line {}: there are no blocks `{word}`", block.line),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(run >= 15, "{run}");
}

#[test]
fn every_field_is_described() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/manual/blueprint.md");
    let manual = std::fs::read_to_string(path).unwrap();
    for field in function_blueprint::language::FIELDS {
        let name = field
            .path
            .rsplit('.')
            .find(|part| !part.contains('*'))
            .unwrap();
        let name = name.trim_end_matches("[]");
        assert!(manual.contains(&format!("`{name}`")), "{}", field.path);
    }
    for variable in function_blueprint::language::GIVEN {
        assert!(
            manual.contains(&format!("`{}`", variable.name)),
            "{}",
            variable.name
        );
    }
}
