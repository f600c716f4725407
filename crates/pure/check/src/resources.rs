//! Do the bases, patches and checks of patch-and-transform fit the kinds they are about?

use std::collections::{BTreeMap, BTreeSet};

use purlin_diag::{Diagnostic, Severity, nearest};
use purlin_object::Path;
use purlin_schema::{FieldError, Kind, Reason, Schema, WHOLE};
use serde_json::Value;

use crate::compose::{Context, Mode, Typed};
use crate::flow::{self, Flow, Type};
use crate::reach::{self, Reach, Step, follow, steps};
use crate::trail::overlaps;
use crate::{Report, UNUSED, fit, waits};

/// Checks an input, which stands at `at`.
pub(crate) fn check(context: &mut Context<'_>, input: &Value, at: &str, report: &mut Report<'_>) {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, patch) in list(&input["environment"]["patches"]).enumerate() {
        let at = format!("{at}.environment.patches[{index}]");
        check_environment_patch(context, patch, &at, report);
    }
    let mut graph = waits::Graph::default();
    for (index, template) in list(&input["resources"]).enumerate() {
        let at_template = format!("{at}.resources[{index}]");
        let name = template["name"].as_str().unwrap_or_default();
        if !name.is_empty()
            && let Some(first) = seen.insert(name, index)
        {
            let message = format!("resources[{first}] has the name {name} already");
            let finding = Diagnostic::error("check/duplicate-resource", message);
            report.at(
                &format!("{at_template}.name"),
                finding.help("give every resource its own name"),
            );
            continue;
        }
        let patches = expand(input, template, at, &at_template);
        let resource = Resource {
            name,
            template,
            at: &at_template,
            patches: &patches,
        };
        check_template(context, &resource, &mut graph, report);
    }
    graph.report(report);
    unused_sets(input, at, report);
    for (index, patch) in list(&input["writeConnectionSecretToRef"]["patches"]).enumerate() {
        let at = format!("{at}.writeConnectionSecretToRef.patches[{index}]");
        let composite = context.composite.clone();
        source(patch, &composite, &at, report);
    }
}

/// One template, and the patches it comes to.
struct Resource<'v> {
    name: &'v str,
    template: &'v Value,
    at: &'v str,
    patches: &'v [(&'v Value, String)],
}

fn check_template(
    context: &mut Context<'_>,
    resource: &Resource<'_>,
    graph: &mut waits::Graph,
    report: &mut Report<'_>,
) {
    let Resource {
        name,
        template,
        at,
        patches,
    } = *resource;
    let base = &template["base"];
    let typed = if base.is_object() {
        let typed = context.typed(base).unwrap_or_default();
        if !name.is_empty() {
            context.compose(name, typed.clone(), &format!("{at}.name"), report);
        }
        let targets = targets(patches);
        let patched = |field: &str| targets.contains(&vec![Step::Field(field.to_owned())]);
        fit::identity(base, &format!("{at}.base"), true, report);
        if !patched("apiVersion") {
            no_api_version(base, at, report);
        }
        if !patched("kind") && !patched("apiVersion") {
            context.check_kind(base, &typed, &format!("{at}.base"), report);
            typed
        } else {
            Typed::default()
        }
    } else {
        context.no_base(name, at, report);
        let known = context.composed.get(name);
        known.map(|(typed, _)| typed.clone()).unwrap_or_default()
    };
    if let (true, Some(schema)) = (base.is_object(), typed.schema.as_deref()) {
        let filled = context.filled_elsewhere(name);
        let base_at = format!("{at}.base");
        let mut inside = Report::new(report.places);
        check_base(
            base,
            schema,
            &typed.kind,
            &base_at,
            &targets(patches),
            filled,
            &mut inside,
        );
        // Crossplane 1 let the server drop what it did not know.
        report.extend(inside, |finding| match context.mode {
            Mode::Resources => fit::softer(finding),
            Mode::Pipeline => finding,
        });
    }
    for (patch, at) in patches {
        let mut inside = Report::new(report.places);
        check_patch(context, &typed, patch, at, &mut inside);
        let shared = at.contains(".patchSets[");
        report.extend(inside, |finding| match (shared, context.mode) {
            (true, mode) => milder(finding, mode),
            (false, Mode::Resources) => fit::softer(finding),
            (false, Mode::Pipeline) => finding,
        });
        graph.patch(name, patch, at);
    }
    check_readiness(template, &typed, at, report);
    check_details(template, &typed, at, report);
}

