//! Which resources does one filter speak of, and does it keep them?

use std::collections::BTreeMap;

use purlin_expr::{Bindings, Limits, Outcome, Program, Shape};
use purlin_function::Diagnostic;
use purlin_template::regexp;
use regex::bytes::Regex;

use crate::input;

/// A filter, ready to run.
pub(crate) struct Filter {
    index: usize,
    pattern: Regex,
    expression: Program,
}

impl Filter {
    /// # Errors
    /// Everything that is wrong with the filter, with its field path.
    pub(crate) fn compile(
        index: usize,
        filter: &input::Filter,
        variables: &BTreeMap<String, Shape>,
    ) -> Result<Self, Vec<Diagnostic>> {
        // The anchors stand around the text as it is, so `a|b` means `^a` or `b$`: that is how names are matched today.
        let pattern = regexp::compile(&format!("^{}$", filter.name)).map_err(|error| {
            let message = format!("{:?} is no regular expression: {error}", filter.name);
            vec![
                Diagnostic::error("function/pattern", message)
                    .path(format!("filters[{index}].name")),
            ]
        });
        let expression = Program::parse_core(&filter.expression, variables, &Shape::bool());
        let expression = expression.map_err(|problems| {
            let path = format!("filters[{index}].expression");
            let problems = problems.iter().map(|problem| {
                problem
                    .diagnostic()
                    .path(path.clone())
                    .within(problem.start, problem.end)
            });
            problems.collect::<Vec<_>>()
        });
        match (pattern, expression) {
            (Ok(pattern), Ok(expression)) => Ok(Self {
                index,
                pattern,
                expression,
            }),
            (pattern, expression) => {
                let mut all = pattern.err().unwrap_or_default();
                all.extend(expression.err().unwrap_or_default());
                Err(all)
            }
        }
    }

    /// Whether it speaks of this resource.
    pub(crate) fn matches(&self, name: &str) -> bool {
        self.pattern.is_match(name.as_bytes())
    }

    /// Whether it keeps the resources it speaks of.
    ///
    /// # Errors
    /// Why the expression gives nothing.
    pub(crate) fn keeps<'a>(&'a self, bindings: &Bindings<'a>) -> Result<bool, String> {
        let limits = Limits {
            mixed_numbers: false,
            ..Limits::default()
        };
        let why = match self.expression.eval_within(bindings, limits).0 {
            Outcome::Ok(value) => match value.as_bool() {
                Some(keeps) => return Ok(keeps),
                None => format!("it gives {}, not bool", value.type_name()),
            },
            Outcome::Pending(pending) => format!("{pending} is not there"),
            Outcome::Fault(fault) => fault.to_string(),
        };
        Err(format!(
            "filters[{}].expression: {:?}: {why}",
            self.index,
            self.expression.source()
        ))
    }
}
