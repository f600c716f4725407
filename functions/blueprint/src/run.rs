//! What does a plan answer to a request?

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;
use purlin_diag::{Diagnostic, Diagnostics, Severity};
use purlin_expr::{Bindings, Pending};
use purlin_function::{
    Ready, RequestView as _, Response, RunFunctionRequest, RunFunctionResponse, Target,
};
use purlin_object::{Object, Value, ValueRef};

use crate::bind::Binder;
use crate::elements::inside;
use crate::external::EXTERNAL_NAME;
use crate::fill::Filler;
use crate::frame::{ANY, Frame, Gate, Instances, matches};
use crate::fuel::Fuel;
use crate::given::observed;
use crate::input;
use crate::live::{is_ready, strip};
use crate::plan::{External, Plan, ResourcePlan};
use crate::requires;
use crate::template::member;

/// Most composed resources of one Blueprint.
const MOST: usize = 2_000;

/// Most bytes that all of them take.
const BYTES: usize = 16 << 20;

/// The condition that says whether everything is composed.
pub(crate) const COMPOSED: &str = "Composed";

/// Runs a plan. Anything that is wrong is told as FATAL, and then nothing is changed. None when it takes more than this.
pub(crate) fn run(
    plan: &Plan,
    request: &RunFunctionRequest,
    fuel: Fuel,
) -> Option<RunFunctionResponse> {
    let mut binder = Binder::new(plan, request, fuel);
    let root = binder.root();
    let mut run = Run {
        plan,
        request,
        fuel: binder.fuel,
        response: Response::to(request),
        made: BTreeMap::new(),
        waits: BTreeMap::new(),
        patterns: Vec::new(),
        found: binder.faults,
        bytes: 0,
    };
    let mut unknown = Vec::new();
    run.body(&root, &mut unknown);
    run.patterns = unknown.iter().map(|one| one.pattern.clone()).collect();
    run.unknown(&unknown);
    if !run.found.has_errors() {
        if let Some(usages) = &plan.usages {
            crate::usages::compose(usages, &root, &mut run);
        }
        run.status(&root);
        crate::connection::compose(&root, &mut run);
        crate::conditions::set(&root, &mut run);
    }
    if run.fuel.is_out() {
        return None;
    }
    if run.found.has_errors() {
        run.found.sort();
        // Every use of a module and every element may say the same.
        let mut said = BTreeSet::new();
        let found = run.found.into_iter();
        let found: Diagnostics = found.filter(|one| said.insert(one.to_string())).collect();
        return Some(Response::to(request).mistakes(&found).build());
    }
    Some(run.finish())
}

pub(crate) struct Run<'m> {
    pub(crate) plan: &'m Plan,
    pub(crate) request: &'m RunFunctionRequest,
    pub(crate) fuel: Fuel,
    pub(crate) response: Response,
    /// The composed resources that this Blueprint has decided about, and whether it wants them.
    pub(crate) made: BTreeMap<String, bool>,
    /// What resources wait for, by their names.
    pub(crate) waits: BTreeMap<String, BTreeSet<Pending>>,
    /// Names that resources may have of which it is not known how many there are.
    pub(crate) patterns: Vec<String>,
    pub(crate) found: Diagnostics,
    bytes: usize,
}

/// A resource of which it is not known how many there are.
pub(crate) struct Unknown<'m, 'f> {
    frame: &'f Frame<'m>,
    resource: &'m ResourcePlan,
    /// The names it may have.
    pattern: String,
    waits: Vec<Pending>,
}

