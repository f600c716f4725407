//! The two views of an event: core/v1, in which it is stored, and events.k8s.io/v1.

use serde_json::{Map, Value};

/// Core name, events.k8s.io name.
const NAMES: &[(&str, &str)] = &[
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reportingComponent", "reportingController"),
];

/// The stored form of an events.k8s.io/v1 event.
pub(crate) fn to_core(event: &mut Value) {
    let Some(fields) = event.as_object_mut() else {
        return;
    };
    for (core, new) in NAMES {
        rename(fields, new, core);
    }
    fields.insert("apiVersion".into(), "v1".into());
}

/// The events.k8s.io/v1 form of a stored event.
pub(crate) fn from_core(event: &mut Value) {
    let Some(fields) = event.as_object_mut() else {
        return;
    };
    for (core, new) in NAMES {
        rename(fields, core, new);
    }
    for text in ["reportingController", "reportingInstance"] {
        if fields.get(text).is_some_and(|v| v.as_str() == Some("")) {
            fields.remove(text);
        }
    }
    fields.insert("apiVersion".into(), "events.k8s.io/v1".into());
}

fn rename(fields: &mut Map<String, Value>, from: &str, to: &str) {
    if let Some(value) = fields.remove(from) {
        fields.insert(to.into(), value);
    }
}
