//! Does this input make sense? Every mistake, each with its field path.
//!
//! The rules are upstream's, which checks neither the transforms nor the policy of combining patches.

use std::collections::BTreeSet;

use purlin_diag::{Diagnostic, Diagnostics, nearest};
use purlin_object::{Path, ValueRef};

use crate::input::{Check, Combine, Detail, Patch, Policy, Resources, Template, TemplatePatch};
use crate::plan::PatchKind;
use crate::validate_transform::transform;

/// The code of a malformed field path.
pub(crate) const FIELD_PATH: &str = "input/field-path";
/// The code of a group that no regular expression has.
pub(crate) const GROUP: &str = "input/regexp-group";

/// Where mistakes go, and the field they are looked for in.
pub(crate) struct Scope<'d> {
    found: &'d mut Diagnostics,
    path: String,
}

impl Scope<'_> {
    /// A member of this field.
    pub(crate) fn field(&mut self, name: &str) -> Scope<'_> {
        let path = if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        };
        Scope {
            found: self.found,
            path,
        }
    }

    /// An element of a list in this field.
    pub(crate) fn element(&mut self, name: &str, index: usize) -> Scope<'_> {
        self.field(&format!("{name}[{index}]"))
    }

    /// This field is missing.
    pub(crate) fn required(&mut self, help: &str) {
        self.push("input/required", "is required", help);
    }

    /// This field is wrong.
    pub(crate) fn invalid(&mut self, message: &str, help: &str) {
        self.push("input/invalid", message, help);
    }

    /// This field is none of the words it can be.
    pub(crate) fn one_of(&mut self, word: &str, known: &[&str]) {
        let all = known.join(", ");
        if word.is_empty() {
            return self.required(&format!("one of {all}"));
        }
        let help = match nearest(word, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`? It is one of {all}"),
            None => format!("it is one of {all}"),
        };
        self.push("input/invalid", &format!("`{word}` is unknown"), &help);
    }

    /// Checks the syntax of a field path.
    fn path(&mut self, text: &str) {
        if let Err(error) = Path::parse(text) {
            self.push(
                FIELD_PATH,
                &error.to_string(),
                "write it like spec.list[0].name",
            );
        }
    }

    pub(crate) fn push(&mut self, code: &'static str, message: &str, help: &str) {
        let finding = Diagnostic::error(code, message).path(self.path.clone());
        self.found.push(finding.help(help));
    }
}

/// Checks a whole input.
pub(crate) fn validate(input: &Resources) -> Diagnostics {
    let mut found = Diagnostics::new();
    let mut root = Scope {
        found: &mut found,
        path: String::new(),
    };
    for (index, set) in input.patch_sets.iter().enumerate() {
        let mut at = root.element("patchSets", index);
        if set.name.is_empty() {
            at.field("name")
                .required("resources use a patch set by its name");
        }
        for (index, patch) in set.patches.iter().enumerate() {
            check_patch(&mut at.element("patches", index), patch);
        }
    }
    if input.resources.is_empty() && input.environment.patches.is_empty() {
        root.field("resources")
            .required("give resources, or patches of the environment");
    }
    let sets: BTreeSet<&str> = input
        .patch_sets
        .iter()
        .map(|set| set.name.as_str())
        .collect();
    for (index, template) in input.resources.iter().enumerate() {
        check_template(&mut root.element("resources", index), template, &sets);
    }
    for (index, patch) in input.environment.patches.iter().enumerate() {
        let mut at = root.field("environment");
        check_environment_patch(&mut at.element("patches", index), patch);
    }
    found
}

fn check_template(at: &mut Scope<'_>, template: &Template, sets: &BTreeSet<&str>) {
    if template.name.is_empty() {
        at.field("name")
            .required("the resource is known by it from one run to the next");
    }
    if let Some(base) = &template.base {
        let kind = base.as_object().and_then(|base| base.get("kind"));
        if base.as_object().is_none() {
            let message = format!("must be an object, and is {}", base.as_ref().kind());
            at.field("base")
                .invalid(&message, "write the resource as a manifest");
        } else if !matches!(kind, Some(ValueRef::String(kind)) if !kind.is_empty()) {
            at.field("base.kind").required("a resource has a kind");
        }
    }
    for (index, patch) in template.patches.iter().enumerate() {
        check_template_patch(&mut at.element("patches", index), patch, sets);
    }
    for (index, detail) in template.connection_details.iter().enumerate() {
        check_detail(&mut at.element("connectionDetails", index), detail);
    }
    for (index, check) in template.readiness_checks.iter().enumerate() {
        check_readiness(&mut at.element("readinessChecks", index), check);
    }
}

fn check_template_patch(at: &mut Scope<'_>, patch: &TemplatePatch, sets: &BTreeSet<&str>) {
    let parts = Parts {
        kind: &patch.r#type,
        from: &patch.from_field_path,
        to: &patch.to_field_path,
        combine: patch.combine.as_ref(),
    };
    if patch.r#type == "PatchSet" {
        let mut name = at.field("patchSetName");
        if patch.patch_set_name.is_empty() {
            name.required("a patch of the type PatchSet names the set to put here");
        } else if !sets.contains(patch.patch_set_name.as_str()) {
            name.one_of(
                &patch.patch_set_name,
                &sets.iter().copied().collect::<Vec<_>>(),
            );
        }
        check_rest(at, &patch.transforms, &patch.policy);
    } else if check_parts(at, &parts) {
        check_rest(at, &patch.transforms, &patch.policy);
    }
}

fn check_patch(at: &mut Scope<'_>, patch: &Patch) {
    if check_parts(at, &parts(patch)) {
        check_rest(at, &patch.transforms, &patch.policy);
    }
}

fn check_environment_patch(at: &mut Scope<'_>, patch: &Patch) {
    const ALLOWED: &[&str] = &[
        "FromCompositeFieldPath",
        "ToCompositeFieldPath",
        "CombineFromComposite",
        "CombineToComposite",
        "FromEnvironmentFieldPath",
        "ToEnvironmentFieldPath",
    ];
    if patch.r#type.is_empty() || ALLOWED.contains(&patch.r#type.as_str()) {
        return check_patch(at, patch);
    }
    at.field("type").one_of(&patch.r#type, ALLOWED);
    check_guessed(at, &parts(patch));
    check_rest(at, &patch.transforms, &patch.policy);
}

fn parts(patch: &Patch) -> Parts<'_> {
    Parts {
        kind: &patch.r#type,
        from: &patch.from_field_path,
        to: &patch.to_field_path,
        combine: patch.combine.as_ref(),
    }
}

struct Parts<'i> {
    kind: &'i str,
    from: &'i str,
    to: &'i str,
    combine: Option<&'i Combine>,
}

/// Checks what a patch reads and writes; says whether its transforms and policy are checked too.
fn check_parts(at: &mut Scope<'_>, parts: &Parts<'_>) -> bool {
    let Some(kind) = PatchKind::parse(parts.kind) else {
        at.field("type").one_of(parts.kind, PatchKind::NAMES);
        check_guessed(at, parts);
        return true;
    };
    if !kind.combines() {
        if parts.from.is_empty() {
            at.field("fromFieldPath")
                .required("say which field to read");
        } else {
            at.field("fromFieldPath").path(parts.from);
        }
        at.field("toFieldPath").path(parts.to);
        return true;
    }
    let Some(combine) = parts.combine else {
        at.field("combine")
            .required("say which fields to combine, and how");
        return false;
    };
    if parts.to.is_empty() {
        at.field("toFieldPath").required("say which field to write");
    } else {
        at.field("toFieldPath").path(parts.to);
    }
    check_combine(&mut at.field("combine"), combine);
    false
}

/// Checks what a patch of an unknown type has: its other mistakes are told as well.
fn check_guessed(at: &mut Scope<'_>, parts: &Parts<'_>) {
    if !parts.from.is_empty() {
        at.field("fromFieldPath").path(parts.from);
    }
    if !parts.to.is_empty() {
        at.field("toFieldPath").path(parts.to);
    }
    if let Some(combine) = parts.combine {
        check_combine(&mut at.field("combine"), combine);
    }
}

fn check_combine(at: &mut Scope<'_>, combine: &Combine) {
    match (combine.strategy.as_str(), &combine.string) {
        ("string", Some(_)) => {}
        ("string", None) => at
            .field("string")
            .required("give the format as `string: {fmt: …}`"),
        (other, _) => at.field("strategy").one_of(other, &["string"]),
    }
    if combine.variables.is_empty() {
        at.field("variables").required("name at least one field");
    }
    for (index, variable) in combine.variables.iter().enumerate() {
        let mut at = at.element("variables", index);
        let mut at = at.field("fromFieldPath");
        if variable.from_field_path.is_empty() {
            at.required("say which field to read");
        } else {
            at.path(&variable.from_field_path);
        }
    }
}

fn check_rest(at: &mut Scope<'_>, transforms: &[crate::input::Transform], policy: &Policy) {
    for (index, one) in transforms.iter().enumerate() {
        transform(&mut at.element("transforms", index), one);
    }
    let mut at = at.field("policy");
    if let Some(word) = &policy.from_field_path
        && !matches!(word.as_str(), "Optional" | "Required")
    {
        at.field("fromFieldPath")
            .one_of(word, &["Optional", "Required"]);
    }
    if let Some(word) = &policy.to_field_path
        && !crate::plan::MERGE_POLICIES.contains(&word.as_str())
    {
        at.field("toFieldPath")
            .one_of(word, crate::plan::MERGE_POLICIES);
    }
}

fn check_detail(at: &mut Scope<'_>, detail: &Detail) {
    if detail.name.is_empty() {
        at.field("name")
            .required("the key of the connection secret");
    }
    match detail.r#type.as_str() {
        "FromConnectionSecretKey" if detail.from_connection_secret_key.is_none() => at
            .field("fromConnectionSecretKey")
            .required("say which key of the resource's connection secret to read"),
        "FromFieldPath" if detail.from_field_path.is_none() => {
            at.field("fromFieldPath")
                .required("say which field to read");
        }
        "FromValue" if detail.value.is_none() => at.field("value").required("give the value"),
        "FromConnectionSecretKey" | "FromFieldPath" | "FromValue" => {}
        other => at.field("type").one_of(
            other,
            &["FromConnectionSecretKey", "FromFieldPath", "FromValue"],
        ),
    }
}

fn check_readiness(at: &mut Scope<'_>, check: &Check) {
    match check.r#type.as_str() {
        "None" => return,
        "MatchCondition" => {
            let Some(condition) = &check.match_condition else {
                return;
            };
            let mut at = at.field("matchCondition");
            if condition.r#type.is_empty() {
                at.field("type")
                    .required("the type of the condition, like Ready");
            }
            if condition.status.is_empty() {
                at.field("status")
                    .required("the status to wait for, like True");
            }
            return;
        }
        "MatchString" if check.match_string.is_none() => {
            at.field("matchString").required("the text to wait for");
        }
        "MatchInteger" if check.match_integer.is_none() => {
            at.field("matchInteger").required("the number to wait for");
        }
        "NonEmpty" | "MatchString" | "MatchInteger" | "MatchTrue" | "MatchFalse" => {}
        other => {
            let known = [
                "NonEmpty",
                "MatchString",
                "MatchInteger",
                "MatchTrue",
                "MatchFalse",
                "MatchCondition",
                "None",
            ];
            at.field("type").one_of(other, &known);
        }
    }
    if check.field_path.is_none() {
        at.field("fieldPath").required("say which field to look at");
    }
}
