//! What does one rule hold back?

use purlin_expr::{Outcome, Program};
use purlin_function::{
    Diagnostic, Diagnostics, Ready, RequestView as _, Resource, Response, RunFunctionRequest,
};
use purlin_template::regexp;
use regex::bytes::Regex;

use crate::input::SequenceRule;

/// A rule, ready to run.
pub(crate) struct Rule<'a> {
    index: usize,
    says: &'a SequenceRule,
    entries: Vec<Entry<'a>>,
    condition: Option<Program>,
}

/// One entry of a sequence.
pub(crate) struct Entry<'a> {
    text: &'a str,
    /// Absent when the text is no pattern but the name of a resource that exists.
    pattern: Option<Regex>,
}

impl Entry<'_> {
    pub(crate) fn matches(&self, name: &str) -> bool {
        match &self.pattern {
            Some(pattern) => pattern.is_match(name.as_bytes()),
            None => name == self.text,
        }
    }
}

impl<'a> Rule<'a> {
    /// # Errors
    /// What is wrong with the rule, with its place in the input.
    pub(crate) fn compile(
        index: usize,
        rule: &'a SequenceRule,
        request: &RunFunctionRequest,
    ) -> Result<Self, String> {
        if rule.create_only && rule.delete_only {
            return Err(format!(
                "rules[{index}]: createOnly and deleteOnly exclude each other; leave one of them out"
            ));
        }
        // An entry on its own waits for nobody, and nobody looks at it.
        let sequence = match rule.sequence.as_slice() {
            [_] => &[],
            all => all,
        };
        let entries = sequence.iter().enumerate().map(|(at, text)| {
            Entry::compile(text, request)
                .map_err(|why| format!("rules[{index}].sequence[{at}]: {why}"))
        });
        let condition = rule.condition.as_deref().filter(|text| !text.is_empty());
        let condition = condition
            .map(Program::parse)
            .transpose()
            .map_err(|problems| {
                let all: Vec<String> = problems
                    .iter()
                    .map(|problem| problem.diagnostic().message)
                    .collect();
                format!("rules[{index}].condition: {}", all.join("; "))
            })?;
        Ok(Self {
            index,
            says: rule,
            entries: entries.collect::<Result<_, _>>()?,
            condition,
        })
    }

    pub(crate) fn creates_only(&self) -> bool {
        self.says.create_only
    }

    pub(crate) fn entries(&self) -> &[Entry<'a>] {
        &self.entries
    }

    /// Takes what must wait out of the desired state, and says whether that was anything.
    ///
    /// # Errors
    /// When the condition fails or is not boolean.
    pub(crate) fn gate(
        &self,
        request: &RunFunctionRequest,
        response: &mut Response,
    ) -> Result<bool, String> {
        if let Some(condition) = &self.condition
            && !self.holds(condition, request)?
        {
            let names = self.says.sequence.join(" ");
            response.normal(format!(
                "Skipping the sequence [{names}]: its condition {:?} is false",
                condition.source()
            ));
            return Ok(false);
        }
        if self.says.delete_only {
            return Ok(false);
        }
        let mut held = false;
        for (at, entry) in self.entries.iter().enumerate().skip(1) {
            if request.observed_resource(entry.text).is_some() {
                continue;
            }
            let before = self.entries.iter().take(at);
            let Some(why) = before
                .into_iter()
                .find_map(|earlier| not_ready(earlier, response))
            else {
                continue;
            };
            response.normal(format!(
                "Delaying creation of resource(s) matching {:?} because {why}",
                entry.text
            ));
            held |= hold(entry, request, response);
        }
        Ok(held)
    }

    fn holds(&self, condition: &Program, request: &RunFunctionRequest) -> Result<bool, String> {
        let place = format!("rules[{}].condition", self.index);
        match condition.eval(&purlin_function::cel::bindings(request)) {
            Outcome::Ok(value) => {
                let kind = value.type_name();
                value.as_bool().ok_or_else(|| {
                    format!(
                        "{place}: {:?} is {kind}, and a condition is true or false",
                        condition.source()
                    )
                })
            }
            Outcome::Pending(pending) => Err(format!("{place}: {pending} is not there")),
            Outcome::Fault(fault) => Err(format!("{place}: {fault}")),
        }
    }
}

/// What is wrong with a rule, found without running.
pub(crate) fn check(rule: &SequenceRule, path: &str, found: &mut Diagnostics) {
    if rule.create_only && rule.delete_only {
        let message = "createOnly and deleteOnly exclude each other";
        let wrong = Diagnostic::error("input/invalid", message).path(path);
        found.push(wrong.help("leave one of them out"));
    }
    for (index, text) in rule.sequence.iter().enumerate() {
        if let Err(error) = pattern(text) {
            let message = format!("{text:?} is no regular expression: {error}");
            let wrong = Diagnostic::error("function/pattern", message);
            found.push(wrong.path(format!("{path}.sequence[{index}]")));
        }
    }
    let condition = rule.condition.as_deref().unwrap_or_default();
    if !condition.is_empty()
        && let Err(problems) = Program::parse(condition)
    {
        let problems = problems.iter().map(|problem| {
            let wrong = problem.diagnostic().path(format!("{path}.condition"));
            wrong.within(problem.start, problem.end)
        });
        found.extend(problems.collect::<Vec<_>>());
    }
}

/// The pattern of an entry, for a whole name unless it has an anchor itself.
fn pattern(text: &str) -> Result<Regex, String> {
    if text.starts_with('^') || text.ends_with('$') {
        regexp::compile(text)
    } else {
        regexp::compile(&format!("^{text}$"))
    }
}

impl<'a> Entry<'a> {
    fn compile(text: &'a str, request: &RunFunctionRequest) -> Result<Self, String> {
        match pattern(text) {
            Ok(pattern) => Ok(Self {
                text,
                pattern: Some(pattern),
            }),
            Err(_) if request.observed_resource(text).is_some() => Ok(Self {
                text,
                pattern: None,
            }),
            Err(error) => Err(format!("{text:?} is no regular expression: {error}")),
        }
    }
}

/// Why what matches `earlier` is not ready; `None` when all of it is.
fn not_ready(earlier: &Entry<'_>, response: &mut Response) -> Option<String> {
    let matching: Vec<&Resource> = response
        .state()
        .resources
        .iter()
        .filter(|(name, _)| earlier.matches(name))
        .map(|(_, resource)| resource)
        .collect();
    if matching.is_empty() {
        return Some(format!("{:?} does not exist yet", earlier.text));
    }
    let ready = matching
        .iter()
        .filter(|resource| resource.ready() == Ready::True)
        .count();
    (ready < matching.len()).then(|| {
        format!(
            "{:?} is not fully ready ({ready} of {})",
            earlier.text,
            matching.len()
        )
    })
}

/// Takes every match that does not exist out of the desired state.
fn hold(entry: &Entry<'_>, request: &RunFunctionRequest, response: &mut Response) -> bool {
    let resources = &mut response.state().resources;
    let before = resources.len();
    resources.retain(|name, _| !entry.matches(name) || request.observed_resource(name).is_some());
    resources.len() < before
}
