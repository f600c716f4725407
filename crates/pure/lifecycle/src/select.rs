//! Which Composition, and which of its revisions, does a composite use? (spec/engine.md 2.4, 2.5)

use std::sync::Arc;

use purlin_api::meta::{self, names};
use purlin_api::xrd::Xrd;
use serde_json::{Value, json};

use crate::event::{Event, Problem};

/// The event reason of a choice.
pub const SELECT: &str = "SelectComposition";
/// The event reason of a pass that cannot start.
const COMPOSE: &str = "ComposeResources";
/// The event reason of an enforced or defaulted choice.
const SELECTION: &str = "CompositionSelection";

/// Chooses the Composition, writing the reference into `composite` when it changes.
///
/// What is already chosen stays chosen, even when a selector changes. Among several equals the composite's UID picks,
/// so that a second try picks the same.
///
/// # Errors
/// When no Composition matches.
pub fn choose_composition(
    composite: &mut Value,
    xrd: &Xrd,
    compositions: &[Arc<Value>],
) -> Result<Vec<Event>, Problem> {
    const REFERENCE: &str = "compositionRef";
    let held = xrd.reference(composite, REFERENCE).to_owned();
    if let Some(enforced) = &xrd.enforced_composition {
        if held == *enforced {
            return Ok(Vec::new());
        }
        xrd.set(composite, REFERENCE, json!({"name": enforced}));
        let told = format!("Composition {enforced} is enforced by the definition");
        return Ok(vec![Event::normal(SELECTION, told)]);
    }
    if !held.is_empty() {
        return Ok(Vec::new());
    }
    let selector = xrd.selector(composite, "compositionSelector");
    if let (None, Some(default)) = (selector, &xrd.default_composition) {
        xrd.set(composite, REFERENCE, json!({"name": default}));
        let told = format!("Composition {default} is the definition's default");
        return Ok(vec![Event::normal(SELECTION, told)]);
    }
    let fits: Vec<&Arc<Value>> = compositions
        .iter()
        .filter(|c| composes(c, xrd) && selector.is_none_or(|labels| meta::has_labels(c, labels)))
        .collect();
    let seed = meta::uid(composite).bytes().fold(0usize, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(usize::from(byte))
    });
    let Some(chosen) = fits.get(seed % fits.len().max(1)) else {
        let labels = selector.map_or_else(String::new, |labels| {
            format!(" with labels {}", Value::Object(labels.clone()))
        });
        return Err(Problem::new(
            SELECT,
            format!(
                "no compatible Compositions found: create a Composition whose spec.compositeTypeRef is {}{labels}",
                xrd.composite
            ),
        ));
    };
    let chosen = meta::name(chosen).to_owned();
    xrd.set(composite, REFERENCE, json!({"name": chosen}));
    let told = format!("Selected Composition {chosen}");
    Ok(vec![Event::normal(SELECT, told)])
}

/// Whether a Composition, or a revision of one, composes the definition's kind.
pub fn composes(composition: &Value, xrd: &Xrd) -> bool {
    let word = |key| meta::text(composition, &["spec", "compositeTypeRef", key]);
    word("kind") == xrd.composite.kind && word("apiVersion") == xrd.composite.api_version()
}

/// What choosing a revision may read.
#[derive(Debug, Clone, Copy)]
pub struct Revisions<'a> {
    /// The chosen Composition, when it exists.
    pub composition: Option<&'a Value>,
    /// Every revision that is labelled with the Composition's name.
    pub all: &'a [Arc<Value>],
}

/// Chooses the revision, writing the reference (and the definition's default selector) into `composite` when it changes.
///
/// # Errors
/// When the pinned revision, the Composition or a matching revision does not exist. What is live stays as it is.
pub fn choose_revision(
    composite: &mut Value,
    xrd: &Xrd,
    world: Revisions<'_>,
) -> Result<(Arc<Value>, Vec<Event>), Problem> {
    const REFERENCE: &str = "compositionRevisionRef";
    const SELECTOR: &str = "compositionRevisionSelector";
    let held = xrd.reference(composite, REFERENCE).to_owned();
    let mut events = Vec::new();
    if let (true, None, Some(default)) = (
        held.is_empty(),
        xrd.field(composite, SELECTOR),
        &xrd.default_revision_selector,
    ) {
        xrd.set(composite, SELECTOR, default.clone());
        events.push(Event::normal(
            SELECTION,
            "The definition's default revision selector is used",
        ));
    }
    if !xrd.follows_revisions(composite) && !held.is_empty() {
        return pinned(&held, world).map(|revision| (revision, events));
    }
    let name = xrd.reference(composite, "compositionRef").to_owned();
    let Some(composition) = world.composition else {
        return Err(Problem::new(
            COMPOSE,
            format!(
                "cannot get Composition {name}: it does not exist; create it, or name another one in compositionRef. \
                 What is already composed stays as it is"
            ),
        ));
    };
    let explicit = xrd
        .field(composite, "compositionUpdatePolicy")
        .and_then(Value::as_str);
    let labels = xrd
        .selector(composite, SELECTOR)
        .filter(|_| explicit == Some("Automatic"));
    let newest = world
        .all
        .iter()
        .filter(|r| meta::label(r, names::LABEL_COMPOSITION_NAME) == name)
        .filter(|r| meta::controller(r).is_some_and(|owner| owner.uid == meta::uid(composition)))
        .filter(|r| labels.is_none_or(|labels| meta::has_labels(r, labels)))
        .max_by_key(|r| crate::revision::number(r));
    let Some(newest) = newest else {
        return Err(Problem::new(
            COMPOSE,
            format!("no compatible CompositionRevisions found for Composition {name}"),
        ));
    };
    let chosen = meta::name(newest).to_owned();
    if chosen != held {
        xrd.set(composite, REFERENCE, json!({"name": chosen}));
        let told = format!("Selected CompositionRevision {chosen}");
        events.push(Event::normal(SELECT, told));
    }
    Ok((Arc::clone(newest), events))
}

