//! What does this template print over this data?

use std::rc::Rc;

use crate::ast::{Branch, Command, Expr, Node, Pipe, Span, What};
use crate::error::{Error, Limits};
use crate::library::{Call, Function, Param};
use crate::template::{MissingKey, Template, place};
use crate::value::{Complex, Elements, List, Map, Members, Value, Whole};

/// Why an execution stops before its end.
enum Stop {
    Error(Error),
    Break,
    Continue,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

type Done = Result<(), Stop>;
type Got = Result<Value, Error>;

pub(crate) fn execute(
    template: &Template,
    data: &Value,
    limits: &Limits,
) -> Result<Vec<u8>, Error> {
    let mut run = Run {
        template,
        limits,
        out: Vec::new(),
        steps: 0,
        made: 0,
        depth: 0,
        base: stack_position(),
        random: limits.seed,
        nested: None,
    };
    run.tree(&template.name, data.clone(), Span::default())?;
    Ok(run.out)
}

struct Run<'t> {
    template: &'t Template,
    limits: &'t Limits,
    out: Vec<u8>,
    steps: u64,
    made: usize,
    depth: usize,
    /// Where the stack was when the execution began.
    base: usize,
    random: u64,
    /// The mistake that ended a template which a function rendered: it says more than the call does.
    nested: Option<Error>,
}

/// The variables and the name of the template that runs.
struct Frame<'n> {
    name: &'n str,
    variables: Vec<(&'n str, Value)>,
}

