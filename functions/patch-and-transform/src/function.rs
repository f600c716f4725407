//! What does one request come to? Runs a plan in upstream's order: the environment, each template, the secret.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use purlin_diag::Diagnostics;
use purlin_function::Plans;
use purlin_function::{
    Function, Ready, RequestView as _, Response, RunFunctionRequest, RunFunctionResponse,
};
use purlin_object::{Fill, Object, ObjectRef, Payload, Value, ValueRef};

use crate::compile::{compile, read};
use crate::patch::{self, PatchError, apply, apply_to_environment};
use crate::plan::{Formed, Patch, PatchKind, Plan, Step, Template};
use crate::{connection, environment, readiness, secret};

/// The function. Keeps the plans of the inputs it has seen.
#[derive(Debug, Default)]
pub struct PatchAndTransform {
    plans: Plans<Result<Plan, Diagnostics>>,
}

impl PatchAndTransform {
    fn plan(&self, input: &Object) -> Arc<Result<Plan, Diagnostics>> {
        self.plans.of(input, || compile(input))
    }
}

impl Function for PatchAndTransform {
    fn run(&self, request: &RunFunctionRequest) -> RunFunctionResponse {
        let empty = Object::new();
        let plan = self.plan(request.input().unwrap_or(&empty));
        let plan = match plan.as_ref() {
            Ok(plan) => plan,
            Err(found) => return Response::to(request).mistakes(found).build(),
        };
        run(plan, request)
    }

    fn check(&self, input: &Object) -> Diagnostics {
        read(input).1
    }

    fn input_schema(&self) -> Option<purlin_function::input::Schema> {
        Some(purlin_function::input::schema_of::<crate::input::Resources>())
    }

    fn repeats(&self, _: &RunFunctionRequest) -> bool {
        true
    }

    fn is_short(&self, _: &RunFunctionRequest) -> bool {
        true
    }
}

/// Runs a plan.
pub(crate) fn run(plan: &Plan, request: &RunFunctionRequest) -> RunFunctionResponse {
    let mut run = Run::new(request, plan);
    match run.plan(plan) {
        Ok(()) => run.finish(),
        // Desired state and context are answered as they came, with the warnings so far.
        Err(fatal) => {
            let mut response = Response::to(request);
            for warning in run.warnings {
                response.warning(warning);
            }
            response.fatal(fatal).build()
        }
    }
}

/// One request being answered.
struct Run<'a> {
    request: &'a RunFunctionRequest,
    response: Response,
    environment: Object,
    composite: Object,
    details: BTreeMap<String, Bytes>,
    warnings: Vec<String>,
    /// What was taken from the composite so far, by [`Step::taken`].
    taken: Vec<Option<Result<Payload, PatchError>>>,
    /// A template waits for a field that a patch requires.
    waits: bool,
}

/// Why a template gives no resource.
enum Stop {
    Waits,
    Fatal(String),
}

impl<'a> Run<'a> {
    fn new(request: &'a RunFunctionRequest, plan: &Plan) -> Self {
        let mut response = Response::to(request);
        let held = response.composite_mut();
        let mut composite = held.resource.take().unwrap_or_default();
        let details = std::mem::take(&mut held.connection_details);
        let observed = request.observed_composite();
        for name in ["apiVersion", "kind"] {
            let text = observed.get(name).and_then(ValueRef::as_str);
            composite.insert(name, text.unwrap_or_default());
        }
        Self {
            request,
            response,
            environment: environment::of(request),
            composite,
            details,
            warnings: Vec::new(),
            taken: vec![None; plan.taken],
            waits: false,
        }
    }

    fn plan(&mut self, plan: &Plan) -> Result<(), String> {
        for step in &plan.environment {
            self.environment_step(step)?;
        }
        for template in &plan.templates {
            self.template(template)?;
        }
        let observed = self.request.observed_composite();
        let secret = secret::compose(observed, &self.details, plan.secret.as_ref())?;
        if let Some((name, secret)) = secret {
            self.response.set_desired(&name, secret, Ready::True);
        }
        Ok(())
    }

    fn finish(mut self) -> RunFunctionResponse {
        for warning in self.warnings {
            self.response.warning(warning);
        }
        let composite = self.response.composite_mut();
        composite.resource = Some(self.composite);
        composite.connection_details = self.details;
        // What an earlier step said of the readiness of the composite is lost, as upstream.
        composite.ready = if self.waits {
            Ready::False.into()
        } else {
            Ready::Unspecified.into()
        };
        self.response
            .plain_resources()
            .set_context(environment::KEY, self.environment);
        self.response.build()
    }

