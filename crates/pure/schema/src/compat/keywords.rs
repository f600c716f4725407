//! Compares the keywords of two schemas, all but those that hold other fields.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Changes, Verdict};

pub(super) fn compare(old: &Value, new: &Value, path: &str, changes: &mut Changes) {
    types(old, new, path, changes);
    enumeration(old, new, path, changes);
    default(old, new, path, changes);
    bounds(old, new, path, changes);
    texts(old, new, path, changes);
    flags(old, new, path, changes);
    lists(old, new, path, changes);
    rules(old, new, path, changes);
    combinations(old, new, path, changes);
    words(old, new, path, changes);
}

fn types(old: &Value, new: &Value, path: &str, changes: &mut Changes) {
    const ANY: &str = "x-kubernetes-int-or-string";
    let name = |schema: &Value| match (schema[ANY] == true, schema["type"].as_str()) {
        (true, _) => "int-or-string".to_owned(),
        (false, Some(word)) => word.to_owned(),
        (false, None) => "any".to_owned(),
    };
    let (before, after) = (name(old), name(new));
    if before == after {
        return;
    }
    let verdict = match (before.as_str(), after.as_str()) {
        ("integer", "number") | ("integer" | "string", "int-or-string") | (_, "any") => {
            Verdict::Warning
        }
        ("number", "integer") | ("int-or-string", "integer" | "string") | ("any", _) => {
            Verdict::Conditional
        }
        _ => Verdict::Breaking,
    };
    let why = match verdict {
        Verdict::Warning => {
            format!("was {before} and may be {after} now: typed clients do not expect that")
        }
        Verdict::Conditional => {
            format!("was {before} and must be {after} now: other stored values are invalid")
        }
        _ => format!("was {before} and is {after} now: every stored value and manifest is invalid"),
    };
    changes.changed(path, verdict, why);
}

fn enumeration(old: &Value, new: &Value, path: &str, changes: &mut Changes) {
    let words = |schema: &Value| -> Option<BTreeSet<String>> {
        Some(
            schema
                .get("enum")?
                .as_array()?
                .iter()
                .map(Value::to_string)
                .collect(),
        )
    };
    let joined = |set: Vec<&String>| set.into_iter().cloned().collect::<Vec<_>>().join(", ");
    match (words(old), words(new)) {
        (None, Some(after)) => {
            let why = format!("only {} are allowed now", joined(after.iter().collect()));
            changes.changed(path, Verdict::Conditional, why);
        }
        (Some(_), None) => changes.changed(
            path,
            Verdict::Warning,
            "any value is allowed now; who maps the old ones must expect others",
        ),
        (Some(before), Some(after)) => {
            let gone: Vec<&String> = before.difference(&after).collect();
            let fresh: Vec<&String> = after.difference(&before).collect();
            if !gone.is_empty() {
                let why = format!("{} is no longer allowed", joined(gone));
                changes.changed(path, Verdict::Conditional, why);
            }
            if !fresh.is_empty() {
                let why = format!(
                    "{} is allowed too; who maps the old ones must know it",
                    joined(fresh)
                );
                changes.changed(path, Verdict::Warning, why);
            }
        }
        (None, None) => {}
    }
}

fn default(old: &Value, new: &Value, path: &str, changes: &mut Changes) {
    match (old.get("default"), new.get("default")) {
        (None, Some(after)) => {
            let why =
                format!("has the default {after} now: every live object without a value gets it");
            changes.changed(path, Verdict::Warning, why);
        }
        (Some(before), None) => {
            let why = format!(
                "has no default any more (was {before}): objects that relied on it have no value"
            );
            changes.changed(path, Verdict::Conditional, why);
        }
        (Some(before), Some(after)) if before != after => {
            let why = format!(
                "the default was {before} and is {after} now: old objects keep theirs, new ones differ"
            );
            changes.changed(path, Verdict::Warning, why);
        }
        _ => {}
    }
}

/// Bounds: which direction is tighter.
static BOUNDS: &[(&str, bool)] = &[
    ("maxItems", true),
    ("maxLength", true),
    ("maxProperties", true),
    ("maximum", true),
    ("minItems", false),
    ("minLength", false),
    ("minProperties", false),
    ("minimum", false),
];

fn bounds(old: &Value, new: &Value, path: &str, changes: &mut Changes) {
    for (keyword, upper) in BOUNDS {
        let (before, after) = (old[*keyword].as_f64(), new[*keyword].as_f64());
        let text = |value: &Value| value.to_string();
        match (before, after) {
            (None, Some(_)) => {
                let why = format!("{keyword} is {} now; there was none", text(&new[*keyword]));
                changes.changed(path, Verdict::Conditional, why);
            }
            (Some(_), None) => changes.changed(path, Verdict::Safe, format!("{keyword} is gone")),
            (Some(before), Some(after)) if before.total_cmp(&after).is_ne() => {
                let tighter = (after < before) == *upper;
                let verdict = if tighter {
                    Verdict::Conditional
                } else {
                    Verdict::Safe
                };
                let how = if tighter { "tighter" } else { "looser" };
                let why = format!(
                    "{keyword} was {} and is {} now, which is {how}",
                    text(&old[*keyword]),
                    text(&new[*keyword])
                );
                changes.changed(path, verdict, why);
            }
            _ => {}
        }
    }
    for keyword in ["exclusiveMaximum", "exclusiveMinimum"] {
        match (old[keyword] == true, new[keyword] == true) {
            (false, true) => changes.changed(
                path,
                Verdict::Conditional,
                format!("the bound itself is not allowed now ({keyword})"),
            ),
            (true, false) => changes.changed(
                path,
                Verdict::Safe,
                format!("the bound itself is allowed now ({keyword})"),
            ),
            _ => {}
        }
    }
}

