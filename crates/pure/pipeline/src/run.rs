//! The pass as a state machine: which call or look-up comes next (spec/engine.md 3.6).

use std::collections::BTreeMap;
use std::sync::Arc;

use purlin_composition::Step as PlanStep;
use purlin_object::Object;
use purlin_proto::v1::{self, RunFunctionRequest, RunFunctionResponse};

use crate::accept::{is_fatal, last_words};
use crate::outcome::{Failure, Outcome};
use crate::request;
use crate::step::{Answer, Call, Fetch, Fetched, Observed, Remembered, SchemaOf, SecretOf, Step};

/// How often one step's function is called at most: once, and once more for each of 5 changes of its requirements.
pub const MAX_CALLS: usize = 6;

/// What a pass starts from.
#[derive(Debug, Clone, Default)]
pub struct Pass {
    /// The functions to run, in order.
    pub steps: Arc<[PlanStep]>,
    /// The world.
    pub observed: Observed,
    /// What the context holds at the start; empty in a cluster.
    pub context: Object,
    /// What the pass before said in [`Outcome::requirements`].
    pub remembered: Remembered,
}

/// A pass under way.
#[derive(Debug)]
pub struct Run {
    steps: Arc<[PlanStep]>,
    observed: v1::State,
    remembered: Remembered,
    index: usize,
    pub(crate) desired: v1::State,
    pub(crate) context: Option<Object>,
    pub(crate) outcome: Outcome,
    turn: Turn,
    /// What the current step looked up before its first call.
    bootstrap: Extras,
    credentials: BTreeMap<String, v1::Credentials>,
}

/// What the pass waits for.
#[derive(Debug)]
enum Turn {
    /// The look-up before the first call of a step.
    Bootstrap(Fetch),
    /// The answer of a function.
    Called(Box<Sent>),
    /// The look-up of what a function asked for.
    Required(Box<Sent>, Fetch, Box<RunFunctionResponse>),
    Done,
}

/// A call of the current step that was made.
#[derive(Debug)]
struct Sent {
    /// Which, from 0.
    iteration: usize,
    tag: String,
    extras: Extras,
    /// What the function asked for the time before.
    required: v1::Requirements,
    context: Option<Object>,
}

/// What a function gets without it being observed.
#[derive(Debug, Clone, PartialEq, Default)]
struct Extras {
    resources: BTreeMap<String, v1::Resources>,
    extra_resources: BTreeMap<String, v1::Resources>,
    schemas: BTreeMap<String, v1::Schema>,
}

impl Extras {
    fn of(wanted: &Fetch, mut found: Fetched) -> Self {
        Self {
            schemas: request::schemas(&wanted.schemas, &found),
            resources: request::resources(&wanted.resources, std::mem::take(&mut found.resources)),
            extra_resources: request::resources(&wanted.extra_resources, found.extra_resources),
        }
    }

    /// These, and those of `over` where both have one.
    fn overlaid(mut self, over: Self) -> Self {
        self.resources.extend(over.resources);
        self.extra_resources.extend(over.extra_resources);
        self.schemas.extend(over.schemas);
        self
    }
}

impl Run {
    /// Starts a pass and says what it needs first.
    pub fn start(pass: Pass) -> (Self, Step) {
        let mut run = Self {
            steps: pass.steps,
            observed: request::state(pass.observed),
            remembered: pass.remembered,
            index: 0,
            desired: v1::State::default(),
            context: Some(pass.context),
            outcome: Outcome::default(),
            turn: Turn::Done,
            bootstrap: Extras::default(),
            credentials: BTreeMap::new(),
        };
        let step = run.begin();
        (run, step)
    }

    /// Takes the answer to the last [`Step`] and says what is needed next.
    pub fn resume(&mut self, answer: Answer) -> Step {
        let turn = std::mem::replace(&mut self.turn, Turn::Done);
        match (turn, answer) {
            (Turn::Bootstrap(wanted), Answer::Fetched(Ok(found))) => {
                self.bootstrapped(&wanted, found)
            }
            (Turn::Called(sent), Answer::Called(Ok(response))) => self.answered(*sent, response),
            (Turn::Required(sent, wanted, response), Answer::Fetched(Ok(found))) => {
                self.repeat(*sent, &wanted, found, *response)
            }
            (Turn::Called(_), Answer::Called(Err(message))) => {
                let step = self.step_name();
                self.fail(Failure::Call { step, message })
            }
            (Turn::Bootstrap(_) | Turn::Required(..), Answer::Fetched(Err(message))) => {
                let step = self.step_name();
                self.fail(Failure::Fetch { step, message })
            }
            (Turn::Bootstrap(_) | Turn::Called(_) | Turn::Required(..) | Turn::Done, _) => {
                let step = self.step_name();
                self.fail(Failure::OutOfTurn { step })
            }
        }
    }

    /// Begins the current step, or ends the pass after the last one.
    fn begin(&mut self) -> Step {
        let Some(step) = self.steps.get(self.index) else {
            return self.finish();
        };
        self.bootstrap = Extras::default();
        self.credentials = BTreeMap::new();
        let wanted = bootstrap(step, self.remembered.get(&step.name));
        if wanted.resources.is_empty()
            && wanted.extra_resources.is_empty()
            && wanted.schemas.is_empty()
            && wanted.secrets.is_empty()
        {
            return self.first_call();
        }
        self.turn = Turn::Bootstrap(wanted.clone());
        Step::Fetch(wanted)
    }

