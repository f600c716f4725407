//! Placeholders for what differs from run to run: generated names, hashes, UIDs.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::Value;

const RESOURCE_NAME: &str = "crossplane.io/composition-resource-name";

/// Objects by their role.
pub(crate) type Objects = BTreeMap<&'static str, Vec<Value>>;

#[derive(Default)]
pub(crate) struct Names {
    raw: Table,
    uids: Table,
    hashes: BTreeMap<String, String>,
}

/// Raw words and their placeholders; a second incarnation gets `#2`.
#[derive(Default)]
struct Table {
    of: BTreeMap<String, String>,
    used: BTreeMap<String, usize>,
}

impl Table {
    fn put(&mut self, raw: &str, base: String) {
        if self.of.contains_key(raw) {
            return;
        }
        let count = self.used.entry(base.clone()).or_default();
        *count += 1;
        let placeholder = if *count == 1 {
            base
        } else {
            format!("{base}#{count}")
        };
        self.of.insert(raw.to_owned(), placeholder);
    }
}

pub(crate) fn text<'a>(object: &'a Value, path: &[&str]) -> &'a str {
    path.iter()
        .try_fold(object, |here, key| here.get(key))
        .and_then(Value::as_str)
        .unwrap_or_default()
}

pub(crate) fn name(object: &Value) -> &str {
    text(object, &["metadata", "name"])
}

/// The references of a composite, wherever they are.
pub(crate) fn references(object: &Value) -> &[Value] {
    let at = |pointer| {
        object
            .pointer(pointer)
            .and_then(Value::as_array)
            .filter(|l| !l.is_empty())
    };
    at("/spec/resourceRefs")
        .or_else(|| at("/spec/crossplane/resourceRefs"))
        .map_or(&[], Vec::as_slice)
}

fn elsewhere(namespace: &str) -> String {
    if namespace == "golden" {
        String::new()
    } else {
        format!("@{namespace}")
    }
}

fn sorted(objects: &[Value], key: impl Fn(&Value) -> Vec<String>) -> Vec<&Value> {
    let mut all: Vec<&Value> = objects.iter().collect();
    all.sort_by_key(|o| key(o));
    all
}

/// The prefix of a name that ends in a generated suffix.
fn stem<'a>(name: &'a str, suffix: &Regex) -> Option<&'a str> {
    suffix
        .find(name)
        .map(|found| name.split_at(found.start()).0)
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the patterns here are right")
}

impl Names {
    fn placeholder(&self, raw: &str) -> String {
        self.raw
            .of
            .get(raw)
            .cloned()
            .unwrap_or_else(|| raw.to_owned())
    }

    /// The raw name behind a placeholder.
    pub(crate) fn behind(&self, placeholder: &str) -> Option<String> {
        let found = self.raw.of.iter().find(|(_, p)| *p == placeholder);
        found.map(|(raw, _)| raw.clone())
    }

    /// Takes in what is there now, in an order that does not depend on generated words.
    pub(crate) fn learn(&mut self, world: &Objects) {
        self.claimed(world);
        self.composed(world);
        self.promised(world);
        self.revisions(world);
        self.identities(world);
    }

    fn claimed(&mut self, world: &Objects) {
        let random = regex("-[a-z0-9]{5}$");
        let by_place = |o: &Value| {
            vec![
                text(o, &["metadata", "namespace"]).to_owned(),
                name(o).to_owned(),
            ]
        };
        for claim in sorted(&world["claim"], by_place) {
            let referred = text(claim, &["spec", "resourceRef", "name"]);
            if stem(referred, &random) == Some(name(claim)) {
                let place = elsewhere(text(claim, &["metadata", "namespace"]));
                self.raw.put(referred, format!("{}-XR{place}", name(claim)));
            }
        }
        for composite in sorted(&world["xr"], |o| vec![name(o).to_owned()]) {
            let label = |key| text(composite, &["metadata", "labels", key]);
            let claim = label("crossplane.io/claim-name");
            if !claim.is_empty() && stem(name(composite), &random) == Some(claim) {
                let place = elsewhere(label("crossplane.io/claim-namespace"));
                self.raw.put(name(composite), format!("{claim}-XR{place}"));
            }
        }
    }

