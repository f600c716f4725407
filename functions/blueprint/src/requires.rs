//! Which objects does a requirement ask for?

use std::collections::BTreeMap;

use purlin_diag::Diagnostic;
use purlin_function::Selector;
use purlin_object::{Value, ValueRef};

use crate::fill::Filler;
use crate::plan::RequirePlan;
use crate::template::Tree;

/// The selector of a requirement; `None` while something of it is not known.
pub(crate) fn selector<'m: 'a, 'a>(
    require: &'m RequirePlan,
    filler: &mut Filler<'m, 'a, '_>,
) -> Option<Selector> {
    let at = &require.field;
    let text = |tree: &'m Tree, name: &str, filler: &mut Filler<'m, 'a, '_>| {
        filler.plain(tree, &format!("{at}.{name}"))
    };
    let mut selector = Selector {
        api_version: text(&require.api_version, "apiVersion", filler)?,
        kind: text(&require.kind, "kind", filler)?,
        ..Selector::default()
    };
    if let Some(tree) = &require.namespace {
        selector.namespace = Some(text(tree, "namespace", filler)?);
    }
    if let Some(tree) = &require.object {
        selector.name = Some(text(tree, "name", filler)?);
    }
    if let Some(tree) = &require.labels {
        let mut labels = BTreeMap::new();
        for (key, value) in filler.value(tree)?.entries().unwrap_or_default() {
            match (key.to_val().plain(), value.plain()) {
                (Ok(key), Ok(value)) => drop(labels.insert(key, value)),
                _ => filler.faults.push(
                    Diagnostic::error("blueprint/requires", "labels and their values are texts")
                        .path(format!("{at}.matchLabels")),
                ),
            }
        }
        selector.labels = Some(labels);
    }
    Some(selector)
}

/// The selector of the object that a manifest names.
pub(crate) fn named(manifest: Option<&Value>) -> Option<Selector> {
    let object = manifest?.as_object()?;
    let text = |path: &[&str]| {
        let found = object.get_path(path).and_then(ValueRef::as_str);
        found.map(str::to_owned)
    };
    Some(Selector {
        api_version: text(&["apiVersion"])?,
        kind: text(&["kind"])?,
        namespace: text(&["metadata", "namespace"]),
        name: Some(text(&["metadata", "name"])?),
        labels: None,
    })
}