    fn bootstrapped(&mut self, wanted: &Fetch, mut found: Fetched) -> Step {
        let missing = wanted
            .secrets
            .iter()
            .find(|(name, _)| !found.secrets.contains_key(*name));
        if let Some((name, secret)) = missing {
            let message = format!(
                "there is no Secret {}/{} for the credentials {name:?}",
                secret.namespace, secret.name
            );
            let step = self.step_name();
            return self.fail(Failure::Fetch { step, message });
        }
        let secrets = std::mem::take(&mut found.secrets);
        self.credentials = request::credentials(Fetched {
            secrets,
            ..Fetched::default()
        });
        self.bootstrap = Extras::of(wanted, found);
        self.first_call()
    }

    fn first_call(&mut self) -> Step {
        self.call(Sent {
            iteration: 0,
            tag: String::new(),
            extras: self.bootstrap.clone(),
            required: v1::Requirements::default(),
            context: self.context.clone(),
        })
    }

    fn call(&mut self, mut sent: Sent) -> Step {
        let Some(step) = self.steps.get(self.index) else {
            return self.finish();
        };
        let mut request = RunFunctionRequest {
            meta: None,
            observed: Some(self.observed.clone()),
            desired: Some(self.desired.clone()),
            input: step.input.clone(),
            context: sent.context.clone(),
            credentials: self.credentials.clone(),
            extra_resources: sent.extras.extra_resources.clone(),
            required_resources: sent.extras.resources.clone(),
            required_schemas: sent.extras.schemas.clone(),
        };
        request::seal(&mut request);
        let meta = request.meta.get_or_insert_default();
        // A repeated call is the same request to whoever caches: it keeps the first one's tag.
        if sent.iteration == 0 {
            sent.tag.clone_from(&meta.tag);
        } else {
            meta.tag.clone_from(&sent.tag);
        }
        let call = Call {
            step: step.name.clone(),
            function: step.function.clone(),
            request,
        };
        self.outcome.calls += 1;
        self.turn = Turn::Called(Box::new(sent));
        Step::Call(Box::new(call))
    }

    fn answered(&mut self, sent: Sent, response: RunFunctionResponse) -> Step {
        let required = response.requirements.clone().unwrap_or_default();
        if is_fatal(&response) || required == sent.required {
            return self.accept(response);
        }
        if sent.iteration + 1 >= MAX_CALLS {
            let step = self.step_name();
            let last = last_words(&response);
            return self.fail(Failure::Unstable { step, last });
        }
        let wanted = wanted(self.step_name(), &required);
        if wanted.resources.is_empty()
            && wanted.extra_resources.is_empty()
            && wanted.schemas.is_empty()
        {
            return self.repeat(sent, &wanted, Fetched::default(), response);
        }
        self.turn = Turn::Required(Box::new(sent), wanted.clone(), Box::new(response));
        Step::Fetch(wanted)
    }

    /// Calls the function again with what it asked for, unless it had all of it already.
    fn repeat(
        &mut self,
        sent: Sent,
        wanted: &Fetch,
        found: Fetched,
        response: RunFunctionResponse,
    ) -> Step {
        let extras = self.bootstrap.clone().overlaid(Extras::of(wanted, found));
        if sent.iteration == 0 && extras == sent.extras {
            return self.accept(response);
        }
        self.call(Sent {
            iteration: sent.iteration + 1,
            tag: sent.tag,
            extras,
            required: response.requirements.unwrap_or_default(),
            context: response.context,
        })
    }

    /// Folds a response in and goes on with the next step, unless the response is fatal.
    fn accept(&mut self, response: RunFunctionResponse) -> Step {
        let step = self.step_name();
        if let Some(required) = &response.requirements {
            let wanted = wanted(step.clone(), required);
            self.outcome.requirements.insert(step.clone(), wanted);
        }
        if let Err(failure) = self.fold(&step, response) {
            return self.fail(failure);
        }
        self.index += 1;
        self.begin()
    }

    fn fail(&mut self, failure: Failure) -> Step {
        self.outcome.failure = Some(failure);
        self.finish()
    }

    fn step_name(&self) -> String {
        self.steps
            .get(self.index)
            .map(|step| step.name.clone())
            .unwrap_or_default()
    }
}

/// What a step gets before its first call: what it declares, and what it asked for in the pass before.
fn bootstrap(step: &PlanStep, remembered: Option<&Fetch>) -> Fetch {
    let mut wanted = remembered.cloned().unwrap_or_default();
    wanted.step.clone_from(&step.name);
    for required in &step.required_resources {
        wanted
            .resources
            .insert(required.name.clone(), required.selector.clone());
    }
    for required in &step.required_schemas {
        let schema = SchemaOf {
            api_version: required.api_version.clone(),
            kind: required.kind.clone(),
        };
        wanted.schemas.insert(required.name.clone(), schema);
    }
    wanted.secrets = step
        .credentials
        .iter()
        .map(|credential| {
            let secret = SecretOf {
                namespace: credential.namespace.clone(),
                name: credential.secret.clone(),
            };
            (credential.name.clone(), secret)
        })
        .collect();
    wanted
}

fn wanted(step: String, required: &v1::Requirements) -> Fetch {
    let selectors = |wire: &BTreeMap<String, v1::ResourceSelector>| {
        wire.iter()
            .map(|(name, selector)| (name.clone(), request::selector(selector)))
            .collect()
    };
    Fetch {
        step,
        resources: selectors(&required.resources),
        extra_resources: selectors(&required.extra_resources),
        schemas: required
            .schemas
            .iter()
            .map(|(name, wire)| {
                let schema = SchemaOf {
                    api_version: wire.api_version.clone(),
                    kind: wire.kind.clone(),
                };
                (name.clone(), schema)
            })
            .collect(),
        secrets: BTreeMap::new(),
    }
}