/// The function lets a base without an apiVersion pass, and no server does.
fn no_api_version(base: &Value, at: &str, report: &mut Report<'_>) {
    if base["apiVersion"].is_null() && base["kind"].is_string() {
        let finding = Diagnostic::error("check/missing-field", "a resource needs an apiVersion");
        let help = "add the apiVersion of its kind";
        report.at(&format!("{at}.base.apiVersion"), finding.help(help));
    }
}

/// A patch set is for many kinds, of which some may lack a field: Crossplane 1 dropped it then without a word.
fn milder(mut finding: Diagnostic, mode: Mode) -> Diagnostic {
    if finding.code.0 == "check/unknown-field" && !fit::is_slip(&finding) {
        finding.severity = match mode {
            Mode::Pipeline => Severity::Warning,
            Mode::Resources => Severity::Note,
        };
    }
    finding
}

impl Context<'_> {
    /// A template without a base patches what an earlier step composes.
    fn no_base(&self, name: &str, at: &str, report: &mut Report<'_>) {
        if self.mode == Mode::Resources
            || self.composes_others
            || name.is_empty()
            || self.composed.contains_key(name)
        {
            return;
        }
        let message = format!("no earlier step composes a resource {name}");
        let finding = Diagnostic::error("check/no-base", message);
        let known = self.composed.keys().map(String::as_str);
        let help = match nearest(name, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "give the resource a `base`".to_owned(),
        };
        report.at(&format!("{at}.name"), finding.help(help));
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Patch sets that no resource names.
fn unused_sets(input: &Value, at: &str, report: &mut Report<'_>) {
    let resources = list(&input["resources"]);
    let used: BTreeSet<&str> = resources
        .flat_map(|one| list(&one["patches"]))
        .filter_map(|patch| patch["patchSetName"].as_str())
        .collect();
    for (index, set) in list(&input["patchSets"]).enumerate() {
        if let Some(name) = set["name"].as_str().filter(|name| !used.contains(name)) {
            let message = format!("no resource uses the patch set {name}");
            let finding = Diagnostic::note(UNUSED, message);
            report.at(&format!("{at}.patchSets[{index}].name"), finding);
        }
    }
}

/// The patches of a template with those of its patch sets, and where each stands.
fn expand<'v>(
    input: &'v Value,
    template: &'v Value,
    at: &str,
    at_template: &str,
) -> Vec<(&'v Value, String)> {
    let mut patches = Vec::new();
    for (index, patch) in list(&template["patches"]).enumerate() {
        if patch["type"] != "PatchSet" {
            patches.push((patch, format!("{at_template}.patches[{index}]")));
            continue;
        }
        let named = |(_, set): &(usize, &Value)| {
            set["name"].is_string() && set["name"] == patch["patchSetName"]
        };
        if let Some((set_index, set)) = list(&input["patchSets"]).enumerate().find(named) {
            for (index, patch) in list(&set["patches"]).enumerate() {
                let path = format!("{at}.patchSets[{set_index}].patches[{index}]");
                patches.push((patch, path));
            }
        }
    }
    patches
}

#[expect(
    clippy::too_many_arguments,
    reason = "a base, its kind and what fills it, each from another place"
)]
fn check_base(
    base: &Value,
    schema: &Schema,
    kind: &str,
    at: &str,
    targets: &[Vec<Step>],
    filled: bool,
    report: &mut Report<'_>,
) {
    fit::unknown(base, schema, kind, at, report);
    let mut whole = base.clone();
    purlin_schema::drop_nulls(&mut whole, schema);
    purlin_schema::apply_defaults(&mut whole, schema);
    let errors = purlin_schema::validate(&whole, schema);
    let combined = errors.iter().any(|error| error.path == WHOLE);
    for error in errors.iter().filter(|error| error.path != WHOLE) {
        let path = reach::found_steps(&error.path);
        // What a base says of the status is never applied.
        if path.first() == Some(&Step::Field("status".to_owned())) {
            continue;
        }
        let patched = targets.iter().any(|target| overlaps(target, &path));
        let missing = error.reason == Reason::Required;
        // What others may add are fields of objects, not of elements of a list.
        let in_list = path.iter().any(|step| matches!(step, Step::Index(_)));
        let filled = filled && !in_list;
        if missing && (patched || filled || combined) || fit::is_filled_in(base, &error.path) {
            continue;
        }
        let (path, mut finding) = fit::words(error, schema, at);
        if patched {
            // A value that is written over may be a stand-in.
            if !is_slip(error, &finding, base) {
                continue;
            }
            finding.severity = Severity::Warning;
        }
        report.at(&path, finding);
    }
}

