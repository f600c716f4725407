//! Do the rules of a custom resource definition hold?
//!
//! `x-kubernetes-validations` as an API server treats them: [`Rules::compile`] checks every expression against the types
//! of the schema and says what is wrong where; [`Rules::check`] runs the rules over an object and the object it replaces.
//! Structural mistakes of the rules (blank texts, unknown reasons, wrong field paths) are `purlin_schema`'s.
//!
//! Not done: the estimate of costs that a server makes before it accepts a definition. Costs are bounded when rules run.

mod run;

use std::sync::Arc;

use purlin_schema::{Additional, FieldError, ListType, Rule, Schema};
use serde_json::Value as Json;

use crate::meter::Limits;
use crate::shape::Shape;
use crate::types::{Checker, Dialect, Env, Ty};
use crate::{Problem, Program};

/// Steps all rules of one object may take together.
const BUDGET: u64 = 10_000_000;

/// What one rule may take.
const LIMITS: Limits = Limits {
    fuel: 1_000_000,
    memory: 16 * 1024 * 1024,
    output: 16 * 1024 * 1024,
    mixed_numbers: false,
    by_size: false,
};

/// The rules of a schema, ready to run. Compile once per version of a definition and keep it.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    root: Option<Node>,
}

/// A rule that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Where, why and in which words.
    pub error: FieldError,
    /// Whether the value was as wrong before and did not change: then it is a warning, not an error.
    pub ratcheted: bool,
}

/// A node of the schema that has rules, or has some below it.
#[derive(Debug, Clone)]
struct Node {
    shape: Arc<Shape>,
    rules: Vec<Compiled>,
    fields: Vec<(String, Node)>,
    /// Elements of a list, or values of a map.
    each: Option<Box<Node>>,
    list_type: ListType,
    list_map_keys: Vec<String>,
}

#[derive(Debug, Clone)]
struct Compiled {
    rule: Rule,
    program: Program,
    message: Option<Program>,
    /// Whether it compares with the value before.
    transition: bool,
    /// The suffix of the error's path.
    field: String,
}

impl Rules {
    /// Compiles every rule of `schema`, the schema of a whole object. `path` is where the schema stands in the
    /// definition, for example `spec.validation.openAPIV3Schema`; errors are about fields below it.
    ///
    /// Rules that do not compile are left out. Defaults are checked against the rules of their node.
    pub fn compile(schema: &Schema, path: &str) -> (Self, Vec<FieldError>) {
        let mut errors = Vec::new();
        let root = compile(
            schema,
            path,
            &Around {
                whole: true,
                correlated: true,
            },
            &mut errors,
        );
        (Self { root }, errors)
    }

    /// Whether there is no rule at all.
    pub fn is_empty(&self) -> bool {
        self.root.is_none()
    }

    /// Everything that does not hold in `object`, the whole object. `old` is the object it replaces; without it, rules
    /// that need `oldSelf` are skipped.
    pub fn check(&self, object: &Json, old: Option<&Json>) -> Vec<Violation> {
        let mut run = run::Run::new(BUDGET);
        if let Some(root) = &self.root {
            run.node(root, "", object, old);
        }
        run.violations
    }
}

/// Where a node stands.
struct Around {
    whole: bool,
    /// Whether the value before can be found.
    correlated: bool,
}

#[expect(
    clippy::too_many_lines,
    reason = "one paragraph per place that rules can stand in"
)]
fn compile(
    schema: &Schema,
    path: &str,
    around: &Around,
    errors: &mut Vec<FieldError>,
) -> Option<Node> {
    let shape = Arc::new(Shape::of(schema, around.whole));
    let mut rules = Vec::new();
    for (index, rule) in schema.rules.iter().enumerate() {
        let at = format!("{path}.x-kubernetes-validations[{index}]");
        rules.extend(one(rule, schema, &shape, &at, around, errors));
    }
    let mut fields = Vec::new();
    for (name, property) in &schema.properties {
        if around.whole && name == "metadata" {
            continue;
        }
        let below = Around {
            whole: false,
            correlated: around.correlated,
        };
        if let Some(node) = compile(
            property,
            &format!("{path}.properties[{name}]"),
            &below,
            errors,
        ) {
            fields.push((name.clone(), node));
        }
    }
    let mut each = None;
    if let Some(items) = &schema.items {
        let below = Around {
            whole: false,
            correlated: around.correlated && schema.list_type == ListType::Map,
        };
        each = compile(items, &format!("{path}.items"), &below, errors);
    }
    if let Some(values) = schema.additional.as_ref().and_then(Additional::schema) {
        let below = Around {
            whole: false,
            correlated: around.correlated,
        };
        each = compile(
            values,
            &format!("{path}.additionalProperties"),
            &below,
            errors,
        );
    }
    if rules.is_empty() && fields.is_empty() && each.is_none() {
        return None;
    }
    let node = Node {
        shape,
        rules,
        fields,
        each: each.map(Box::new),
        list_type: schema.list_type,
        list_map_keys: schema.list_map_keys.clone(),
    };
    if let Some(default) = &schema.default {
        let mut run = run::Run::new(BUDGET);
        run.node(&node, "", default, None);
        for violation in run.violations {
            errors.push(FieldError::invalid(
                format!("{path}.default"),
                default,
                &violation.error.message,
            ));
        }
    }
    Some(node)
}

