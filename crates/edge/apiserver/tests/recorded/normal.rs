//! Takes out of answers what differs between any two runs.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::project::dig;

const TIMES: &[&str] = &[
    "creationTimestamp",
    "deletionTimestamp",
    "time",
    "lastTransitionTime",
    "lastUpdateTime",
];
const GENERATED: &str = "bcdfghjklmnpqrstvwxz2456789";

/// What one case has seen.
#[derive(Debug, Default)]
pub(crate) struct Normal {
    revisions: BTreeMap<String, String>,
    pub last_write: u64,
    pub problems: Vec<String>,
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// Names UIDs by their first appearance, in an order that does not depend on how objects are written.
pub(crate) fn renumber(answers: &Value) -> Value {
    fn collect(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                let mut keys: Vec<&String> = map.keys().collect();
                keys.sort();
                for key in keys {
                    tokens(key, found);
                    let value = &map[key.as_str()];
                    if let ("uid", Some(uid)) = (key.as_str(), value.as_str())
                        && !uid.is_empty()
                        && !found.iter().any(|f| f == uid)
                    {
                        found.push(uid.to_owned());
                    }
                    collect(value, found);
                }
            }
            Value::Array(list) => list.iter().for_each(|v| collect(v, found)),
            Value::String(text) => tokens(text, found),
            _ => {}
        }
    }
    let mut found = Vec::new();
    collect(answers, &mut found);
    let mut text = answers.to_string();
    // Two passes, so that a name that is given is not renamed again.
    for (i, name) in found.iter().enumerate() {
        text = text.replace(name.as_str(), &format!("\u{1}{i}\u{2}"));
    }
    let text = text.replace('\u{1}', "UID-").replace('\u{2}', "");
    serde_json::from_str(&text).expect("renaming keeps the JSON")
}

/// Finds UIDs, raw or recorded, in a text.
fn tokens(text: &str, found: &mut Vec<String>) {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '-';
    for word in text.split(|c| !part(c)) {
        let recorded = word
            .strip_prefix("UID")
            .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
        let lengths = [8, 4, 4, 4, 12];
        let pieces: Vec<&str> = word.split('-').collect();
        let raw = pieces.len() == 5
            && pieces
                .iter()
                .zip(lengths)
                .all(|(p, n)| p.len() == n && p.bytes().all(|b| b.is_ascii_hexdigit()));
        if (recorded || raw) && !found.iter().any(|f| f == word) {
            found.push(word.to_owned());
        }
    }
}

impl Normal {
    fn revision(&mut self, value: &Value) -> Value {
        let Some(text) = value.as_str().filter(|t| !t.is_empty()) else {
            return value.clone();
        };
        let next = format!("RV{}", self.revisions.len() + 1);
        self.revisions
            .entry(text.to_owned())
            .or_insert(next)
            .as_str()
            .into()
    }

    pub(crate) fn is_new(&self, revision: &str) -> bool {
        !self.revisions.contains_key(revision)
    }

    fn metadata(&mut self, metadata: &Map<String, Value>, kind: &str) -> Value {
        let loose = matches!(kind, "CustomResourceDefinition" | "Namespace");
        let mut out = Map::new();
        for (key, value) in metadata {
            let value = match key.as_str() {
                "resourceVersion" if loose && value.as_str() != Some("") => "RV".into(),
                "resourceVersion" => self.revision(value),
                key if TIMES.contains(&key) && !value.is_null() => "TIME".into(),
                "selfLink" => continue,
                "managedFields" if loose => continue,
                "managedFields" => entries(value),
                "name" => generated(value, metadata),
                _ => value.clone(),
            };
            out.insert(key.clone(), value);
        }
        Value::Object(out)
    }

    /// A whole answer.
    pub(crate) fn object(&mut self, value: &Value) -> Value {
        let Some(fields) = value.as_object() else {
            return value.clone();
        };
        let kind = text(value, "kind");
        if kind == "Status" && fields.contains_key("status") && text(value, "apiVersion") == "v1" {
            return status(value);
        }
        if kind == "Table" {
            return table(value);
        }
        if kind.ends_with("List")
            && let Some(items) = value["items"].as_array()
        {
            let items: Vec<Value> = items
                .iter()
                .filter(|item| dig(item, "metadata.name") != "kube-root-ca.crt")
                .map(|item| self.object(item))
                .collect();
            return json!({
                "kind": kind, "apiVersion": value["apiVersion"],
                "metadata": list_metadata(&value["metadata"]), "items": items,
            });
        }
        let mut out = Map::new();
        for (key, value) in fields {
            let value = match (key.as_str(), value) {
                ("metadata", Value::Object(metadata)) => self.metadata(metadata, kind),
                ("status", Value::Object(_))
                    if matches!(kind, "CustomResourceDefinition" | "Namespace") =>
                {
                    conditions(value)
                }
                ("serverAddress", _) => "HOST".into(),
                _ => hosts(value),
            };
            out.insert(key.clone(), value);
        }
        Value::Object(out)
    }
}

/// Server addresses differ.
fn hosts(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let fields = map.iter().map(|(k, v)| {
                let v = if k == "serverAddress" {
                    "HOST".into()
                } else {
                    hosts(v)
                };
                (k.clone(), v)
            });
            Value::Object(fields.collect())
        }
        Value::Array(list) => list.iter().map(hosts).collect::<Vec<_>>().into(),
        other => other.clone(),
    }
}

fn entries(value: &Value) -> Value {
    let mut list: Vec<Value> = value.as_array().cloned().unwrap_or_default();
    for entry in &mut list {
        if entry.get("time").is_some() {
            entry["time"] = "TIME".into();
        }
    }
    list.sort_by_key(|e| {
        ["operation", "manager", "apiVersion", "subresource"].map(|k| text(e, k).to_owned())
    });
    list.into()
}