/// Whether a value that a patch writes over was meant to be right: nearly a word that is allowed, or the right value of
/// the wrong type.
fn is_slip(error: &FieldError, finding: &Diagnostic, base: &Value) -> bool {
    match error.reason {
        Reason::NotSupported => fit::is_slip(finding),
        Reason::TypeInvalid => {
            let steps = reach::found_steps(&error.path);
            let value = steps.iter().try_fold(base, |at, step| match step {
                Step::Field(name) => at.get(name),
                Step::Index(index) => at.get(index),
                Step::Any => None,
            });
            match value {
                Some(Value::String(text)) => {
                    text.parse::<f64>().is_ok() || matches!(text.as_str(), "true" | "false")
                }
                Some(Value::Number(_) | Value::Bool(_)) => true,
                _ => false,
            }
        }
        _ => false,
    }
}

/// The fields that patches write of the composed resource.
fn targets(patches: &[(&Value, String)]) -> Vec<Vec<Step>> {
    patches
        .iter()
        .filter_map(|(patch, _)| steps(target(patch).filter(|_| writes_composed(patch))?))
        .collect()
}

pub(crate) fn kind_of(patch: &Value) -> &str {
    patch["type"].as_str().unwrap_or("FromCompositeFieldPath")
}

pub(crate) fn target(patch: &Value) -> Option<&str> {
    let written = patch["toFieldPath"]
        .as_str()
        .filter(|path| !path.is_empty());
    written.or_else(|| patch["fromFieldPath"].as_str())
}

fn writes_composed(patch: &Value) -> bool {
    matches!(
        kind_of(patch),
        "FromCompositeFieldPath"
            | "CombineFromComposite"
            | "FromEnvironmentFieldPath"
            | "CombineFromEnvironment"
    )
}

/// The paths that a patch reads, and the field of the input each is in.
pub(crate) fn sources<'p>(patch: &'p Value, at: &str) -> Vec<(&'p str, String)> {
    if kind_of(patch).starts_with("Combine") {
        let variables = list(&patch["combine"]["variables"]).enumerate();
        return variables
            .filter_map(|(index, variable)| {
                let at = format!("{at}.combine.variables[{index}].fromFieldPath");
                Some((variable["fromFieldPath"].as_str()?, at))
            })
            .collect();
    }
    let path = patch["fromFieldPath"].as_str();
    path.map(|path| (path, format!("{at}.fromFieldPath")))
        .into_iter()
        .collect()
}

/// Where the target of a patch is written.
fn target_at(patch: &Value, at: &str) -> String {
    let written = patch["toFieldPath"]
        .as_str()
        .is_some_and(|path| !path.is_empty());
    let field = if written {
        "toFieldPath"
    } else {
        "fromFieldPath"
    };
    format!("{at}.{field}")
}

fn check_environment_patch(
    context: &mut Context<'_>,
    patch: &Value,
    at: &str,
    report: &mut Report<'_>,
) {
    let nowhere = Typed::default();
    let composite = context.composite.clone();
    match kind_of(patch) {
        // Here these two are other names of the two below.
        "FromCompositeFieldPath" | "CombineFromComposite" | "ToEnvironmentFieldPath" => {
            reads_status(context, patch, at);
            writes_environment(context, patch, at);
            check_way(&composite, &nowhere, patch, at, report);
        }
        "ToCompositeFieldPath" | "CombineToComposite" | "FromEnvironmentFieldPath" => {
            reads_environment(context, patch, at);
            writes_status(context, patch, at, report);
            check_way(&nowhere, &composite, patch, at, report);
        }
        _ => {}
    }
}

