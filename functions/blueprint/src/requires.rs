//! Which objects does a requirement ask for?

use std::collections::BTreeMap;

use purlin_diag::Diagnostic;
use purlin_function::Selector;

use crate::fill::Filler;
use crate::plan::RequirePlan;
use crate::template::{Tree, member};

/// The selector of a requirement; `None` while something of it is not known.
pub(crate) fn selector<'a>(
    require: &'a RequirePlan,
    filler: &mut Filler<'a, '_>,
) -> Option<Selector> {
    let at = member("requires", &require.name);
    let text = |tree: &'a Tree, name: &str, filler: &mut Filler<'a, '_>| {
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
