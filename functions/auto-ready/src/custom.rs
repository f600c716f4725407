//! Which health checks does the input bring, and what do they say?

use std::collections::BTreeMap;

use purlin_expr::{Bindings, Limits, Outcome, Program};
use purlin_function::RunFunctionRequest;
use purlin_object::{ObjectRef, Path, ValueRef};

use crate::health::Gvk;
use crate::input::Input;

/// Expressions by group, version and kind: `apps_v1_Deployment`, `_v1_Pod`.
#[derive(Debug, Default)]
pub(crate) struct Checks<'i> {
    sources: BTreeMap<&'i str, &'i str>,
}

impl<'i> Checks<'i> {
    /// The checks of an input; those given inline come before those found in the context.
    pub(crate) fn of(input: &'i Input, request: &'i RunFunctionRequest) -> Self {
        let mut sources = BTreeMap::new();
        let from = input.cel_health_check_customization_from.as_str();
        if let (false, Some(context)) = (from.is_empty(), &request.context) {
            sources = in_context(from, context.as_ref()).unwrap_or_default();
        }
        let inline = &input.cel_health_check_customization;
        sources.extend(
            inline
                .iter()
                .map(|(key, source)| (key.as_str(), source.as_str())),
        );
        Self { sources }
    }

    /// What the check for this kind says; none when there is none.
    pub(crate) fn run(&self, gvk: Gvk<'_>, object: ObjectRef<'_>) -> Option<Result<bool, String>> {
        if self.sources.is_empty() {
            return None;
        }
        let key = format!("{}_{}_{}", gvk.group, gvk.version, gvk.kind);
        let source = self.sources.get(key.as_str())?;
        Some(
            evaluate(source, object)
                .map_err(|message| format!("the expression for {key}: {message}")),
        )
    }
}

/// The expressions at a path of the context; none when nothing is there, or anything but expressions. Upstream says
/// nothing in that case. It also takes quotes in brackets as part of the name, which then is not there.
fn in_context<'c>(path: &str, context: ObjectRef<'c>) -> Option<BTreeMap<&'c str, &'c str>> {
    if path.contains(['\'', '"']) {
        return None;
    }
    let found = Path::parse(path).ok()?.get(context).ok()?.as_object()?;
    found
        .iter()
        .map(|(key, value)| Some((key, value.as_str()?)))
        .collect()
}

/// The expression of a check.
///
/// # Errors
/// What is wrong with it, found without an object.
pub(crate) fn compile(source: &str) -> Result<Program, String> {
    let program = Program::compile(source).map_err(|found| {
        let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
        lines.join("; ")
    })?;
    if is_bare_field(&program) {
        return Err(format!(
            "`{source}` may give anything, and a check gives a boolean; compare it, as in `{source} == true`"
        ));
    }
    Ok(program)
}

fn evaluate(source: &str, object: ObjectRef<'_>) -> Result<bool, String> {
    let program = compile(source)?;
    let mut bindings = Bindings::new();
    bindings.data("object", ValueRef::Object(object));
    match program.eval_within(&bindings, Limits::default()).0 {
        Outcome::Ok(value) => value.as_bool().ok_or_else(|| {
            format!(
                "it gives {}, and a check gives a boolean",
                value.type_name()
            )
        }),
        Outcome::Pending(pending) => Err(format!("{pending} is not there")),
        Outcome::Fault(fault) => Err(fault.to_string()),
    }
}

/// Whether the expression is nothing but a field. Upstream refuses those, because their type is not known to be boolean.
fn is_bare_field(program: &Program) -> bool {
    !program.reads().is_empty()
        && program
            .source()
            .trim()
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '[' | ']' | '\'' | '"'))
}