impl<'m> Run<'m> {
    #[expect(clippy::too_many_lines, reason = "one paragraph per kind of thing")]
    fn body<'f>(&mut self, frame: &'f Frame<'m>, unknown: &mut Vec<Unknown<'m, 'f>>) {
        let ghost = frame.is_ghost();
        if !ghost {
            self.asserts(frame);
            for require in &frame.body.requires {
                self.fuel.spend(8 + frame.body.resources.len() / 4);
                let mut filler = Filler::new(frame, &frame.bindings, &mut self.fuel);
                let selector = requires::selector(require, &mut filler);
                let waits = filler.waits;
                self.found.extend(filler.faults);
                let name = frame.name(&require.name);
                match selector {
                    Some(selector) => drop(self.response.require(name.as_ref(), selector)),
                    None if require.optional => {}
                    None => self.wait(&name, waits),
                }
                let missing = self.request.required_resources(&name);
                let missing = missing.is_some_and(<[_]>::is_empty);
                if missing && require.object.is_some() && !require.optional {
                    self.wait(&name, [frame.told(crate::bind::unknown(&require.name))]);
                }
            }
        }
        for (resource, instances) in frame.body.resources.iter().zip(&frame.resources) {
            if let External::Object = resource.external {
                if !ghost {
                    self.external(resource, frame);
                }
                continue;
            }
            if ghost {
                Self::ghost(resource, instances, frame, unknown);
                continue;
            }
            for instance in instances.known() {
                match &instance.element {
                    None => {
                        self.instance(
                            resource,
                            (&instance.name, &instance.gate),
                            &frame.bindings,
                            frame,
                        );
                    }
                    Some(element) => {
                        let bindings = inside(&resource.each, element, frame);
                        self.instance(resource, (&instance.name, &instance.gate), &bindings, frame);
                    }
                }
            }
            let (waits, told) = match instances {
                Instances::Known { unsure: None, .. } | Instances::Wrong => continue,
                Instances::Known {
                    unsure: Some(pending),
                    ..
                } => (vec![pending.clone()], false),
                Instances::Waits(waits, _) => (waits.clone(), true),
            };
            let name = frame.name(&resource.name);
            if told {
                self.wait(&name, waits.clone());
            }
            unknown.push(Unknown {
                frame,
                resource,
                pattern: format!("{name}-{ANY}"),
                waits,
            });
        }
        for (one, used) in frame.body.uses.iter().zip(&frame.uses) {
            if let (Instances::Waits(waits, _), false) = (used, ghost) {
                self.wait(&frame.name(&one.name), waits.clone());
            }
            for child in used.known().iter().chain(used.ghost()) {
                self.body(&child.frame, unknown);
            }
        }
    }

    fn ghost<'f, T>(
        resource: &'m ResourcePlan,
        instances: &Instances<T>,
        frame: &'f Frame<'m>,
        unknown: &mut Vec<Unknown<'m, 'f>>,
    ) {
        let mut waits = match &frame.gate {
            Gate::Waits(waits) => waits.clone(),
            Gate::Unsure(pending) => vec![pending.clone()],
            Gate::Open | Gate::Shut | Gate::Wrong => Vec::new(),
        };
        if let Instances::Waits(more, _) = instances {
            waits.extend(more.iter().cloned());
        }
        let name = frame.name(&resource.name);
        let pattern = if resource.each.many() {
            format!("{name}-{ANY}")
        } else {
            name.into_owned()
        };
        unknown.push(Unknown {
            frame,
            resource,
            pattern,
            waits,
        });
    }

    /// Live resources that may be instances of something whose number is not known: they stay.
    fn unknown(&mut self, unknown: &[Unknown<'m, '_>]) {
        if unknown.is_empty() {
            return;
        }
        let request = self.request;
        let pairs = request.observed_resources().len() * unknown.len();
        self.fuel.spend(pairs);
        if self.fuel.is_out() {
            return;
        }
        for (name, live) in request.observed_resources() {
            if self.made.contains_key(name) || request.desired_resource(name).is_some() {
                continue;
            }
            let live = live.resource.as_ref();
            if crate::usages::is_of_two(name, live, self) {
                continue;
            }
            let candidates = unknown.iter().filter_map(|one| {
                let written = matches(&one.pattern, name)?;
                let fits = live.is_none_or(|live| is_of(live, &one.resource.kind));
                fits.then_some((written, one))
            });
            let Some((_, one)) = candidates.max_by_key(|(written, _)| *written) else {
                continue;
            };
            let mut bindings = Bindings::inside(&one.frame.bindings);
            for (variable, _) in &one.resource.each.variables {
                let pending = one.waits.first().cloned();
                let pending = pending.unwrap_or_else(|| crate::bind::unknown(variable));
                bindings.set(variable.as_str(), purlin_expr::Binding::Pending(pending));
            }
            let gate = Gate::Waits(one.waits.clone());
            self.instance(one.resource, (name, &gate), &bindings, one.frame);
        }
    }

    pub(crate) fn wait(&mut self, name: &str, waits: impl IntoIterator<Item = Pending>) {
        self.waits.entry(name.to_owned()).or_default().extend(waits);
    }

    fn asserts(&mut self, frame: &Frame<'m>) {
        for assert in &frame.body.asserts {
            let mut filler = Filler::new(frame, &frame.bindings, &mut self.fuel);
            let holds = filler.truth(&assert.that, &format!("{}.that", assert.field));
            if holds == Some(false) {
                let message = filler.plain(&assert.message, &format!("{}.message", assert.field));
                let message = message.unwrap_or_else(|| "it does not hold".to_owned());
                match assert.severity {
                    input::Severity::Fatal => filler.faults.push(
                        Diagnostic::error("blueprint/assert", message).path(assert.field.clone()),
                    ),
                    input::Severity::Warning => {
                        self.response
                            .warning(format!("{}: {message}", assert.field))
                            .reason("Assert")
                            .target(target(assert.target));
                    }
                }
            }
            self.found.extend(filler.faults);
        }
    }

    fn external(&mut self, resource: &'m ResourcePlan, frame: &Frame<'m>) {
        self.fuel.spend(8 + frame.body.resources.len() / 4);
        let name = frame.name(&resource.name);
        let mut filler = Filler::new(frame, &frame.bindings, &mut self.fuel);
        let manifest = filler.fill(&resource.manifest, None);
        let Filler { waits, faults, .. } = filler;
        let faulty = faults.has_errors();
        self.found.extend(faults);
        if !waits.is_empty() {
            return self.wait(&name, waits);
        }
        match requires::named(manifest.as_ref()) {
            Some(selector) => drop(self.response.require(name.as_ref(), selector)),
            None if faulty => return,
            None => {
                let message =
                    "an external resource is found by its apiVersion, kind and metadata.name";
                let field = format!("{}.manifest", resource.each.field);
                self.found
                    .push(Diagnostic::error("blueprint/external", message).path(field));
                return;
            }
        }
        let found = self.request.required_resources(&name);
        if found.is_none_or(<[_]>::is_empty) {
            self.wait(
                &name,
                [frame.told(crate::bind::unknown(&resource.variable))],
            );
        }
    }

    /// Decides about a name: false when something else has decided about it already, or there are too many.
    pub(crate) fn decide(&mut self, name: &str, field: &str, wanted: bool) -> bool {
        if self.made.insert(name.to_owned(), wanted).is_some() {
            let message = format!("there would be two composed resources with the name {name}");
            self.found.push(
                Diagnostic::error("blueprint/duplicate-name", message)
                    .path(format!("{field}.name")),
            );
            return false;
        }
        if self.made.len() == MOST + 1 {
            let message = format!("there would be more than {MOST} composed resources");
            let diagnostic = Diagnostic::error("blueprint/too-many", message);
            self.found.push(diagnostic.path(field));
        }
        self.made.len() <= MOST
    }

    /// Desires a resource, within the bound of what all of them may take.
    pub(crate) fn desire(&mut self, name: &str, object: Object, ready: Ready, field: &str) {
        let before = self.bytes;
        let length = object.encoded_len();
        self.bytes += length;
        self.fuel.spend(length / 16);
        if self.bytes > BYTES && before <= BYTES {
            let message = format!("the composed resources take more than {BYTES} bytes together");
            let diagnostic = Diagnostic::error("blueprint/too-large", message);
            self.found.push(diagnostic.path(field));
        }
        self.response.set_desired(name, object, ready);
    }

    /// One composed resource.
    #[expect(
        clippy::too_many_lines,
        reason = "one paragraph per step, and each ends it"
    )]
    fn instance<'b>(
        &mut self,
        resource: &'m ResourcePlan,
        (name, gate): (&str, &Gate),
        bindings: &Bindings<'b>,
        frame: &Frame<'m>,
    ) where
        'm: 'b,
    {
        self.fuel.spend(12);
        if self.fuel.is_out() {
            return;
        }
        let field = resource.each.field.as_str();
        let gate = gate.clone().and(&frame.gate);
        let request = self.request;
        let live = request.observed_resource(name);
        let wanted = match &gate {
            Gate::Shut => false,
            Gate::Unsure(_) => live.is_some(),
            Gate::Open | Gate::Waits(_) | Gate::Wrong => true,
        };
        // What is not wanted only as far as can be seen may come, and its usages stay.
        let settled = matches!(gate, Gate::Shut);
        if !self.decide(name, field, !settled) || matches!(gate, Gate::Wrong) {
            return;
        }
        if !wanted {
            if live.is_some() && settled {
                let message = format!("{name} is removed: {field}.when is false");
                self.response.normal(message).reason("Removed");
            }
            return;
        }
        let mut filler = Filler::new(frame, bindings, &mut self.fuel);
        match gate {
            Gate::Waits(waits) => filler.waits.extend(waits),
            Gate::Unsure(pending) => filler.waits.push(pending),
            Gate::Open | Gate::Shut | Gate::Wrong => {}
        }
        let live_value = live.map(ValueRef::Object);
        let manifest = filler.fill_form(&resource.manifest, resource.form.as_ref(), live_value);
        let external = match &resource.external {
            External::Named { name, .. } => name.as_ref().map(|tree| {
                let field = format!("{field}.external.name");
                filler.plain(tree, &field)
            }),
            External::No | External::Object => None,
        };
        let Filler {
            waits,
            missed,
            faults,
            ..
        } = filler;
        let faulty = faults.has_errors();
        self.found.extend(faults);
        if faulty {
            return;
        }
        let waiting = !waits.is_empty();
        if waiting {
            self.wait(name, waits);
            // What nobody has seen yet is not created. What an earlier step wants is left as it is.
            if live.is_none() || request.desired_resource(name).is_some() {
                return;
            }
        }
        let Some(Value::Object(mut object)) = manifest else {
            let message = "the manifest gives no object".to_owned();
            self.found.push(
                Diagnostic::error("blueprint/manifest", message).path(format!("{field}.manifest")),
            );
            return;
        };
        if waiting || !missed.is_empty() {
            // Levels of the live object were opened to keep parts of it.
            let length = live.map_or(0, |live| live.to_owned().encoded_len());
            self.fuel.spend(length / 16);
            strip(&mut object, &resource.manifest);
        }
        if let External::Named { observe, .. } = &resource.external {
            let kept = live.and_then(|live| {
                live.get_path(&["metadata", "annotations", EXTERNAL_NAME])
                    .and_then(ValueRef::as_str)
                    .map(str::to_owned)
            });
            let external = external.and_then(|known| known.or(kept));
            name_externally(&mut object, external, *observe);
        }
        let ready = self.ready(resource, name, bindings, frame);
        self.desire(name, object, ready, field);
    }

    fn ready<'b>(
        &mut self,
        resource: &'m ResourcePlan,
        name: &str,
        outer: &Bindings<'b>,
        frame: &Frame<'m>,
    ) -> Ready
    where
        'm: 'b,
    {
        let Some(tree) = &resource.ready else {
            // Without the condition somebody else may know: function-auto-ready does.
            let live = self.request.observed_resource(name);
            return if live.is_some_and(|live| is_ready(ValueRef::Object(live))) {
                Ready::True
            } else {
                Ready::Unspecified
            };
        };
        let field = format!("{}.ready", resource.each.field);
        let mut bindings = Bindings::inside(outer);
        let found = self.request.observed_resources().get(name);
        bindings.val("self", observed(found, "self", true));
        let mut filler = Filler::new(frame, &bindings, &mut self.fuel);
        let ready = filler.truth(tree, &field) == Some(true);
        // Being unable to tell is no reason to stop everything.
        self.found.extend(warnings(filler.faults));
        if ready { Ready::True } else { Ready::False }
    }
}

