//! Which conditions do our kinds carry, and how is one set? (spec/engine.md 3.2)

use serde_json::{Map, Value, json};

/// What a condition says: `True`, `False` or `Unknown`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// Nobody knows.
    Unknown,
}

impl Status {
    /// As Kubernetes spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Its type.
    pub kind: String,
    /// What it says.
    pub status: Status,
    /// One word: why.
    pub reason: String,
    /// A sentence for people; empty when there is nothing to add.
    pub message: String,
    /// The generation it speaks of; 0 when it does not say (conditions set by functions).
    pub observed_generation: i64,
}

/// Whether the object is in use.
pub const READY: &str = "Ready";
/// Whether the last reconcile succeeded.
pub const SYNCED: &str = "Synced";
/// Whether the composite reacts to its watches.
pub const RESPONSIVE: &str = "Responsive";
/// Whether a definition's composites are served.
pub const ESTABLISHED: &str = "Established";
/// Whether a definition's claims are served.
pub const OFFERED: &str = "Offered";
/// Whether every function of a revision may be used in a pipeline.
pub const VALID_PIPELINE: &str = "ValidPipeline";

/// Whether a type belongs to the engine, so that functions cannot set it.
pub fn is_system(kind: &str) -> bool {
    matches!(kind, READY | SYNCED | RESPONSIVE | "Healthy" | "UpToDate")
}

impl Condition {
    /// A condition of the engine's own.
    pub fn new(kind: &str, status: Status, reason: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            status,
            reason: reason.to_owned(),
            message: String::new(),
            observed_generation: 0,
        }
    }

    /// With a sentence for people.
    #[must_use]
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// With the generation it speaks of.
    #[must_use]
    pub fn generation(mut self, generation: i64) -> Self {
        self.observed_generation = generation;
        self
    }

    /// Ready: in use.
    pub fn available() -> Self {
        Self::new(READY, Status::True, "Available")
    }

    /// Not ready: still being made.
    pub fn creating() -> Self {
        Self::new(READY, Status::False, "Creating")
    }

    /// Not ready: going away.
    pub fn deleting() -> Self {
        Self::new(READY, Status::False, "Deleting")
    }

    /// A claim that waits for its composite.
    pub fn waiting(message: impl Into<String>) -> Self {
        Self::new(READY, Status::False, "Waiting").message(message)
    }

    /// The reconcile went well.
    pub fn synced() -> Self {
        Self::new(SYNCED, Status::True, "ReconcileSuccess")
    }

    /// The reconcile failed; the message says how, and what would change it.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(SYNCED, Status::False, "ReconcileError").message(message)
    }

    /// Reconciles are paused.
    pub fn paused() -> Self {
        Self::new(SYNCED, Status::False, "ReconcilePaused").message(
            "Reconciles are paused by the annotation crossplane.io/paused, deletion included; remove it to go on.",
        )
    }

    /// The composite reacts to its watches.
    pub fn responsive() -> Self {
        Self::new(RESPONSIVE, Status::True, "WatchCircuitClosed")
    }
}

/// The object's condition of a type.
pub fn get<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    list(object)?
        .iter()
        .find(|c| c.get("type").and_then(Value::as_str) == Some(kind))
}

/// Whether the object's condition of a type is `True`.
pub fn is_true(object: &Value, kind: &str) -> bool {
    get(object, kind).and_then(|c| c.get("status")?.as_str()) == Some("True")
}

/// The object's conditions.
pub fn list(object: &Value) -> Option<&Vec<Value>> {
    object.get("status")?.get("conditions")?.as_array()
}

/// Sets a condition in a status, replacing the one of the same type only when something but the time differs.
/// The generation is not compared when either side does not say one.
pub fn set(status: &mut Map<String, Value>, condition: &Condition, now: &str) {
    let conditions = status
        .entry("conditions")
        .or_insert_with(|| Value::Array(Vec::new()));
    let Some(conditions) = conditions.as_array_mut() else {
        return;
    };
    let old = conditions
        .iter_mut()
        .find(|c| c.get("type").and_then(Value::as_str) == Some(&condition.kind));
    match old {
        Some(old) if says(old, condition) => {}
        Some(old) => *old = to_json(condition, now),
        None => conditions.push(to_json(condition, now)),
    }
}

/// Whether a held condition already says what this one says.
fn says(old: &Value, new: &Condition) -> bool {
    let word = |key: &str| old.get(key).and_then(Value::as_str).unwrap_or_default();
    let generation = old
        .get("observedGeneration")
        .and_then(Value::as_i64)
        .unwrap_or_default();
    word("status") == new.status.as_str()
        && word("reason") == new.reason
        && word("message") == new.message
        && (generation == 0
            || new.observed_generation == 0
            || generation == new.observed_generation)
}

/// A condition as the API holds it.
pub fn to_json(condition: &Condition, now: &str) -> Value {
    let mut out = json!({
        "type": condition.kind, "status": condition.status.as_str(), "reason": condition.reason,
        "lastTransitionTime": now,
    });
    let fields = out.as_object_mut().expect("it was written as an object");
    if !condition.message.is_empty() {
        fields.insert("message".into(), condition.message.clone().into());
    }
    if condition.observed_generation != 0 {
        fields.insert(
            "observedGeneration".into(),
            condition.observed_generation.into(),
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_that_says_the_same_keeps_its_time() {
        let mut status = Map::new();
        set(&mut status, &Condition::synced().generation(1), "t1");
        set(&mut status, &Condition::synced(), "t2");
        assert_eq!(status["conditions"][0]["lastTransitionTime"], "t1");
        set(&mut status, &Condition::failed("no"), "t3");
        assert_eq!(status["conditions"][0]["lastTransitionTime"], "t3");
        assert_eq!(status["conditions"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn functions_cannot_set_the_engines_conditions() {
        assert!(is_system("Ready") && is_system("Responsive") && !is_system("DatabaseReady"));
    }
}
