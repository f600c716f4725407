//! The fields of one map: keys, duplicates, merges.

use std::collections::{BTreeMap, BTreeSet};

use granit_parser::ScalarStyle;
use serde_json::{Map, Value};

use crate::place::{Branch, Children, Spot};

/// A value, where it and its parts stand, and how many values it holds.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) branch: Branch,
    pub(crate) size: usize,
}

impl Node {
    pub(crate) fn null(spot: Spot) -> Self {
        Self {
            value: Value::Null,
            branch: Branch {
                key: None,
                value: spot,
                children: Children::Empty,
            },
            size: 1,
        }
    }
}

#[derive(Default)]
pub(crate) struct MapContent {
    pub(crate) values: Map<String, Value>,
    pub(crate) branches: BTreeMap<String, Branch>,
    /// Names that a `<<` brought; they may be written again.
    pub(crate) merged: BTreeSet<String>,
    pub(crate) key: Option<Key>,
}

/// A key that waits for its value.
pub(crate) struct Key {
    /// `None`: it cannot be a key, and the value is dropped.
    pub(crate) name: Option<String>,
    pub(crate) merge: bool,
    pub(crate) spot: Spot,
}

pub(crate) struct Problem {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) help: &'static str,
    pub(crate) spot: Spot,
    pub(crate) field: Option<String>,
}

impl MapContent {
    pub(crate) fn take_key(&mut self, node: &Node) -> Option<Problem> {
        let spot = node.branch.value;
        let merge = matches!(&node.branch.children,
            Children::Scalar(text, ScalarStyle::Plain) if &**text == "<<");
        let name = key_name(&node.value);
        let bad = name.is_none();
        self.key = Some(Key { name, merge, spot });
        bad.then(|| Problem {
            code: "yaml/key-not-text",
            message: "a key must be a text, a number or a boolean".to_owned(),
            help: "quote text that starts with `{` or `[`, such as a template",
            spot,
            field: None,
        })
    }

    pub(crate) fn take_value(&mut self, key: Key, node: Node) -> Option<Problem> {
        let spot = key.spot;
        let name = key.name?;
        if key.merge {
            return (!self.merge(&node)).then(|| Problem {
                code: "yaml/bad-merge",
                message: "`<<` merges a map or a list of maps".to_owned(),
                help: "quote the key if `<<` is meant as text",
                spot,
                field: None,
            });
        }
        let first = self.branches.get(&name).and_then(|branch| branch.key);
        if let Some(first) = first
            && !self.merged.remove(&name)
        {
            return Some(Problem {
                code: "yaml/duplicate-key",
                message: format!("`{name}` is already set in line {}", first.line),
                help: "keep one of the two",
                spot,
                field: Some(name),
            });
        }
        let mut branch = node.branch;
        branch.key = Some(spot);
        self.branches.insert(name.clone(), branch);
        self.values.insert(name, node.value);
        None
    }

    /// Merges as go-yaml v2 does: a merge overrides what stands before it, and what follows overrides the merge. Of a
    /// list of maps the first has the last word.
    fn merge(&mut self, node: &Node) -> bool {
        match (&node.value, &node.branch.children) {
            (Value::Object(values), Children::Map(branches)) => {
                for (name, value) in values {
                    let branch = branches.get(name).cloned().unwrap_or_default();
                    self.branches.insert(name.clone(), branch);
                    self.values.insert(name.clone(), value.clone());
                    self.merged.insert(name.clone());
                }
                true
            }
            (Value::Array(values), Children::List(branches)) => {
                values.iter().zip(branches).rev().all(|(value, branch)| {
                    value.is_object()
                        && self.merge(&Node {
                            value: value.clone(),
                            branch: branch.clone(),
                            size: 0,
                        })
                })
            }
            _ => false,
        }
    }
}

/// The field name a key gives: numbers and booleans become text, as sigs.k8s.io/yaml makes them.
fn key_name(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