fn check_patch(
    context: &mut Context<'_>,
    composed: &Typed,
    patch: &Value,
    at: &str,
    report: &mut Report<'_>,
) {
    let nowhere = Typed::default();
    let composite = context.composite.clone();
    match kind_of(patch) {
        "FromCompositeFieldPath" | "CombineFromComposite" => {
            reads_status(context, patch, at);
            check_way(&composite, composed, patch, at, report);
            changes(&composite, composed, patch, at, report);
        }
        "ToCompositeFieldPath" | "CombineToComposite" => {
            writes_status(context, patch, at, report);
            check_way(composed, &composite, patch, at, report);
        }
        "FromEnvironmentFieldPath" | "CombineFromEnvironment" => {
            reads_environment(context, patch, at);
            check_way(&nowhere, composed, patch, at, report);
        }
        "ToEnvironmentFieldPath" | "CombineToEnvironment" => {
            writes_environment(context, patch, at);
            check_way(composed, &nowhere, patch, at, report);
        }
        _ => {}
    }
}

fn reads_environment(context: &mut Context<'_>, patch: &Value, at: &str) {
    for (path, at) in sources(patch, at) {
        if let Some(field) = steps(path) {
            context.environment.read(context.index, field, &at);
        }
    }
}

fn writes_environment(context: &mut Context<'_>, patch: &Value, at: &str) {
    if let Some(field) = target(patch).and_then(steps) {
        context
            .environment
            .write(context.index, field, &target_at(patch, at));
    }
}

fn is_status(field: &[Step]) -> bool {
    field.first() == Some(&Step::Field("status".to_owned()))
}

fn reads_status(context: &mut Context<'_>, patch: &Value, at: &str) {
    for (path, at) in sources(patch, at) {
        if let Some(field) = steps(path).filter(|field| is_status(field)) {
            context.status.read(context.index, field, &at);
        }
    }
}

/// Of what a function wants of the composite, only the status is written.
fn writes_status(context: &mut Context<'_>, patch: &Value, at: &str, report: &mut Report<'_>) {
    let Some(field) = target(patch).and_then(steps) else {
        return;
    };
    let at = target_at(patch, at);
    if is_status(&field) {
        context.status.write(context.index, field, &at);
    } else if context.mode == Mode::Pipeline {
        let message = format!(
            "`{}` of the composite is not written: of what functions want, only the status is",
            reach::show(&field)
        );
        let finding = Diagnostic::warning("check/ignored-write", message);
        report.at(&at, finding.help("write a field below `status`"));
    }
}

/// A patch from one object to the other: its paths, and the values on the way.
fn check_way(from: &Typed, to: &Typed, patch: &Value, at: &str, report: &mut Report<'_>) {
    let mut inside = Report::new(report.places);
    let flow = source(patch, from, at, &mut inside);
    // A source that is not there is passed over.
    let required = patch["policy"]["fromFieldPath"] == "Required";
    report.extend(inside, |finding| {
        if required {
            finding
        } else {
            fit::softer(finding)
        }
    });
    let flow = flow::through(
        &patch["transforms"],
        flow,
        &format!("{at}.transforms"),
        report,
    );
    let Some(path) = target(patch) else {
        return;
    };
    let to_at = target_at(patch, at);
    if path.contains("[*]") && kind_of(patch).starts_with("Combine") {
        let message = "a patch that combines fields cannot write to `[*]`";
        let finding = Diagnostic::error("check/wildcard", message);
        report.at(&to_at, finding.help("write every element by its index"));
        return;
    }
    let Some(schema) = follow_path(to, path, &to_at, report) else {
        return;
    };
    if path.contains("[*]")
        && schema
            .kind
            .is_some_and(|kind| matches!(kind, Kind::Object | Kind::Array))
    {
        return;
    }
    let target = flow::of(schema);
    if !flow::fits(flow.kind, target)
        && let (Some(kind), Some(target)) = (flow.kind, target)
    {
        let message = format!(
            "`{path}` of {} is {}, and this patch writes {}",
            to.kind,
            flow::word(target),
            flow::word(kind)
        );
        let finding = Diagnostic::error("check/patch-type", message);
        report.at(&to_at, finding.help(convert_help(kind, target)));
        wrong_convert(patch, kind, target, at, report);
        return;
    }
    let policy = patch["policy"]["toFieldPath"].as_str().unwrap_or("Replace");
    let merged = policy != "Replace" || !patch["policy"]["mergeOptions"].is_null();
    if !merged {
        check_values(&flow, schema, to, &to_at, report);
    }
}

