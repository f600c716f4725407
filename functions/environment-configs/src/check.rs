//! What is wrong with an input, found without running?

use purlin_function::selection::{check_labels, check_path};
use purlin_function::{Diagnostic, Diagnostics};

use crate::input::{Entry, Input};

/// All mistakes of the entries.
pub(crate) fn check(input: &Input) -> Diagnostics {
    let mut found = Diagnostics::new();
    let entries = input.spec.environment_configs.iter().flatten();
    for (index, entry) in entries.enumerate() {
        check_entry(
            entry,
            &format!("spec.environmentConfigs[{index}]"),
            &mut found,
        );
    }
    found
}

fn check_entry(entry: &Entry, path: &str, found: &mut Diagnostics) {
    let missing = |field: &str, help: &str| {
        Diagnostic::error("input/required", "is required")
            .path(format!("{path}.{field}"))
            .help(help)
    };
    let to = entry.to_field_path.as_deref().unwrap_or_default();
    found.extend(check_path(to, &format!("{path}.toFieldPath")));
    if entry.is_reference() {
        if entry.r#ref.is_none() {
            found.push(missing(
                "ref",
                "the name of the EnvironmentConfig, as `ref: {name: …}`",
            ));
        }
        return;
    }
    if !entry.is_selector() {
        let message = format!("`{}` is unknown, and the entry is ignored", entry.r#type);
        found.push(
            Diagnostic::warning("input/invalid", message)
                .path(format!("{path}.type"))
                .help("it is Reference or Selector"),
        );
        return;
    }
    let Some(selector) = &entry.selector else {
        found.push(missing("selector", "the labels of the EnvironmentConfigs"));
        return;
    };
    found.extend(check_labels(
        &selector.match_labels,
        &format!("{path}.selector.matchLabels"),
    ));
    let sort = selector.sort_by_field_path.as_deref().unwrap_or_default();
    found.extend(check_path(
        sort,
        &format!("{path}.selector.sortByFieldPath"),
    ));
    if let Some(mode) = &selector.mode
        && !matches!(mode.as_str(), "Single" | "Multiple")
    {
        found.push(
            Diagnostic::error("input/invalid", format!("`{mode}` is unknown"))
                .path(format!("{path}.selector.mode"))
                .help("it is Single or Multiple"),
        );
    }
}
