//! Whole pipelines, as Crossplane v2.4's render engine answered them (tests/golden/render.jsonl).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::sync::Arc;
use std::time::Duration;

use purlin_function::Functions;
use purlin_render::{Failed, Inputs, Show, Text, Texts, render};
use purlin_testkit::{Outcome, cases, check_known};
use serde_json::Value;

#[tokio::test]
async fn pipelines_render_as_crossplane_renders_them() {
    let functions = Arc::new(Functions::new([
        function_patch_and_transform::hosted(),
        function_auto_ready::hosted(),
        function_go_templating::hosted(),
    ]));
    let mut outcomes = Vec::new();
    for case in cases("render.jsonl") {
        outcomes.push(Outcome {
            name: case["name"].as_str().unwrap().to_owned(),
            failure: run(&case, &functions).await.err(),
        });
    }
    check_known("render", "render.known.txt", &outcomes);
}

async fn run(case: &Value, functions: &Arc<Functions>) -> Result<(), String> {
    let (inputs, found) = Inputs::read(&texts(case), &[]);
    let rendered = match inputs {
        None => Err(Failed::Inputs(found)),
        Some(inputs) => {
            let show = Show {
                full_xr: true,
                results: true,
                context: false,
            };
            render(&inputs, functions, Duration::from_mins(1), show).await
        }
    };
    let fails = case["exit"] != 0;
    let rendered = match rendered {
        Ok(_) if fails => return Err("it should fail, and renders".to_owned()),
        Err(_) if fails => return Ok(()),
        Ok(rendered) => rendered,
        Err(failed) => return Err(format!("it should render: {failed:?}")),
    };
    let mut got = rendered.documents;
    got.iter_mut().for_each(without_messages);
    let want = case["output"].as_array().unwrap();
    for (index, want) in want.iter().enumerate() {
        let got = got.get(index).unwrap_or(&Value::Null);
        if !same(got, want) {
            let shown = |value| serde_json::to_string_pretty(value).unwrap();
            let (got, want) = (shown(got), shown(want));
            return Err(format!(
                "document {index}\n--- got\n{got}\n--- want\n{want}"
            ));
        }
    }
    if got.len() == want.len() {
        Ok(())
    } else {
        Err(format!("{} documents, not {}", got.len(), want.len()))
    }
}

fn texts(case: &Value) -> Texts {
    let text = |name: &str, content: String| Text {
        name: name.to_owned(),
        content,
    };
    let observed = case["observed"].as_array().unwrap().iter();
    Texts {
        xr: text("xr.yaml", case["xr"].to_string()),
        composition: text("composition.yaml", case["composition"].to_string()),
        modules: Vec::new(),
        functions: Vec::new(),
        observed: observed
            .map(|o| text("observed.yaml", o.to_string()))
            .collect(),
        required: Vec::new(),
        schemas: Vec::new(),
        credentials: Vec::new(),
        xrd: None,
        context: Vec::new(),
    }
}

/// The recordings leave the words of conditions and results out.
fn without_messages(document: &mut Value) {
    if document["kind"] == "Result" {
        document.as_object_mut().unwrap().remove("message");
    }
    let conditions = document.pointer_mut("/status/conditions");
    for condition in conditions
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        condition.as_object_mut().unwrap().remove("message");
    }
}

/// Equal values; numbers are doubles, as they were recorded through protobuf.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}
