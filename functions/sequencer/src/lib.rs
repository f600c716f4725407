//! Which composed resources must wait for others?
//!
//! Input-compatible with function-sequencer 0.6.0 (`sequencer.fn.crossplane.io/v1beta1`, kind `Input`): along a sequence, what
//! does not exist yet is held back until all before it is desired and ready; on request, usages make deletion go the
//! other way. What exists is never held back.
//!
//! What differs: an expression that is no regular expression or no CEL is FATAL with its place in the input, and every rule
//! is checked before any is applied.

mod input;
mod rule;
mod usage;

use purlin_function::{
    Diagnostic, Diagnostics, Hosted, Ready, Response, RunFunctionRequest, RunFunctionResponse,
    parse_duration,
};

use input::Input;
use rule::Rule;

/// The function, under the name Compositions know it by.
pub fn hosted() -> Hosted {
    Hosted {
        name: "function-sequencer",
        api_version: "sequencer.fn.crossplane.io/v1beta1",
        kind: "Input",
        function: purlin_function::repeating(purlin_function::checked::<Input>(run, check)),
    }
}

/// All mistakes of an input, found without running.
fn check(input: &Input) -> Diagnostics {
    let mut found = Diagnostics::new();
    let ttl = input.cache_ttl.as_deref().unwrap_or_default();
    if !ttl.is_empty() && parse_duration(ttl).is_none() {
        let message = format!("`{ttl}` is no duration");
        let wrong = Diagnostic::error("input/invalid", message).path("cacheTTL");
        found.push(wrong.help("write it like 90s, 5m or 1h30m"));
    }
    for (index, rule) in input.rules.iter().enumerate() {
        rule::check(rule, &format!("rules[{index}]"), &mut found);
    }
    found
}

fn run(request: &RunFunctionRequest) -> RunFunctionResponse {
    let mut response = Response::to(request);
    let input = match request
        .input
        .as_ref()
        .map(purlin_function::input::decode::<Input>)
        .transpose()
    {
        Ok(input) => input.unwrap_or_default(),
        Err(mistakes) => return response.mistakes(&mistakes).build(),
    };
    if let Err(why) = apply(&input, request, &mut response) {
        response.fatal(why);
    }
    response.build()
}

fn apply(
    input: &Input,
    request: &RunFunctionRequest,
    response: &mut Response,
) -> Result<(), String> {
    if let Some(ttl) = input.cache_ttl.as_deref().filter(|text| !text.is_empty()) {
        let parsed = parse_duration(ttl).ok_or_else(|| {
            format!("cacheTTL: {ttl:?} is no duration; write it like 90s, 5m or 1h30m")
        })?;
        response.ttl_of(parsed);
    }
    let rules: Vec<Rule<'_>> = input
        .rules
        .iter()
        .enumerate()
        .map(|(index, rule)| Rule::compile(index, rule, request))
        .collect::<Result<_, _>>()?;
    let mut held = false;
    for rule in &rules {
        held |= rule.gate(request, response)?;
        if input.enable_deletion_sequencing && !rule.creates_only() {
            usage::compose(rule, input, request, response);
        }
    }
    if held && input.reset_composite_readiness {
        response.composite_mut().ready = Ready::False.into();
    }
    response.plain_resources();
    Ok(())
}
