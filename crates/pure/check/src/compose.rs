//! Is a Composition right: its kind, its steps, their functions and inputs?

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use purlin_diag::{Diagnostic, Severity};
use purlin_function::{Functions, Hosted, ReadObject, ReadStep};
use purlin_object::Object;
use purlin_schema::Schema;
use purlin_yaml::Document;
use serde_json::Value;

use crate::reach::Step;
use crate::set::{Origin, Set, folders_between, group_version};
use crate::trail::Trail;
use crate::{
    NO_SCHEMA, Report, blueprint, fit, join, kinds, legacy, others, reach, resources, templates,
};

const PATCH_AND_TRANSFORM: &str = "function-patch-and-transform";
const BLUEPRINT: &str = "function-blueprint";
const GO_TEMPLATING: &str = "function-go-templating";
/// Functions that fill no field of a composed resource.
const READ_ONLY: [&str; 7] = [
    "function-auto-ready",
    "function-cel-filter",
    "function-status-transformer",
    "function-environment-configs",
    "function-extra-resources",
    "function-sequencer",
    // It fills tags, which nothing requires.
    "function-tag-manager",
];

/// A kind, and its schema when it is known.
#[derive(Debug, Clone, Default)]
pub(crate) struct Typed {
    pub(crate) kind: String,
    pub(crate) schema: Option<Arc<Schema>>,
    /// Whether its objects are in namespaces; `None` when that is not known.
    pub(crate) namespaced: Option<bool>,
}

/// How a Composition says what to compose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Pipeline,
    /// Crossplane 1 had it.
    Resources,
}

/// What the steps of one Composition share.
pub(crate) struct Context<'s> {
    pub(crate) set: &'s Set,
    pub(crate) file: &'s str,
    pub(crate) mode: Mode,
    pub(crate) composite: Typed,
    /// The kinds of the resources composed so far, by name, and the step that composes them.
    pub(crate) composed: BTreeMap<String, (Typed, String)>,
    /// Whether steps compose resources of names that are not known beforehand.
    pub(crate) composes_others: bool,
    /// The resources that other steps may fill fields of; `None` for all.
    pub(crate) filled: Option<BTreeSet<String>>,
    pub(crate) step: String,
    pub(crate) index: usize,
    pub(crate) environment: Trail,
    pub(crate) status: Trail,
}

impl Context<'_> {
    /// The kind of a manifest as far as it is written out.
    pub(crate) fn typed(&self, manifest: &Value) -> Option<Typed> {
        let constant = |field: &str| manifest[field].as_str().filter(|text| !text.contains("${"));
        let (api_version, kind) = (constant("apiVersion")?, constant("kind")?);
        let defined = self.set.find(api_version, kind, self.file);
        Some(Typed {
            kind: kind.to_owned(),
            schema: defined.and_then(|one| self.set.schema(one)),
            namespaced: defined.map(|one| one.namespaced),
        })
    }

    /// Notes that nothing is known of what this step does.
    pub(crate) fn anything(&mut self) {
        self.composes_others = true;
        self.environment.writes_anything(self.index);
        self.environment.reads_anything(self.index);
        self.status.writes_anything(self.index);
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

    /// Checks the kind of a composed resource, which stands at `at`: that it is known, and may be composed.
    pub(crate) fn check_kind(
        &self,
        manifest: &Value,
        typed: &Typed,
        at: &str,
        report: &mut Report<'_>,
    ) {
        let before = report.found.len();
        kinds::check(self.set, self.file, manifest, at, report);
        if report.found.len() == before {
            no_schema(manifest, typed, at, report);
        }
        if self.composite.namespaced == Some(true) && typed.namespaced == Some(false) {
            let message = format!(
                "a composite in a namespace cannot compose a {}, which is in none",
                typed.kind
            );
            let finding = Diagnostic::error("check/scope", message);
            let help = "use the kind for namespaces, often of another group, or an XRD of the scope Cluster";
            report.at(&format!("{at}.kind"), finding.help(help));
        }
    }
}

