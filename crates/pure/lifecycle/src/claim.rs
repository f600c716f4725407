//! What travels between a claim and its composite? (spec/engine.md 4)

use purlin_api::conditions::{self, Condition};
use purlin_api::meta::{self, names};
use purlin_api::xrd::Xrd;
use serde_json::{Map, Value, json};

use crate::event::Problem;
use crate::settled;
use crate::status::Draft;

/// Fields of claims and composites that belong to the machinery: never the user's, even when smuggled in.
const MACHINERY: [&str; 10] = [
    "compositionRef",
    "compositionSelector",
    "compositionRevisionRef",
    "compositionRevisionSelector",
    "compositionUpdatePolicy",
    "compositeDeletePolicy",
    "resourceRef",
    "resourceRefs",
    "claimRef",
    "writeConnectionSecretToRef",
];
/// Status fields that each side keeps to itself.
const OWN_STATUS: [&str; 3] = ["conditions", "connectionDetails", "claimConditionTypes"];

/// A claim, its composite if there is one, and their definition.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'a> {
    /// The claim.
    pub claim: &'a Value,
    /// The composite it refers to, when that exists.
    pub composite: Option<&'a Value>,
    /// Their definition.
    pub xrd: &'a Xrd,
}

impl Pair<'_> {
    /// Whether the composite may be this claim's: it is bound to nobody, or to it.
    ///
    /// # Errors
    /// Says whose it is.
    pub fn check_bound(&self) -> Result<(), Problem> {
        let Some(composite) = self.composite else {
            return Ok(());
        };
        let Some(held) = composite["spec"].get("claimRef").filter(|v| !v.is_null()) else {
            return Ok(());
        };
        let mine = meta::text(held, &["name"]) == meta::name(self.claim)
            && meta::text(held, &["namespace"]) == meta::namespace(self.claim);
        if mine {
            return Ok(());
        }
        Err(Problem::new(
            "BindCompositeResource",
            format!(
                "refusing to operate on composite resource {:?} that is not bound to this claim: bound to claim \
                 \"{}/{}\"; name another composite in spec.resourceRef",
                meta::name(composite),
                meta::text(held, &["namespace"]),
                meta::text(held, &["name"]),
            ),
        ))
    }

    /// Whether the composite is bound to this claim already.
    pub fn is_bound(&self) -> bool {
        self.composite
            .is_some_and(|c| c["spec"].get("claimRef").is_some_and(|v| !v.is_null()))
    }

    /// Whether the composite pins its revision by hand. The claim's word counts before the composite's.
    fn is_manual(&self) -> bool {
        let policy = |object: &Value| {
            let word = meta::text(object, &["spec", "compositionUpdatePolicy"]).to_owned();
            (!word.is_empty()).then_some(word)
        };
        policy(self.claim)
            .or_else(|| self.composite.and_then(policy))
            .as_deref()
            == Some("Manual")
    }

    /// The claim as it should be written before its composite is applied: held by a finalizer, referring to its
    /// composite, with what the composite chose. `fresh_name` names a composite that does not exist yet.
    pub fn next_claim(&self, fresh_name: &str) -> Value {
        let mut claim = self.claim.clone();
        meta::add_finalizer(&mut claim, names::FINALIZER_CLAIM);
        let held = meta::text(self.claim, &["spec", "resourceRef", "name"]);
        let name = if held.is_empty() { fresh_name } else { held };
        let reference = json!({
            "apiVersion": self.xrd.composite.api_version(), "kind": self.xrd.composite.kind, "name": name,
        });
        let spec = meta::object_mut(&mut claim, &["spec"]);
        spec.insert("resourceRef".into(), reference);
        let Some(composite) = self.composite else {
            return claim;
        };
        let chosen = |field: &str| {
            composite["spec"]
                .get(field)
                .filter(|v| !v.is_null())
                .cloned()
        };
        let mut take = |field: &str, always: bool| {
            if let Some(value) = chosen(field)
                && (always || !spec.contains_key(field))
            {
                spec.insert(field.into(), value);
            }
        };
        take("compositionRef", self.xrd.enforced_composition.is_some());
        take("compositionRevisionSelector", false);
        if !self.is_manual() {
            take("compositionRevisionRef", true);
        }
        let external = meta::annotation(composite, names::ANNOTATION_EXTERNAL_NAME);
        if !external.is_empty() {
            meta::object_mut(&mut claim, &["metadata", "annotations"])
                .insert(names::ANNOTATION_EXTERNAL_NAME.into(), external.into());
        }
        claim
    }

    /// What the claim applies to its composite. A field the claim stops setting is not in it, so it goes.
    pub fn composite_patch(&self, name: &str) -> Value {
        let spec = self.claim.get("spec").and_then(Value::as_object);
        let mut out: Map<String, Value> = Map::new();
        for (field, value) in spec.into_iter().flatten() {
            let travels = match field.as_str() {
                "compositionRef" => self.xrd.enforced_composition.is_none(),
                "compositionSelector"
                | "compositionUpdatePolicy"
                | "compositionRevisionSelector" => true,
                "compositionRevisionRef" => self.is_manual(),
                other => !MACHINERY.contains(&other),
            };
            if travels && !value.is_null() {
                out.insert(field.clone(), value.clone());
            }
        }
        self.hand_over_revision(&mut out);
        out.insert(
            "claimRef".into(),
            json!({
                "apiVersion": self.claim.get("apiVersion"), "kind": self.claim.get("kind"),
                "namespace": meta::namespace(self.claim), "name": meta::name(self.claim),
            }),
        );
        let mut labels = travelling(self.claim, "labels");
        labels.insert(
            names::LABEL_CLAIM_NAME.into(),
            meta::name(self.claim).into(),
        );
        labels.insert(
            names::LABEL_CLAIM_NAMESPACE.into(),
            meta::namespace(self.claim).into(),
        );
        let mut annotations = travelling(self.claim, "annotations");
        let external = self
            .composite
            .map(|c| meta::annotation(c, names::ANNOTATION_EXTERNAL_NAME))
            .unwrap_or_default();
        if !external.is_empty() {
            annotations.insert(names::ANNOTATION_EXTERNAL_NAME.into(), external.into());
        }
        let mut metadata = json!({"name": name, "labels": labels});
        if !annotations.is_empty() {
            metadata["annotations"] = annotations.into();
        }
        json!({
            "apiVersion": self.xrd.composite.api_version(), "kind": self.xrd.composite.kind,
            "metadata": metadata, "spec": out,
        })
    }

    /// A revision this claim picked by hand and follows no more is kept until the composite picks its own. Dropping it
    /// at once would leave a reference without a name, which no API server takes.
    fn hand_over_revision(&self, spec: &mut Map<String, Value>) {
        const FIELD: &str = "compositionRevisionRef";
        let Some(composite) = self.composite.filter(|_| !self.is_manual()) else {
            return;
        };
        let held = composite["spec"].get(FIELD).filter(|v| !v.is_null());
        if let Some(held) = held
            && settled::owns(composite, names::MANAGER_CLAIM, &["spec", FIELD])
        {
            spec.insert(FIELD.into(), held.clone());
        }
    }

    /// The claim's status after its composite was applied: the composite's own fields, the conditions it shares, and
    /// whether the claim waits.
    pub fn status<'t>(&self, composite: &Value, now: &'t str) -> Draft<'t> {
        let mut status: Map<String, Value> = composite
            .get("status")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        status.retain(|field, _| !OWN_STATUS.contains(&field.as_str()));
        for field in OWN_STATUS {
            if let Some(own) = self.claim.get("status").and_then(|s| s.get(field)) {
                status.insert(field.to_owned(), own.clone());
            }
        }
        status.remove("claimConditionTypes");
        let mut claim = json!({"status": status});
        claim["metadata"] = self.claim["metadata"].clone();
        let mut draft = Draft::of(&claim, now);
        draft.set(Condition::synced());
        for kind in meta::at(composite, &["status", "claimConditionTypes"])
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            if let Some(shared) = conditions::get(composite, kind) {
                draft.set(shared_condition(kind, shared));
            }
        }
        if !conditions::is_true(composite, conditions::READY) {
            draft.set(Condition::waiting(why_waiting(composite)));
        }
        draft
    }
}

