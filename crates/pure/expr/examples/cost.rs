//! What does an evaluation cost? Runs one of twelve usual expressions a number of times, for a profiler to count.
//!
//! `cost ours|cel EXPRESSION TIMES`; the difference of two numbers of times, divided by it, is the cost of one. Without
//! arguments it names the expressions.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "it is run by hand"
)]

use std::hint::black_box;
use std::sync::Arc;

use purlin_expr::{Bindings, Outcome, Program};
use purlin_object::{Object, ValueRef};
use serde_json::{Value as Json, json};

/// Over an ordinary Deployment.
const EXPRESSIONS: [(&str, &str); 12] = [
    ("cmp", "object.spec.replicas <= 5"),
    (
        "label",
        "object.metadata.labels['app.kubernetes.io/name'] == 'checkout'",
    ),
    (
        "has",
        "has(object.spec.template.spec.securityContext) && object.spec.template.spec.securityContext.runAsNonRoot == true",
    ),
    (
        "all",
        "object.spec.template.spec.containers.all(c, c.image.startsWith('registry.example.com/') && !c.image.endsWith(':latest'))",
    ),
    (
        "exists",
        "object.spec.template.spec.containers.exists(c, has(c.resources) && has(c.resources.limits) && 'gpu' in c.resources.limits)",
    ),
    (
        "concat",
        "object.metadata.name + '-' + object.metadata.namespace + '-db'",
    ),
    (
        "map",
        "object.spec.template.spec.containers.map(c, c.name + ':' + string(c.ports[0].containerPort))",
    ),
    (
        "ready",
        "object.status.conditions.exists(c, c.type == 'Available' && c.status == 'True') && object.status.readyReplicas == object.spec.replicas",
    ),
    (
        "opt",
        "object.?metadata.?annotations[?'example.com/owner'].orValue('nobody')",
    ),
    (
        "regex",
        "object.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",
    ),
    (
        "nested",
        "object.spec.template.spec.containers.all(c, c.env.all(e, !e.name.contains('PASSWORD') || has(e.valueFrom)))",
    ),
    (
        "build",
        "{'app': object.metadata.name, 'tier': object.spec.replicas > 1 ? 'ha' : 'single', 'ports': object.spec.template.spec.containers[0].ports.map(p, p.containerPort)}",
    ),
];

fn deployment() -> Json {
    let container = |name: &str| {
        let env: Vec<Json> = (0..6)
            .map(|i| json!({"name": format!("VAR_{i}"), "value": format!("value-{i}")}))
            .collect();
        json!({
            "name": name, "image": format!("registry.example.com/shop/{name}:1.4.2"), "imagePullPolicy": "IfNotPresent", "env": env,
            "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}, {"name": "metrics", "containerPort": 9090, "protocol": "TCP"}],
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"cpu": "1", "memory": "512Mi"}},
            "livenessProbe": {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 10, "failureThreshold": 3},
            "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true},
            "volumeMounts": [{"name": "config", "mountPath": "/etc/config"}],
        })
    };
    let condition = |kind: &str| {
        json!({"type": kind, "status": "True", "reason": "MinimumReplicasAvailable", "lastTransitionTime": "2026-01-31T12:00:00Z",
               "message": "the deployment is as it should be"})
    };
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {
            "name": "checkout", "namespace": "shop", "uid": "5d0b0a55-3c9f-4f0e-8d0c-0d6a5f1f2a11", "generation": 7,
            "labels": {"app.kubernetes.io/name": "checkout", "app.kubernetes.io/part-of": "shop", "team": "payments"},
            "annotations": {"example.com/owner": "payments", "example.com/runbook": "https://runbooks.example.com/checkout"},
        },
        "spec": {
            "replicas": 3, "revisionHistoryLimit": 10, "selector": {"matchLabels": {"app.kubernetes.io/name": "checkout"}},
            "template": {
                "metadata": {"labels": {"app.kubernetes.io/name": "checkout"}},
                "spec": {
                    "serviceAccountName": "checkout", "securityContext": {"runAsNonRoot": true, "fsGroup": 2000},
                    "containers": [container("checkout"), container("proxy"), container("agent")],
                    "volumes": [{"name": "config", "configMap": {"name": "checkout"}}],
                },
            },
        },
        "status": {"replicas": 3, "readyReplicas": 3, "observedGeneration": 7, "conditions": [condition("Progressing"), condition("Available")]},
    })
}

fn to_cel(json: &Json) -> cel::Value {
    match json {
        Json::Null => cel::Value::Null,
        Json::Bool(b) => cel::Value::Bool(*b),
        Json::Number(n) => n.as_i64().map_or_else(
            || cel::Value::Float(n.as_f64().unwrap_or(0.0)),
            cel::Value::Int,
        ),
        Json::String(s) => cel::Value::String(Arc::new(s.clone())),
        Json::Array(items) => cel::Value::List(Arc::new(items.iter().map(to_cel).collect())),
        Json::Object(map) => {
            let entries = map
                .iter()
                .map(|(k, v)| (cel::objects::Key::from(k.clone()), to_cel(v)));
            cel::Value::Map(cel::objects::Map {
                map: Arc::new(entries.collect()),
            })
        }
    }
}

fn ours(source: &str, times: usize) {
    let object = Object::from_json(deployment()).expect("it is an object");
    let program = Program::parse(source).expect("it compiles");
    let mut bindings = Bindings::new();
    bindings.data("object", ValueRef::Object(object.as_ref()));
    for _ in 0..times {
        let outcome = program.eval(black_box(&bindings));
        assert!(matches!(outcome, Outcome::Ok(_)), "{source}");
        black_box(&outcome);
    }
}

fn theirs(source: &str, times: usize) {
    let env = Arc::new(cel::Env::stdlib());
    let program = env.compile(source).expect("it compiles");
    let mut context = cel::Context::with_env(Arc::clone(&env));
    context.add_variable_from_value("object", to_cel(&deployment()));
    for _ in 0..times {
        let value = program
            .execute(black_box(&context))
            .expect("it has a value");
        black_box(&value);
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [engine, name, times] = arguments.as_slice() else {
        for (name, source) in EXPRESSIONS {
            println!("{name}\t{source}");
        }
        return;
    };
    let (_, source) = EXPRESSIONS
        .iter()
        .find(|(known, _)| known == name)
        .expect("it is one of the twelve");
    let times = times.parse().expect("a number of times");
    match engine.as_str() {
        "ours" => ours(source, times),
        _ => theirs(source, times),
    }
}