    fn environment_step(&mut self, step: &Step) -> Result<(), String> {
        use PatchKind as Kind;
        let observed = self.request.observed_composite();
        let patch = &step.patch;
        let result = match patch.kind {
            Kind::ToComposite
            | Kind::CombineToComposite
            | Kind::FromEnvironment
            | Kind::CombineFromEnvironment => {
                apply(patch, self.environment.as_ref(), &mut self.composite)
            }
            Kind::FromComposite
            | Kind::CombineFromComposite
            | Kind::ToEnvironment
            | Kind::CombineToEnvironment => {
                apply_to_environment(patch, observed, &mut self.environment)
            }
        };
        match result {
            Err(PatchError::NotFound(_)) if !patch.required => Ok(()),
            Err(PatchError::NotFound(error)) => Err(format!(
                "{}: {error}; it is required, give it a value or make the patch optional",
                place(step, "the environment")
            )),
            Err(PatchError::Failed(error)) => {
                Err(format!("{}: {error}", place(step, "the environment")))
            }
            Ok(()) => Ok(()),
        }
    }

    fn template(&mut self, template: &Template) -> Result<(), String> {
        let mut desired = match (&template.formed, &template.base) {
            (Some(formed), _) => Desired::form(formed),
            (None, Some(base)) => Desired::Object(base.clone()),
            (None, None) => Desired::Object(self.desired_before(&template.name)?),
        };
        let mut ready = Ready::Unspecified;
        let nothing = Object::new();
        let observed = self.request.observed_resources().get(&template.name);
        let object = observed.map(|held| held.resource.as_ref().unwrap_or(&nothing).as_ref());
        if let (Some(observed), Some(object)) = (observed, object) {
            desired.keep_identity(object);
            let secret = &observed.connection_details;
            connection::extract(&template.details, object, secret, &mut self.details);
            match readiness::is_ready(object, &template.checks) {
                Ok(true) => ready = Ready::True,
                Ok(false) => {}
                Err(error) => self.warnings.push(format!(
                    "cannot tell whether the composed resource `{}` is ready: {error}",
                    template.name
                )),
            }
        }
        for step in &template.steps {
            match self.step(template, step, object, &mut desired) {
                Ok(()) => {}
                Err(Stop::Fatal(error)) => return Err(error),
                Err(Stop::Waits) => {
                    self.waits = true;
                    return Ok(());
                }
            }
        }
        let desired = desired.finish(&self.taken);
        self.response.set_desired(&template.name, desired, ready);
        Ok(())
    }

    /// What an earlier step of the pipeline, or an earlier template, desires under this name.
    fn desired_before(&mut self, name: &str) -> Result<Object, String> {
        match self.response.state().resources.get(name) {
            Some(held) => Ok(held.resource.clone().unwrap_or_default()),
            None => Err(format!(
                "the composed resource `{name}` has no base, and no earlier step of the pipeline made it; give the resource a base, \
                 or put the step that makes it first"
            )),
        }
    }

    fn step(
        &mut self,
        template: &Template,
        step: &Step,
        observed: Option<ObjectRef<'_>>,
        desired: &mut Desired<'_>,
    ) -> Result<(), Stop> {
        use PatchKind as Kind;
        let patch = &step.patch;
        let mut to_composed = false;
        let result = match (patch.kind, observed) {
            (Kind::FromComposite | Kind::CombineFromComposite, _) => {
                to_composed = true;
                let composite = self.request.observed_composite();
                match (desired, step.taken, step.hole) {
                    (Desired::Form { fills, .. }, Some(taken), Some(hole)) => self
                        .take(taken, patch)
                        .map(|()| set(fills, hole, Filled::Taken(taken))),
                    (Desired::Object(desired), ..) => apply(patch, composite, desired),
                    (Desired::Form { .. }, ..) => Ok(()),
                }
            }
            (Kind::FromEnvironment | Kind::CombineFromEnvironment, _) => {
                to_composed = true;
                let environment = self.environment.as_ref();
                match (desired, step.hole) {
                    (Desired::Form { fills, .. }, Some(hole)) => patch::value(patch, environment)
                        .map(|value| set(fills, hole, Filled::Value(Payload::of(&value)))),
                    (Desired::Object(desired), _) => apply(patch, environment, desired),
                    (Desired::Form { .. }, None) => Ok(()),
                }
            }
            (Kind::ToComposite | Kind::CombineToComposite, Some(observed)) => {
                apply(patch, observed, &mut self.composite)
            }
            (Kind::ToEnvironment | Kind::CombineToEnvironment, Some(observed)) => {
                apply_to_environment(patch, observed, &mut self.environment)
            }
            // Nothing observed to read from yet, also when it is required.
            (_, None) => Ok(()),
        };
        let resource = || place(step, &format!("the composed resource `{}`", template.name));
        match result {
            Ok(()) => Ok(()),
            Err(PatchError::NotFound(_)) if !patch.required => Ok(()),
            Err(PatchError::NotFound(error)) if to_composed && observed.is_none() => {
                self.warnings.push(format!(
                    "{}: {error}; it is required, so the resource is not made until it has a value",
                    resource()
                ));
                Err(Stop::Waits)
            }
            Err(PatchError::NotFound(error)) => {
                self.warnings.push(format!(
                    "{}: {error}; it is required, but the resource exists already, so the patch is left out",
                    resource()
                ));
                Ok(())
            }
            Err(PatchError::Failed(error)) => Err(Stop::Fatal(format!("{}: {error}", resource()))),
        }
    }
}

