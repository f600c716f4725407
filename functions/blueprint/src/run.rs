//! What does a plan answer to a request?

use std::collections::{BTreeMap, BTreeSet};

use purlin_diag::{Diagnostic, Diagnostics, Severity};
use purlin_expr::{Binding, Bindings, Pending, Val};
use purlin_function::{
    Ready, RequestView as _, Resource, Response, RunFunctionRequest, RunFunctionResponse, Selector,
    Status, condition,
};
use purlin_object::{Value, ValueRef};

use crate::fill::{Filler, Fuel};
use crate::live::{is_ready, merge, strip};
use crate::plan::{Plan, ResourcePlan};
use crate::requires::selector;
use crate::scope::{self, Elements, Scope, observed};

/// Most composed resources of one Blueprint.
const MOST: usize = 2_000;

/// The condition that says whether everything is composed.
const COMPOSED: &str = "Composed";

/// Runs a plan. Anything that is wrong is told as FATAL, and then nothing is changed.
pub(crate) fn run(plan: &Plan, request: &RunFunctionRequest) -> RunFunctionResponse {
    let mut fuel = Fuel::new();
    let scope = scope::bind(plan, request, &mut fuel);
    let mut run = Run {
        request,
        scope: &scope,
        fuel,
        response: Response::to(request),
        made: BTreeSet::new(),
        waits: BTreeMap::new(),
        found: scope.faults.clone(),
    };
    run.asserts(plan);
    run.requires(plan);
    for (at, resource) in plan.resources.iter().enumerate() {
        run.resource(at, resource);
    }
    run.live_elements(plan);
    run.status(plan);
    run.connection(plan);
    if run.found.has_errors() {
        run.found.sort();
        return Response::to(request).mistakes(&run.found).build();
    }
    run.finish()
}

struct Run<'a, 's> {
    request: &'a RunFunctionRequest,
    scope: &'s Scope<'a>,
    fuel: Fuel,
    response: Response,
    /// Names of the composed resources that this Blueprint has decided about.
    made: BTreeSet<String>,
    /// What resources wait for, by their names.
    waits: BTreeMap<String, BTreeSet<Pending>>,
    found: Diagnostics,
}