/// The last transform makes a type that the target does not take: it is wrong, or the target is.
fn wrong_convert(patch: &Value, kind: Kind, target: Kind, at: &str, report: &mut Report<'_>) {
    let Some(transforms) = patch["transforms"].as_array() else {
        return;
    };
    if transforms
        .last()
        .is_none_or(|last| last["type"] != "convert")
    {
        return;
    }
    let message = format!(
        "this makes {} of it, and the target is {}",
        flow::word(kind),
        flow::word(target)
    );
    let finding = Diagnostic::warning("check/patch-type", message);
    let at = format!("{at}.transforms[{}].convert.toType", transforms.len() - 1);
    report.at(&at, finding.help(convert_help(kind, target)));
}

/// What a patch reads.
fn source(patch: &Value, from: &Typed, at: &str, report: &mut Report<'_>) -> Flow {
    let all = sources(patch, at);
    let flows: Vec<Flow> = all
        .iter()
        .map(|(path, at)| read(from, path, at, report))
        .collect();
    if kind_of(patch).starts_with("Combine") {
        if let Some(fmt) = patch["combine"]["string"]["fmt"].as_str()
            && !flows.is_empty()
        {
            let at = format!("{at}.combine.string.fmt");
            flow::formatted(fmt, &flows, &at, report);
        }
        return Flow::typed(Some(Kind::String));
    }
    flows.into_iter().next().unwrap_or_default()
}

/// What is known of the value at a path.
fn read(from: &Typed, path: &str, at: &str, report: &mut Report<'_>) -> Flow {
    if path.contains("[*]") {
        let message = format!("`{path}` reads nothing: `[*]` is for the target of a patch");
        let finding = Diagnostic::error("check/wildcard", message);
        report.at(
            at,
            finding.help("read one element by its index, or the whole list"),
        );
        return Flow::default();
    }
    follow_path(from, path, at, report).map_or_else(Flow::default, Flow::from)
}

/// Values that are known beforehand, against what the target takes.
fn check_values(flow: &Flow, schema: &Schema, to: &Typed, to_at: &str, report: &mut Report<'_>) {
    let Some(values) = &flow.values else { return };
    let wrong: Vec<_> = values
        .iter()
        .filter(|(value, _)| !value.is_null())
        .filter_map(|(value, at)| {
            let errors = purlin_schema::validate_part(value, None, schema, "");
            let error = errors.into_iter().next()?;
            Some((value, at, error))
        })
        .collect();
    let all = wrong.len() == values.len();
    for (value, at, error) in wrong {
        let words: Vec<&str> = schema
            .allowed
            .iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let (code, message) = if schema.allowed.is_some() {
            let message = format!("{value} is none of the values {} takes here", to.kind);
            ("check/unknown-value", message)
        } else {
            let message = format!("{} takes no {value} here: {}", to.kind, error.message);
            ("check/invalid-value", message)
        };
        let mut finding = match at {
            // One of several values of a field: perhaps nobody uses it.
            None if !all => Diagnostic::warning(code, message),
            _ => Diagnostic::error(code, message),
        };
        let near = value
            .as_str()
            .and_then(|value| nearest(value, words.iter().copied()));
        finding = match near {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None if words.is_empty() => finding,
            None => finding.help(format!("it takes {}", words.join(", "))),
        };
        report.at(at.as_deref().unwrap_or(to_at), finding);
    }
}

/// A field that may not change, filled from one that may.
fn changes(from: &Typed, to: &Typed, patch: &Value, at: &str, report: &mut Report<'_>) {
    let fixed = |typed: &Typed, path: &str| -> Option<bool> {
        let schema = typed.schema.as_deref()?;
        let steps = steps(path)?;
        (1..=steps.len())
            .map(|end| follow(schema, &steps[..end]))
            .try_fold(false, |fixed, reach| match reach {
                Reach::Field(field) => Some(fixed || is_fixed(field)),
                Reach::Unknown | Reach::Nowhere { .. } => None,
            })
    };
    let Some(path) = target(patch).filter(|path| fixed(to, path) == Some(true)) else {
        return;
    };
    for (source, _) in sources(patch, at) {
        if source.starts_with("spec.") && fixed(from, source) == Some(false) {
            let message = format!(
                "`{path}` of {} cannot change once it is set, and `{source}` of {} can",
                to.kind, from.kind
            );
            let finding = Diagnostic::note("check/immutable-field", message);
            let help = "give the field of the XRD the rule `self == oldSelf`, too";
            report.at(&target_at(patch, at), finding.help(help));
        }
    }
}