/// Who is told.
pub(crate) fn target(target: input::Target) -> Target {
    match target {
        input::Target::Composite => Target::Composite,
        input::Target::CompositeAndClaim => Target::CompositeAndClaim,
    }
}

/// Failures that stop nothing.
pub(crate) fn warnings(faults: Diagnostics) -> impl Iterator<Item = Diagnostic> {
    faults.into_iter().map(|fault| Diagnostic {
        severity: Severity::Warning,
        ..fault
    })
}

/// Whether an object is of the kind that a manifest writes out; what is missing in either fits. Versions do not count.
fn is_of(object: &Object, (api_version, kind): &(Option<String>, Option<String>)) -> bool {
    let group = |text: &str| {
        text.split_once('/')
            .map_or("", |(group, _)| group)
            .to_owned()
    };
    let fits = |key: &str, wanted: &Option<String>, cut: &dyn Fn(&str) -> String| match (
        object.get(key).and_then(ValueRef::as_str),
        wanted,
    ) {
        (Some(have), Some(wanted)) => cut(have) == cut(wanted),
        _ => true,
    };
    fits("apiVersion", api_version, &group) && fits("kind", kind, &str::to_owned)
}

/// Writes what `external` stands for.
fn name_externally(object: &mut Object, name: Option<String>, observe: bool) {
    if let Some(name) = name {
        let metadata = object.object_mut("metadata");
        metadata
            .object_mut("annotations")
            .insert(EXTERNAL_NAME, name);
    }
    if observe {
        let policies = vec!["Observe".to_owned()];
        object
            .object_mut("spec")
            .insert("managementPolicies", policies);
    }
}

/// The field of a connection detail.
pub(crate) fn detail(key: &str) -> String {
    member("connection", key)
}