impl<'a: 's, 's> Run<'a, 's> {
    fn asserts(&mut self, plan: &'a Plan) {
        for (at, assert) in plan.asserts.iter().enumerate() {
            let mut filler = Filler::new(&self.scope.bindings, &mut self.fuel);
            if filler.truth(&assert.that, &format!("asserts[{at}].that")) == Some(false) {
                let message = filler.plain(&assert.message, &format!("asserts[{at}].message"));
                let message = message.unwrap_or_else(|| "it does not hold".to_owned());
                filler.faults.push(
                    Diagnostic::error("blueprint/assert", message).path(format!("asserts[{at}]")),
                );
            }
            self.found.extend(filler.faults);
        }
    }

    fn requires(&mut self, plan: &'a Plan) {
        for require in &plan.requires {
            let mut filler = Filler::new(&self.scope.bindings, &mut self.fuel);
            let selector = selector(require, &mut filler);
            self.found.extend(filler.faults);
            if let Some(selector) = selector {
                self.response.require(&require.name, selector);
            }
        }
    }

    fn resource(&mut self, at: usize, resource: &'a ResourcePlan) {
        if resource.external {
            return self.external(at, resource);
        }
        let Some((variable, _)) = &resource.for_each else {
            return self.instance(at, resource, &resource.name, &self.scope.bindings);
        };
        let scope = self.scope;
        if let Some(Elements::Known(elements)) = scope.elements.get(&at) {
            for element in elements {
                let mut bindings = Bindings::inside(&scope.bindings);
                bindings.val(variable.as_str(), element.value.clone());
                self.instance(at, resource, &element.name, &bindings);
            }
        }
    }

    /// Resources of a `forEach` whose list is not known: those that are live stay.
    fn live_elements(&mut self, plan: &'a Plan) {
        let scope = self.scope;
        for (at, elements) in &scope.elements {
            let Elements::Waits(waits) = elements else {
                continue;
            };
            let resource = &plan.resources[*at];
            let Some((variable, _)) = &resource.for_each else {
                continue;
            };
            let pending = waits.first().cloned().unwrap_or_else(|| Pending {
                root: resource.variable.clone(),
                path: resource.variable.clone(),
            });
            self.waits
                .entry(resource.name.clone())
                .or_default()
                .insert(pending.clone());
            let prefix = format!("{}-", resource.name);
            let live = self.request.observed_resources().keys();
            let live: Vec<&String> = live
                .filter(|name| name.starts_with(&prefix) && !self.made.contains(*name))
                .collect();
            for name in live {
                let mut bindings = Bindings::inside(&scope.bindings);
                bindings.set(variable.as_str(), Binding::Pending(pending.clone()));
                self.instance(*at, resource, name, &bindings);
            }
        }
    }

    fn external(&mut self, at: usize, resource: &'a ResourcePlan) {
        let mut filler = Filler::new(&self.scope.bindings, &mut self.fuel);
        let manifest = filler.fill(&resource.manifest, None);
        let Filler { waits, faults, .. } = filler;
        let faulty = faults.has_errors();
        self.found.extend(faults);
        if !waits.is_empty() {
            self.waits
                .entry(resource.name.clone())
                .or_default()
                .extend(waits);
            return;
        }
        let text = |path: &[&str]| match &manifest {
            Some(Value::Object(object)) => object
                .get_path(path)
                .and_then(ValueRef::as_str)
                .map(str::to_owned),
            _ => None,
        };
        let (Some(api_version), Some(kind), Some(name)) = (
            text(&["apiVersion"]),
            text(&["kind"]),
            text(&["metadata", "name"]),
        ) else {
            if !faulty {
                let message =
                    "an external resource is found by its apiVersion, kind and metadata.name";
                let field = format!("resources[{at}].manifest");
                self.found
                    .push(Diagnostic::error("blueprint/external", message).path(field));
            }
            return;
        };
        let namespace = text(&["metadata", "namespace"]);
        let selector = Selector {
            api_version,
            kind,
            namespace,
            name: Some(name),
            labels: None,
        };
        self.response.require(&resource.name, selector);
        if self
            .request
            .required_resources(&resource.name)
            .is_none_or(<[Resource]>::is_empty)
        {
            let pending = Pending {
                root: resource.variable.clone(),
                path: resource.variable.clone(),
            };
            self.waits
                .entry(resource.name.clone())
                .or_default()
                .insert(pending);
        }
    }

    /// One composed resource.
    fn instance<'b>(
        &mut self,
        at: usize,
        resource: &'b ResourcePlan,
        name: &str,
        bindings: &Bindings<'b>,
    ) where
        'a: 'b,
    {
        if !self.made.insert(name.to_owned()) {
            let message = format!("there would be two composed resources with the name {name}");
            self.found.push(
                Diagnostic::error("blueprint/duplicate-name", message)
                    .path(format!("resources[{at}].name")),
            );
            return;
        }
        if self.made.len() > MOST {
            let message = format!("there would be more than {MOST} composed resources");
            self.found.push(
                Diagnostic::error("blueprint/too-many", message).path(format!("resources[{at}]")),
            );
            return;
        }
        let request = self.request;
        let live = request.observed_resource(name);
        let mut filler = Filler::new(bindings, &mut self.fuel);
        if let Some(when) = &resource.when
            && filler.truth(when, &format!("resources[{at}].when")) == Some(false)
        {
            return;
        }
        let manifest = filler.fill(&resource.manifest, live.map(ValueRef::Object));
        let Filler { waits, faults, .. } = filler;
        let faulty = faults.has_errors();
        self.found.extend(faults);
        if faulty {
            return;
        }
        let waiting = !waits.is_empty();
        if waiting {
            self.waits.entry(name.to_owned()).or_default().extend(waits);
            // What nobody has seen yet is not created. What an earlier step wants is left as it is.
            if live.is_none() || request.desired_resource(name).is_some() {
                return;
            }
        }
        let Some(Value::Object(mut object)) = manifest else {
            let message = "the manifest gives no object".to_owned();
            self.found.push(
                Diagnostic::error("blueprint/manifest", message)
                    .path(format!("resources[{at}].manifest")),
            );
            return;
        };
        if waiting {
            strip(&mut object, &resource.manifest);
        }
        let ready = self.ready(at, resource, name, bindings);
        self.response.set_desired(name, object, ready);
    }

    fn ready<'b>(
        &mut self,
        at: usize,
        resource: &'b ResourcePlan,
        name: &str,
        outer: &Bindings<'b>,
    ) -> Ready
    where
        'a: 'b,
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
        let field = format!("resources[{at}].ready");
        let mut bindings = Bindings::inside(outer);
        bindings.val(
            "self",
            observed(self.request.observed_resources().get(name), "self"),
        );
        let mut filler = Filler::new(&bindings, &mut self.fuel);
        let ready = filler.truth(tree, &field) == Some(true);
        // Being unable to tell is no reason to stop everything.
        let faults = filler.faults.into_iter().map(|fault| Diagnostic {
            severity: Severity::Warning,
            ..fault
        });
        self.found.extend(faults);
        if ready { Ready::True } else { Ready::False }
    }

    fn status(&mut self, plan: &'a Plan) {
        let Some(tree) = &plan.status else { return };
        let xr = self.request.observed_composite();
        let mut filler = Filler::new(&self.scope.bindings, &mut self.fuel);
        let status = filler.fill(tree, xr.get("status"));
        // A field that cannot be computed keeps its value, and the rest goes on.
        let faults = filler.faults.into_iter().map(|fault| Diagnostic {
            severity: Severity::Warning,
            ..fault
        });
        self.found.extend(faults);
        match status {
            Some(Value::Object(status)) if status.is_empty() => {}
            Some(Value::Object(status)) => {
                let composite = self.response.composite_object_mut();
                for key in ["apiVersion", "kind"] {
                    if let (None, Some(value)) = (composite.get(key), xr.get(key)) {
                        composite.insert(key, value.to_owned());
                    }
                }
                merge(composite.object_mut("status"), &status);
            }
            None => {}
            Some(other) => {
                let message = format!("status is an object, not {}", other.as_ref().kind());
                self.found
                    .push(Diagnostic::error("blueprint/status", message).path("status"));
            }
        }
    }

    fn connection(&mut self, plan: &'a Plan) {
        for (key, tree) in &plan.connection {
            let field = crate::template::member("connection", key);
            let mut filler = Filler::new(&self.scope.bindings, &mut self.fuel);
            let value = match filler.value(tree) {
                Some(Val::Bytes(bytes)) => Some(bytes.to_vec()),
                None | Some(Val::Optional(None)) => None,
                Some(value) => match value.plain() {
                    Ok(text) => Some(text.into_bytes()),
                    Err(_) => filler.plain(tree, &field).map(String::into_bytes),
                },
            };
            let waits = !filler.waits.is_empty();
            self.found.extend(filler.faults);
            let kept = self.request.observed_composite_connection().get(key);
            match (value, kept) {
                (Some(value), _) => self.response.set_connection(key, value),
                (None, Some(kept)) if waits => self.response.set_connection(key, kept.clone()),
                (None, _) => continue,
            };
        }
    }

    fn finish(mut self) -> RunFunctionResponse {
        self.response.mistakes(&self.found);
        if self.waits.is_empty() {
            self.response
                .condition(condition(COMPOSED, Status::ConditionTrue, "Complete"));
            return self.response.build();
        }
        let message = waiting(&self.waits, self.request);
        self.response.composite_mut().ready = Ready::False.into();
        self.response.normal(message.clone());
        self.response.reason("Waiting");
        let mut composed = condition(COMPOSED, Status::ConditionFalse, "Waiting");
        composed.message = Some(message);
        self.response.condition(composed);
        self.response.build()
    }
}

/// Who waits for what, in words.
fn waiting(waits: &BTreeMap<String, BTreeSet<Pending>>, request: &RunFunctionRequest) -> String {
    const SHOWN: usize = 5;
    let mut parts: Vec<String> = Vec::new();
    for (name, paths) in waits.iter().take(SHOWN) {
        let paths: Vec<String> = paths.iter().take(SHOWN).map(ToString::to_string).collect();
        let kept = if request.observed_resource(name).is_some() {
            " (kept as it is)"
        } else {
            ""
        };
        parts.push(format!("{name}{kept} waits for {}", paths.join(", ")));
    }
    if waits.len() > SHOWN {
        parts.push(format!("and {} more", waits.len() - SHOWN));
    }
    parts.join("; ")
}