impl Run<'_> {
    /// Takes a value from the composite, unless an earlier patch did.
    fn take(&mut self, taken: usize, patch: &Patch) -> Result<(), PatchError> {
        let composite = self.request.observed_composite();
        let Some(place) = self.taken.get_mut(taken) else {
            return Ok(());
        };
        let made = place
            .get_or_insert_with(|| patch::value(patch, composite).map(|value| Payload::of(&value)));
        made.as_ref().map(|_| ()).map_err(PatchError::clone)
    }
}

/// A composed resource on its way.
enum Desired<'t> {
    /// Patches write into it.
    Object(Object),
    /// Patches say what its holes hold.
    Form {
        formed: &'t Formed,
        fills: Vec<Filled>,
    },
}

#[derive(Clone)]
enum Filled {
    Keep,
    Omit,
    Taken(usize),
    Value(Payload),
}

fn set(fills: &mut [Filled], hole: usize, filled: Filled) {
    if let Some(fill) = fills.get_mut(hole) {
        *fill = filled;
    }
}

impl<'t> Desired<'t> {
    fn form(formed: &'t Formed) -> Self {
        Self::Form {
            formed,
            fills: vec![Filled::Keep; formed.holes],
        }
    }

    /// The name and namespace of what exists: it is that object that is desired.
    fn keep_identity(&mut self, observed: ObjectRef<'_>) {
        match self {
            Self::Object(desired) => keep_identity(observed, desired),
            Self::Form { fills, .. } => {
                let holes = [("namespace", Formed::NAMESPACE), ("name", Formed::NAME)];
                for (name, hole) in holes {
                    let filled = match identity(observed, name) {
                        "" => Filled::Omit,
                        text => Filled::Value(Payload::of_text(text)),
                    };
                    set(fills, hole, filled);
                }
            }
        }
    }

    fn finish(self, taken: &[Option<Result<Payload, PatchError>>]) -> Object {
        let (formed, fills) = match self {
            Self::Object(desired) => return desired,
            Self::Form { formed, fills } => (formed, fills),
        };
        let fills: Vec<Fill<'_>> = (fills.iter())
            .map(|filled| match filled {
                Filled::Keep => Fill::Keep,
                Filled::Omit => Fill::Omit,
                Filled::Value(payload) => Fill::Value(payload),
                Filled::Taken(place) => match taken.get(*place) {
                    Some(Some(Ok(payload))) => Fill::Value(payload),
                    _ => Fill::Keep,
                },
            })
            .collect();
        formed.form.fill(&fills)
    }
}

/// Which patch of what, for messages.
fn place(step: &Step, target: &str) -> String {
    let Patch {
        kind, source, to, ..
    } = step.patch.as_ref();
    format!(
        "cannot patch {target}: {} ({}, {source} to {to})",
        step.place,
        kind.name(),
    )
}

/// A part of the name of what exists; empty when it has none.
fn identity<'o>(observed: ObjectRef<'o>, name: &str) -> &'o str {
    let value = observed.get_path(&["metadata", name]);
    value.and_then(ValueRef::as_str).unwrap_or_default()
}

fn keep_identity(observed: ObjectRef<'_>, desired: &mut Object) {
    for name in ["namespace", "name"] {
        match (desired.get_mut("metadata"), identity(observed, name)) {
            (Some(Value::Object(metadata)), "") => drop(metadata.remove(name)),
            (Some(Value::Object(metadata)), value) => drop(metadata.insert(name, value)),
            // Metadata of another kind is left as it is, and there is nothing to remove from none.
            (Some(_), _) | (None, "") => {}
            (None, value) => drop(desired.object_mut("metadata").insert(name, value)),
        }
    }
}
