//! Which resources does a Go template make, and which fields does it read and write, as far as its text tells?

use serde_json::Value;

use crate::Report;
use crate::compose::Context;
use crate::outline::{self, Line};
use crate::skeleton::{self, Place};

/// The group of documents that are no resources.
const META: &str = "meta.gotemplating.fn.crossplane.io/";

/// Checks what a template, whose input stands at `at`, composes, and notes what it reads and writes.
pub(crate) fn check(context: &mut Context<'_>, input: &Value, at: &str, report: &mut Report<'_>) {
    let index = context.index;
    context.environment.reads_anything(index);
    let inline = &input["inline"];
    let single = inline["template"].as_str();
    let texts: Vec<(&str, String)> = match single {
        Some(text) if !text.is_empty() => vec![(text, format!("{at}.inline.template"))],
        _ => inline["templates"]
            .as_array()
            .into_iter()
            .flatten()
            .enumerate()
            .filter_map(|(index, text)| {
                Some((text.as_str()?, format!("{at}.inline.templates[{index}]")))
            })
            .collect(),
    };
    let own_braces = input["delims"].is_object();
    if input["source"] != "Inline" || texts.is_empty() || own_braces {
        context.composes_others = true;
        context.environment.writes_anything(index);
        context.status.writes_anything(index);
        return;
    }
    let kind = context.composite.kind.clone();
    for (text, at) in texts {
        for part in &outline::read(text) {
            let place = Place {
                part,
                text,
                at: &at,
            };
            document(context, &place, report);
        }
        let mentions = |word: &str| text.contains(word);
        if mentions("Context") || mentions("include") || mentions("toYaml") {
            context.environment.writes_anything(index);
        }
        if mentions(&kind) || mentions("observed.composite") || mentions("kind: {{") {
            context.status.writes_anything(index);
        }
    }
}

/// The names of the resources that the templates of an input make; `None` when they may make others.
pub(crate) fn names(input: &Value, composite: &str) -> Option<Vec<String>> {
    let inline = &input["inline"];
    let single = inline["template"].as_str().filter(|text| !text.is_empty());
    let several = inline["templates"].as_array();
    let texts: Vec<&str> = match single {
        Some(text) => vec![text],
        None => several?.iter().filter_map(Value::as_str).collect(),
    };
    if input["source"] != "Inline" || input["delims"].is_object() {
        return None;
    }
    let mut names = Vec::new();
    for text in texts {
        for part in &outline::read(text) {
            if part.lines.is_empty() {
                continue;
            }
            let place = Place { part, text, at: "" };
            let object = skeleton::object(&place)?;
            let own = object.kind == composite && object.name.is_none();
            if !own && !object.api_version.starts_with(META) {
                names.push(object.name?.0);
            }
        }
    }
    Some(names)
}

/// A key of the context that a template writes, the template it is in, and the bytes of its name.
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) at: String,
    pub(crate) bytes: std::ops::Range<usize>,
}

/// The keys of the context that the templates of an input, which stands at `at`, write out.
pub(crate) fn context_keys(input: &Value, at: &str) -> Vec<Key> {
    let single = input["inline"]["template"].as_str();
    let Some(text) = single.filter(|_| input["source"] == "Inline" && !input["delims"].is_object())
    else {
        return Vec::new();
    };
    let mut keys = Vec::new();
    for part in &outline::read(text) {
        let place = Place { part, text, at };
        let object = skeleton::object(&place);
        if object.is_none_or(|one| !one.api_version.starts_with(META) || one.kind != "Context") {
            continue;
        }
        // The fields of `data`: those of the first column below it.
        let mut inside = false;
        let mut column = None;
        for line in &part.lines {
            let Line::Entry(entry) = line else { continue };
            let Some((name, bytes)) = &entry.key else {
                continue;
            };
            if entry.column == 0 {
                inside = name == "data";
            } else if inside && *column.get_or_insert(entry.column) == entry.column {
                keys.push(Key {
                    name: name.clone(),
                    at: format!("{at}.inline.template"),
                    bytes: bytes.clone(),
                });
            }
        }
    }
    keys
}

/// One document of a template.
fn document(context: &mut Context<'_>, place: &Place<'_>, report: &mut Report<'_>) {
    let lines = &place.part.lines;
    if lines.is_empty() {
        return;
    }
    let Some(object) = skeleton::object(place) else {
        skeleton::identity(place, report);
        // A named template may be used for anything, as may what an action writes.
        context.composes_others = true;
        return;
    };
    if object.api_version.starts_with(META) {
        return;
    }
    let own = object.kind == context.composite.kind;
    if own && object.name.is_none() {
        // Of the composite itself, the status is taken.
        let composite = context.composite.clone();
        skeleton::check(&object, place, &composite, true, report);
        return;
    }
    let typed = skeleton::typed(context, &object, place, report);
    let filled = match &object.name {
        Some((name, _)) => context.filled_elsewhere(name),
        None => true,
    };
    skeleton::check(&object, place, &typed, filled, report);
    if let Some((name, bytes)) = object.name {
        let mut inside = Report::new(report.places);
        context.compose(&name, typed, place.at, &mut inside);
        for finding in inside.found {
            report.part(place.at, (bytes.start, bytes.end), finding);
        }
    } else {
        let named = |line: &Line| matches!(line, Line::Entry(_));
        context.composes_others |= lines.iter().any(named);
    }
}
