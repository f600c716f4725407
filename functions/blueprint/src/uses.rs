//! What does a use of a module see, and what does it give?

use std::sync::LazyLock;

use purlin_diag::Diagnostic;
use purlin_expr::{Binding, Bindings, Pending, Val};

use crate::bind::{Binder, Start, bound, collected, unknown};
use crate::declare::Declared;
use crate::elements::Elements;
use crate::fill::Filler;
use crate::frame::{ANY, Frame, Gate, Instances, Used};
use crate::plan::Body;
use crate::template::member;

/// How many uses of modules one request may make.
const FRAMES: usize = 1_000;

/// What stands in for a use that is one too many.
static NOTHING: LazyLock<Body> = LazyLock::new(Body::default);

/// A use of a module that is about to be made.
struct Making<'m, 'e> {
    /// Its place.
    at: usize,
    /// What it is called among its like.
    name: &'e str,
    /// The variables of its `forEach`.
    variables: Option<Vec<Binding<'m>>>,
    gate: Gate,
}

impl<'m> Binder<'m> {
    pub(crate) fn bind_use(&mut self, at: usize, frame: &mut Frame<'m>) {
        let Some(one) = frame.body.uses.get(at) else {
            return;
        };
        let root = one.variable.as_str();
        let (elements, unsure) = match self.elements(&one.each, frame) {
            Elements::Known(elements, unsure) => (elements, unsure),
            Elements::Waits(waits) => {
                let pending = waits.first().cloned().unwrap_or_else(|| unknown(root));
                frame.bindings.set(root, Binding::Pending(pending.clone()));
                let ghost = self.ghost(at, &pending, frame);
                frame.uses[at] = Instances::Waits(waits, ghost);
                return;
            }
            Elements::Wrong => {
                frame.bindings.set(root, Binding::Pending(unknown(root)));
                return;
            }
        };
        let mut values = Vec::with_capacity(elements.len());
        let mut missed = unsure.clone();
        let mut used = Vec::with_capacity(elements.len());
        for element in &elements {
            let gate = self.gate(&one.each, element.as_ref(), frame);
            if let Gate::Shut | Gate::Wrong = gate {
                values.push((element.as_ref(), Val::off(root)));
                continue;
            }
            let name = match element {
                Some(element) => format!("{}-{}", one.name, element.suffix),
                None => one.name.clone(),
            };
            let variables = element.as_ref().map(|element| {
                let values = element.values.iter().cloned().map(Binding::Val);
                values.collect::<Vec<_>>()
            });
            let making = Making {
                at,
                name: &name,
                variables,
                gate,
            };
            let child = self.child(making, frame);
            let (value, without) = self.outputs(at, &child, frame);
            missed = missed.or(without);
            values.push((element.as_ref(), value));
            used.push(Used { frame: child });
        }
        let value = collected(values.into_iter());
        let missed = missed.into_iter().collect();
        let binding = bound(root, Some(value), Vec::new(), missed);
        frame.bindings.set(root, binding);
        let ghost = unsure
            .as_ref()
            .and_then(|pending| self.ghost(at, pending, frame));
        frame.uses[at] = Instances::Known {
            all: used,
            unsure,
            ghost,
        };
    }

