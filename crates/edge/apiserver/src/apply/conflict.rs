//! The answer to an apply that wants what others own.

use serde_json::{Value, json};

use super::managed::{Managed, ManagerId};
use super::updater::Conflicts;
use crate::failure::Failure;

fn describe(id: &ManagerId, managed: &Managed) -> String {
    let mut parts = vec![format!("{:?}", id.name)];
    if !id.subresource.is_empty() {
        parts.push(format!("with subresource {:?}", id.subresource));
    }
    if !id.applied {
        parts.push(format!("using {}", id.version));
        parts.extend(managed.times.get(id).map(|time| format!("at {time}")));
    }
    parts.join(" ")
}

/// The 409 that lists each contested field with its owner.
pub(super) fn failure(conflicts: &Conflicts, managed: &Managed) -> Failure {
    let mut causes: Vec<Value> = Vec::new();
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for (id, set) in conflicts {
        let who = describe(id, managed);
        let mut fields = Vec::new();
        for path in set.paths() {
            let field: String = path.iter().map(super::path::Element::describe).collect();
            causes.push(json!({
                "reason": "FieldManagerConflict",
                "message": format!("conflict with {who}"),
                "field": field,
            }));
            fields.push(field);
        }
        groups.push((who, fields));
    }
    groups.sort();
    let message = match (groups.as_slice(), causes.len()) {
        ([(who, fields)], 1) => {
            format!(
                "Apply failed with 1 conflict: conflict with {who}: {}",
                fields.concat()
            )
        }
        (groups, count) => {
            let parts: Vec<String> = groups
                .iter()
                .map(|(who, fields)| format!("conflicts with {who}:\n- {}", fields.join("\n- ")))
                .collect();
            format!("Apply failed with {count} conflicts: {}", parts.join("\n"))
        }
    };
    Failure::new(409, "Conflict", message).detail("causes", causes.into())
}
