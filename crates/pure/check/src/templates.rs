//! Which resources does a Go template make, and which fields does it read and write, as far as its text tells?

use serde_json::Value;

use crate::Report;
use crate::compose::{Context, Typed};

/// Notes what a template, whose input stands at `at`, composes, reads and writes.
pub(crate) fn check(context: &mut Context<'_>, input: &Value, at: &str, report: &mut Report<'_>) {
    let index = context.index;
    context.environment.reads_anything(index);
    let inline = &input["inline"];
    let single = inline["template"].as_str();
    let texts: Vec<&str> = match single {
        Some(text) if !text.is_empty() => vec![text],
        _ => inline["templates"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect(),
    };
    if input["source"] != "Inline" || texts.is_empty() {
        context.composes_others = true;
        context.environment.writes_anything(index);
        context.status.writes_anything(index);
        return;
    }
    let kind = context.composite.kind.clone();
    for text in texts {
        match names(text) {
            Some(names) => {
                for name in names {
                    let at = format!("{at}.inline");
                    context.compose(&name, Typed::default(), &at, report);
                }
            }
            None => context.composes_others = true,
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

/// The names of the resources that a template makes; `None` when they are made up when it runs.
fn names(text: &str) -> Option<Vec<String>> {
    const ANNOTATION: &str = "composition-resource-name";
    const FUNCTION: &str = "setResourceNameAnnotation";
    if ["range", "include", "template", "toYaml"]
        .iter()
        .any(|word| text.contains(word))
    {
        return None;
    }
    let mut names = Vec::new();
    for line in text.lines() {
        let name = if let Some((_, rest)) = line.split_once(FUNCTION) {
            let rest = rest.trim_start();
            let quote = rest.chars().next().filter(|c| matches!(c, '"' | '`'))?;
            rest.get(1..)?.split(quote).next()?
        } else if let Some((_, rest)) = line.split_once(ANNOTATION) {
            let rest = rest.trim_start_matches(['"', '\'']).strip_prefix(':')?;
            rest.trim().trim_matches(['"', '\''])
        } else {
            continue;
        };
        if name.contains("{{") || name.is_empty() {
            return None;
        }
        names.push(name.to_owned());
    }
    Some(names)
}