impl Call for Run<'_> {
    fn render(&mut self, name: &str, data: Value) -> Result<Vec<u8>, String> {
        if !self.template.trees.contains_key(name) {
            return Err(format!("no template {name:?}"));
        }
        let held = std::mem::take(&mut self.out);
        let result = self.tree(name, data, Span::default());
        let made = std::mem::replace(&mut self.out, held);
        match result {
            Ok(()) => Ok(made),
            Err(error) => {
                let message = error.to_string();
                self.nested.get_or_insert(error);
                Err(message)
            }
        }
    }

    fn now(&self) -> Option<i128> {
        self.limits.now
    }

    fn random(&mut self) -> u64 {
        // SplitMix64.
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl<'t> Run<'t> {
    fn error(&self, frame: &Frame<'_>, span: Span, message: impl std::fmt::Display) -> Error {
        let text = &self.template.text;
        let (line, column) = place(text, span.start);
        let shown: String = text
            .get(span.start..span.end)
            .unwrap_or_default()
            .trim()
            .chars()
            .take(60)
            .collect();
        Error {
            name: self.template.name.clone(),
            line,
            column: Some(column),
            message: format!("executing {:?} at <{shown}>: {message}", frame.name),
        }
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "the template's dot is its own"
    )]
    fn tree(&mut self, name: &str, data: Value, span: Span) -> Result<(), Error> {
        let template = self.template;
        let Some((name, nodes)) = template.trees.get_key_value(name) else {
            let frame = Frame {
                name,
                variables: Vec::new(),
            };
            return Err(self.error(&frame, span, format!("template {name:?} not defined")));
        };
        let mut frame = Frame {
            name,
            variables: vec![("$", data.clone())],
        };
        if self.depth >= self.limits.depth || self.is_too_deep() {
            let message = format!("templates call each other more than {} deep", self.depth);
            return Err(self.error(&frame, span, message));
        }
        self.depth += 1;
        let done = self.nodes(&mut frame, &data, nodes);
        self.depth -= 1;
        match done {
            Err(Stop::Error(error)) => Err(error),
            _ => Ok(()),
        }
    }

    fn nodes(&mut self, frame: &mut Frame<'t>, dot: &Value, nodes: &'t [Node]) -> Done {
        nodes
            .iter()
            .try_for_each(|node| self.node(frame, dot, node))
    }

    /// Whether nesting has taken its share of the stack: actions, blocks and functions count for what they take.
    fn is_too_deep(&self) -> bool {
        self.base.abs_diff(stack_position()) > self.limits.stack
    }

    fn step(&mut self, frame: &Frame<'_>, span: Span) -> Result<(), Error> {
        self.steps += 1;
        if self.steps > self.limits.steps {
            let message = format!("more than {} steps", self.limits.steps);
            return Err(self.error(frame, span, message));
        }
        Ok(())
    }

    fn print(&mut self, frame: &Frame<'_>, span: Span, text: &[u8]) -> Result<(), Error> {
        if self.out.len() + text.len() > self.limits.output {
            let message = format!("more than {} bytes of output", self.limits.output);
            return Err(self.error(frame, span, message));
        }
        self.out.extend_from_slice(text);
        Ok(())
    }

    fn node(&mut self, frame: &mut Frame<'t>, dot: &Value, node: &'t Node) -> Done {
        match node {
            Node::Text(text) => self.print(frame, Span::default(), text)?,
            Node::Action(pipe) => {
                let value = self.pipe(frame, dot, pipe)?;
                if pipe.variables.is_empty() {
                    match &value {
                        Value::Missing | Value::Nil => {
                            self.print(frame, pipe.span, b"<no value>")?;
                        }
                        Value::Text(text) => self.print(frame, pipe.span, text)?,
                        other => self.print(frame, pipe.span, &other.shown())?,
                    }
                }
            }
            Node::If(branch) => return self.branch(frame, dot, branch, false),
            Node::With(branch) => return self.branch(frame, dot, branch, true),
            Node::Range(branch) => return self.range(frame, dot, branch),
            Node::Template { span, name, pipe } => {
                let data = match pipe {
                    Some(pipe) => self.pipe(frame, dot, pipe)?,
                    None => Value::Missing,
                };
                self.step(frame, *span)?;
                if !self.template.trees.contains_key(name) {
                    let message = format!("template {name:?} not defined");
                    return Err(self.error(frame, *span, message).into());
                }
                self.tree(name, data, *span)?;
            }
            Node::Break => return Err(Stop::Break),
            Node::Continue => return Err(Stop::Continue),
        }
        Ok(())
    }

    fn branch(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Value,
        branch: &'t Branch,
        with: bool,
    ) -> Done {
        let mark = frame.variables.len();
        let value = self.pipe(frame, dot, &branch.pipe)?;
        let done = if value.truth() {
            let dot = if with { &value } else { dot };
            self.nodes(frame, dot, &branch.then)
        } else {
            self.nodes(frame, dot, &branch.otherwise)
        };
        frame.variables.truncate(mark);
        done
    }

    fn range(&mut self, frame: &mut Frame<'t>, dot: &Value, branch: &'t Branch) -> Done {
        let mark = frame.variables.len();
        let value = self.pipe(frame, dot, &branch.pipe)?;
        let mut any = false;
        let mut round = |run: &mut Self, frame: &mut Frame<'t>, key: Value, item: Value| {
            any = true;
            run.round(frame, branch, key, item)
        };
        match &value {
            Value::Missing | Value::Nil => {}
            Value::Int(count, whole) => {
                if branch.pipe.variables.len() > 1 {
                    let message =
                        format!("can't use {count} to iterate over more than one variable");
                    return Err(self.error(frame, branch.pipe.span, message).into());
                }
                for number in 0..*count {
                    let number = Value::Int(number, *whole);
                    if round(self, frame, number.clone(), number)? {
                        break;
                    }
                }
            }
            Value::List(list) => {
                for (index, item) in (0..).zip(list.items()) {
                    if round(self, frame, Value::int(index), item.clone())? {
                        break;
                    }
                }
            }
            Value::Map(map) => {
                let entries: Vec<_> = (map.entries().iter())
                    .map(|(key, value)| (key.clone(), value.clone()))
                    .collect();
                for (key, item) in entries {
                    if round(self, frame, Value::Text(key), item)? {
                        break;
                    }
                }
            }
            Value::Pairs(pairs) => {
                for (key, item) in pairs.iter() {
                    if round(self, frame, key.clone(), item.clone())? {
                        break;
                    }
                }
            }
            other => {
                let message = format!("range can't iterate over {}", shown(other));
                return Err(self.error(frame, branch.pipe.span, message).into());
            }
        }
        if !any {
            self.nodes(frame, dot, &branch.otherwise)?;
        }
        frame.variables.truncate(mark);
        Ok(())
    }

    /// One round of a loop; says whether it was the last.
    #[expect(clippy::needless_pass_by_value, reason = "the round's dot is its own")]
    fn round(
        &mut self,
        frame: &mut Frame<'t>,
        branch: &'t Branch,
        key: Value,
        item: Value,
    ) -> Result<bool, Stop> {
        self.step(frame, branch.pipe.span)?;
        let mark = frame.variables.len();
        let pipe = &branch.pipe;
        match pipe.variables.as_slice() {
            [] => {}
            [one] if pipe.assigns => self.assign(frame, pipe.span, one, item.clone())?,
            [first, second, ..] if pipe.assigns => {
                self.assign(frame, pipe.span, first, key)?;
                self.assign(frame, pipe.span, second, item.clone())?;
            }
            [_] => set_top(frame, 1, item.clone()),
            [_, _, ..] => {
                set_top(frame, 1, item.clone());
                set_top(frame, 2, key);
            }
        }
        let done = self.nodes(frame, &item, &branch.then);
        frame.variables.truncate(mark);
        match done {
            Ok(()) | Err(Stop::Continue) => Ok(false),
            Err(Stop::Break) => Ok(true),
            Err(error) => Err(error),
        }
    }

    fn assign(
        &self,
        frame: &mut Frame<'t>,
        span: Span,
        name: &str,
        value: Value,
    ) -> Result<(), Error> {
        match frame.variables.iter_mut().rev().find(|(n, _)| *n == name) {
            Some((_, held)) => {
                *held = value;
                Ok(())
            }
            None => Err(self.error(frame, span, format!("undefined variable: {name}"))),
        }
    }

    fn pipe(&mut self, frame: &mut Frame<'t>, dot: &Value, pipe: &'t Pipe) -> Got {
        if self.is_too_deep() {
            return Err(self.error(
                frame,
                pipe.span,
                "templates and actions are nested too deep",
            ));
        }
        let mut last = None;
        for command in &pipe.commands {
            let value = match self.command(frame, dot, command, last)? {
                Value::Nil => Value::Missing,
                value => value,
            };
            last = Some(value);
        }
        let value = last.unwrap_or_default();
        for name in &pipe.variables {
            if pipe.assigns {
                self.assign(frame, pipe.span, name, value.clone())?;
            } else {
                frame.variables.push((name, value.clone()));
            }
        }
        Ok(value)
    }

    fn command(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Value,
        command: &'t Command,
        last: Option<Value>,
    ) -> Got {
        let Some((first, args)) = command.args.split_first() else {
            return Ok(Value::Missing);
        };
        self.step(frame, first.span)?;
        match &first.what {
            What::Field(names) => self.members(frame, dot, first, dot.clone(), names, args, last),
            What::Variable(name, names) if !names.is_empty() => {
                let value = self.variable(frame, first.span, name)?;
                self.members(frame, dot, first, value, names, args, last)
            }
            What::Chain(inner, names) => {
                let value = self.operand(frame, dot, inner)?;
                let value = match value {
                    Value::Nil if !matches!(inner.what, What::Nil) => Value::Missing,
                    Value::Nil => {
                        let message = "indirection through explicit nil";
                        return Err(self.error(frame, first.span, message));
                    }
                    value => value,
                };
                self.members(frame, dot, first, value, names, args, last)
            }
            What::Function(function) => self.call(frame, dot, first.span, function, args, last),
            _ if !args.is_empty() || last.is_some() => {
                let text = self.template.text.get(first.span.start..first.span.end);
                let message = format!(
                    "can't give argument to non-function {}",
                    text.unwrap_or_default()
                );
                Err(self.error(frame, first.span, message))
            }
            What::Nil => Err(self.error(frame, first.span, "nil is not a command")),
            _ => self.operand(frame, dot, first),
        }
    }

    /// The value of a term without arguments.
    fn operand(&mut self, frame: &mut Frame<'t>, dot: &Value, expr: &'t Expr) -> Got {
        Ok(match &expr.what {
            What::Dot => dot.clone(),
            What::Nil => Value::Nil,
            What::Bool(value) => Value::Bool(*value),
            What::Number(number) => match (number.is_float, number.int, number.float) {
                (false, Some(int), _) => Value::int(int),
                (_, _, float) => Value::Float(float.unwrap_or_default()),
            },
            What::Text(text) => Value::Text(text.clone()),
            What::Imaginary(part) => Value::Native(Rc::new(Complex(*part))),
            What::Pipe(pipe) => self.pipe(frame, dot, pipe)?,
            What::Function(function) => self.call(frame, dot, expr.span, function, &[], None)?,
            What::Field(names) => self.members(frame, dot, expr, dot.clone(), names, &[], None)?,
            What::Variable(name, names) => {
                let value = self.variable(frame, expr.span, name)?;
                self.members(frame, dot, expr, value, names, &[], None)?
            }
            What::Chain(inner, names) => {
                let value = match self.operand(frame, dot, inner)? {
                    Value::Nil => Value::Missing,
                    value => value,
                };
                self.members(frame, dot, expr, value, names, &[], None)?
            }
        })
    }

    fn variable(&self, frame: &Frame<'t>, span: Span, name: &str) -> Got {
        let found = frame.variables.iter().rev().find(|(n, _)| *n == name);
        found
            .map(|(_, value)| value.clone())
            .ok_or_else(|| self.error(frame, span, format!("undefined variable: {name}")))
    }

    /// Follows names from a value; arguments go to the last, which must be a method then.
    #[expect(clippy::too_many_arguments, reason = "one place of the evaluation")]
    fn members(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Value,
        expr: &'t Expr,
        mut value: Value,
        names: &'t [String],
        args: &'t [Expr],
        last: Option<Value>,
    ) -> Got {
        let mut given = Vec::new();
        for arg in args {
            given.push(self.operand(frame, dot, arg)?);
        }
        given.extend(last);
        for (index, name) in names.iter().enumerate() {
            let given: &[Value] = if index + 1 == names.len() {
                &given
            } else {
                &[]
            };
            value = self.member(frame, expr.span, &value, name, given)?;
        }
        if names.is_empty() && !given.is_empty() {
            let message = "can't give argument to non-function";
            return Err(self.error(frame, expr.span, message));
        }
        Ok(value)
    }

    #[expect(clippy::too_many_arguments, reason = "one step of the evaluation")]
    fn member(
        &self,
        frame: &Frame<'t>,
        span: Span,
        value: &Value,
        name: &str,
        args: &[Value],
    ) -> Got {
        let fail = |message: String| Err(self.error(frame, span, message));
        match value {
            Value::Missing if self.template.missing_key == MissingKey::Error => {
                fail(format!("nil data; no entry for key {name:?}"))
            }
            Value::Missing => Ok(Value::Missing),
            Value::Nil => fail(format!("nil pointer evaluating interface {{}}.{name}")),
            Value::Map(map) => {
                if !args.is_empty() {
                    return fail(format!("{name} is not a method but has arguments"));
                }
                match (map.get(name.as_bytes()), self.template.missing_key) {
                    (Some(value), _) => Ok(value),
                    (None, MissingKey::Error) => fail(format!("map has no entry for key {name:?}")),
                    (None, MissingKey::Zero) if map.members() == Members::Texts => {
                        Ok(Value::text(""))
                    }
                    (None, MissingKey::Zero) => Ok(Value::Nil),
                    (None, MissingKey::Default) => Ok(Value::Missing),
                }
            }
            Value::Native(native) => match native.member(name, args) {
                Some(Ok(value)) => Ok(value),
                Some(Err(message)) => fail(format!("error calling {name}: {message}")),
                None => fail(format!(
                    "can't evaluate field {name} in type {}",
                    native.go_type()
                )),
            },
            other => fail(format!(
                "can't evaluate field {name} in type {}",
                other.go_type()
            )),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one step of the evaluation")]
    fn call(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Value,
        span: Span,
        function: &'static Function,
        args: &'t [Expr],
        last: Option<Value>,
    ) -> Got {
        let count = args.len() + usize::from(last.is_some());
        let fixed = function.params.len();
        if count < fixed || (count > fixed && function.rest.is_none()) {
            let want = if function.rest.is_some() {
                format!("at least {fixed}")
            } else {
                fixed.to_string()
            };
            let message = format!(
                "wrong number of args for {}: want {want} got {count}",
                function.name
            );
            return Err(self.error(frame, span, message));
        }
        let param = |index: usize| {
            let rest = function.rest.unwrap_or(Param::Any);
            function.params.get(index).copied().unwrap_or(rest)
        };
        let lazy = matches!(function.name, "and" | "or");
        let mut values = Vec::with_capacity(count);
        for (index, arg) in args.iter().enumerate() {
            let value = self.argument(frame, dot, arg, param(index))?;
            if lazy && value.truth() == (function.name == "or") {
                return Ok(value);
            }
            values.push(value);
        }
        if let Some(last) = last {
            values.push(self.fit(frame, span, last, param(count - 1))?);
        }
        match (function.call)(self, &values) {
            Ok(value) => {
                self.charge(frame, span, &value)?;
                Ok(value)
            }
            Err(message) => {
                if let Some(error) = self.nested.take() {
                    Err(error)
                } else {
                    let message = format!("error calling {}: {message}", function.name);
                    Err(self.error(frame, span, message))
                }
            }
        }
    }

    /// Counts what a function made.
    fn charge(&mut self, frame: &Frame<'_>, span: Span, value: &Value) -> Result<(), Error> {
        let size = match value {
            Value::Text(text) => text.len(),
            Value::List(list) if list.elements() != Elements::Any || list.is_made() => {
                list.items().len() * 16
            }
            _ => 0,
        };
        self.made = self.made.saturating_add(size);
        if self.made > self.limits.made {
            let message = format!("functions make more than {} bytes", self.limits.made);
            return Err(self.error(frame, span, message));
        }
        Ok(())
    }

    /// An argument as the parameter wants it.
    fn argument(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Value,
        expr: &'t Expr,
        param: Param,
    ) -> Got {
        let wrong = |run: &Self, frame: &Frame<'t>| {
            let text = run.template.text.get(expr.span.start..expr.span.end);
            let text = text.unwrap_or_default();
            Err(run.error(
                frame,
                expr.span,
                format!("expected {}; found {text}", param.name()),
            ))
        };
        match &expr.what {
            What::Number(number) => match (param, number.int, number.float) {
                (Param::Int, Some(int), _) => Ok(Value::int(int)),
                (Param::Int64, Some(int), _) => Ok(Value::int64(int)),
                (Param::Uint32, Some(int), _) if u32::try_from(int).is_ok() => {
                    Ok(Value::Int(int, Whole::Uint32))
                }
                (Param::Float, _, Some(float)) => Ok(Value::Float(float)),
                (Param::Any | Param::Raw, ..) => self.operand(frame, dot, expr),
                _ => wrong(self, frame),
            },
            What::Text(_) if !matches!(param, Param::Any | Param::Raw | Param::Text) => {
                wrong(self, frame)
            }
            What::Bool(_) if !matches!(param, Param::Any | Param::Raw | Param::Bool) => {
                wrong(self, frame)
            }
            What::Nil => match param {
                Param::Any => Ok(Value::Nil),
                Param::Raw => Ok(Value::Missing),
                Param::List => Ok(Value::List(List::nil())),
                Param::Map => Ok(Value::Map(Map::nil())),
                _ => {
                    let message = format!("cannot assign nil to {}", param.name());
                    Err(self.error(frame, expr.span, message))
                }
            },
            _ => {
                let value = self.operand(frame, dot, expr)?;
                self.fit(frame, expr.span, value, param)
            }
        }
    }

    /// Checks that a value has the type of a parameter.
    fn fit(&self, frame: &Frame<'t>, span: Span, value: Value, param: Param) -> Got {
        let fits = match (param, &value) {
            (Param::Any, Value::Missing) => return Ok(Value::Nil),
            (Param::Raw | Param::Any, _)
            | (Param::Text, Value::Text(_))
            | (Param::Int, Value::Int(_, Whole::Int))
            | (Param::Int64, Value::Int(_, Whole::Int64))
            | (Param::Uint32, Value::Int(_, Whole::Uint32))
            | (Param::Float, Value::Float(_))
            | (Param::Bool, Value::Bool(_)) => true,
            (Param::List, Value::List(list)) => list.elements() == Elements::Any,
            (Param::Map, Value::Map(map)) => map.members() == Members::Any,
            (Param::List, Value::Missing) => return Ok(Value::List(List::nil())),
            (Param::Map, Value::Missing) => return Ok(Value::Map(Map::nil())),
            _ => false,
        };
        if fits {
            return Ok(value);
        }
        let message = match value {
            Value::Missing => format!("invalid value; expected {}", param.name()),
            other => format!(
                "wrong type for value; expected {}; got {}",
                param.name(),
                if other.is_nil() {
                    "interface {}"
                } else {
                    other.go_type()
                }
            ),
        };
        Err(self.error(frame, span, message))
    }
}

/// About where the stack is now.
#[inline(never)]
fn stack_position() -> usize {
    let here = 0u8;
    std::ptr::from_ref(&here).addr()
}

fn set_top(frame: &mut Frame<'_>, from_top: usize, value: Value) {
    let at = frame.variables.len().checked_sub(from_top);
    if let Some((_, held)) = at.and_then(|at| frame.variables.get_mut(at)) {
        *held = value;
    }
}

fn shown(value: &Value) -> String {
    String::from_utf8_lossy(&value.shown())
        .chars()
        .take(60)
        .collect()
}