fn is_fixed(schema: &Schema) -> bool {
    schema.rules.iter().any(|rule| {
        let rule: String = rule.rule.split_whitespace().collect();
        rule == "self==oldSelf" || rule == "oldSelf==self"
    })
}

fn convert_help(from: Kind, to: Kind) -> String {
    let word = match to {
        Kind::String => "string",
        Kind::Integer => "int",
        Kind::Number => "float64",
        Kind::Boolean => "bool",
        Kind::Object => "object",
        Kind::Array => "array",
    };
    let scalar = |kind| !matches!(kind, Kind::Object | Kind::Array);
    if scalar(from) && scalar(to) {
        format!("add the transform {{type: convert, convert: {{toType: {word}}}}}")
    } else if from == Kind::String {
        format!("add the transform {{type: convert, convert: {{toType: {word}, format: json}}}}")
    } else if to == Kind::Array {
        "write one element, for example `…[0]`".to_owned()
    } else {
        "patch a field inside it instead".to_owned()
    }
}

/// The schema a path leads to; one that leads nowhere is told.
pub(crate) fn follow_path<'t>(
    typed: &'t Typed,
    path: &str,
    at: &str,
    report: &mut Report<'_>,
) -> Option<&'t Schema> {
    let schema = typed.schema.as_deref()?;
    let steps = steps(path)?;
    if let Some(finding) = reach::complain(schema, &steps, &typed.kind) {
        report.at(at, finding);
        return None;
    }
    match follow(schema, &steps) {
        Reach::Field(found) => Some(found),
        Reach::Unknown | Reach::Nowhere { .. } => None,
    }
}

fn check_readiness(template: &Value, typed: &Typed, at: &str, report: &mut Report<'_>) {
    for (index, check) in list(&template["readinessChecks"]).enumerate() {
        let check_at = format!("{at}.readinessChecks[{index}]");
        let path_at = format!("{check_at}.fieldPath");
        let asks: Type = match check["type"].as_str() {
            Some("MatchString") => Some(Kind::String),
            Some("MatchInteger") => Some(Kind::Integer),
            Some("MatchTrue" | "MatchFalse") => Some(Kind::Boolean),
            Some("NonEmpty") => None,
            _ => continue,
        };
        let Some(path) = check["fieldPath"].as_str() else {
            continue;
        };
        if let Err(error) = Path::parse(path) {
            let finding = Diagnostic::error("check/field-path", error.to_string());
            report.at(&path_at, finding.help("write it like status.list[0].name"));
            continue;
        }
        let Some(schema) = follow_path(typed, path, &path_at, report) else {
            continue;
        };
        let found = flow::of(schema);
        if !flow::fits(found, asks)
            && let (Some(found), Some(asks)) = (found, asks)
        {
            let message = format!(
                "`{path}` of {} is {}, and the check looks for {}",
                typed.kind,
                flow::word(found),
                flow::word(asks)
            );
            report.at(&path_at, Diagnostic::error("check/readiness-type", message));
            continue;
        }
        let (Some(wanted), Some(allowed)) = (check["matchString"].as_str(), &schema.allowed) else {
            continue;
        };
        if check["type"] == "MatchString" && !allowed.contains(&check["matchString"]) {
            let message = format!("`{path}` of {} is never {wanted:?}", typed.kind);
            let finding = Diagnostic::error("check/unreachable", message);
            let words: Vec<&str> = allowed.iter().filter_map(Value::as_str).collect();
            let help = match nearest(wanted, words.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("it is one of {}", words.join(", ")),
            };
            report.at(&format!("{check_at}.matchString"), finding.help(help));
        }
    }
}

fn check_details(template: &Value, typed: &Typed, at: &str, report: &mut Report<'_>) {
    for (index, detail) in list(&template["connectionDetails"]).enumerate() {
        if detail["type"] == "FromFieldPath"
            && let Some(path) = detail["fromFieldPath"].as_str()
        {
            let at = format!("{at}.connectionDetails[{index}].fromFieldPath");
            if let Err(error) = Path::parse(path) {
                let finding = Diagnostic::error("check/field-path", error.to_string());
                report.at(&at, finding.help("write it like status.list[0].name"));
                continue;
            }
            follow_path(typed, path, &at, report);
        }
    }
}
