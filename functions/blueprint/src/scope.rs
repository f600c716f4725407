//! What are the variables of a request bound to?

use std::collections::BTreeMap;

use purlin_diag::Diagnostics;
use purlin_expr::{Binding, Bindings, Pending, Text, Val};
use purlin_function::{RequestView as _, Resource, RunFunctionRequest};

use crate::fill::{Filler, Fuel};
use crate::instance::{self, Element};
use crate::plan::{Named, Plan, RequirePlan, ResourcePlan};

/// Where Crossplane's functions leave the environment.
const ENVIRONMENT: &str = "apiextensions.crossplane.io/environment";

/// The elements of a `forEach`.
#[derive(Debug)]
pub(crate) enum Elements<'a> {
    Known(Vec<Element<'a>>),
    /// The list is not known yet.
    Waits(Vec<Pending>),
    /// The list is wrong; that is told already.
    Wrong,
}

/// The variables of a request.
#[derive(Debug)]
pub(crate) struct Scope<'a> {
    pub(crate) bindings: Bindings<'a>,
    /// By the place of the resource.
    pub(crate) elements: BTreeMap<usize, Elements<'a>>,
    pub(crate) faults: Diagnostics,
}

/// Binds everything.
pub(crate) fn bind<'a>(
    plan: &'a Plan,
    request: &'a RunFunctionRequest,
    fuel: &mut Fuel,
) -> Scope<'a> {
    let mut scope = Scope {
        bindings: Bindings::new(),
        elements: BTreeMap::new(),
        faults: Diagnostics::new(),
    };
    scope.bindings.val("xr", composite(request));
    let environment = request
        .context(ENVIRONMENT)
        .map_or_else(|| Val::map([]), Val::from_data);
    scope.bindings.val("environment", environment);
    let context = request.context.as_ref().map_or_else(
        || Val::map([]),
        |context| Val::from_object(context.as_ref()),
    );
    scope.bindings.val("context", context);
    for require in &plan.requires {
        scope
            .bindings
            .val(require.name.as_str(), required(require, request));
    }
    for resource in &plan.resources {
        let root = resource.variable.as_str();
        if resource.external {
            let found = request
                .required_resources(&resource.name)
                .and_then(<[Resource]>::first);
            scope.bindings.val(root, observed(found, root));
        } else if resource.for_each.is_none() {
            scope.bindings.val(
                root,
                observed(request.observed_resources().get(&resource.name), root),
            );
        }
    }
    for named in &plan.named {
        match named {
            Named::Let(name, tree) => {
                let mut filler = Filler::new(&scope.bindings, fuel);
                let value = filler.value(tree);
                let Filler { waits, faults, .. } = filler;
                scope.faults.extend(faults);
                scope.bind_value(name, value, waits);
            }
            Named::Elements(at) => scope.bind_elements(*at, &plan.resources[*at], request, fuel),
        }
    }
    scope
}

impl<'a> Scope<'a> {
    fn bind_value(&mut self, name: &'a str, value: Option<Val<'a>>, waits: Vec<Pending>) {
        let binding = match value {
            Some(value) => Binding::Val(value),
            // Of something that failed nothing is computed any more; whoever reads it need not fail once more.
            None => Binding::Pending(waits.into_iter().next().unwrap_or_else(|| unknown(name))),
        };
        self.bindings.set(name, binding);
    }

    fn bind_elements(
        &mut self,
        at: usize,
        resource: &'a ResourcePlan,
        request: &'a RunFunctionRequest,
        fuel: &mut Fuel,
    ) {
        let Some((variable, list)) = &resource.for_each else {
            return;
        };
        let field = format!("resources[{at}].forEach.{variable}");
        let mut filler = Filler::new(&self.bindings, fuel);
        let list = filler.value(list);
        let Filler { waits, faults, .. } = filler;
        let wrong = faults.has_errors();
        self.faults.extend(faults);
        let root = resource.variable.as_str();
        let elements = match list.map(|list| instance::elements(&list, &resource.name, &field)) {
            Some(Ok(elements)) => Elements::Known(elements),
            Some(Err(diagnostic)) => {
                self.faults.push(*diagnostic);
                Elements::Wrong
            }
            None if wrong => Elements::Wrong,
            None => Elements::Waits(waits),
        };
        let binding = match &elements {
            Elements::Known(elements) => Binding::Val(Val::map(elements.iter().map(|element| {
                (
                    element.key.clone(),
                    observed(request.observed_resources().get(&element.name), root),
                )
            }))),
            Elements::Waits(waits) => {
                Binding::Pending(waits.first().cloned().unwrap_or_else(|| unknown(root)))
            }
            Elements::Wrong => Binding::Pending(unknown(root)),
        };
        self.bindings.set(root, binding);
        self.elements.insert(at, elements);
    }
}

fn unknown(name: &str) -> Pending {
    Pending {
        root: name.to_owned(),
        path: name.to_owned(),
    }
}

/// The composite: what its spec lacks is a mistake, what its status lacks may still come.
fn composite(request: &RunFunctionRequest) -> Val<'_> {
    let xr = request.observed_composite();
    let status = xr
        .get("status")
        .map_or_else(|| Val::absent("xr"), |status| Val::tracked(status, "xr"));
    let rest = xr.iter().filter(|(key, _)| *key != "status");
    let rest = rest.map(|(key, value)| (key.to_owned(), Val::from_data(value)));
    Val::map(rest.chain([("status".to_owned(), status)]))
}

/// A composed resource as it is, with its connection details.
pub(crate) fn observed<'a>(resource: Option<&'a Resource>, root: &'a str) -> Val<'a> {
    let Some((object, resource)) =
        resource.and_then(|resource| Some((resource.resource.as_ref()?, resource)))
    else {
        return Val::absent(root);
    };
    let details = resource.connection_details.iter().map(|(key, bytes)| {
        let value = match std::str::from_utf8(bytes) {
            Ok(text) => Val::String(Text::Borrowed(text)),
            Err(_) => Val::Bytes(bytes.iter().copied().collect()),
        };
        (key.as_str(), value)
    });
    let connection = Val::tracked_map(details, root);
    let fields = object.iter().filter(|(key, _)| *key != "connection");
    let fields = fields.map(|(key, value)| (key, Val::tracked(value, root)));
    Val::tracked_map(fields.chain([("connection", connection)]), root)
}

/// What was found for a requirement.
fn required<'a>(require: &'a RequirePlan, request: &'a RunFunctionRequest) -> Val<'a> {
    let root = require.name.as_str();
    let found = request.required_resources(root);
    if require.object.is_some() {
        return observed(found.and_then(<[Resource]>::first), root);
    }
    match found {
        Some(found) => Val::list(found.iter().map(|resource| observed(Some(resource), root))),
        None => Val::absent(root),
    }
}
