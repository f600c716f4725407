//! What do the steps come to, one after the other?

use std::collections::BTreeMap;

use purlin_function::{
    Function, RequestView as _, Requirements, Response, RunFunctionRequest, RunFunctionResponse,
    Severity,
};

use crate::input::Step;

/// Runs the steps.
pub(crate) fn run(steps: &[Step], request: &RunFunctionRequest) -> RunFunctionResponse {
    let all = each(steps, request, |function, asked| Some(function.run(asked)));
    all.unwrap_or_else(|| Response::to(request).build())
}

/// Runs the steps, unless one of them takes long.
pub(crate) fn run_short(
    steps: &[Step],
    request: &RunFunctionRequest,
) -> Option<RunFunctionResponse> {
    each(steps, request, |function, asked| function.run_short(asked))
}

fn each(
    steps: &[Step],
    request: &RunFunctionRequest,
    run: impl Fn(&dyn Function, &RunFunctionRequest) -> Option<RunFunctionResponse>,
) -> Option<RunFunctionResponse> {
    let mut answer = Response::to(request).build();
    let mut ttl = None;
    let mut asked = first(request);
    for step in steps {
        ask(&mut asked, step, request);
        let mut given = run(step.hosted.function.as_ref(), &asked)?;
        let fatal = (given.results.iter()).any(|result| result.severity() == Severity::Fatal);
        for mut result in given.results {
            result.message = format!("step {}: {}", step.name, result.message);
            answer.results.push(result);
        }
        answer.conditions.append(&mut given.conditions);
        let held = Some(given.meta.and_then(|meta| meta.ttl));
        ttl = ttl.into_iter().chain(held).min_by_key(length);
        if fatal {
            return Some(finish(answer, ttl));
        }
        if given.output.is_some() {
            answer.output = given.output;
        }
        asked.desired = given.desired;
        asked.context = given.context;
        if let Some(requirements) = given.requirements
            && require(&mut answer, requirements, step, request)
        {
            break;
        }
    }
    answer.desired = asked.desired;
    answer.context = asked.context;
    Some(finish(answer, ttl))
}

/// Whether the answer of every step depends on nothing but what it is asked.
pub(crate) fn repeats(steps: &[Step], request: &RunFunctionRequest) -> bool {
    let mut asked = first(request);
    steps.iter().all(|step| {
        ask(&mut asked, step, request);
        let repeats = step.hosted.function.repeats(&asked);
        let given = step.hosted.function.run(&asked);
        asked.desired = given.desired;
        asked.context = given.context;
        repeats
    })
}

type Ttl = Option<prost_types::Duration>;

/// The shortest first; an answer that does not say how long it holds does not hold at all.
fn length(ttl: &Ttl) -> (i64, i32) {
    ttl.as_ref().map_or((0, 0), |ttl| (ttl.seconds, ttl.nanos))
}

fn finish(mut answer: RunFunctionResponse, ttl: Option<Ttl>) -> RunFunctionResponse {
    if let (Some(ttl), Some(meta)) = (ttl, &mut answer.meta) {
        meta.ttl = ttl;
    }
    answer
}

/// What every step is asked; the rest is its own.
fn first(request: &RunFunctionRequest) -> RunFunctionRequest {
    RunFunctionRequest {
        meta: request.meta.clone(),
        observed: request.observed.clone(),
        desired: request.desired.clone(),
        context: request.context.clone(),
        credentials: request.credentials.clone(),
        ..RunFunctionRequest::default()
    }
}

/// Makes it the request of a step: its input, and what was found for it.
fn ask(asked: &mut RunFunctionRequest, step: &Step, request: &RunFunctionRequest) {
    asked.input.clone_from(&step.input);
    asked.required_resources = own(&request.required_resources, &step.name);
    asked.extra_resources = own(&request.extra_resources, &step.name);
    asked.required_schemas = own(&request.required_schemas, &step.name);
}

/// What was found for a step, under the names it asked by, and what the Composition itself asked for.
fn own<T: Clone>(found: &BTreeMap<String, T>, step: &str) -> BTreeMap<String, T> {
    let mut own = BTreeMap::new();
    for (name, item) in found {
        match name.split_once('/') {
            Some((owner, name)) if owner == step => {
                own.insert(name.to_owned(), item.clone());
            }
            Some(_) => {}
            None => {
                own.entry(name.clone()).or_insert_with(|| item.clone());
            }
        }
    }
    own
}

/// Asks for what a step requires; whether some of it was not looked for yet.
fn require(
    answer: &mut RunFunctionResponse,
    required: Requirements,
    step: &Step,
    request: &RunFunctionRequest,
) -> bool {
    let all = answer.requirements.get_or_insert_default();
    let mut missing = false;
    let name = |name: &str| format!("{}/{name}", step.name);
    for (short, selector) in required.resources {
        let name = name(&short);
        missing |= request.required_resources(&name).is_none();
        all.resources.insert(name, selector);
    }
    for (short, selector) in required.extra_resources {
        let name = name(&short);
        missing |= request.required_resources(&name).is_none();
        all.extra_resources.insert(name, selector);
    }
    for (short, selector) in required.schemas {
        let name = name(&short);
        missing |= request.required_schema(&name).is_none();
        all.schemas.insert(name, selector);
    }
    missing
}