    fn composed(&mut self, world: &Objects) {
        let generated = regex("-([0-9a-f]{12}|[a-z0-9]{5})$");
        let mut all = world["composed"].clone();
        all.extend(world["xr"].iter().cloned());
        let by_key = |o: &Value| {
            vec![
                text(o, &["metadata", "annotations", RESOURCE_NAME]).to_owned(),
                text(o, &["metadata", "creationTimestamp"]).to_owned(),
                name(o).to_owned(),
            ]
        };
        for object in sorted(&all, by_key) {
            let key = text(object, &["metadata", "annotations", RESOURCE_NAME]);
            let Some(prefix) = stem(name(object), &generated).filter(|_| !key.is_empty()) else {
                continue;
            };
            let parent = self.placeholder(prefix);
            let owners = object["metadata"]["ownerReferences"].as_array();
            let controlled = owners
                .into_iter()
                .flatten()
                .any(|o| o["controller"] == true);
            if controlled || parent != prefix {
                self.raw.put(name(object), format!("{parent}-HASH({key})"));
            }
        }
    }

    fn promised(&mut self, world: &Objects) {
        let hashed = regex("-[0-9a-f]{12}$");
        for composite in &world["xr"] {
            for reference in references(composite) {
                let referred = text(reference, &["name"]);
                if stem(referred, &hashed) == Some(name(composite)) {
                    let parent = self.placeholder(name(composite));
                    let kind = text(reference, &["kind"]);
                    self.raw.put(referred, format!("{parent}-HASH(?{kind})"));
                }
            }
        }
    }

    fn revisions(&mut self, world: &Objects) {
        const OF: [&str; 3] = ["metadata", "labels", "crossplane.io/composition-name"];
        let by_number = |o: &Value| {
            let number = o["spec"]["revision"].as_i64().unwrap_or_default();
            vec![text(o, &OF).to_owned(), format!("{number:09}")]
        };
        for revision in sorted(&world["revision"], by_number) {
            let composition = text(revision, &OF);
            if !self.raw.of.contains_key(name(revision)) {
                let count = self
                    .raw
                    .used
                    .entry(format!("{composition}-REV"))
                    .or_default();
                *count += 1;
                let placeholder = format!("{composition}-REV{count}");
                self.raw.of.insert(name(revision).to_owned(), placeholder);
            }
            let hash = text(
                revision,
                &["metadata", "labels", "crossplane.io/composition-hash"],
            );
            let placeholder = format!("HASHOF({})", self.placeholder(name(revision)));
            if !hash.is_empty() {
                self.hashes.entry(hash.to_owned()).or_insert(placeholder);
            }
        }
    }

    fn identities(&mut self, world: &Objects) {
        for role in [
            "claim",
            "xr",
            "composed",
            "revision",
            "composition",
            "secret",
            "usage",
            "xrd",
        ] {
            let by_placeholder = |o: &Value| {
                let created = text(o, &["metadata", "creationTimestamp"]).to_owned();
                vec![self.placeholder(name(o)), created]
            };
            let mut found = Vec::new();
            for object in sorted(&world[role], by_placeholder) {
                let own = self.uids.of.get(name(object)).cloned();
                let shown = own.unwrap_or_else(|| self.placeholder(name(object)));
                let mut base = format!("{}/{shown}", text(object, &["kind"]));
                let namespace = text(object, &["metadata", "namespace"]);
                if !namespace.is_empty() {
                    base += &elsewhere(namespace);
                }
                found.push((
                    text(object, &["metadata", "uid"]).to_owned(),
                    format!("UID({base})"),
                ));
            }
            for (uid, base) in found {
                self.uids.put(&uid, base);
            }
        }
    }

    /// The object with placeholders instead of raw words.
    pub(crate) fn swap(&self, object: &Value) -> Value {
        let mut table: BTreeMap<&str, &str> = BTreeMap::new();
        for (raw, placeholder) in self.raw.of.iter().chain(&self.hashes).chain(&self.uids.of) {
            table.insert(raw, placeholder);
        }
        if table.is_empty() {
            return object.clone();
        }
        let mut raw: Vec<&str> = table.keys().copied().collect();
        raw.sort_by_key(|word| std::cmp::Reverse(word.len()));
        let pattern: Vec<String> = raw.into_iter().map(regex::escape).collect();
        swap(object, &regex(&pattern.join("|")), &table)
    }
}

fn swap(value: &Value, pattern: &Regex, table: &BTreeMap<&str, &str>) -> Value {
    let word = |text: &str| {
        let replaced = pattern.replace_all(text, |found: &regex::Captures<'_>| {
            found
                .get(0)
                .and_then(|m| table.get(m.as_str()))
                .copied()
                .unwrap_or_default()
                .to_owned()
        });
        replaced.into_owned()
    };
    match value {
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(key, value)| (word(key), swap(value, pattern, table)))
                .collect(),
        ),
        Value::Array(items) => items
            .iter()
            .map(|item| swap(item, pattern, table))
            .collect(),
        Value::String(text) => Value::String(word(text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}
