//! Do the hooks of status-transformer match anything, and are their words right?

use std::collections::BTreeSet;

use purlin_diag::{Diagnostic, nearest};
use serde_json::Value;

use crate::Report;
use crate::compose::Context;
use crate::others::{list, names_some, word};

const TYPES: &[&str] = &[
    "AllResourcesMatchAllConditions",
    "AnyResourceMatchesAnyCondition",
    "AnyResourceMatchesAllConditions",
    "AllResourcesMatchAnyCondition",
];
const STATUSES: &[&str] = &["True", "False", "Unknown"];
const TARGETS: &[&str] = &["Composite", "CompositeAndClaim"];

/// Checks the input, which stands at `at`.
pub(crate) fn check(context: &Context<'_>, input: &Value, at: &str, report: &mut Report<'_>) {
    for (index, hook) in list(&input["statusConditionHooks"]) {
        let at = format!("{at}.statusConditionHooks[{index}]");
        let mut groups = Some(BTreeSet::new());
        for (index, matcher) in list(&hook["matchers"]) {
            let at = format!("{at}.matchers[{index}]");
            word(&matcher["type"], TYPES, &format!("{at}.type"), report);
            for (index, resource) in list(&matcher["resources"]) {
                let at = format!("{at}.resources[{index}].name");
                // Of observed resources; those of extra-resources have names like this.
                let name = resource["name"].as_str().unwrap_or_default();
                if !name.starts_with("extra-resource") && matcher["includeExtraResources"] != true {
                    names_some(context, name, name, &at, report);
                }
            }
            for (index, condition) in list(&matcher["conditions"]) {
                let at = format!("{at}.conditions[{index}]");
                word(
                    &condition["status"],
                    STATUSES,
                    &format!("{at}.status"),
                    report,
                );
                let message = &condition["message"];
                captured(message, &format!("{at}.message"), &mut groups, report);
            }
        }
        for (index, set) in list(&hook["setConditions"]) {
            let at = format!("{at}.setConditions[{index}]");
            word(&set["target"], TARGETS, &format!("{at}.target"), report);
            let condition = &set["condition"];
            let at = format!("{at}.condition");
            word(
                &condition["status"],
                STATUSES,
                &format!("{at}.status"),
                report,
            );
            used(
                &condition["message"],
                &format!("{at}.message"),
                groups.as_ref(),
                report,
            );
        }
        for (index, create) in list(&hook["createEvents"]) {
            let at = format!("{at}.createEvents[{index}]");
            word(&create["target"], TARGETS, &format!("{at}.target"), report);
            let event = &create["event"];
            let at = format!("{at}.event");
            used(
                &event["message"],
                &format!("{at}.message"),
                groups.as_ref(),
                report,
            );
        }
    }
}

/// Takes the groups of a pattern in; none are known once one cannot be read.
fn captured(
    pattern: &Value,
    at: &str,
    groups: &mut Option<BTreeSet<String>>,
    report: &mut Report<'_>,
) {
    let Some(pattern) = pattern.as_str() else {
        return;
    };
    if let Err(error) = purlin_schema::Pattern::new(pattern) {
        let message = format!("`{pattern}` is no regular expression: {error}");
        let finding = Diagnostic::error("check/regexp", message);
        report.at(at, finding.help("the syntax is RE2"));
        *groups = None;
        return;
    }
    let starts = pattern
        .split("(?P<")
        .skip(1)
        .chain(pattern.split("(?<").skip(1));
    let names = starts.filter_map(|rest| Some(rest.split_once('>')?.0.to_owned()));
    if let Some(groups) = groups {
        groups.extend(names);
    }
}

/// A message is a template over what was captured.
fn used(message: &Value, at: &str, groups: Option<&BTreeSet<String>>, report: &mut Report<'_>) {
    let (Some(message), Some(groups)) = (message.as_str(), groups) else {
        return;
    };
    // What captures nothing is no template.
    if groups.is_empty() {
        return;
    }
    if message.matches("{{").count() > message.matches("}}").count() {
        let finding = Diagnostic::error("check/format", "a `{{` of the message is not closed");
        report.at(at, finding.help("write it like {{ .Name }}"));
        return;
    }
    for rest in message.split("{{").skip(1) {
        let inside = rest.split("}}").next().unwrap_or_default();
        let inside = inside.trim_matches(['-', ' ']);
        let Some(name) = inside.strip_prefix('.') else {
            continue;
        };
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if name.is_empty() || !plain || groups.contains(name) {
            continue;
        }
        let finding = Diagnostic::warning(
            "check/no-group",
            format!("no message pattern of this hook captures `{name}`"),
        );
        let help = match nearest(name, groups.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!(
                "captured are {}",
                groups.iter().cloned().collect::<Vec<_>>().join(", ")
            ),
        };
        report.at(at, finding.help(help));
    }
}
