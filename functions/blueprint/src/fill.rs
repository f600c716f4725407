//! What is a value once its holes are filled, and what if some of them cannot be filled yet?

use purlin_diag::{Diagnostic, Diagnostics};
use purlin_expr::{Bindings, Evaluation, Fault, FaultKind, Limits, NotData, Outcome, Pending, Val};
use purlin_object::{List, Value, ValueRef};

use crate::frame::Frame;
use crate::live::cover;
use crate::template::{Hole, Piece, Tree, told};

/// Steps all expressions of one request may take together.
const BUDGET: u64 = 20_000_000;

/// What is left of the steps of a request.
#[derive(Debug)]
pub(crate) struct Fuel(u64);

impl Fuel {
    pub(crate) fn new() -> Self {
        Self(BUDGET)
    }

    fn eval<'a>(&mut self, hole: &'a Hole, bindings: &Bindings<'a>) -> Evaluation<'a> {
        let usual = Limits::default();
        let limits = Limits {
            fuel: usual.fuel.min(self.0),
            ..usual
        };
        let mut evaluation = hole.program.evaluate(bindings, limits);
        self.0 = self.0.saturating_sub(evaluation.used);
        if let Outcome::Fault(fault) = &mut evaluation.outcome
            && fault.kind == FaultKind::Fuel
            && limits.fuel < usual.fuel
        {
            fault.message = format!("all expressions together need more than {BUDGET} steps");
        }
        // What is not there in a map or list that was made without something may be there with it.
        if let (Outcome::Fault(fault), Some(missed)) = (&evaluation.outcome, &evaluation.missed)
            && matches!(fault.kind, FaultKind::NoSuchKey | FaultKind::OutOfRange)
        {
            evaluation.outcome = Outcome::Pending(missed.clone());
        }
        evaluation
    }
}

/// A failure as a diagnostic about its field.
fn diagnose(fault: &Fault, hole: &Hole) -> Diagnostic {
    if hole.secret {
        // The message may hold a value.
        let message = "this fails, and what it says is not shown because it reads secrets";
        return Diagnostic::error(fault.kind.code(), message).path(hole.field.clone());
    }
    told(&fault.problem(), hole.program.source(), &hole.field)
}

/// What an expression gave, kept while a body runs.
#[derive(Debug, Clone)]
pub(crate) struct Kept<'m> {
    outcome: Outcome<'m>,
    missed: Option<Pending>,
}

/// Fills values for one scope, and collects what is waited for and what fails.
#[derive(Debug)]
pub(crate) struct Filler<'m, 'a, 'f> {
    frame: &'f Frame<'m>,
    bindings: &'f Bindings<'a>,
    fuel: &'f mut Fuel,
    pub(crate) waits: Vec<Pending>,
    /// What was done without because it is not there yet.
    pub(crate) missed: Vec<Pending>,
    pub(crate) faults: Diagnostics,
}

