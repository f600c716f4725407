//! Is a Composition right: its kind, its steps, their functions and inputs?

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use purlin_diag::Diagnostic;
use purlin_function::{Functions, Hosted};
use purlin_object::Object;
use purlin_schema::Schema;
use purlin_yaml::Document;
use serde_json::Value;

use crate::set::{Origin, Set, group_version};
use crate::{Report, blueprint, join, resources};

const PATCH_AND_TRANSFORM: &str = "function-patch-and-transform";
const BLUEPRINT: &str = "function-blueprint";
/// Functions that fill no field of a composed resource.
const READ_ONLY: [&str; 4] = [
    "function-auto-ready",
    "function-environment-configs",
    "function-extra-resources",
    "function-sequencer",
];

/// A kind, and its schema when it is known.
#[derive(Debug, Clone)]
pub(crate) struct Typed {
    pub(crate) kind: String,
    pub(crate) schema: Option<Rc<Schema>>,
}

/// What the steps of one Composition share.
pub(crate) struct Context<'s> {
    pub(crate) set: &'s Set,
    pub(crate) file: &'s str,
    pub(crate) composite: Typed,
    /// The kinds of the resources composed so far, by name, and the step that composes them.
    pub(crate) composed: BTreeMap<String, (Typed, String)>,
    /// The resources that other steps may fill fields of; `None` for all.
    pub(crate) filled: Option<BTreeSet<String>>,
    pub(crate) step: String,
}

impl Context<'_> {
    /// The kind of a manifest as far as it is written out.
    pub(crate) fn typed(&self, manifest: &Value) -> Option<Typed> {
        let constant = |field: &str| manifest[field].as_str().filter(|text| !text.contains("${"));
        let (api_version, kind) = (constant("apiVersion")?, constant("kind")?);
        Some(Typed {
            kind: kind.to_owned(),
            schema: self.set.schema_of(api_version, kind, self.file),
        })
    }

    /// Whether another step may fill fields of this resource.
    pub(crate) fn filled_elsewhere(&self, name: &str) -> bool {
        self.filled
            .as_ref()
            .is_none_or(|names| names.contains(name))
    }

    /// Notes a composed resource; one that another step composes as well is told.
    pub(crate) fn compose(&mut self, name: &str, typed: Typed, at: &str, report: &mut Report<'_>) {
        if let Some((_, step)) = self.composed.get(name)
            && *step != self.step
        {
            let message = format!(
                "the step {step} composes a resource {name} already, and this one replaces it"
            );
            let finding = Diagnostic::warning("check/duplicate-resource", message);
            report.at(at, finding.help("give every resource its own name"));
        }
        self.composed
            .insert(name.to_owned(), (typed, self.step.clone()));
    }
}

/// Checks a Composition.
pub(crate) fn check(
    set: &Set,
    document: &Document,
    functions: &Functions,
    report: &mut Report<'_>,
) {
    let object = &document.value;
    let (_, found) = purlin_composition::read(object, Some(&document.places));
    report.found.extend(found);
    let file = document.places.file().to_string();
    let composite = composite(set, object, &file, report);
    let steps = object["spec"]["pipeline"].as_array();
    let steps: Vec<&Value> = steps.into_iter().flatten().collect();
    let hosted: Vec<Option<&Hosted>> = steps.iter().map(|step| find(step, functions)).collect();
    let mut context = Context {
        set,
        file: &file,
        composite,
        composed: BTreeMap::new(),
        filled: None,
        step: String::new(),
    };
    for (index, step) in steps.iter().enumerate() {
        let at = format!("spec.pipeline[{index}]");
        function_name(set, step, functions, &at, report);
        let Some(hosted_here) = hosted[index] else {
            continue;
        };
        let input = &step["input"];
        if !input.is_object() {
            continue;
        }
        let at = format!("{at}.input");
        input_kind(input, hosted_here, &at, report);
        check_input(input, hosted_here, &at, report);
        context.step = step["step"].as_str().unwrap_or_default().into();
        context.filled = filled_by_others(&steps, &hosted, index);
        match hosted_here.name {
            PATCH_AND_TRANSFORM => resources::check(&mut context, input, &at, report),
            BLUEPRINT => blueprint::check(&mut context, input, &at, report),
            _ => {}
        }
    }
}

