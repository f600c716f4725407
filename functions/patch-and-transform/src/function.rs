//! What does one request come to? Runs a plan in upstream's order: the environment, each template, the secret.

use std::collections::BTreeMap;

use bytes::Bytes;
use purlin_diag::Diagnostics;
use purlin_function::{
    Function, Ready, RequestView as _, Response, RunFunctionRequest, RunFunctionResponse,
};
use purlin_object::{Object, ObjectRef, Value, ValueRef};

use crate::cache::Cache;
use crate::compile::read;
use crate::patch::{PatchError, apply, apply_to_environment};
use crate::plan::{Patch, PatchKind, Plan, Step, Template};
use crate::{connection, environment, readiness, secret};

/// The function. Keeps the plans of the inputs it has seen.
#[derive(Debug, Default)]
pub struct PatchAndTransform {
    plans: Cache,
}

impl Function for PatchAndTransform {
    fn run(&self, request: &RunFunctionRequest) -> RunFunctionResponse {
        let empty = Object::new();
        let plan = match self.plans.plan(request.input().unwrap_or(&empty)) {
            Ok(plan) => plan,
            Err(found) => return Response::to(request).mistakes(&found).build(),
        };
        let mut run = Run::new(request);
        match run.plan(&plan) {
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

    fn check(&self, input: &Object) -> Diagnostics {
        read(input).1
    }

    fn input_schema(&self) -> Option<purlin_function::input::Schema> {
        Some(purlin_function::input::schema_of::<crate::input::Resources>())
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
    /// A template waits for a field that a patch requires.
    waits: bool,
}

/// Why a template gives no resource.
enum Stop {
    Waits,
    Fatal(String),
}

impl<'a> Run<'a> {
    fn new(request: &'a RunFunctionRequest) -> Self {
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
        let mut desired = match &template.base {
            Some(base) => base.clone(),
            None => self.desired_before(&template.name)?,
        };
        let mut ready = Ready::Unspecified;
        let observed = self.request.observed_resources().get(&template.name);
        let object = self.request.observed_resource(&template.name);
        if let (Some(observed), Some(object)) = (observed, object) {
            keep_identity(object, &mut desired);
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
        desired: &mut Object,
    ) -> Result<(), Stop> {
        use PatchKind as Kind;
        let patch = &step.patch;
        let mut to_composed = false;
        let result = match (patch.kind, observed) {
            (Kind::FromComposite | Kind::CombineFromComposite, _) => {
                to_composed = true;
                apply(patch, self.request.observed_composite(), desired)
            }
            (Kind::FromEnvironment | Kind::CombineFromEnvironment, _) => {
                to_composed = true;
                apply(patch, self.environment.as_ref(), desired)
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

/// The name and namespace of what exists: it is that object that is desired.
fn keep_identity(observed: ObjectRef<'_>, desired: &mut Object) {
    for name in ["namespace", "name"] {
        let value = observed
            .get_path(&["metadata", name])
            .and_then(ValueRef::as_str);
        match (desired.get_mut("metadata"), value.unwrap_or_default()) {
            (Some(Value::Object(metadata)), "") => drop(metadata.remove(name)),
            (Some(Value::Object(metadata)), value) => drop(metadata.insert(name, value)),
            // Metadata of another kind is left as it is, and there is nothing to remove from none.
            (Some(_), _) | (None, "") => {}
            (None, value) => drop(desired.object_mut("metadata").insert(name, value)),
        }
    }
}
