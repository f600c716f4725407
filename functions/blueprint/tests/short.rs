//! What is answered where it is read, and what is handed over because it may take long.

#![expect(clippy::unwrap_used, reason = "a test may, and its tables are long")]

use function_blueprint::Blueprint;
use purlin_function::{Function as _, RunFunctionRequest, Severity, protojson};
use serde_json::{Value, json};

/// A Blueprint with these parts, asked about a composite with this spec.
fn request(parts: &Value, spec: &Value) -> RunFunctionRequest {
    let mut input = json!({"apiVersion": "blueprint.fn.purlin.dev/v1alpha1", "kind": "Blueprint"});
    for (key, part) in parts.as_object().unwrap() {
        input[key] = part.clone();
    }
    let composite =
        json!({"apiVersion": "x/v1", "kind": "X", "metadata": {"name": "x"}, "spec": spec});
    let request = json!({"input": input, "observed": {"composite": {"resource": composite}}});
    protojson::request_from_json(request).unwrap()
}

fn resource(spec: &Value) -> Value {
    json!({"name": "one", "manifest": {"apiVersion": "a/v1", "kind": "A", "spec": spec}})
}

fn numbers(count: usize) -> Value {
    (0..count)
        .map(|number| json!(format!("n{number}")))
        .collect()
}

#[test]
fn what_is_known_and_small_is_answered_at_once() {
    let manifest =
        json!({"size": "${xr.spec.size}", "all": "${xr.spec.list}", "text": "a-${xr.spec.size}"});
    let each = json!({"name": "each", "forEach": {"n": "${xr.spec.list}"},
                      "manifest": {"apiVersion": "a/v1", "kind": "A", "spec": {"n": "${n}"}}});
    let parts = json!({
        "let": {"twice": "${xr.spec.list.map(n, n + n)}"},
        "resources": [resource(&manifest), each],
        "status": {"twice": "${twice}", "later": "${one.status.id}"},
    });
    let function = Blueprint::default();
    let request = request(&parts, &json!({"size": "s", "list": numbers(20)}));
    assert!(function.run_short(&request).is_none(), "it is not compiled");
    let response = function.run(&request);
    assert_eq!(response.desired.as_ref().unwrap().resources.len(), 21);
    assert_eq!(function.run_short(&request), Some(response));
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn what_may_take_long_is_handed_over() {
    let long = "x".repeat(40_000);
    let many = |value: &str| -> Value {
        let fields = (0..300).map(|at| (format!("f{at}"), json!(value)));
        Value::Object(fields.collect())
    };
    let pairs = "${xr.spec.list.map(a, xr.spec.list.map(b, a + b)).size()}";
    let each = |of: &str| {
        json!({"name": "each", "forEach": {"n": of},
               "manifest": {"apiVersion": "a/v1", "kind": "A", "spec": {"n": "${n}"}}})
    };
    for (what, parts, spec) in [
        (
            "an expression of many steps",
            json!({"resources": [resource(&json!({"n": pairs}))]}),
            json!({"list": numbers(300)}),
        ),
        (
            "few steps over much data",
            json!({"status": (0..300).map(|at| (format!("f{at}"), json!(format!("${{xr.spec.list.size() + {at}}}")))).collect::<serde_json::Map<_, _>>()}),
            json!({"list": numbers(4000)}),
        ),
        (
            "many steps in all",
            json!({"resources": [resource(&json!("${[1, 2, 3, 4, 5, 6, 7].map(a, [1, 2, 3, 4, 5, 6, 7].map(b, xr.spec.list.map(c, a + b)))}"))]}),
            json!({"list": numbers(300)}),
        ),
        (
            "large copies",
            json!({"resources": [resource(&many("${xr.spec.long}"))]}),
            json!({"long": long}),
        ),
        (
            "large texts",
            json!({"resources": [resource(&many("a ${xr.spec.long}"))]}),
            json!({"long": long}),
        ),
        (
            "a large value",
            json!({"resources": [resource(&json!({"n": "${xr.spec.list.map(a, {'a': a})}"}))]}),
            json!({"list": numbers(4000)}),
        ),
        (
            "many elements",
            json!({"resources": [each("${xr.spec.list}")]}),
            json!({"list": numbers(1000)}),
        ),
        (
            "large elements",
            json!({"resources": [each("${xr.spec.list}")]}),
            json!({"list": [{"a": many(&"y".repeat(200))}, {"b": many(&"z".repeat(200))}]}),
        ),
        (
            "usages",
            json!({"resources": [resource(&json!({"a": 1}))], "usages": {"inferred": true}}),
            json!({}),
        ),
    ] {
        let function = Blueprint::default();
        let request = request(&parts, &spec);
        let response = function.run(&request);
        let fatal = (response.results.iter()).find(|one| one.severity() == Severity::Fatal);
        assert_eq!(fatal, None, "{what}");
        assert!(function.run_short(&request).is_none(), "{what}");
        assert_eq!(function.run(&request), response, "{what}: as before");
    }
}

#[test]
fn after_one_that_takes_long_some_are_not_tried() {
    let parts = json!({"resources": [resource(&json!({"n": "${xr.spec.list.map(a, xr.spec.list.size()).size()}"}))]});
    let small = request(&parts, &json!({"list": numbers(3)}));
    let large = request(&parts, &json!({"list": numbers(3000)}));
    let function = Blueprint::default();
    let response = function.run(&small);
    assert_eq!(function.run_short(&small).as_ref(), Some(&response));
    assert!(function.run_short(&large).is_none());
    let tries = (0..100).take_while(|_| function.run_short(&small).is_none());
    assert_eq!(tries.count(), 16);
    assert_eq!(function.run_short(&small), Some(response));
}
