//! What is a claim made of, and which part is not ready? Follows references down from one object.

use std::collections::BTreeSet;

use purlin_api::meta::Gvk;
use purlin_kube::Client;
use serde_json::{Value, json};

/// How many objects one trace reads at most, and how deep it goes.
const OBJECTS: usize = 1_000;
const DEPTH: usize = 16;

/// An object of the tree.
#[derive(Debug)]
pub(crate) struct Node {
    /// What the parent calls it.
    reference: Reference,
    /// The object, when it exists.
    object: Option<Value>,
    /// What it refers to.
    children: Vec<Node>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Reference {
    gvk: Gvk,
    namespace: String,
    name: String,
}

/// Finds the kind a word stands for, as `kubectl` does: its kind, plural, singular or a short name, with or without the
/// group behind a dot, in any case.
pub(crate) fn find_kind(definitions: &[Value], word: &str) -> Option<Gvk> {
    let (word, group) = match word.split_once('.') {
        Some((word, group)) => (word, Some(group)),
        None => (word, None),
    };
    let definition = definitions.iter().find(|definition| {
        let names = &definition["spec"]["names"];
        let called = |name: &Value| {
            name.as_str()
                .is_some_and(|name| name.eq_ignore_ascii_case(word))
        };
        let in_group =
            group.is_none_or(|group| definition["spec"]["group"].as_str() == Some(group));
        let short = names["shortNames"].as_array();
        in_group
            && (called(&names["kind"])
                || called(&names["plural"])
                || called(&names["singular"])
                || short.is_some_and(|list| list.iter().any(called)))
    })?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let versions = definition["spec"]["versions"].as_array()?;
    let version = versions
        .iter()
        .find(|version| version["storage"].as_bool() == Some(true))
        .or_else(|| versions.first())?;
    Some(Gvk {
        group: text(&definition["spec"]["group"])?,
        version: text(&version["name"])?,
        kind: text(&definition["spec"]["names"]["kind"])?,
    })
}

/// Reads an object and everything it is made of.
pub(crate) async fn trace(
    client: &Client,
    gvk: &Gvk,
    namespace: &str,
    name: &str,
) -> Result<Node, purlin_kube::Error> {
    let reference = Reference {
        gvk: gvk.clone(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    };
    let mut seen = BTreeSet::new();
    walk(client, reference, 0, &mut seen).await
}

async fn walk(
    client: &Client,
    mut reference: Reference,
    depth: usize,
    seen: &mut BTreeSet<Reference>,
) -> Result<Node, purlin_kube::Error> {
    let object = match client.kind(&reference.gvk).await {
        Ok(kind) => {
            if !kind.namespaced {
                reference.namespace.clear();
            }
            client
                .get(&kind, &reference.namespace, &reference.name)
                .await?
        }
        Err(purlin_kube::Error::NotServed(_)) => None,
        Err(error) => return Err(error),
    };
    let mut children = Vec::new();
    if seen.insert(reference.clone()) && depth < DEPTH {
        for child in object
            .iter()
            .flat_map(|object| references(object, &reference.namespace))
        {
            if seen.len() >= OBJECTS {
                break;
            }
            children.push(Box::pin(walk(client, child, depth + 1, seen)).await?);
        }
    }
    Ok(Node {
        reference,
        object,
        children,
    })
}

/// What an object refers to: a claim its composite, a composite what it is composed of (in `spec`, or in
/// `spec.crossplane` as version 2 has it).
fn references(object: &Value, namespace: &str) -> Vec<Reference> {
    let spec = &object["spec"];
    let lists = [&spec["resourceRefs"], &spec["crossplane"]["resourceRefs"]];
    let many = lists.into_iter().filter_map(Value::as_array).flatten();
    std::iter::once(&spec["resourceRef"])
        .chain(many)
        .filter_map(|reference| {
            let gvk = Gvk::new(
                reference["apiVersion"].as_str()?,
                reference["kind"].as_str()?,
            );
            let name = reference["name"]
                .as_str()
                .filter(|name| !name.is_empty())?
                .to_owned();
            let namespace = reference["namespace"]
                .as_str()
                .unwrap_or(namespace)
                .to_owned();
            Some(Reference {
                gvk,
                namespace,
                name,
            })
        })
        .collect()
}

impl Node {
    /// Whether the object itself exists.
    pub(crate) fn exists(&self) -> bool {
        self.object.is_some()
    }

    /// The tree as aligned text.
    pub(crate) fn table(&self) -> String {
        let mut rows = vec![[
            "NAME".to_owned(),
            "SYNCED".to_owned(),
            "READY".to_owned(),
            "STATUS".to_owned(),
        ]];
        self.rows("", "", &mut rows);
        let width = |at: usize| {
            let cells = rows.iter().filter_map(|row| row.get(at));
            cells
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or_default()
        };
        let (name, synced, ready) = (width(0), width(1), width(2));
        let mut out = String::new();
        for [a, b, c, d] in &rows {
            let line = format!("{a:<name$}   {b:<synced$}   {c:<ready$}   {d}");
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }

    fn rows(&self, first: &str, rest: &str, rows: &mut Vec<[String; 4]>) {
        let Reference {
            gvk,
            namespace,
            name,
        } = &self.reference;
        let place = if namespace.is_empty() {
            String::new()
        } else {
            format!(" ({namespace})")
        };
        let (synced, ready) = (self.condition("Synced"), self.condition("Ready"));
        rows.push([
            format!("{first}{}/{name}{place}", gvk.kind),
            word(synced, "-"),
            word(ready, "-"),
            self.story(synced, ready),
        ]);
        let last = self.children.len().saturating_sub(1);
        for (at, child) in self.children.iter().enumerate() {
            let (branch, below) = if at == last {
                ("└─ ", "   ")
            } else {
                ("├─ ", "│  ")
            };
            child.rows(&format!("{rest}{branch}"), &format!("{rest}{below}"), rows);
        }
    }

    fn condition(&self, name: &str) -> Option<&Value> {
        let conditions = self.object.as_ref()?["status"]["conditions"].as_array()?;
        conditions
            .iter()
            .find(|condition| condition["type"].as_str() == Some(name))
    }

    /// Why it is not well, or the reason it is.
    fn story(&self, synced: Option<&Value>, ready: Option<&Value>) -> String {
        let Some(object) = &self.object else {
            return "does not exist".to_owned();
        };
        if object["metadata"]["deletionTimestamp"].is_string() {
            return "is being deleted".to_owned();
        }
        let told = |condition: &Value| {
            let reason = condition["reason"].as_str().unwrap_or_default();
            match condition["message"]
                .as_str()
                .filter(|message| !message.is_empty())
            {
                Some(message) => {
                    format!("{reason}: {}", message.lines().next().unwrap_or_default())
                }
                None => reason.to_owned(),
            }
        };
        let bad = [synced, ready]
            .into_iter()
            .flatten()
            .find(|c| c["status"].as_str() != Some("True"));
        bad.or(ready).map(told).unwrap_or_default()
    }

    /// The tree for machines.
    pub(crate) fn json(&self) -> Value {
        json!({
            "apiVersion": self.reference.gvk.api_version(),
            "kind": self.reference.gvk.kind,
            "namespace": self.reference.namespace,
            "name": self.reference.name,
            "exists": self.exists(),
            "synced": self.condition("Synced"),
            "ready": self.condition("Ready"),
            "children": self.children.iter().map(Self::json).collect::<Vec<_>>(),
        })
    }
}

fn word(condition: Option<&Value>, none: &str) -> String {
    let status = condition.and_then(|condition| condition["status"].as_str());
    status.unwrap_or(none).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(kind: &str, object: Option<Value>, children: Vec<Node>) -> Node {
        let reference = Reference {
            gvk: Gvk::new("example.org/v1", kind),
            namespace: String::new(),
            name: "a".to_owned(),
        };
        Node {
            reference,
            object,
            children,
        }
    }

    #[test]
    fn the_tree_says_what_is_not_ready_and_why() {
        let well = json!({"status": {"conditions": [
            {"type": "Synced", "status": "True", "reason": "ReconcileSuccess"},
            {"type": "Ready", "status": "True", "reason": "Available"}
        ]}});
        let sick = json!({"status": {"conditions": [
            {"type": "Synced", "status": "True"},
            {"type": "Ready", "status": "False", "reason": "Creating", "message": "waiting for a\nquota"}
        ]}});
        let inner = node(
            "XNet",
            Some(sick.clone()),
            vec![node("Gone", None, Vec::new())],
        );
        let tree = node(
            "Net",
            Some(well),
            vec![inner, node("VPC", Some(sick), Vec::new())],
        );
        assert_eq!(
            tree.table(),
            "NAME           SYNCED   READY   STATUS\n\
             Net/a          True     True    Available\n\
             ├─ XNet/a      True     False   Creating: waiting for a\n\
             │  └─ Gone/a   -        -       does not exist\n\
             └─ VPC/a       True     False   Creating: waiting for a\n"
        );
    }

    #[test]
    fn kinds_are_found_by_any_of_their_names() {
        let definitions = [json!({"spec": {
            "group": "example.org",
            "names": {"kind": "Network", "plural": "networks", "singular": "network", "shortNames": ["net"]},
            "versions": [{"name": "v1alpha1", "storage": false}, {"name": "v1", "storage": true}]
        }})];
        for word in [
            "Network",
            "networks",
            "network",
            "NET",
            "networks.example.org",
            "network.example.org",
        ] {
            let found = find_kind(&definitions, word);
            assert_eq!(found, Some(Gvk::new("example.org/v1", "Network")), "{word}");
        }
        assert_eq!(find_kind(&definitions, "networks.other.org"), None);
        assert_eq!(find_kind(&definitions, "bucket"), None);
    }

    #[test]
    fn references_of_claims_and_both_kinds_of_composites_are_followed() {
        let one = json!({"apiVersion": "e/v1", "kind": "A", "name": "x"});
        let unnamed = json!({"apiVersion": "e/v1", "kind": "A"});
        let names = |spec: Value| references(&json!({"spec": spec}), "ns").len();
        assert_eq!(names(json!({"resourceRef": one})), 1);
        assert_eq!(names(json!({"resourceRefs": [one, unnamed]})), 1);
        assert_eq!(
            names(json!({"crossplane": {"resourceRefs": [one, one]}})),
            2
        );
        assert_eq!(names(json!(null)), 0);
    }
}