/// The kind a Composition is for; a kind that no XRD defines is told.
fn composite(set: &Set, object: &Value, file: &str, report: &mut Report<'_>) -> Typed {
    let reference = &object["spec"]["compositeTypeRef"];
    let text = |field: &str| reference[field].as_str().unwrap_or_default();
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    let mut typed = Typed {
        kind: kind.to_owned(),
        schema: None,
    };
    if api_version.is_empty() || kind.is_empty() {
        return typed;
    }
    let at = "spec.compositeTypeRef";
    let (group, version) = group_version(api_version);
    let versions: Vec<_> = set.versions_of(group, kind).collect();
    if versions.iter().any(|one| one.origin == Origin::Claim) {
        let message = format!("{kind} is the kind of claims; a Composition is for the composite");
        report.at(
            &format!("{at}.kind"),
            Diagnostic::error("check/claim-kind", message)
                .help("write the kind of `spec.names` of the XRD"),
        );
        return typed;
    }
    if versions.is_empty() {
        no_xrd(set, group, kind, report);
        return typed;
    }
    let Some(same) = versions.iter().find(|one| one.version == version) else {
        let known: Vec<&str> = versions.iter().map(|one| one.version.as_str()).collect();
        let message = format!("{kind} of {group} has no version {version}");
        let finding = Diagnostic::error("check/unknown-version", message)
            .help(format!("it has {}", known.join(", ")));
        report.at(&format!("{at}.apiVersion"), finding);
        return typed;
    };
    if versions
        .iter()
        .all(|one| one.version != version || !one.referenceable)
        && same.origin == Origin::Composite
        && versions.iter().any(|one| one.referenceable)
    {
        let message =
            format!("the version {version} of {kind} is not the one that Compositions refer to");
        let finding = Diagnostic::warning("check/unreferenceable-version", message)
            .help("use the version that is `referenceable: true` in the XRD");
        report.at(&format!("{at}.apiVersion"), finding);
    }
    typed.schema = set.schema_of(api_version, kind, file);
    typed
}

/// No XRD among the files defines the kind: one with a near name is meant, or none is there.
fn no_xrd(set: &Set, group: &str, kind: &str, report: &mut Report<'_>) {
    let at = "spec.compositeTypeRef";
    let kinds = set
        .defined
        .iter()
        .filter(|one| one.origin == Origin::Composite && (one.group == group || one.kind == kind));
    let near = kinds
        .clone()
        .find(|one| one.kind == kind && close(&one.group, group));
    // Short names may be those of kinds that are defined elsewhere.
    let mut near_kinds = kinds.map(|one| one.kind.as_str());
    let near_kind = near_kinds.find(|one| close(one, kind));
    let (path, finding) = if let Some(near) = near {
        let message = format!("no XRD defines {kind} in the group {group}");
        let help = format!("did you mean the group `{}`?", near.group);
        let finding = Diagnostic::error("check/no-xrd", message).help(help);
        (format!("{at}.apiVersion"), finding)
    } else if let Some(near) = near_kind {
        let message = format!("no XRD defines the kind {kind}");
        let help = format!("did you mean `{near}`?");
        let finding = Diagnostic::error("check/no-xrd", message).help(help);
        (format!("{at}.kind"), finding)
    } else {
        let message = format!(
            "no XRD for {kind} of {group} is among the files: field paths of the composite are not checked"
        );
        let finding = Diagnostic::note("check/no-xrd", message);
        (
            at.to_owned(),
            finding.help("check the folder of the XRD as well"),
        )
    };
    report.at(&path, finding);
}

/// The function in this process that a step calls: by its name, or by the kind of its input.
fn find<'f>(step: &Value, functions: &'f Functions) -> Option<&'f Hosted> {
    let name = step["functionRef"]["name"].as_str()?;
    named(name, functions).or_else(|| {
        let input = &step["input"];
        functions.by_kind(input["apiVersion"].as_str()?, input["kind"].as_str()?)
    })
}

