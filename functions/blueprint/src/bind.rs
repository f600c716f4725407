//! What are the variables of a request bound to, and what is there how often?

use purlin_diag::Diagnostics;
use purlin_expr::{Binding, Bindings, Pending, Val};
use purlin_function::{RequestView as _, RunFunctionRequest};
use purlin_object::ValueRef;

use crate::elements::Elements;
use crate::fill::Filler;
use crate::frame::{Frame, Gate, Instance, Instances, nest};
use crate::fuel::Fuel;
use crate::given::{composite, credentials, observed, required};
use crate::instance::Element;
use crate::plan::{Body, External, Named, Plan, ResourcePlan};

/// Binds the variables of a Blueprint and of the modules it uses.
pub(crate) struct Binder<'m> {
    pub(crate) plan: &'m Plan,
    pub(crate) request: &'m RunFunctionRequest,
    pub(crate) fuel: Fuel,
    pub(crate) faults: Diagnostics,
    given: Vec<(&'static str, Val<'m>)>,
    /// How many uses of modules there are.
    pub(crate) frames: usize,
}

/// What a new frame begins with.
pub(crate) struct Start<'m> {
    pub(crate) body: &'m Body,
    pub(crate) prefix: String,
    pub(crate) parameters: Vec<(&'m str, Binding<'m>)>,
    pub(crate) gate: Gate,
}

impl<'m> Binder<'m> {
    pub(crate) fn new(plan: &'m Plan, request: &'m RunFunctionRequest, fuel: Fuel) -> Self {
        let mut binder = Self {
            plan,
            request,
            fuel,
            faults: Diagnostics::new(),
            given: Vec::new(),
            frames: 0,
        };
        binder.given = vec![
            ("xr", composite(request)),
            ("environment", binder.environment()),
            (
                "context",
                request.context.as_ref().map_or_else(
                    || Val::tracked_map([], "context"),
                    |context| Val::tracked(ValueRef::Object(context.as_ref()), "context"),
                ),
            ),
        ];
        if plan.body.reads.contains("credentials") {
            binder.given.push(("credentials", credentials(request)));
        }
        binder
    }

