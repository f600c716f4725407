//! What is a value once its holes are filled, and what if some of them cannot be filled yet?

use std::rc::Rc;

use purlin_diag::{Diagnostic, Diagnostics};
use purlin_expr::{Bindings, Fault, FaultKind, NotData, Outcome, Pending, Val};
use purlin_object::{Fill, Form, List, Payload, Value, ValueRef};

use crate::frame::Frame;
use crate::fuel::Fuel;
use crate::live::cover;
use crate::template::{Hole, Piece, Tree, told};

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
    /// What it fills a hole of a form with, once it did.
    pub(crate) filling: Option<Filling>,
}

/// What a hole of a form is filled with; None leaves the field out.
pub(crate) type Filling = Option<Rc<Payload>>;

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
        self.fuel.spend(1);
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

    /// The same of a tree whose form is at hand: an object. As long as nothing is missing and nothing fails, as nearly always,
    /// it is written in one piece.
    pub(crate) fn fill_form(
        &mut self,
        tree: &'m Tree,
        form: Option<&Form>,
        live: Option<ValueRef<'_>>,
    ) -> Option<Value> {
        let Some(form) = form else {
            return self.fill(tree, live);
        };
        let fuel = self.fuel.left();
        let told = (self.waits.len(), self.missed.len());
        let faults = std::mem::take(&mut self.faults);
        let mut fillings: Vec<Filling> = Vec::with_capacity(form.holes());
        let whole = tree.leaves(&mut |leaf| {
            let filling = self.filling(leaf);
            filling.map(|filling| fillings.push(filling)).is_some()
        });
        self.faults = faults;
        if whole {
            let fills = fillings.iter().map(|filling| match filling {
                Some(payload) => Fill::Value(payload),
                None => Fill::Omit,
            });
            let fills: Vec<Fill<'_>> = fills.collect();
            return Some(Value::Object(form.fill(&fills)));
        }
        self.waits.truncate(told.0);
        self.missed.truncate(told.1);
        self.fuel.give_back(fuel);
        self.fill(tree, live)
    }

    /// What a leaf of a form is filled with; None when something is missing, or wrong.
    fn filling(&mut self, leaf: &'m Tree) -> Option<Filling> {
        self.fuel.spend(1);
        let told = (self.waits.len(), self.missed.len());
        let filling = match leaf {
            Tree::Hole(hole) => {
                if let Some(filling) = hole.slot.and_then(|slot| self.frame.filling(slot)) {
                    self.fuel
                        .spend(1 + filling.as_ref().map_or(0, |payload| payload.len() / 64));
                    return Some(filling);
                }
                let filling = match self.hole(hole)? {
                    Val::Optional(None) => None,
                    Val::String(text) => Some(Payload::of_text(text.as_str())),
                    value => Some(Payload::of(&value.to_data().ok()?)),
                };
                let filling = filling.map(Rc::new);
                if let (Some(slot), true) = (hole.slot, self.missed.len() == told.1) {
                    self.frame.keep_filling(slot, &filling);
                }
                filling
            }
            Tree::Text(pieces) => Some(Rc::new(Payload::of_text(&self.text(pieces)?))),
            other => Some(Rc::new(Payload::of(&self.fill(other, None)?))),
        };
        let whole = (self.waits.len(), self.missed.len()) == told && self.faults.is_empty();
        whole.then_some(filling)
    }

    /// The value of a tree as an expression sees it.
    pub(crate) fn value(&mut self, tree: &'m Tree) -> Option<Val<'a>> {
        self.fuel.spend(1);
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
        let mut text = String::with_capacity(64);
        let mut whole = true;
        for piece in pieces {
            match piece {
                Piece::Text(part) => text.push_str(part),
                Piece::Hole(hole) => {
                    let before = self.missed.len();
                    let value = self.hole(hole);
                    let value = value.and_then(|value| self.present(value, before));
                    match value {
                        Some(Val::String(part)) => text.push_str(part.as_str()),
                        Some(value) => match value.plain() {
                            Ok(part) => text.push_str(&part),
                            Err(why) => {
                                self.no_data(why, hole);
                                whole = false;
                            }
                        },
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
            Outcome::Ok(value) => {
                self.fuel.spend_on(&value);
                (!self.fuel.is_out()).then_some(value)
            }
            Outcome::Pending(pending) => {
                let body = self.frame.body;
                let names = body.resources.len() + body.requires.len() + body.uses.len();
                self.fuel.spend(4 + names / 4 + self.frame.causes.len());
                self.waits.push(self.frame.told(pending));
                None
            }
            Outcome::Fault(fault) => {
                self.fuel.spend(50);
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
            filling: None,
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
