//! Where in the Composition's file is what a function of this process complains about?
//!
//! A fatal result is text on the wire. Functions of this process begin each complaint with the path of the field in
//! their input; a complaint whose path is in the file gets its place.

use std::collections::BTreeMap;

use purlin_diag::{Diagnostic, Diagnostics};
use purlin_pipeline::Failure;

use crate::functions::Route;
use crate::inputs::Inputs;

/// The complaints of a fatal result, as findings. None when no complaint has a place.
pub(crate) fn placed(
    inputs: &Inputs,
    routes: &BTreeMap<String, Route>,
    failure: &Failure,
) -> Diagnostics {
    let Failure::Fatal { step, message } = failure else {
        return Diagnostics::new();
    };
    let steps = &inputs.composition.pipeline;
    let index = steps.iter().position(|held| held.name == *step);
    let (Some(Route::Hosted(_)), Some(index)) = (routes.get(step), index) else {
        return Diagnostics::new();
    };
    let at = format!("spec.pipeline[{index}].input");
    let places = &inputs.composition_places;
    let found: Diagnostics = complaints(message)
        .map(|complaint| {
            let named = complaint.split_once(": ").and_then(|(path, words)| {
                let dot = if path.starts_with('[') { "" } else { "." };
                let path = format!("{at}{dot}{path}");
                Some((places.value(&path)?, path, words))
            });
            let code = "render/fatal";
            match named {
                Some((place, path, words)) => {
                    let (words, help) = match words.split_once("; ") {
                        Some((words, help)) => (words, Some(help)),
                        None => (words, None),
                    };
                    let finding = Diagnostic::error(code, words).at(place).path(path);
                    match help {
                        Some(help) => finding.help(help),
                        None => finding,
                    }
                }
                None => Diagnostic::error(code, complaint),
            }
        })
        .collect();
    if found.iter().any(|finding| finding.place.is_some()) {
        found
    } else {
        Diagnostics::new()
    }
}

/// The single complaints: the whole message, or the items of its list.
fn complaints(message: &str) -> impl Iterator<Item = String> {
    let mut all: Vec<String> = Vec::new();
    for line in message.lines() {
        match (line.strip_prefix("- "), all.last_mut()) {
            (Some(item), _) => all.push(item.to_owned()),
            // The line that only counts them.
            (None, None) if line.ends_with("mistakes:") => {}
            (None, None) => all.push(line.to_owned()),
            (None, Some(last)) => {
                last.push('\n');
                last.push_str(line);
            }
        }
    }
    all.into_iter()
}

#[cfg(test)]
mod tests {
    use super::complaints;

    #[test]
    fn a_message_is_one_complaint_or_a_list_of_them() {
        let check = |message: &str, expect: &[&str]| {
            assert_eq!(complaints(message).collect::<Vec<_>>(), expect);
        };
        check("a.b: no", &["a.b: no"]);
        check("two\nlines", &["two\nlines"]);
        check("2 mistakes:\n- a: x\n- b: y\nz", &["a: x", "b: y\nz"]);
        check("", &[]);
    }
}