#[expect(
    clippy::too_many_arguments,
    reason = "what is checked, where it stands, and what is found"
)]
fn one(
    rule: &Rule,
    schema: &Schema,
    shape: &Arc<Shape>,
    at: &str,
    around: &Around,
    errors: &mut Vec<FieldError>,
) -> Option<Compiled> {
    if rule.rule.trim().is_empty() {
        return None;
    }
    let before = errors.len();
    let optional = rule.optional_old_self == Some(true);
    let field = format!("{at}.rule");
    let program = expression(&rule.rule, &field, shape, optional, &Ty::Bool, errors);
    let reads_old = |program: &Program| program.reads().iter().any(|read| read.root == "oldSelf");
    let transition = program.as_ref().is_some_and(reads_old);
    if transition && !around.correlated {
        let detail =
            "oldSelf cannot be used here: elements of a list that is no map have no value before";
        errors.push(FieldError::invalid(
            &field,
            &Json::from(rule.rule.as_str()),
            detail,
        ));
    }
    if optional && program.is_some() && !transition {
        let detail = "only a rule that reads oldSelf can have it as an optional";
        errors.push(FieldError::invalid(
            format!("{at}.optionalOldSelf"),
            &Json::from(true),
            detail,
        ));
    }
    let mut message = None;
    if let Some(source) = &rule.message_expression {
        let field = format!("{at}.messageExpression");
        if source.trim().is_empty() {
            errors.push(FieldError::required(
                field,
                "an expression that gives a text",
            ));
        } else {
            message = expression(source, &field, shape, optional, &Ty::String(None), errors);
        }
    }
    if errors.len() > before {
        return None;
    }
    Some(Compiled {
        program: program?,
        message,
        transition,
        field: rule
            .field_path
            .as_deref()
            .map(|path| suffix(path, schema))
            .unwrap_or_default(),
        rule: rule.clone(),
    })
}

#[expect(
    clippy::too_many_arguments,
    reason = "what is checked, where it stands, and what is found"
)]
fn expression(
    source: &str,
    field: &str,
    shape: &Arc<Shape>,
    optional: bool,
    wanted: &Ty<'_>,
    errors: &mut Vec<FieldError>,
) -> Option<Program> {
    let checked = Program::parse(source).and_then(|program| {
        let problems = type_problems(&program, shape, optional, wanted);
        if problems.is_empty() {
            Ok(program)
        } else {
            Err(problems)
        }
    });
    match checked {
        Ok(program) => Some(program),
        Err(problems) => {
            let told: Vec<String> = problems
                .iter()
                .map(|problem| tell(source, problem))
                .collect();
            errors.push(FieldError::invalid(
                field,
                &Json::from(source),
                &told.join("; "),
            ));
            None
        }
    }
}

/// Everything that is wrong with an expression over `self` and `oldSelf` of this shape.
fn type_problems(
    program: &Program,
    shape: &Shape,
    optional_old: bool,
    wanted: &Ty<'_>,
) -> Vec<Problem> {
    let own = Ty::of_shape(shape);
    let old = if optional_old {
        Ty::optional(own.clone())
    } else {
        own.clone()
    };
    let mut env = Env::new();
    env.set("self", own);
    env.set("oldSelf", old);
    let mut checker = Checker::new(Dialect::Rules, program.source(), &env);
    checker.whole(program.node(), wanted, false);
    checker.problems
}

/// The problem with its line and column in the expression.
fn tell(source: &str, problem: &Problem) -> String {
    let before = source
        .get(..problem.start.min(source.len()))
        .unwrap_or(source);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    let help = problem
        .help
        .as_ref()
        .map(|help| format!(" ({help})"))
        .unwrap_or_default();
    format!("{line}:{column}: {}{help}", problem.message)
}

/// A `fieldPath` such as `.a['b']` as the end of an error's path: fields after a dot, keys of maps in brackets.
fn suffix(path: &str, schema: &Schema) -> String {
    let mut out = String::new();
    let mut node = Some(schema);
    let mut rest = path;
    while !rest.is_empty() {
        let (name, after) = if let Some(quoted) = rest.strip_prefix("['") {
            quoted.split_once("']").unwrap_or((quoted, ""))
        } else if let Some(plain) = rest.strip_prefix('.') {
            plain.split_at(plain.find(['.', '[']).unwrap_or(plain.len()))
        } else {
            // No such path: `purlin_schema` says so. What was understood so far is close enough.
            break;
        };
        let declared = node.is_some_and(|node| node.properties.contains_key(name));
        out.push(if declared { '.' } else { '[' });
        out.push_str(name);
        out.push_str(if declared { "" } else { "]" });
        node = node.and_then(|node| node.field(name));
        rest = after;
    }
    out
}

#[cfg(test)]
mod tests;