    /// What stands for the elements of a use that are not known.
    fn ghost(
        &mut self,
        at: usize,
        pending: &Pending,
        frame: &mut Frame<'m>,
    ) -> Option<Box<Used<'m>>> {
        let one = frame.body.uses.get(at)?;
        let variables = one.each.variables.iter();
        let variables = variables.map(|_| Binding::Pending(pending.clone()));
        let variables = Some(variables.collect());
        let name = format!("{}-{ANY}", one.name);
        let making = Making {
            at,
            name: &name,
            variables,
            gate: Gate::Waits(vec![pending.clone()]),
        };
        let child = self.child(making, frame);
        Some(Box::new(Used { frame: child }))
    }

    /// One use of a module.
    #[expect(
        clippy::too_many_lines,
        reason = "bound, bind, start: one after the other"
    )]
    fn child(&mut self, making: Making<'m, '_>, frame: &Frame<'m>) -> Frame<'m> {
        let plan = self.plan;
        let one = &frame.body.uses[making.at];
        let module = &plan.modules[one.module];
        self.frames += 1;
        if self.frames > FRAMES {
            if self.frames == FRAMES + 1 {
                let message = format!("there would be more than {FRAMES} uses of modules");
                let diagnostic = Diagnostic::error("blueprint/too-many", message);
                self.faults.push(diagnostic.path(one.each.field.clone()));
            }
            return self.frame(Start {
                body: &NOTHING,
                prefix: String::new(),
                parameters: Vec::new(),
                gate: Gate::Wrong,
            });
        }
        // What lives as long as the new frame cannot borrow from bindings that live shorter.
        let mut inner = Bindings::new();
        let bindings = match making.variables {
            None => &frame.bindings,
            Some(variables) => {
                for root in &one.reads {
                    if let Some(binding) = frame.bindings.get(root) {
                        inner.set(root.as_str(), binding.clone());
                    }
                }
                for ((variable, _), binding) in one.each.variables.iter().zip(variables) {
                    inner.set(variable.as_str(), binding);
                }
                &inner
            }
        };
        let mut parameters = Vec::with_capacity(module.parameters.len());
        for (place, declared) in module.parameters.iter().enumerate() {
            let tree = one.with.iter().find(|(given, _)| *given == place);
            let binding = match tree {
                None => Binding::Val(Val::Optional(None)),
                Some((_, tree)) => {
                    let mut filler = Filler::new(frame, bindings, &mut self.fuel);
                    let value = filler.value(tree);
                    let Filler {
                        waits,
                        missed,
                        faults,
                        ..
                    } = filler;
                    self.faults.extend(faults);
                    let missed = missed.into_iter().map(|missed| frame.told(missed));
                    bound(&declared.name, value, waits, missed.collect())
                }
            };
            let field = format!("{}.with", one.each.field);
            let binding = self.parameter(declared, binding, &member(&field, &declared.name));
            parameters.push((declared.name.as_str(), binding));
        }
        self.frame(Start {
            body: &module.body,
            prefix: format!("{}{}-", frame.prefix, making.name),
            parameters,
            gate: making.gate.and(&frame.gate),
        })
    }

    /// A parameter as the module sees it.
    fn parameter(
        &mut self,
        declared: &'m Declared,
        binding: Binding<'m>,
        field: &str,
    ) -> Binding<'m> {
        let (value, missed) = match binding {
            Binding::Val(value) => (value, None),
            Binding::Without(value, missed) => (value, Some(missed)),
            other @ (Binding::Pending(_) | Binding::Fault(_)) => return other,
        };
        // What may be left out is an optional, whether it is given or not.
        let optional = !declared.required && declared.default.is_none();
        let value = match (value, &declared.default) {
            (Val::Optional(None), Some(default)) => Val::from_data(default.as_ref()),
            (Val::Optional(None), None) if optional => Val::Optional(None),
            (Val::Optional(None), None) if missed.is_some() => {
                return Binding::Pending(missed.unwrap_or_else(|| unknown(&declared.name)));
            }
            (Val::Optional(None), None) => {
                let message = format!("the parameter {} needs a value", declared.name);
                let diagnostic = Diagnostic::error("blueprint/parameter", message);
                self.faults.push(diagnostic.path(field));
                Val::Null
            }
            (Val::Optional(Some(inner)), _) => self.fitting(declared, (*inner).clone(), field),
            (value, _) => self.fitting(declared, value, field),
        };
        let value = match value {
            value @ Val::Optional(_) => value,
            value if optional => Val::Optional(Some(value.into())),
            value => value,
        };
        match missed {
            Some(missed) => Binding::Without(value, missed),
            None => Binding::Val(value),
        }
    }

    fn fitting(&mut self, declared: &Declared, value: Val<'m>, field: &str) -> Val<'m> {
        if let Some(why) = declared.misfit_val(&value) {
            let diagnostic = Diagnostic::error("blueprint/parameter", why);
            self.faults.push(diagnostic.path(field));
        }
        value
    }

    /// The outputs of a use as a map, and the first thing one of them did without.
    fn outputs(
        &mut self,
        at: usize,
        child: &Frame<'m>,
        frame: &mut Frame<'m>,
    ) -> (Val<'m>, Option<Pending>) {
        let one = &frame.body.uses[at];
        let module = &self.plan.modules[one.module];
        let root = one.variable.as_str();
        let mut without = None;
        let mut outputs = Vec::with_capacity(module.outputs.len());
        for output in &module.outputs {
            if !frame.body.reads.contains(root) {
                break;
            }
            let mut filler = Filler::new(child, &child.bindings, &mut self.fuel);
            let value = filler.value(&output.value);
            let Filler {
                waits,
                missed,
                faults,
                ..
            } = filler;
            self.faults.extend(faults);
            without = without.or(missed.into_iter().next());
            match value {
                Some(Val::Optional(None)) => {}
                Some(value) => outputs.push((output.name.clone(), value)),
                None => {
                    let cause = waits.into_iter().next();
                    frame
                        .causes
                        .extend(cause.map(|cause| (root, output.name.as_str(), cause)));
                    outputs.push((output.name.clone(), Val::absent(root)));
                }
            }
        }
        (Val::map(outputs), without)
    }
}
