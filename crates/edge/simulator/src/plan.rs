//! What should be written about an object now? Decides, and writes nothing.

use std::time::Duration;

use purlin_api::conditions::{self, Condition, Status};
use purlin_api::meta;
use purlin_api::meta::names::ANNOTATION_EXTERNAL_NAME;
use serde_json::{Value, json};

use crate::Options;
use crate::behavior::{Phase, phase};
use crate::fake::Identity;
use crate::fill;
use crate::managed::Managed;
use crate::secret;

/// The finalizer of managed resources, as Crossplane's providers have it.
const FINALIZER: &str = "finalizer.managedresource.crossplane.io";

/// What to write, and when to look again.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Plan {
    /// A merge patch of the metadata.
    pub(crate) metadata: Option<Value>,
    /// The whole new status.
    pub(crate) status: Option<Value>,
    /// The connection secret.
    pub(crate) secret: Option<Value>,
    /// When the object looks different although nobody writes it.
    pub(crate) again: Option<Duration>,
}

/// Decides about one object, `elapsed` after it was first seen. `now` is what conditions carry.
pub(crate) fn plan(
    object: &Value,
    managed: &Managed,
    elapsed: Duration,
    now: &str,
    options: &Options,
) -> Plan {
    if meta::is_deleting(object) {
        return Plan {
            metadata: meta::has_finalizer(object, FINALIZER).then(|| without_finalizer(object)),
            ..Plan::default()
        };
    }
    if meta::is_paused(object) {
        return Plan::default();
    }
    let identity = Identity::of(object, &managed.gvk, &options.account);
    let (phase, again) = phase(
        object,
        elapsed,
        conditions::is_true(object, conditions::READY),
        options,
    );
    let mut status = object["status"].as_object().cloned().unwrap_or_default();
    let exists = matches!(phase, Phase::Available | Phase::Unavailable);
    if let Some(schema) = managed.at_provider.as_ref().filter(|_| exists) {
        let observed = fill::at_provider(schema, object, &identity);
        status.insert("atProvider".to_owned(), observed);
    }
    let generation = meta::generation(object);
    for condition in conditions(phase) {
        conditions::set(&mut status, &condition.generation(generation), now);
    }
    let status = Value::Object(status);
    let connection = (phase == Phase::Available)
        .then(|| secret::of(object, managed, &status, &identity))
        .flatten();
    // A resource that is ready within the blink of an eye is not announced first: one write instead of two.
    let soon = phase == Phase::Creating && again.is_some_and(|wait| wait <= Duration::from_secs(1));
    Plan {
        metadata: named(object, &identity),
        status: (status != object["status"] && !soon).then_some(status),
        secret: connection,
        again,
    }
}

fn conditions(phase: Phase) -> [Condition; 2] {
    match phase {
        Phase::Creating => [Condition::synced(), Condition::creating()],
        Phase::Available => [Condition::synced(), Condition::available()],
        Phase::Unavailable => {
            let unavailable = Condition::new(conditions::READY, Status::False, "Unavailable");
            let message = "the simulated resource flaps, as its annotation asks";
            [Condition::synced(), unavailable.message(message)]
        }
        Phase::Failed => {
            let message = "cannot create: the simulated provider refuses, as the annotation simulator.purlin.dev/behavior asks";
            [Condition::failed(message), Condition::creating()]
        }
    }
}

/// The finalizer and the external name, when one is missing.
fn named(object: &Value, identity: &Identity) -> Option<Value> {
    let has_name = !meta::annotation(object, ANNOTATION_EXTERNAL_NAME).is_empty();
    if has_name && meta::has_finalizer(object, FINALIZER) {
        return None;
    }
    let mut finalizers: Vec<&str> = meta::finalizers(object).collect();
    if !finalizers.contains(&FINALIZER) {
        finalizers.push(FINALIZER);
    }
    Some(json!({"metadata": {
        "resourceVersion": meta::resource_version(object),
        "finalizers": finalizers,
        "annotations": {ANNOTATION_EXTERNAL_NAME: identity.external_name},
    }}))
}