/// Says of a kind that nothing is known of. Those of Kubernetes itself are left alone.
fn no_schema(manifest: &Value, typed: &Typed, at: &str, report: &mut Report<'_>) {
    let Some(api_version) = manifest["apiVersion"].as_str() else {
        return;
    };
    let (group, _) = group_version(api_version);
    let own = !group.contains('.') || group.ends_with(".k8s.io");
    if own || typed.kind.is_empty() || typed.schema.is_some() {
        return;
    }
    let message = format!("no schema of {} ({api_version}) is known", typed.kind);
    let finding = Diagnostic::note(NO_SCHEMA, message);
    let help =
        "check its CRD or its provider's package as well, or keep it with `purlin schema pull`";
    report.at(&format!("{at}.kind"), finding.help(help));
}

/// Checks a Composition.
pub(crate) fn check(
    set: &Set,
    document: &Document,
    functions: &Functions,
    report: &mut Report<'_>,
) {
    let object = &document.value;
    let legacy = legacy::is_legacy(object);
    shape(document, legacy, report);
    let file = document.places.file().to_string();
    let composite = composite(set, object, &file, report);
    let mut context = Context {
        set,
        file: &file,
        mode: if legacy {
            Mode::Resources
        } else {
            Mode::Pipeline
        },
        composite,
        composed: BTreeMap::new(),
        composes_others: false,
        filled: None,
        step: String::new(),
        index: 0,
        environment: Trail::default(),
        status: Trail::default(),
    };
    if object["spec"]["environment"].is_object() {
        context.environment.writes_anything(0);
    }
    // The engine writes these itself.
    for field in ["conditions", "connectionDetails"] {
        let field = vec![
            Step::Field("status".to_owned()),
            Step::Field(field.to_owned()),
        ];
        context.status.write(0, field, "");
    }
    if legacy {
        resources_mode(&mut context, &object["spec"], functions, report);
    } else {
        pipeline(&mut context, &object["spec"], functions, report);
    }
    context.environment.check_environment(report);
    let kind = context.composite.kind.clone();
    context.status.check_status(&kind, report);
}

/// What is wrong with the form of a Composition. Crossplane 1 takes what its successors do not: that is worth a note.
fn shape(document: &Document, legacy: bool, report: &mut Report<'_>) {
    let (_, found) = purlin_composition::read(&document.value, Some(&document.places));
    for mut finding in found {
        match finding.code.0 {
            "composition/mode" | "composition/steps" if legacy => continue,
            "composition/environment" => finding.severity = Severity::Note,
            // An empty list says nothing.
            "composition/mode" if is_empty(&document.value["spec"]) => {
                finding.severity = Severity::Note;
            }
            _ => {}
        }
        report.found.push(finding);
    }
    if legacy {
        let message = "the mode Resources exists in Crossplane 1 only";
        let finding = Diagnostic::note("check/deprecated", message);
        let help = "put `resources` and `patchSets` into the input of a step that calls function-patch-and-transform";
        report.key("spec.resources", finding.help(help));
    }
}

/// Whether a Composition has lists of the mode Resources, and nothing in them, beside the right mode.
fn is_empty(spec: &Value) -> bool {
    let empty = |field: &str| spec[field].as_array().is_none_or(Vec::is_empty);
    empty("resources")
        && empty("patchSets")
        && matches!(spec["mode"].as_str(), None | Some("Pipeline"))
}

/// A Composition of the mode Resources is one step of patch-and-transform.
fn resources_mode(
    context: &mut Context<'_>,
    spec: &Value,
    functions: &Functions,
    report: &mut Report<'_>,
) {
    let input = legacy::input(spec);
    context.filled = Some(BTreeSet::new());
    // There may be none, which is told of an input.
    if let Some(hosted) = named(PATCH_AND_TRANSFORM, functions)
        && !input["resources"].is_null()
    {
        let mut inside = Report::new(report.places);
        check_input(&input, hosted, "spec", &mut inside);
        for mut finding in inside.found {
            // Crossplane 1 let the server drop what it did not know.
            if finding.code.0 == "input/unknown-field" && !fit::is_slip(&finding) {
                finding.severity = Severity::Warning;
            }
            report.found.push(finding);
        }
    }
    resources::check(context, &input, "spec", report);
}

