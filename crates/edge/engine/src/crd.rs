//! How is a definition's CRD written? Only when it is not as it should be, and without taking what others put on it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use purlin_api::meta;
use purlin_kube::Error;
use purlin_lifecycle::event::Event;
use serde_json::{Map, Value};

use crate::shared::{Shared, watched};

/// The CRDs written by this process: what was asked for, and the generation that gave.
#[derive(Debug, Default)]
pub(crate) struct AppliedCrds {
    inner: Mutex<BTreeMap<String, (Value, i64)>>,
}

/// Writes a CRD that is not as it should be; answers it as it is, or nothing when it is somebody else's.
pub(crate) async fn write_crd(
    shared: &Shared,
    definition: &Value,
    mut desired: Value,
    reason: &'static str,
) -> Result<Option<Value>, Error> {
    // Lists the server's own defaults, so that what is there can be compared.
    let complete = purlin_schema::complete_crd(&mut desired).is_ok();
    let name = meta::name(&desired).to_owned();
    let held = shared
        .informers
        .known(&watched::crds())
        .and_then(|store| store.get("", &name));
    let Some(held) = held else {
        let written = shared.create(&desired).await?;
        shared
            .applied_crds
            .remember(&name, desired, meta::generation(&written));
        let told = format!("Applied composite resource CustomResourceDefinition: {name}");
        shared.tell(definition, [Event::normal(reason, told)]);
        return Ok(Some(written));
    };
    if meta::controller(&held).is_none_or(|owner| owner.uid != meta::uid(definition)) {
        let told = format!(
            "CustomResourceDefinition {name} exists and is not controlled by this definition; delete it, or choose \
             other names"
        );
        shared.tell(definition, [Event::warning(reason, told)]);
        return Ok(None);
    }
    let mut next = Value::clone(&held);
    meta::object_mut(&mut next, &[]).insert("spec".into(), desired["spec"].clone());
    let before = shared.applied_crds.last(&name);
    for field in ["labels", "annotations"] {
        mark(&mut next, &desired, before.as_ref(), field);
    }
    let settled = (complete && next == *held)
        || shared
            .applied_crds
            .is(&name, &desired, meta::generation(&held));
    if settled {
        return Ok(Some(Value::clone(&held)));
    }
    let written = shared.replace(&next, "").await?;
    shared
        .applied_crds
        .remember(&name, desired, meta::generation(&written));
    if meta::resource_version(&written) != meta::resource_version(&held) {
        let told = format!("Applied composite resource CustomResourceDefinition: {name}");
        shared.tell(definition, [Event::normal(reason, told)]);
    }
    Ok(Some(written))
}

/// Writes the labels or annotations of a CRD, and takes away those that were ours. What others put there stays: some API
/// servers have annotations of their own on every object, and would put them back for ever.
fn mark(next: &mut Value, desired: &Value, before: Option<&Value>, field: &str) {
    fn entries<'a>(crd: &'a Value, field: &str) -> Option<&'a Map<String, Value>> {
        meta::at(crd, &["metadata", field])?.as_object()
    }
    let wanted = entries(desired, field);
    if wanted.is_none() && entries(next, field).is_none() {
        return;
    }
    let marks = meta::object_mut(next, &["metadata", field]);
    let ours = before.and_then(|before| entries(before, field));
    for key in ours.into_iter().flat_map(Map::keys) {
        marks.remove(key);
    }
    for (key, value) in wanted.into_iter().flatten() {
        marks.insert(key.clone(), value.clone());
    }
    if marks.is_empty() {
        meta::object_mut(next, &["metadata"]).remove(field);
    }
}

impl AppliedCrds {
    /// What was written last.
    fn last(&self, name: &str) -> Option<Value> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.get(name).map(|(desired, _)| desired.clone())
    }

    fn remember(&self, name: &str, desired: Value, generation: i64) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.insert(name.to_owned(), (desired, generation));
    }

    fn is(&self, name: &str, desired: &Value, generation: i64) -> bool {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner
            .get(name)
            .is_some_and(|(held, at)| held == desired && *at == generation)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::mark;

    #[test]
    fn labels_of_others_stay_and_ours_go_when_they_are_not_wanted() {
        let check = |held: &Value, wanted: &Value, before: Option<&Value>, expected: &Value| {
            let mut next = json!({"metadata": {"name": "x", "labels": held}});
            let crd = |labels: &Value| json!({"metadata": {"labels": labels}});
            mark(&mut next, &crd(wanted), before.map(crd).as_ref(), "labels");
            let got = next["metadata"].get("labels").unwrap_or(&Value::Null);
            assert_eq!(got, expected);
        };
        let (theirs, ours) = (json!({"theirs": "1"}), json!({"ours": "2"}));
        let both = json!({"theirs": "1", "ours": "2"});
        check(&theirs, &json!({}), None, &theirs);
        check(&theirs, &ours, None, &both);
        check(&both, &json!({}), Some(&ours), &theirs);
        check(&ours, &Value::Null, Some(&ours), &Value::Null);
        let bare = json!({"metadata": {"name": "x"}});
        let mut next = bare.clone();
        mark(&mut next, &bare, None, "labels");
        assert_eq!(next, bare);
    }
}