/// A generated name becomes its base and a mark.
fn generated(name: &Value, metadata: &Map<String, Value>) -> Value {
    let base = metadata
        .get("generateName")
        .and_then(Value::as_str)
        .unwrap_or_default();
    mark(name.as_str().unwrap_or_default(), base).map_or_else(|| name.clone(), Value::from)
}

/// The base and a mark, when the name was generated from it.
pub(crate) fn mark(name: &str, base: &str) -> Option<String> {
    let base: String = base.chars().take(58).collect();
    let tail = name.strip_prefix(&base).filter(|_| !base.is_empty())?;
    (tail.len() == 5 && tail.chars().all(|c| GENERATED.contains(c))).then(|| format!("{base}<5>"))
}

fn conditions(status: &Value) -> Value {
    let mut status = status.clone();
    if let Some(list) = status.get_mut("conditions").and_then(Value::as_array_mut) {
        for condition in list.iter_mut().filter_map(Value::as_object_mut) {
            if condition.contains_key("type") && condition.contains_key("status") {
                condition.retain(|k, _| k != "message" && k != "observedGeneration");
                for key in TIMES {
                    if condition.get(*key).is_some_and(|v| !v.is_null()) {
                        condition.insert((*key).to_owned(), "TIME".into());
                    }
                }
            }
        }
        list.sort_by_key(|c| text(c, "type").to_owned());
    }
    status
}

fn status(status: &Value) -> Value {
    let mut out = json!({"kind": "Status", "status": status["status"]});
    if !text(status, "reason").is_empty() {
        out["reason"] = status["reason"].clone();
    }
    if !status["code"].is_null() {
        out["code"] = status["code"].clone();
    }
    if let Some(details) = status["details"].as_object() {
        let mut shown = Map::new();
        for key in ["name", "group", "kind", "uid"] {
            if let Some(value) = details
                .get(key)
                .filter(|v| !v.is_null() && v.as_str() != Some(""))
            {
                shown.insert(key.into(), value.clone());
            }
        }
        if let Some(causes) = details
            .get("causes")
            .and_then(Value::as_array)
            .filter(|c| !c.is_empty())
        {
            let mut causes: Vec<Value> = causes.iter().map(cause).collect();
            causes.sort_by_key(ToString::to_string);
            shown.insert("causes".into(), causes.into());
        }
        if let Some(seconds) = details.get("retryAfterSeconds") {
            shown.insert("retryAfterSeconds".into(), seconds.clone());
        }
        out["details"] = Value::Object(shown);
    }
    if !dig(status, "metadata.continue").is_null() {
        out["continue"] = "CONTINUE".into();
    }
    out
}

fn cause(cause: &Value) -> Value {
    let mut out = json!({"reason": text(cause, "reason"), "field": text(cause, "field")});
    if text(cause, "reason") != "FieldManagerConflict" {
        return out;
    }
    let message = text(cause, "message")
        .strip_prefix("conflict with \"")
        .unwrap_or_default();
    if let Some((manager, rest)) = message.split_once('"') {
        out["manager"] = manager.into();
        let mut rest = rest;
        if let Some((sub, after)) = rest
            .strip_prefix(" with subresource \"")
            .and_then(|r| r.split_once('"'))
        {
            out["subresource"] = sub.into();
            rest = after;
        }
        if let Some(using) = rest.strip_prefix(" using ") {
            out["using"] = using.split(' ').next().unwrap_or_default().into();
        }
    }
    out
}

fn list_metadata(metadata: &Value) -> Value {
    let mut out = Map::new();
    for (key, shown) in [("resourceVersion", "LISTRV"), ("continue", "CONTINUE")] {
        if !text(metadata, key).is_empty() {
            out.insert(key.into(), shown.into());
        }
    }
    if let Some(rest) = metadata.get("remainingItemCount") {
        out.insert("remainingItemCount".into(), rest.clone());
    }
    Value::Object(out)
}

fn is_age(text: &str) -> bool {
    let units = |t: &str| {
        let mut digits = false;
        let fine = t.chars().all(|c| {
            let unit = "smhdy".contains(c);
            let ok = c.is_ascii_digit() || (unit && digits);
            digits = c.is_ascii_digit();
            ok
        });
        fine && !digits && !t.is_empty()
    };
    units(text)
        || matches!(text, "<unknown>" | "<invalid>")
        || (text.len() >= 20 && text.ends_with('Z') && text.as_bytes()[10] == b'T')
}

fn table(table: &Value) -> Value {
    let columns = table["columnDefinitions"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|column| {
            let fields = ["name", "type", "format", "priority"].into_iter();
            let fields = fields.filter_map(|k| Some((k.to_owned(), column.get(k)?.clone())));
            Value::Object(fields.collect())
        });
    let rows = table["rows"].as_array().into_iter().flatten().map(|row| {
        let cells = row["cells"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|cell| match cell.as_str() {
                Some(text) if is_age(text) => "AGE".into(),
                _ => cell.clone(),
            });
        let mut out = json!({"cells": cells.collect::<Vec<Value>>()});
        if let Some(object) = row["object"].as_object() {
            let mut keys: Vec<&String> = object.keys().collect();
            keys.sort();
            let object = &row["object"];
            out["object"] = json!({
                "kind": object["kind"], "apiVersion": object["apiVersion"],
                "name": dig(object, "metadata.name"), "keys": keys,
            });
        }
        out
    });
    json!({
        "kind": "Table", "apiVersion": table["apiVersion"], "metadata": list_metadata(&table["metadata"]),
        "columnDefinitions": columns.collect::<Vec<_>>(), "rows": rows.collect::<Vec<_>>(),
    })
}