/// Crossplane names Functions that a package depends on after their organisation, too.
fn named<'f>(name: &str, functions: &'f Functions) -> Option<&'f Hosted> {
    functions.hosted().iter().find(|hosted| {
        let head = name.strip_suffix(hosted.name);
        head.is_some_and(|head| head.is_empty() || head.ends_with('-'))
    })
}

fn function_name(
    set: &Set,
    step: &Value,
    functions: &Functions,
    at: &str,
    report: &mut Report<'_>,
) {
    let Some(name) = step["functionRef"]["name"].as_str() else {
        return;
    };
    let installed = || set.functions.iter().map(String::as_str);
    if named(name, functions).is_some()
        || name == "function-purlin"
        || installed().any(|one| one == name)
    {
        return;
    }
    let all = || installed().chain(functions.hosted().iter().map(|hosted| hosted.name));
    let Some(near) = all().find(|known| slip(name, known)) else {
        return;
    };
    let message = format!("there is no function {name}");
    let finding = Diagnostic::error("check/unknown-function", message);
    report.at(
        &format!("{at}.functionRef.name"),
        finding.help(format!("did you mean `{near}`?")),
    );
}

/// Whether one name is the other but for a slip of the fingers: short names may be others' own.
fn slip(name: &str, known: &str) -> bool {
    let (Some(name), Some(known)) = (
        name.rsplit_once("function-").map(|(_, own)| own),
        known.rsplit_once("function-").map(|(_, own)| own),
    ) else {
        return false;
    };
    let digit = name.chars().any(|c| c.is_ascii_digit());
    known.len() >= 8 && !digit && close(name, known)
}

/// Whether one name is two slips of the fingers from the other, or less; one for short names.
fn close(one: &str, other: &str) -> bool {
    let slips = if one.len() < 6 { 1 } else { 2 };
    strsim::damerau_levenshtein(one, other) <= slips
}

fn input_kind(input: &Value, hosted: &Hosted, at: &str, report: &mut Report<'_>) {
    for (field, expected) in [("apiVersion", hosted.api_version), ("kind", hosted.kind)] {
        let Some(written) = input[field].as_str().filter(|text| *text != expected) else {
            continue;
        };
        let message = format!("{} takes no input of {field} {written}", hosted.name);
        let finding = Diagnostic::warning("check/input-kind", message);
        report.at(
            &format!("{at}.{field}"),
            finding.help(format!("it takes {field} {expected}")),
        );
    }
}

/// What a function finds wrong with its input.
fn check_input(input: &Value, hosted: &Hosted, at: &str, report: &mut Report<'_>) {
    let Ok(object) = Object::from_json(input.clone()) else {
        return;
    };
    for mut finding in hosted.function.check(&object) {
        let inside = finding.path.take().unwrap_or_default();
        let path = join(at, &inside);
        if report.places.value(&path).is_none() && !inside.is_empty() {
            finding.message = format!("`{inside}` {}", finding.message);
        }
        match finding.within {
            Some(part) => report.part(&path, part, finding),
            None if finding.code.0.ends_with("unknown-field") => report.key(&path, finding),
            None => report.at(&path, finding),
        }
    }
}

/// The names of resources that the other steps compose; `None` when a step may touch any.
fn filled_by_others(
    steps: &[&Value],
    hosted: &[Option<&Hosted>],
    index: usize,
) -> Option<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for (other, hosted) in hosted.iter().enumerate() {
        if other == index {
            continue;
        }
        match hosted.map(|hosted| hosted.name) {
            Some(name) if READ_ONLY.contains(&name) => {}
            Some(PATCH_AND_TRANSFORM | BLUEPRINT) => {
                let resources = steps[other]["input"]["resources"].as_array();
                let named = resources.into_iter().flatten();
                names.extend(named.filter_map(|one| Some(one["name"].as_str()?.to_owned())));
            }
            Some(_) | None => return None,
        }
    }
    Some(names)
}