fn without_finalizer(object: &Value) -> Value {
    let finalizers: Vec<&str> = meta::finalizers(object)
        .filter(|one| *one != FINALIZER)
        .collect();
    json!({"metadata": {"resourceVersion": meta::resource_version(object), "finalizers": finalizers}})
}

#[cfg(test)]
mod tests {
    use super::*;
    use purlin_api::meta::Gvk;
    use purlin_schema::Schema;

    fn managed() -> Managed {
        let schema = Schema::parse(
            &json!({"type": "object", "properties": {"id": {"type": "string"}, "cidrBlock": {"type": "string"}}}),
        );
        Managed {
            gvk: Gvk::new("ec2.aws.upbound.io/v1beta1", "VPC"),
            at_provider: schema.ok(),
        }
    }

    fn decide(object: &Value, millis: u64) -> Plan {
        plan(
            object,
            &managed(),
            Duration::from_millis(millis),
            "2026-01-01T00:00:00Z",
            &Options::default(),
        )
    }

    fn merged(object: &Value, plan: &Plan) -> Value {
        let mut object = object.clone();
        if let Some(patch) = &plan.metadata {
            for (name, value) in patch["metadata"].as_object().unwrap() {
                object["metadata"][name] = value.clone();
            }
        }
        if let Some(status) = &plan.status {
            object["status"] = status.clone();
        }
        object
    }

    #[test]
    fn a_resource_is_named_then_ready_and_then_left_alone() {
        let object = json!({"apiVersion": "ec2.aws.upbound.io/v1beta1", "kind": "VPC", "metadata": {"name": "a", "uid": "u", "resourceVersion": "1", "generation": 1},
            "spec": {"forProvider": {"cidrBlock": "10.0.0.0/16"}}});
        let first = decide(&object, 0);
        assert!(first.metadata.is_some() && first.status.is_none());
        assert_eq!(first.again, Some(Duration::from_millis(300)));
        let object = merged(&object, &first);
        let second = decide(&object, 300);
        let object = merged(&object, &second);
        assert_eq!(object["status"]["atProvider"]["cidrBlock"], "10.0.0.0/16");
        assert!(conditions::is_true(&object, conditions::READY));
        assert_eq!(decide(&object, 400), Plan::default());
        let mut changed = object.clone();
        changed["spec"]["forProvider"]["cidrBlock"] = json!("10.1.0.0/16");
        changed["metadata"]["generation"] = json!(2);
        let third = decide(&changed, 500);
        assert_eq!(
            third.status.unwrap()["atProvider"]["cidrBlock"],
            "10.1.0.0/16"
        );
    }

    #[test]
    fn deletion_only_drops_the_finalizer() {
        let object = json!({"metadata": {"name": "a", "deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["x", FINALIZER]}});
        let plan = decide(&object, 0);
        assert_eq!(
            plan.metadata.unwrap()["metadata"]["finalizers"],
            json!(["x"])
        );
        assert_eq!(plan.status, None);
        let gone = json!({"metadata": {"name": "a", "deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["x"]}});
        assert_eq!(decide(&gone, 0), Plan::default());
    }

    #[test]
    fn a_failing_resource_says_so_and_a_paused_one_nothing() {
        let failing = json!({"metadata": {"name": "a", "annotations": {"simulator.purlin.dev/behavior": "failing"}}});
        let status = decide(&failing, 0).status.unwrap();
        assert_eq!(status["conditions"][0]["reason"], "ReconcileError");
        assert_eq!(status["conditions"][1]["status"], "False");
        let paused =
            json!({"metadata": {"name": "a", "annotations": {"crossplane.io/paused": "true"}}});
        assert_eq!(decide(&paused, 0), Plan::default());
    }
}