/// Keywords whose values cannot be compared: another value may refuse what is stored.
fn texts(old: &Value, new: &Value, path: &str, changes: &mut Changes) {
    for keyword in ["format", "pattern", "multipleOf"] {
        match (old.get(keyword), new.get(keyword)) {
            (None, Some(after)) => {
                let why = format!("must be of {keyword} {after} now");
                changes.changed(path, Verdict::Conditional, why);
            }
            (Some(before), None) => changes.changed(
                path,
                Verdict::Safe,
                format!("need not be of {keyword} {before} any more"),
            ),
            (Some(before), Some(after)) if before != after => {
                let why =
                    format!("{keyword} was {before} and is {after} now: stored values may not fit");
                changes.changed(path, Verdict::Conditional, why);
            }
            _ => {}
        }
    }
}

fn flags(old: &Value, new: &Value, path: &str, changes: &mut Changes) {
    let both = |keyword: &str| (old[keyword] == true, new[keyword] == true);
    match both("nullable") {
        (true, false) => changes.changed(path, Verdict::Conditional, "may not be null any more"),
        (false, true) => changes.changed(
            path,
            Verdict::Warning,
            "may be null now; Compositions must expect that",
        ),
        _ => {}
    }
    match both("x-kubernetes-preserve-unknown-fields") {
        (true, false) => {
            let why = "unknown fields are pruned now: stored data is lost at the next write";
            changes.changed(path, Verdict::Breaking, why);
        }
        (false, true) => {
            let why = "unknown fields are kept from now on, which can hardly be taken back";
            changes.changed(path, Verdict::Warning, why);
        }
        _ => {}
    }
    match both("x-kubernetes-embedded-resource") {
        (true, false) | (false, true) => {
            let why = "is or is no longer an embedded resource: apiVersion, kind and metadata are treated differently";
            changes.changed(path, Verdict::Breaking, why);
        }
        _ => {}
    }
}

fn lists(old: &Value, new: &Value, path: &str, changes: &mut Changes) {
    let word = |schema: &Value| {
        schema["x-kubernetes-list-type"]
            .as_str()
            .unwrap_or("atomic")
            .to_owned()
    };
    let both_lists = old["type"] == "array" && new["type"] == "array";
    let (before, after) = (word(old), word(new));
    if both_lists && before != after {
        let (verdict, why) = match (before.as_str(), after.as_str()) {
            ("atomic", _) => (
                Verdict::Conditional,
                "duplicates are invalid now, and members have owners of their own",
            ),
            (_, "atomic") => (
                Verdict::Warning,
                "is replaced as a whole now: those who owned members overwrite each other",
            ),
            _ => (Verdict::Breaking, "members are told apart in another way"),
        };
        changes.changed(
            path,
            verdict,
            format!("was a list of type {before} and is of type {after} now: {why}"),
        );
    } else if old["x-kubernetes-list-map-keys"] != new["x-kubernetes-list-map-keys"] {
        changes.changed(
            path,
            Verdict::Breaking,
            "the keys of the list change, and with them which member is which",
        );
    }
    let map_type = |schema: &Value| {
        schema["x-kubernetes-map-type"]
            .as_str()
            .unwrap_or("granular")
            .to_owned()
    };
    if map_type(old) != map_type(new) {
        let why = format!(
            "was a {} map and is {} now: fields change owners",
            map_type(old),
            map_type(new)
        );
        changes.changed(path, Verdict::Warning, why);
    }
}

fn rules(old: &Value, new: &Value, path: &str, changes: &mut Changes) {
    let texts = |schema: &Value| -> BTreeSet<String> {
        let rules = schema["x-kubernetes-validations"]
            .as_array()
            .into_iter()
            .flatten();
        rules
            .filter_map(|rule| rule["rule"].as_str().map(str::to_owned))
            .collect()
    };
    let (before, after) = (texts(old), texts(new));
    let transition = |rule: &String| rule.contains("oldSelf");
    for rule in after.difference(&before) {
        if transition(rule) {
            let why = format!("changes must keep to a new rule: {rule}");
            changes.changed(path, Verdict::Warning, why);
        } else {
            let why = format!("must keep to a new rule: {rule}");
            changes.changed(path, Verdict::Conditional, why);
        }
    }
    for rule in before.difference(&after) {
        if transition(rule) {
            let why = format!(
                "may change in ways it could not before, which a cloud may not follow: {rule} is gone"
            );
            changes.changed(path, Verdict::Warning, why);
        } else {
            changes.changed(path, Verdict::Safe, format!("a rule is gone: {rule}"));
        }
    }
    if before == after && old["x-kubernetes-validations"] != new["x-kubernetes-validations"] {
        changes.changed(path, Verdict::Safe, "the message of a rule changes");
    }
}

fn combinations(old: &Value, new: &Value, path: &str, changes: &mut Changes) {
    for keyword in ["allOf", "anyOf", "not", "oneOf"] {
        match (old.get(keyword), new.get(keyword)) {
            (Some(_), None) => changes.changed(
                path,
                Verdict::Safe,
                format!("{keyword} is gone: more is allowed"),
            ),
            (before, Some(after)) if before != Some(after) => {
                let why = format!("{keyword} is new or different: stored values may not fit");
                changes.changed(path, Verdict::Conditional, why);
            }
            _ => {}
        }
    }
}

fn words(old: &Value, new: &Value, path: &str, changes: &mut Changes) {
    let differ = ["description", "title", "example", "externalDocs"]
        .into_iter()
        .filter(|word| old.get(word) != new.get(word));
    let differ: Vec<&str> = differ.collect();
    if !differ.is_empty() {
        let why = format!(
            "{} changes, which only readers notice",
            differ.join(" and ")
        );
        changes.changed(path, Verdict::Safe, why);
    }
}
