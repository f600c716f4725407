//! What do the conditions of this object say?

use crate::time::Instant;
use crate::{ObjectRef, ValueRef};

/// A condition of an object, as far as it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Condition<'a> {
    /// `True`, `False` or `Unknown`; empty when the object has no conditions that can be read.
    pub status: &'a str,
    /// Why, for programs.
    pub reason: &'a str,
    /// Why, for people.
    pub message: &'a str,
}

impl Condition<'_> {
    const ABSENT: Self = Self {
        status: "Unknown",
        reason: "",
        message: "",
    };
}

impl<'a> ObjectRef<'a> {
    /// The status of the first condition of a type: see [`ObjectRef::condition`].
    pub fn condition_status(self, kind: &str) -> &'a str {
        self.condition(kind).status
    }

    /// The first condition of a type: its status is `Unknown` when there is none of it.
    ///
    /// Empty when there is no `status`, or when the list of conditions is not one that Crossplane's types can hold: one
    /// malformed condition hides all, as in crossplane-runtime's `ConditionedStatus`.
    pub fn condition(self, kind: &str) -> Condition<'a> {
        self.readable_condition(kind).unwrap_or_default()
    }

    fn readable_condition(self, kind: &str) -> Option<Condition<'a>> {
        let conditions = match self.get("status")? {
            ValueRef::Object(status) => status.get("conditions"),
            ValueRef::Null => None,
            _ => return None,
        };
        let list = match conditions {
            None | Some(ValueRef::Null) => return Some(Condition::ABSENT),
            Some(ValueRef::List(list)) => list,
            Some(_) => return None,
        };
        let mut found = None;
        for item in list {
            let condition = match item {
                ValueRef::Object(condition) => condition,
                ValueRef::Null => continue,
                _ => return None,
            };
            if !condition
                .iter()
                .all(|(name, value)| is_readable(name, value))
            {
                return None;
            }
            let text = |name: &str| condition.get(name).and_then(ValueRef::as_str).unwrap_or("");
            if found.is_none() && text("type") == kind {
                found = Some(Condition {
                    status: text("status"),
                    reason: text("reason"),
                    message: text("message"),
                });
            }
        }
        Some(found.unwrap_or(Condition::ABSENT))
    }
}

/// Whether a member of a condition has the type it must have.
fn is_readable(name: &str, value: ValueRef<'_>) -> bool {
    match (name, value) {
        (_, ValueRef::Null) => true,
        ("type" | "status" | "reason" | "message", value) => value.as_str().is_some(),
        ("lastTransitionTime", value) => value
            .as_str()
            .is_some_and(|text| Instant::parse(text).is_some()),
        ("observedGeneration", value) => value.as_i64().is_some(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::Object;

    fn check(status: &Json, expect: &str) {
        let object = Object::from_json(json!({"status": status})).expect("an object");
        assert_eq!(object.as_ref().condition_status("Ready"), expect);
    }

    #[test]
    fn the_first_condition_of_the_type_counts_and_a_malformed_one_hides_all() {
        let ready = json!({"type": "Ready", "status": "True"});
        check(&json!({"conditions": [null, ready]}), "True");
        check(
            &json!({"conditions": [ready, {"type": "Ready", "status": "False"}]}),
            "True",
        );
        check(
            &json!({"conditions": [{"type": "Synced", "status": "True"}]}),
            "Unknown",
        );
        check(&json!({}), "Unknown");
        check(&Json::Null, "Unknown");
        check(&json!("text"), "");
        check(&json!({"conditions": {}}), "");
        check(&json!({"conditions": [ready, "text"]}), "");
        check(&json!({"conditions": [ready, {"type": 1}]}), "");
        check(
            &json!({"conditions": [ready, {"observedGeneration": 1.5}]}),
            "",
        );
        check(
            &json!({"conditions": [ready, {"lastTransitionTime": "now"}]}),
            "",
        );
        assert_eq!(Object::new().as_ref().condition_status("Ready"), "");
    }
}