impl<'m: 'a, 'a, 'f> Filler<'m, 'a, 'f> {
    pub(crate) fn new(
        frame: &'f Frame<'m>,
        bindings: &'f Bindings<'a>,
        fuel: &'f mut Fuel,
    ) -> Self {
        Self {
            frame,
            bindings,
            fuel,
            waits: Vec::new(),
            missed: Vec::new(),
            faults: Diagnostics::new(),
        }
    }

    /// The filled value; `None` leaves the field out. What cannot be filled yet keeps what is live at the same place.
    pub(crate) fn fill(&mut self, tree: &'m Tree, live: Option<ValueRef<'_>>) -> Option<Value> {
        let keep = || live.map(ValueRef::to_owned);
        match tree {
            Tree::Fixed(value) => Some(value.clone()),
            Tree::Hole(hole) => {
                let before = self.missed.len();
                match self.hole(hole) {
                    // Left out because something is missing: what is live stays.
                    Some(Val::Optional(None)) if self.missed.len() > before => keep(),
                    Some(Val::Optional(None)) => None,
                    Some(value) => match value.to_data() {
                        Ok(data) if self.missed.len() > before => Some(cover(data, live)),
                        Ok(data) => Some(data),
                        Err(why) => {
                            self.no_data(why, hole);
                            keep()
                        }
                    },
                    None => keep(),
                }
            }
            Tree::Text(pieces) => self.text(pieces).map(Value::String).or_else(keep),
            Tree::Object(fixed, members) => {
                let mut object = fixed.clone();
                for (key, item) in members {
                    let live = live
                        .and_then(ValueRef::as_object)
                        .and_then(|live| live.get(key));
                    if let Some(value) = self.fill(item, live) {
                        object.insert(key.as_str(), value);
                    }
                }
                Some(Value::Object(object))
            }
            Tree::List(items) => {
                let (waits, missed) = (self.waits.len(), self.missed.len());
                let list: List = items
                    .iter()
                    .filter_map(|item| self.fill(item, None))
                    .collect();
                // Elements have no place of their own to be found at, so a list is kept whole or made whole.
                if self.waits.len() > waits {
                    keep()
                } else if self.missed.len() > missed {
                    Some(cover(Value::List(list), live))
                } else {
                    Some(Value::List(list))
                }
            }
        }
    }

    /// The value of a tree as an expression sees it.
    pub(crate) fn value(&mut self, tree: &'m Tree) -> Option<Val<'a>> {
        Some(match tree {
            Tree::Fixed(value) => Val::from_data(value.as_ref()),
            Tree::Hole(hole) => return self.hole(hole),
            Tree::Text(pieces) => Val::text(self.text(pieces)?),
            Tree::Object(fixed, members) => {
                let mut entries = Vec::with_capacity(fixed.len() + members.len());
                for (key, value) in fixed {
                    entries.push((key.to_owned(), Val::from_data(value)));
                }
                for (key, item) in members {
                    match self.value(item)? {
                        Val::Optional(None) => {}
                        value => entries.push((key.clone(), value)),
                    }
                }
                Val::map(entries)
            }
            Tree::List(items) => {
                let mut list = Vec::with_capacity(items.len());
                for item in items {
                    match self.value(item)? {
                        Val::Optional(None) => {}
                        value => list.push(value),
                    }
                }
                Val::list(list)
            }
        })
    }

    /// The value of a tree where something has to be: nothing because of missing data is waited for.
    pub(crate) fn needed(&mut self, tree: &'m Tree) -> Option<Val<'a>> {
        let before = self.missed.len();
        let value = self.value(tree)?;
        self.present(value, before)
    }

    /// `before` is how much was missed before the value was made.
    fn present(&mut self, value: Val<'a>, before: usize) -> Option<Val<'a>> {
        match (value, self.missed.get(before)) {
            (Val::Optional(Some(inner)), _) => Some((*inner).clone()),
            (Val::Optional(None), Some(missed)) => {
                self.waits.push(self.frame.told(missed.clone()));
                None
            }
            (value, _) => Some(value),
        }
    }

    /// A tree that is true or false. `field` is where it stands.
    pub(crate) fn truth(&mut self, tree: &'m Tree, field: &str) -> Option<bool> {
        let value = self.needed(tree)?;
        let truth = value.as_bool();
        if truth.is_none() {
            let message = format!(
                "this gives {}, and true or false is wanted",
                value.type_name()
            );
            self.faults
                .push(Diagnostic::error("expr/types", message).path(field));
        }
        truth
    }

    /// A tree that is a text.
    pub(crate) fn plain(&mut self, tree: &'m Tree, field: &str) -> Option<String> {
        let value = self.needed(tree)?;
        match value.plain() {
            Ok(text) => Some(text),
            Err(NotData::Waits(root)) => {
                let pending = Pending {
                    path: root.clone(),
                    root,
                };
                self.waits.push(self.frame.told(pending));
                None
            }
            Err(NotData::Form(why)) => {
                self.faults
                    .push(Diagnostic::error("expr/types", why).path(field));
                None
            }
        }
    }

    fn text(&mut self, pieces: &'m [Piece]) -> Option<String> {
        let mut text = String::new();
        let mut whole = true;
        for piece in pieces {
            match piece {
                Piece::Text(part) => text.push_str(part),
                Piece::Hole(hole) => {
                    let before = self.missed.len();
                    let value = self.hole(hole);
                    let value = value.and_then(|value| self.present(value, before));
                    match value.map(|value| value.plain()) {
                        Some(Ok(part)) => text.push_str(&part),
                        Some(Err(why)) => {
                            self.no_data(why, hole);
                            whole = false;
                        }
                        None => whole = false,
                    }
                }
            }
        }
        whole.then_some(text)
    }

    fn hole(&mut self, hole: &'m Hole) -> Option<Val<'a>> {
        let (outcome, missed) = if let Some(slot) = hole.slot {
            let kept = self.kept(slot, hole);
            (kept.outcome, kept.missed)
        } else {
            let evaluation = self.fuel.eval(hole, self.bindings);
            (evaluation.outcome, evaluation.missed)
        };
        self.missed.extend(missed);
        match outcome {
            Outcome::Ok(value) => Some(value),
            Outcome::Pending(pending) => {
                self.waits.push(self.frame.told(pending));
                None
            }
            Outcome::Fault(fault) => {
                self.faults.push(diagnose(&fault, hole));
                None
            }
        }
    }

    /// What is the same everywhere in a body is computed once.
    fn kept(&mut self, slot: usize, hole: &'m Hole) -> Kept<'m> {
        if let Some(Some(kept)) = self.frame.kept.borrow().get(slot) {
            return kept.clone();
        }
        let evaluation = self.fuel.eval(hole, &self.frame.bindings);
        let kept = Kept {
            outcome: evaluation.outcome,
            missed: evaluation.missed,
        };
        if let Some(place) = self.frame.kept.borrow_mut().get_mut(slot) {
            *place = Some(kept.clone());
        }
        kept
    }

    fn no_data(&mut self, why: NotData, hole: &Hole) {
        match why {
            NotData::Waits(root) => {
                let pending = Pending {
                    path: root.clone(),
                    root,
                };
                self.waits.push(self.frame.told(pending));
            }
            NotData::Form(why) => {
                let source = hole.program.source();
                let fault = Fault {
                    kind: FaultKind::Types,
                    message: why,
                    help: None,
                    start: 0,
                    end: source.len(),
                };
                self.faults.push(diagnose(&fault, hole));
            }
        }
    }
}
