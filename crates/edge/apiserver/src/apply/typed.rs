//! Reading a value by its shape: is it well formed, which paths does it hold, how do two differ?

use std::collections::BTreeMap;

use serde_json::Value;

use super::path::{Element, item_element, same};
use super::set::Set;
use super::shape::{Form, Identity, ListShape, MapShape, Scalar, Shape};

/// Checks an applied value: types, unknown fields, items without identity, and duplicates.
pub(crate) fn check(shape: &Shape, value: &Value, at: &str, errors: &mut Vec<String>) {
    if value.is_null() {
        return;
    }
    match shape.form(Some(value)) {
        Form::Scalar(kind) => {
            if let Some(wanted) = mismatch(kind, value) {
                errors.push(format!("{at}: expected {wanted}, got {}", kind_of(value)));
            }
        }
        Form::Map(map) => check_map(map, value, at, errors),
        Form::List(list) => check_list(list, value, at, errors),
    }
}

fn mismatch(kind: Scalar, value: &Value) -> Option<&'static str> {
    match (kind, value) {
        (Scalar::Numeric, Value::Number(_))
        | (Scalar::String, Value::String(_))
        | (Scalar::Boolean, Value::Bool(_))
        | (Scalar::Any, Value::Number(_) | Value::String(_) | Value::Bool(_)) => None,
        (Scalar::Numeric, _) => Some("numeric (int or float)"),
        (Scalar::String, _) => Some("string"),
        (Scalar::Boolean, _) => Some("boolean"),
        (Scalar::Any, _) => Some("any scalar"),
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "list",
        Value::Object(_) => "map",
    }
}

fn check_map(map: &MapShape, value: &Value, at: &str, errors: &mut Vec<String>) {
    let Some(fields) = value.as_object() else {
        errors.push(format!("{at}: expected map, got {}", kind_of(value)));
        return;
    };
    for (name, value) in fields {
        let at = format!("{at}.{name}");
        match map.field(name) {
            Some(shape) => check(shape, value, &at, errors),
            None => errors.push(format!("{at}: field not declared in schema")),
        }
    }
}

fn check_list(list: &ListShape, value: &Value, at: &str, errors: &mut Vec<String>) {
    let Some(items) = value.as_array() else {
        errors.push(format!("{at}: expected list, got {}", kind_of(value)));
        return;
    };
    let mut seen = std::collections::BTreeSet::new();
    for (i, item) in items.iter().enumerate() {
        if list.identity == Identity::Atomic {
            check(&list.item, item, &format!("{at}[{i}]"), errors);
            continue;
        }
        match item_element(list, item) {
            Err(error) => errors.push(format!("{at}: element {i}: {error}")),
            Ok(element) => {
                check(
                    &list.item,
                    item,
                    &format!("{at}{}", element.describe()),
                    errors,
                );
                let shown = element.describe();
                if !seen.insert(element) {
                    errors.push(format!("{at}: duplicate entries for key {shown}"));
                }
            }
        }
    }
}

/// The paths a value holds.
pub(crate) fn paths(shape: &Shape, value: &Value) -> Set {
    let mut set = Set::default();
    collect(shape, value, &mut Vec::new(), &mut set);
    set
}

fn collect(shape: &Shape, value: &Value, path: &mut Vec<Element>, set: &mut Set) {
    match shape.form(Some(value)) {
        Form::Scalar(_) => set.insert(path),
        Form::Map(map) if map.atomic => set.insert(path),
        Form::List(list) if list.identity == Identity::Atomic => set.insert(path),
        Form::Map(map) => {
            for (name, value) in value.as_object().into_iter().flatten() {
                let Some(shape) = map.field(name) else {
                    continue;
                };
                path.push(Element::field(name));
                collect(shape, value, path, set);
                let hollow =
                    value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty);
                if hollow || !map.fields.contains_key(name) {
                    set.insert(path);
                }
                path.pop();
            }
        }
        Form::List(list) => {
            for (element, items) in index(list, value.as_array().map_or(&[], Vec::as_slice)) {
                path.push(element);
                if let [item] = items.as_slice() {
                    collect(&list.item, item, path, set);
                }
                set.insert(path);
                path.pop();
            }
        }
    }
}

/// The items of a set or map list by identity; items without one are left out.
fn index<'a>(list: &ListShape, items: &'a [Value]) -> BTreeMap<Element, Vec<&'a Value>> {
    let mut map: BTreeMap<Element, Vec<&Value>> = BTreeMap::new();
    for item in items {
        if let Ok(element) = item_element(list, item) {
            map.entry(element).or_default().push(item);
        }
    }
    map
}

/// How one value became another.
#[derive(Debug, Clone, Default)]
pub(crate) struct Comparison {
    pub added: Set,
    pub removed: Set,
    pub modified: Set,
}