fn pipeline(
    context: &mut Context<'_>,
    spec: &Value,
    functions: &Functions,
    report: &mut Report<'_>,
) {
    let steps = spec["pipeline"].as_array();
    let steps: Vec<&Value> = steps.into_iter().flatten().collect();
    let hosted: Vec<Option<&Hosted>> = steps.iter().map(|step| find(step, functions)).collect();
    for (index, step) in steps.iter().enumerate() {
        let at = format!("spec.pipeline[{index}]");
        function_name(context, step, functions, &at, report);
        context.step = step["step"].as_str().unwrap_or_default().into();
        context.index = index;
        let Some(hosted_here) = hosted[index] else {
            context.anything();
            continue;
        };
        let input = &step["input"];
        if !input.is_object() {
            continue;
        }
        let at = format!("{at}.input");
        let ours = input_kind(input, hosted_here, &at, report);
        if !ours {
            context.anything();
            continue;
        }
        check_input(input, hosted_here, &at, report);
        context.filled = filled_by_others(&steps, &hosted, index, &context.composite.kind);
        check_reads(context, input, hosted_here, &at, report);
        match hosted_here.name {
            PATCH_AND_TRANSFORM => resources::check(context, input, &at, report),
            BLUEPRINT => blueprint::check(context, input, &at, report),
            _ => others::check(context, hosted_here.name, input, &at, report),
        }
    }
    unread_context(context, &hosted, report);
    unread_keys(&steps, &hosted, report);
}

/// Keys of the context that a template writes, and no later step can read.
fn unread_keys(steps: &[&Value], hosted: &[Option<&Hosted>], report: &mut Report<'_>) {
    for (index, step) in steps.iter().enumerate() {
        if hosted[index].is_none_or(|one| one.name != GO_TEMPLATING) {
            continue;
        }
        let at = format!("spec.pipeline[{index}].input");
        for key in templates::context_keys(&step["input"], &at) {
            let later = index + 1..steps.len();
            let may_read = |later: usize| {
                let input = steps[later]["input"].to_string();
                let elsewhere = hosted[later].is_none()
                    || hosted[later].is_some_and(|one| one.name == GO_TEMPLATING)
                        && steps[later]["input"]["source"] != "Inline";
                elsewhere || input.contains("context") || input.contains(&key.name)
            };
            let environment = key.name == crate::trail::ENVIRONMENT;
            if environment || later.into_iter().any(may_read) {
                continue;
            }
            let message = format!("no step after this one reads `{}` of the context", key.name);
            let finding = Diagnostic::note("check/context-unread", message);
            let help = "take it away, or put the step before those that need it";
            report.part(
                &key.at,
                (key.bytes.start, key.bytes.end),
                finding.help(help),
            );
        }
    }
}

/// Steps that put something into the context for nobody.
fn unread_context(context: &Context<'_>, hosted: &[Option<&Hosted>], report: &mut Report<'_>) {
    for (index, one) in hosted.iter().enumerate() {
        let name = one.map(|one| one.name);
        let message = match name {
            Some("function-environment-configs") if !context.environment.is_read_after(index) => {
                "no step after this one reads the environment"
            }
            Some("function-extra-resources")
                if !hosted[index..].iter().any(|later| reads_context(*later)) =>
            {
                "no step after this one reads what this one puts into the context"
            }
            _ => continue,
        };
        let finding = Diagnostic::warning("check/context-unread", message);
        let help = "remove the step, or put it before the steps that need it";
        report.at(
            &format!("spec.pipeline[{index}].functionRef.name"),
            finding.help(help),
        );
    }
}

/// Whether a step may read any key of the context.
fn reads_context(hosted: Option<&Hosted>) -> bool {
    hosted.is_none_or(|hosted| {
        matches!(
            hosted.name,
            "function-go-templating"
                | BLUEPRINT
                | "function-cel-filter"
                | "function-status-transformer"
                | "function-auto-ready"
                | "function-sequencer"
        )
    })
}