    /// The whole Blueprint.
    pub(crate) fn root(&mut self) -> Frame<'m> {
        let plan = self.plan;
        self.frame(Start {
            body: &plan.body,
            prefix: String::new(),
            parameters: Vec::new(),
            gate: Gate::Open,
        })
    }

    pub(crate) fn frame(&mut self, start: Start<'m>) -> Frame<'m> {
        let body = start.body;
        let own = body.resources.len() + body.requires.len() + body.uses.len() + body.lets.len();
        self.fuel.spend(4 + 4 * own);
        let mut frame = Frame {
            body,
            prefix: start.prefix,
            bindings: Bindings::new(),
            kept: vec![None; body.slots].into(),
            gate: start.gate,
            resources: Vec::with_capacity(body.resources.len()),
            uses: Vec::with_capacity(body.uses.len()),
            causes: Vec::new(),
        };
        for (name, value) in &self.given {
            if body.reads.contains(*name) {
                frame.bindings.val(*name, value.clone());
            }
        }
        for (name, binding) in start.parameters {
            frame.bindings.set(name, binding);
        }
        for require in &body.requires {
            if body.reads.contains(&require.name) {
                let name = frame.name(&require.name);
                let found = self.request.required_resources(&name);
                frame
                    .bindings
                    .set(require.name.as_str(), required(require, found, body));
            }
        }
        for resource in &body.resources {
            frame.resources.push(Instances::Wrong);
            if !resource.each.decides() {
                self.bind_single(resource, &mut frame);
            }
        }
        frame
            .uses
            .extend(body.uses.iter().map(|_| Instances::Wrong));
        for named in &body.named {
            if self.fuel.is_out() {
                break;
            }
            match *named {
                Named::Let(at) => self.bind_let(at, &mut frame),
                Named::Resource(at) => self.bind_resource(at, &mut frame),
                Named::Use(at) => self.bind_use(at, &mut frame),
            }
        }
        frame
    }

    fn bind_single(&self, resource: &'m ResourcePlan, frame: &mut Frame<'m>) {
        let root = resource.variable.as_str();
        let name = frame.name(&resource.name);
        if resource.read {
            let connection = frame.body.connections.contains(root);
            let binding = if let External::Object = resource.external {
                match self.request.required_resources(&name) {
                    None => Binding::Pending(unknown(root)),
                    Some(found) => Binding::Val(observed(found.first(), root, connection)),
                }
            } else {
                let found = self.request.observed_resources().get(name.as_ref());
                Binding::Val(observed(found, root, connection))
            };
            frame.bindings.set(root, binding);
        }
        if let Some(place) = frame.resources.last_mut() {
            *place = Instances::Known {
                all: vec![Instance {
                    name,
                    element: None,
                    gate: Gate::Open,
                }],
                unsure: None,
                ghost: None,
            };
        }
    }

    fn bind_let(&mut self, at: usize, frame: &mut Frame<'m>) {
        let Some((name, tree)) = frame.body.lets.get(at) else {
            return;
        };
        let mut filler = Filler::new(frame, &frame.bindings, &mut self.fuel);
        let value = filler.value(tree);
        let Filler {
            waits,
            missed,
            faults,
            ..
        } = filler;
        self.faults.extend(faults);
        let binding = bound(name, value, waits, missed);
        frame.bindings.set(name.as_str(), binding);
    }

    fn bind_resource(&mut self, at: usize, frame: &mut Frame<'m>) {
        let Some(resource) = frame.body.resources.get(at) else {
            return;
        };
        let root = resource.variable.as_str();
        let (elements, unsure) = match self.elements(&resource.each, frame) {
            Elements::Known(elements, unsure) => (elements, unsure),
            Elements::Waits(waits) => {
                let pending = waits.first().cloned().unwrap_or_else(|| unknown(root));
                frame.bindings.set(root, Binding::Pending(pending));
                frame.resources[at] = Instances::Waits(waits, None);
                return;
            }
            Elements::Wrong => {
                frame.bindings.set(root, Binding::Pending(unknown(root)));
                return;
            }
        };
        let connection = frame.body.connections.contains(root);
        let mut instances = Vec::with_capacity(elements.len());
        for element in elements {
            let gate = self.gate(&resource.each, element.as_ref(), frame);
            let name = frame.name(&resource.name);
            let name = match &element {
                Some(element) => format!("{name}-{}", element.suffix).into(),
                None => name,
            };
            instances.push(Instance {
                name,
                element,
                gate,
            });
        }
        if resource.read {
            let request = self.request;
            let value = |instance: &Instance<'m>| {
                let found = request.observed_resources().get(instance.name.as_ref());
                match instance.gate {
                    Gate::Shut if found.is_none() => Val::off(root),
                    _ => observed(found, root, connection),
                }
            };
            let value = collected(
                instances
                    .iter()
                    .map(|one| (one.element.as_ref(), value(one))),
            );
            let binding = match &unsure {
                Some(pending) => Binding::Without(value, pending.clone()),
                None => Binding::Val(value),
            };
            frame.bindings.set(root, binding);
        }
        frame.resources[at] = Instances::Known {
            all: instances,
            unsure,
            ghost: None,
        };
    }
}

/// One value, or a map of them by element.
pub(crate) fn collected<'m, 'e>(
    values: impl Iterator<Item = (Option<&'e Element<'m>>, Val<'m>)>,
) -> Val<'m>
where
    'm: 'e,
{
    let entries: Vec<(&[String], Val<'m>)> = values
        .map(|(element, value)| (element.map_or(&[][..], |one| one.keys.as_slice()), value))
        .collect();
    nest(entries)
}

/// What a variable is bound to. Of something that failed nothing is computed any more; whoever reads it need not fail too.
pub(crate) fn bound<'m>(
    name: &str,
    value: Option<Val<'m>>,
    waits: Vec<Pending>,
    missed: Vec<Pending>,
) -> Binding<'m> {
    match (value, missed.into_iter().next()) {
        (Some(value), Some(missed)) => Binding::Without(value, missed),
        (Some(value), None) => Binding::Val(value),
        (None, _) => Binding::Pending(waits.into_iter().next().unwrap_or_else(|| unknown(name))),
    }
}

pub(crate) fn unknown(name: &str) -> Pending {
    Pending {
        root: name.to_owned(),
        path: name.to_owned(),
    }
}