/// A condition of the composite, as the claim repeats it.
fn shared_condition(kind: &str, held: &Value) -> Condition {
    let status = match meta::text(held, &["status"]) {
        "True" => conditions::Status::True,
        "False" => conditions::Status::False,
        _ => conditions::Status::Unknown,
    };
    Condition::new(kind, status, meta::text(held, &["reason"]))
        .message(meta::text(held, &["message"]))
}

/// What a claim waits for: the composite's own words, so that nobody has to look further.
fn why_waiting(composite: &Value) -> String {
    let said = |kind: &str| {
        conditions::get(composite, kind)
            .filter(|c| c.get("status").and_then(Value::as_str) != Some("True"))
            .map(|c| meta::text(c, &["message"]))
            .filter(|message| !message.is_empty())
    };
    let waiting = "Claim is waiting for composite resource to become Ready";
    match said(conditions::SYNCED).or_else(|| said(conditions::READY)) {
        Some(why) => format!("{waiting}: {why}"),
        None => waiting.to_owned(),
    }
}

/// Labels or annotations that a claim hands on: not those of Kubernetes itself.
fn travelling(claim: &Value, field: &str) -> Map<String, Value> {
    let mut map = meta::at(claim, &["metadata", field])
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    map.retain(|key, _| {
        key.split_once('/').is_none_or(|(prefix, _)| {
            !prefix.ends_with("kubernetes.io") && !prefix.ends_with("k8s.io")
        })
    });
    map
}