/// The revision a composite names and stays at.
fn pinned(name: &str, world: Revisions<'_>) -> Result<Arc<Value>, Problem> {
    let found = world.all.iter().find(|r| meta::name(r) == name);
    found.map(Arc::clone).ok_or_else(|| {
        Problem::new(
            COMPOSE,
            format!(
                "cannot get CompositionRevision {name}: it does not exist; name another one in \
                 compositionRevisionRef, or set compositionUpdatePolicy to Automatic"
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(
        clippy::needless_pass_by_value,
        reason = "calls read better with json! in place"
    )]
    fn xrd(extra: Value) -> Xrd {
        let mut object = json!({"metadata": {"name": "xs.e.org"}, "spec": {"group": "e.org", "scope": "Cluster",
            "names": {"kind": "X", "plural": "xs"}, "versions": [{"name": "v1", "referenceable": true}]}});
        for (key, value) in extra.as_object().unwrap() {
            object["spec"][key] = value.clone();
        }
        Xrd::read(&object).unwrap()
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "calls read better with json! in place"
    )]
    fn composition(name: &str, kind: &str, labels: Value) -> Arc<Value> {
        Arc::new(
            json!({"metadata": {"name": name, "uid": name, "labels": labels},
            "spec": {"compositeTypeRef": {"apiVersion": "e.org/v1", "kind": kind}}}),
        )
    }

    fn revision(of: &str, number: i64) -> Arc<Value> {
        Arc::new(json!({"metadata": {"name": format!("{of}-{number}"),
            "labels": {"crossplane.io/composition-name": of},
            "ownerReferences": [{"uid": of, "controller": true}]}, "spec": {"revision": number}}))
    }

    fn chosen(xrd: &Xrd, composite: &mut Value, all: &[Arc<Value>]) -> Result<String, String> {
        choose_composition(composite, xrd, all).map_err(|p| p.message)?;
        Ok(xrd.reference(composite, "compositionRef").to_owned())
    }

    #[test]
    fn a_composition_is_chosen_by_type_and_labels() {
        let all = [
            composition("a", "Other", json!({})),
            composition("b", "X", json!({"c": "red"})),
            composition("c", "X", json!({"c": "green"})),
        ];
        let xrd = xrd(json!({}));
        let mut green = json!({"metadata": {"uid": "1"},
            "spec": {"crossplane": {"compositionSelector": {"matchLabels": {"c": "green"}}}}});
        assert_eq!(chosen(&xrd, &mut green, &all).unwrap(), "c");
        let mut none = json!({"spec": {"crossplane": {"compositionSelector": {"matchLabels": {"c": "blue"}}}}});
        let error = chosen(&xrd, &mut none, &all).unwrap_err();
        assert!(
            error.contains("no compatible Compositions") && error.contains("blue"),
            "{error}"
        );
    }

    #[test]
    fn enforced_wins_default_fills_and_a_choice_stays() {
        let mut held = json!({"spec": {"crossplane": {"compositionRef": {"name": "mine"}}}});
        assert_eq!(chosen(&xrd(json!({})), &mut held, &[]).unwrap(), "mine");
        let enforced = xrd(json!({"enforcedCompositionRef": {"name": "law"}}));
        assert_eq!(chosen(&enforced, &mut held, &[]).unwrap(), "law");
        let default = xrd(json!({"defaultCompositionRef": {"name": "usual"}}));
        assert_eq!(chosen(&default, &mut json!({}), &[]).unwrap(), "usual");
    }

    #[test]
    fn the_newest_revision_is_used_unless_one_is_pinned() {
        let xrd = xrd(json!({}));
        let composition = composition("a", "X", json!({}));
        let all = [
            revision("a", 1),
            revision("a", 3),
            revision("a", 2),
            revision("b", 9),
        ];
        let world = Revisions {
            composition: Some(&composition),
            all: &all,
        };
        let mut follows = json!({"spec": {"crossplane": {"compositionRef": {"name": "a"}}}});
        let (newest, events) = choose_revision(&mut follows, &xrd, world).unwrap();
        assert_eq!((meta::name(&newest), events.len()), ("a-3", 1));
        assert_eq!(choose_revision(&mut follows, &xrd, world).unwrap().1, []);
        let mut pinned = json!({"spec": {"crossplane": {"compositionRef": {"name": "a"},
            "compositionUpdatePolicy": "Manual", "compositionRevisionRef": {"name": "a-1"}}}});
        assert_eq!(
            meta::name(&choose_revision(&mut pinned, &xrd, world).unwrap().0),
            "a-1"
        );
    }

    #[test]
    fn a_missing_composition_says_what_would_help() {
        let mut composite = json!({"spec": {"crossplane": {"compositionRef": {"name": "gone"}}}});
        let world = Revisions {
            composition: None,
            all: &[],
        };
        let problem = choose_revision(&mut composite, &xrd(json!({})), world).unwrap_err();
        assert!(problem.message.contains("gone") && problem.message.contains("create it"));
    }
}