impl Comparison {
    /// What is there now and was not there like this before.
    pub(crate) fn touched(&self) -> Set {
        self.modified.union(&self.added)
    }

    /// Leaves out what is below the given paths.
    pub(crate) fn without(&self, ignored: &Set) -> Self {
        Self {
            added: self.added.without(ignored),
            removed: self.removed.without(ignored),
            modified: self.modified.without(ignored),
        }
    }
}

/// Compares two values of one shape.
pub(crate) fn compare(shape: &Shape, old: &Value, new: &Value) -> Comparison {
    let mut comparison = Comparison::default();
    let mut walk = Compare {
        path: Vec::new(),
        out: &mut comparison,
    };
    walk.step(shape, Some(old), Some(new));
    comparison
}

struct Compare<'a> {
    path: Vec<Element>,
    out: &'a mut Comparison,
}

fn discriminant(form: &Form<'_>) -> u8 {
    match form {
        Form::Scalar(_) => 0,
        Form::Map(_) => 1,
        Form::List(_) => 2,
    }
}

impl Compare<'_> {
    fn step(&mut self, shape: &Shape, old: Option<&Value>, new: Option<&Value>) {
        let before = shape.form(old);
        let after = shape.form(new);
        let leaf =
            if new.is_none() || (old.is_some() && discriminant(&before) != discriminant(&after)) {
                let first = self.form(&before, old, new);
                first | (new.is_some() && self.form(&after, old, new))
            } else {
                self.form(&after, old, new)
            };
        if leaf {
            return;
        }
        if old.is_none() {
            self.out.added.insert(&self.path);
        } else if new.is_none() {
            self.out.removed.insert(&self.path);
        }
    }

    /// Compares as one form; says whether the whole was a leaf.
    fn form(&mut self, form: &Form<'_>, old: Option<&Value>, new: Option<&Value>) -> bool {
        match form {
            Form::Scalar(_) => self.leaf(old, new),
            Form::Map(map) => {
                let (before, after) = (entries(old), entries(new));
                let both_empty = before.is_none_or(serde_json::Map::is_empty)
                    && after.is_none_or(serde_json::Map::is_empty);
                if map.atomic || both_empty {
                    return self.leaf(old, new);
                }
                let empty = serde_json::Map::new();
                let (before, after) = (before.unwrap_or(&empty), after.unwrap_or(&empty));
                let added = after.keys().filter(|name| !before.contains_key(*name));
                for name in before.keys().chain(added) {
                    let Some(shape) = map.field(name) else {
                        continue;
                    };
                    self.path.push(Element::field(name));
                    self.step(shape, before.get(name), after.get(name));
                    self.path.pop();
                }
                false
            }
            Form::List(list) => {
                let (before, after) = (items(old), items(new));
                if list.identity == Identity::Atomic || (before.is_empty() && after.is_empty()) {
                    return self.leaf(old, new);
                }
                self.lists(list, before, after);
                false
            }
        }
    }

    fn leaf(&mut self, old: Option<&Value>, new: Option<&Value>) -> bool {
        match (old, new) {
            (None, _) => self.out.added.insert(&self.path),
            (_, None) => self.out.removed.insert(&self.path),
            (Some(old), Some(new)) if !same(old, new) => self.out.modified.insert(&self.path),
            (Some(_), Some(_)) => {}
        }
        true
    }

    fn lists(&mut self, list: &ListShape, old: &[Value], new: &[Value]) {
        let before = index(list, old);
        let after = index(list, new);
        let added = after.keys().filter(|e| !before.contains_key(*e));
        for element in before.keys().chain(added) {
            let none = Vec::new();
            let was = before.get(element).unwrap_or(&none);
            let is = after.get(element).unwrap_or(&none);
            self.path.push(element.clone());
            match (was.as_slice(), is.as_slice()) {
                ([] | [_], [] | [_]) => {
                    self.step(&list.item, was.first().copied(), is.first().copied());
                }
                ([_, _, ..], [_, _, ..]) => {
                    let equal =
                        was.len() == is.len() && was.iter().zip(is).all(|(a, b)| same(a, b));
                    if !equal {
                        self.out.modified.insert(&self.path);
                    }
                }
                ([_, _, ..], _) => {
                    self.out.removed.insert(&self.path);
                    if let [one] = is.as_slice() {
                        self.step(&list.item, None, Some(one));
                    }
                }
                (_, [_, _, ..]) => {
                    if let [one] = was.as_slice() {
                        self.step(&list.item, Some(one), None);
                    }
                    self.out.added.insert(&self.path);
                }
            }
            self.path.pop();
        }
    }
}

fn entries(value: Option<&Value>) -> Option<&serde_json::Map<String, Value>> {
    value.and_then(Value::as_object)
}

fn items(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