/// Whether deleting the claim waits for its composite to be gone.
pub fn is_foreground(claim: &Value) -> bool {
    meta::text(claim, &["spec", "compositeDeletePolicy"]) == "Foreground"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn xrd() -> Xrd {
        Xrd::read(
            &json!({"metadata": {"name": "xs.e.org"}, "spec": {"group": "e.org",
            "names": {"kind": "X", "plural": "xs"}, "claimNames": {"kind": "C", "plural": "cs"},
            "versions": [{"name": "v1", "referenceable": true}]}}),
        )
        .unwrap()
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "calls read better with json! in place"
    )]
    fn claim(spec: Value) -> Value {
        json!({"apiVersion": "e.org/v1", "kind": "C", "metadata": {"name": "c", "namespace": "n",
            "labels": {"team": "a", "app.kubernetes.io/name": "x"},
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}}, "spec": spec})
    }

    #[test]
    fn user_fields_travel_and_machinery_does_not() {
        let claim = claim(
            json!({"size": 1, "resourceRefs": [], "writeConnectionSecretToRef": {"name": "s"},
            "compositionSelector": {"matchLabels": {}}, "compositeDeletePolicy": "Background"}),
        );
        let patch = Pair {
            claim: &claim,
            composite: None,
            xrd: &xrd(),
        }
        .composite_patch("c-abcde");
        let fields: Vec<&String> = patch["spec"].as_object().unwrap().keys().collect();
        assert_eq!(fields, ["claimRef", "compositionSelector", "size"]);
        assert_eq!(
            patch["metadata"],
            json!({"name": "c-abcde", "labels": {"team": "a",
            "crossplane.io/claim-name": "c", "crossplane.io/claim-namespace": "n"}})
        );
    }

    #[test]
    fn the_claim_learns_what_the_composite_chose() {
        let claim = claim(json!({"size": 1}));
        let composite = json!({"metadata": {"name": "held"}, "spec": {"compositionRef": {"name": "k"},
            "compositionRevisionRef": {"name": "k-1"}, "compositionUpdatePolicy": "Automatic"}});
        let next = Pair {
            claim: &claim,
            composite: Some(&composite),
            xrd: &xrd(),
        }
        .next_claim("c-abcde");
        assert_eq!(next["spec"]["compositionRef"]["name"], "k");
        assert_eq!(next["spec"]["compositionRevisionRef"]["name"], "k-1");
        assert_eq!(next["spec"]["resourceRef"]["name"], "c-abcde");
        assert!(meta::has_finalizer(&next, names::FINALIZER_CLAIM));
    }

    #[test]
    fn a_manual_claim_says_its_revision_and_learns_none() {
        let composite = json!({"metadata": {"name": "held"}, "spec": {"compositionRevisionRef": {"name": "k-2"}}});
        let pinned = claim(
            json!({"compositionUpdatePolicy": "Manual", "compositionRevisionRef": {"name": "k-1"}}),
        );
        let pair = Pair {
            claim: &pinned,
            composite: Some(&composite),
            xrd: &xrd(),
        };
        assert_eq!(
            pair.composite_patch("x")["spec"]["compositionRevisionRef"]["name"],
            "k-1"
        );
        assert_eq!(
            pair.next_claim("x")["spec"]["compositionRevisionRef"]["name"],
            "k-1"
        );
        let open = claim(json!({"compositionUpdatePolicy": "Manual"}));
        let pair = Pair {
            claim: &open,
            composite: Some(&composite),
            xrd: &xrd(),
        };
        assert!(
            pair.next_claim("x")["spec"]
                .get("compositionRevisionRef")
                .is_none()
        );
    }

    #[test]
    fn a_composite_of_another_claim_is_left_alone() {
        let composite = json!({"metadata": {"name": "held"}, "spec": {"claimRef": {"name": "other", "namespace": "n"}}});
        let claim = claim(json!({}));
        let pair = Pair {
            claim: &claim,
            composite: Some(&composite),
            xrd: &xrd(),
        };
        assert!(pair.check_bound().unwrap_err().message.contains("n/other"));
        let free = json!({"metadata": {"name": "held"}, "spec": {}});
        assert!(
            Pair {
                composite: Some(&free),
                ..pair
            }
            .check_bound()
            .is_ok()
        );
    }

    #[test]
    fn status_travels_without_what_each_side_keeps() {
        let mut claim = claim(json!({}));
        claim["status"] =
            json!({"arn": "old", "gone": 1, "connectionDetails": {"lastPublishedTime": "mine"}});
        let composite = json!({"status": {"arn": "new", "claimConditionTypes": ["Db"],
            "connectionDetails": {"lastPublishedTime": "its"}, "conditions": [
            {"type": "Db", "status": "False", "reason": "Booting"}, {"type": "Own", "status": "True"},
            {"type": "Ready", "status": "False", "message": "Unready resources: a"}]}});
        let next = Pair {
            claim: &claim,
            composite: Some(&composite),
            xrd: &xrd(),
        }
        .status(&composite, "now")
        .on(&claim)
        .unwrap();
        assert_eq!(next["status"]["arn"], "new");
        assert!(
            next["status"].get("gone").is_none()
                && next["status"].get("claimConditionTypes").is_none()
        );
        assert_eq!(
            next["status"]["connectionDetails"]["lastPublishedTime"],
            "mine"
        );
        assert!(conditions::get(&next, "Own").is_none() && conditions::get(&next, "Db").is_some());
        let ready = conditions::get(&next, "Ready").unwrap();
        assert!(meta::text(ready, &["message"]).ends_with("Unready resources: a"));
    }
}