/// The kind a Composition is for; a kind that no XRD defines is told.
fn composite(set: &Set, object: &Value, file: &str, report: &mut Report<'_>) -> Typed {
    let reference = &object["spec"]["compositeTypeRef"];
    let text = |field: &str| reference[field].as_str().unwrap_or_default();
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    let mut typed = Typed {
        kind: kind.to_owned(),
        ..Typed::default()
    };
    if api_version.is_empty() || kind.is_empty() {
        return typed;
    }
    let at = "spec.compositeTypeRef";
    let (group, version) = group_version(api_version);
    let versions = set.near_versions(group, kind, file);
    let all = versions.iter();
    if all.clone().any(|one| one.origin == Origin::Claim)
        && !all.clone().any(|one| one.origin == Origin::Composite)
    {
        let message = format!("{kind} is the kind of claims; a Composition is for the composite");
        report.at(
            &format!("{at}.kind"),
            Diagnostic::error("check/claim-kind", message)
                .help("write the kind of `spec.names` of the XRD"),
        );
        return typed;
    }
    if versions.is_empty() {
        if set.versions_of(group, kind).next().is_none() {
            no_xrd(set, group, kind, report);
        }
        return typed;
    }
    let Some(same) = versions.iter().find(|one| one.version == version) else {
        report.at(
            &format!("{at}.apiVersion"),
            kinds::no_version(group, kind, version, &versions),
        );
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
    if let Some(defined) = set.find(api_version, kind, file) {
        typed.schema = set.schema(defined);
        typed.namespaced = Some(defined.namespaced);
    }
    typed
}

/// No XRD among the files defines the kind: one with a near name is meant, or none is there.
fn no_xrd(set: &Set, group: &str, kind: &str, report: &mut Report<'_>) {
    let at = "spec.compositeTypeRef";
    let composites = || {
        set.defined
            .iter()
            .filter(|one| one.origin == Origin::Composite)
    };
    let near = composites().find(|one| one.kind == kind && close(&one.group, group));
    // Short names may be those of kinds that are defined elsewhere.
    let near_kind = composites().find(|one| {
        one.group == group && close(&one.kind, kind) && !kinds::differ_by_x(&one.kind, kind)
    });
    let (path, finding) = if let Some(near) = near {
        let message = format!("no XRD defines {kind} in the group {group}");
        let help = format!("did you mean the group `{}`?", near.group);
        let finding = Diagnostic::error("check/no-xrd", message).help(help);
        (format!("{at}.apiVersion"), finding)
    } else if let Some(near) = near_kind {
        let message = format!("no XRD defines the kind {kind}");
        let help = format!("did you mean `{}`?", near.kind);
        let finding = Diagnostic::error("check/no-xrd", message).help(help);
        (format!("{at}.kind"), finding)
    } else {
        let message = format!(
            "no XRD for {kind} of {group} is among the files: field paths of the composite are not checked"
        );
        let finding = Diagnostic::note(NO_SCHEMA, message);
        (
            at.to_owned(),
            finding.help("check the folder of the XRD as well"),
        )
    };
    report.at(&path, finding);
}

/// The function in this process that a step calls: by its name, or by the kind of its input when the name says nothing
/// else.
fn find<'f>(step: &Value, functions: &'f Functions) -> Option<&'f Hosted> {
    let name = step["functionRef"]["name"].as_str()?;
    named(name, functions).or_else(|| {
        let input = &step["input"];
        let hosted = functions.by_kind(input["apiVersion"].as_str()?, input["kind"].as_str()?)?;
        let other = name.contains("function-") && !slip(name, hosted.name);
        (!other).then_some(hosted)
    })
}

/// Crossplane names Functions that a package depends on after their organisation, too.
fn named<'f>(name: &str, functions: &'f Functions) -> Option<&'f Hosted> {
    functions.hosted().iter().find(|hosted| {
        let head = name.strip_suffix(hosted.name);
        head.is_some_and(|head| head.is_empty() || head.ends_with('-'))
    })
}

