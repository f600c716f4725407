//! What does a composite's status say after a pass? (spec/engine.md 3.3, steps 13 to 19)

use purlin_api::conditions::{self, Condition, Status};
use purlin_api::meta;
use serde_json::{Map, Value};

/// How many names a message lists.
const LISTED: usize = 3;

/// A status under construction: the object's own, with conditions set on it.
#[derive(Debug, Clone)]
pub struct Draft<'a> {
    status: Map<String, Value>,
    generation: i64,
    now: &'a str,
}

impl<'a> Draft<'a> {
    /// Starts from the status an object holds. `now` stamps what changes.
    pub fn of(object: &Value, now: &'a str) -> Self {
        Self {
            status: object
                .get("status")
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default(),
            generation: meta::generation(object),
            now,
        }
    }

    /// Sets one of the engine's own conditions, for the object's generation.
    pub fn set(&mut self, condition: Condition) -> &mut Self {
        let condition = condition.generation(self.generation);
        conditions::set(&mut self.status, &condition, self.now);
        self
    }

    /// Sets a condition a function returned, unless the type is the engine's. `for_claim` also lists its type for the
    /// claim.
    pub fn set_custom(&mut self, condition: &Condition, for_claim: bool) -> &mut Self {
        if conditions::is_system(&condition.kind) {
            return self;
        }
        conditions::set(&mut self.status, condition, self.now);
        if for_claim {
            let types = self
                .status
                .entry("claimConditionTypes")
                .or_insert_with(|| Value::Array(Vec::new()));
            if let Some(types) = types.as_array_mut() {
                let kind = Value::from(condition.kind.as_str());
                if !types.contains(&kind) {
                    types.push(kind);
                }
            }
        }
        self
    }

    /// Turns every condition of a function's that was not seen in a failed pass to Unknown.
    pub fn forget_unseen(&mut self, seen: &[&str]) -> &mut Self {
        let unseen: Vec<String> = self
            .status
            .get("conditions")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|c| c.get("type")?.as_str())
            .filter(|kind| !conditions::is_system(kind) && !seen.contains(kind))
            .map(str::to_owned)
            .collect();
        for kind in unseen {
            let lost = Condition::new(&kind, Status::Unknown, "FatalError").message(
                "A fatal error occurred before the status of this condition could be determined.",
            );
            conditions::set(&mut self.status, &lost, self.now);
        }
        self
    }

    /// Sets a field of the status.
    pub fn insert(&mut self, field: &str, value: Value) -> &mut Self {
        self.status.insert(field.to_owned(), value);
        self
    }

    /// The object with the new status, or nothing when the status is what it was.
    pub fn on(&self, object: &Value) -> Option<Value> {
        let held = object.get("status").and_then(Value::as_object);
        if held == Some(&self.status) || (held.is_none() && self.status.is_empty()) {
            return None;
        }
        let mut next = object.clone();
        meta::object_mut(&mut next, &[]).insert("status".into(), self.status.clone().into());
        Some(next)
    }
}

/// One composed resource after a pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composed {
    /// Its key in the pipeline.
    pub name: String,
    /// Whether the API server took it.
    pub synced: bool,
    /// Whether the pipeline says it is ready.
    pub ready: bool,
}

/// Synced, from what was applied.
pub fn synced(composed: &[Composed]) -> Condition {
    let unsynced = names(composed, |c| !c.synced);
    if unsynced.is_empty() {
        Condition::synced()
    } else {
        Condition::failed(format!(
            "Unsynced resources: {}. See the events for what the API server refused.",
            listed(&unsynced)
        ))
    }
}

/// Ready, from what is ready; the pipeline may overrule.
pub fn ready(composed: &[Composed], overruled: Option<bool>) -> Condition {
    let unready = names(composed, |c| !c.ready);
    match overruled {
        Some(true) => Condition::available(),
        Some(false) => Condition::creating(),
        None if unready.is_empty() => Condition::available(),
        None => Condition::creating().message(format!("Unready resources: {}", listed(&unready))),
    }
}

/// The names of some, sorted.
pub fn names(composed: &[Composed], which: impl Fn(&Composed) -> bool) -> Vec<&str> {
    let mut names: Vec<&str> = composed
        .iter()
        .filter(|c| which(c))
        .map(|c| c.name.as_str())
        .collect();
    names.sort_unstable();
    names
}

/// The first three names, and how many more there are.
pub fn listed(names: &[&str]) -> String {
    match names {
        [a, b, c] => format!("{a}, {b}, and {c}"),
        [a, b, c, more @ ..] => format!("{a}, {b}, {c}, and {} more", more.len()),
        few => few
            .iter()
            .take(LISTED)
            .copied()
            .collect::<Vec<_>>()
            .join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn resource(name: &str, ready: bool) -> Composed {
        Composed {
            name: name.into(),
            synced: true,
            ready,
        }
    }

    #[test]
    fn messages_list_three_names() {
        assert_eq!(listed(&["a"]), "a");
        assert_eq!(listed(&["a", "b"]), "a, b");
        assert_eq!(listed(&["a", "b", "c"]), "a, b, and c");
        assert_eq!(
            listed(&["cat", "cow", "elephant", "fox"]),
            "cat, cow, elephant, and 1 more"
        );
    }

    #[test]
    fn ready_needs_every_resource_unless_overruled() {
        let all = [resource("b", true), resource("a", false)];
        assert_eq!(ready(&all, None).message, "Unready resources: a");
        assert_eq!(ready(&all, Some(true)).reason, "Available");
        assert_eq!(ready(&[], None).reason, "Available");
        assert_eq!(
            ready(&[resource("a", true)], Some(false)).reason,
            "Creating"
        );
    }

    #[test]
    fn a_failed_pass_forgets_what_it_did_not_see() {
        let object = json!({"metadata": {"generation": 2}, "status": {"conditions": [
            {"type": "Db", "status": "True"}, {"type": "Net", "status": "True"}, {"type": "Ready", "status": "True"}]}});
        let mut draft = Draft::of(&object, "now");
        draft.set(Condition::failed("boom")).forget_unseen(&["Net"]);
        let next = draft.on(&object).unwrap();
        let reason = |kind| meta::text(conditions::get(&next, kind).unwrap(), &["reason"]);
        assert_eq!(reason("Db"), "FatalError");
        assert!(conditions::is_true(&next, "Net") && conditions::is_true(&next, "Ready"));
        assert_eq!(
            conditions::get(&next, "Synced").unwrap()["observedGeneration"],
            2
        );
    }

    #[test]
    fn a_status_that_says_the_same_is_not_written() {
        let object = json!({"metadata": {"generation": 1}});
        let first = Draft::of(&object, "t1")
            .set(Condition::synced())
            .on(&object)
            .unwrap();
        assert!(
            Draft::of(&first, "t2")
                .set(Condition::synced())
                .on(&first)
                .is_none()
        );
    }
}