/// A function that nobody has: a slip of the fingers, or not one of the Functions that are listed beside.
fn function_name(
    context: &Context<'_>,
    step: &Value,
    functions: &Functions,
    at: &str,
    report: &mut Report<'_>,
) {
    let Some(name) = step["functionRef"]["name"].as_str() else {
        return;
    };
    let installed = || context.set.functions.iter();
    if named(name, functions).is_some()
        || name == "function-purlin"
        || installed().any(|one| one.name == name)
    {
        return;
    }
    let at = format!("{at}.functionRef.name");
    let message = format!("there is no function {name}");
    let all = installed()
        .map(|one| one.name.as_str())
        .chain(functions.hosted().iter().map(|hosted| hosted.name));
    if let Some(near) = all.into_iter().find(|known| slip(name, known)) {
        let finding = Diagnostic::error("check/unknown-function", message);
        report.at(&at, finding.help(format!("did you mean `{near}`?")));
        return;
    }
    let beside: Vec<&str> = installed()
        .filter(|one| folders_between(context.file, &one.file) == 0)
        .map(|one| one.name.as_str())
        .collect();
    if !beside.is_empty() {
        let message = format!("{name} is none of the Functions beside this Composition");
        let finding = Diagnostic::warning("check/unknown-function", message);
        let help = format!(
            "there are {}; add a Function of this name",
            beside.join(", ")
        );
        report.at(&at, finding.help(help));
    }
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
    known.len() >= 8 && !digit && name != known && close(name, known)
}

/// Whether one name is two slips of the fingers from the other, or less; one for short names.
pub(crate) fn close(one: &str, other: &str) -> bool {
    let slips = if one.len() < 6 { 1 } else { 2 };
    strsim::damerau_levenshtein(one, other) <= slips
}

/// Says when the input is of another kind; whether it is one that the function can read.
fn input_kind(input: &Value, hosted: &Hosted, at: &str, report: &mut Report<'_>) -> bool {
    let text = |field: &str| input[field].as_str().unwrap_or_default();
    let group = |api_version: &str| group_version(api_version).0.to_owned();
    let same_group = group(text("apiVersion")) == group(hosted.api_version);
    let near = same_group || close(text("apiVersion"), hosted.api_version);
    // Functions do not look at the kind of what they get, so that what reads well works.
    let unread = !near && !text("apiVersion").is_empty() && text("kind") != hosted.kind;
    for (field, expected) in [("apiVersion", hosted.api_version), ("kind", hosted.kind)] {
        let Some(written) = input[field].as_str().filter(|text| *text != expected) else {
            continue;
        };
        let message = format!("{} takes no input of {field} {written}", hosted.name);
        let mut finding = Diagnostic::warning("check/input-kind", message);
        if !near {
            finding.severity = Severity::Note;
        }
        report.at(
            &format!("{at}.{field}"),
            finding.help(format!("it takes {field} {expected}")),
        );
    }
    !unread
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

/// Fields of observed objects that a function is certain to read, and that are not there.
fn check_reads(
    context: &Context<'_>,
    input: &Value,
    hosted: &Hosted,
    at: &str,
    report: &mut Report<'_>,
) {
    let Ok(object) = Object::from_json(input.clone()) else {
        return;
    };
    for read in hosted.function.reads(&object) {
        let typed = match &read.object {
            ReadObject::Composite => Some(&context.composite),
            ReadObject::Composed(name) => context.composed.get(name).map(|(typed, _)| typed),
        };
        let steps: Vec<Step> = read
            .steps
            .into_iter()
            .map(|step| match step {
                ReadStep::Field(name) => Step::Field(name),
                ReadStep::Element => Step::Any,
            })
            .collect();
        if let Some(typed) = typed
            && let Some(schema) = typed.schema.as_deref()
            && let Some(finding) = reach::complain(schema, &steps, &typed.kind)
        {
            // Templates ask for what may not be there, with `if` and `default`.
            report.part(&join(at, &read.path), read.within, fit::softer(finding));
        }
    }
}

/// The names of resources that the other steps compose; `None` when a step may touch any.
fn filled_by_others(
    steps: &[&Value],
    hosted: &[Option<&Hosted>],
    index: usize,
    composite: &str,
) -> Option<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for (other, hosted) in hosted.iter().enumerate() {
        if other == index {
            continue;
        }
        match hosted.map(|hosted| hosted.name) {
            Some(name) if READ_ONLY.contains(&name) => {}
            Some(GO_TEMPLATING) => {
                names.extend(templates::names(&steps[other]["input"], composite)?);
            }
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
