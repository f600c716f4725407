//! What is a value once its holes are filled, and what if some of them cannot be filled yet?

use purlin_diag::{Diagnostic, Diagnostics};
use purlin_expr::{Bindings, Fault, FaultKind, Limits, NotData, Outcome, Pending, Val};
use purlin_object::{List, Object, Value, ValueRef};

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

    pub(crate) fn eval<'a>(&mut self, hole: &'a Hole, bindings: &Bindings<'a>) -> Outcome<'a> {
        let usual = Limits::default();
        let limits = Limits {
            fuel: usual.fuel.min(self.0),
            ..usual
        };
        let (outcome, used) = hole.program.eval_within(bindings, limits);
        self.0 = self.0.saturating_sub(used);
        outcome
    }
}

/// A failure as a diagnostic about its field.
pub(crate) fn diagnose(fault: &Fault, hole: &Hole) -> Diagnostic {
    told(&fault.problem(), hole.program.source(), &hole.field)
}

/// Fills values for one scope, and collects what is waited for and what fails.
#[derive(Debug)]
pub(crate) struct Filler<'a, 'f> {
    pub(crate) bindings: &'f Bindings<'a>,
    pub(crate) fuel: &'f mut Fuel,
    pub(crate) waits: Vec<Pending>,
    pub(crate) faults: Diagnostics,
}

impl<'a, 'f> Filler<'a, 'f> {
    pub(crate) fn new(bindings: &'f Bindings<'a>, fuel: &'f mut Fuel) -> Self {
        Self {
            bindings,
            fuel,
            waits: Vec::new(),
            faults: Diagnostics::new(),
        }
    }

    /// The filled value; `None` leaves the field out. What cannot be filled yet keeps what is live at the same place.
    pub(crate) fn fill(&mut self, tree: &'a Tree, live: Option<ValueRef<'_>>) -> Option<Value> {
        let keep = || live.map(ValueRef::to_owned);
        match tree {
            Tree::Fixed(value) => Some(value.clone()),
            Tree::Hole(hole) => match self.hole(hole) {
                Some(Val::Optional(None)) => None,
                Some(value) => match value.to_data() {
                    Ok(data) => Some(data),
                    Err(why) => {
                        self.no_data(why, hole);
                        keep()
                    }
                },
                None => keep(),
            },
            Tree::Text(pieces) => self.text(pieces).map(Value::String).or_else(keep),
            Tree::Object(members) => {
                let mut object = Object::new();
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
                let before = self.waits.len();
                let list: List = items
                    .iter()
                    .filter_map(|item| self.fill(item, None))
                    .collect();
                // Elements have no place of their own to be found at, so a list is kept whole or made whole.
                if self.waits.len() > before {
                    keep()
                } else {
                    Some(Value::List(list))
                }
            }
        }
    }

    /// The value of a tree as an expression sees it.
    pub(crate) fn value(&mut self, tree: &'a Tree) -> Option<Val<'a>> {
        Some(match tree {
            Tree::Fixed(value) => Val::from_data(value.as_ref()),
            Tree::Hole(hole) => return self.hole(hole),
            Tree::Text(pieces) => Val::text(self.text(pieces)?),
            Tree::Object(members) => {
                let mut entries = Vec::with_capacity(members.len());
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

    /// A tree that is true or false. `field` is where it stands.
    pub(crate) fn truth(&mut self, tree: &'a Tree, field: &str) -> Option<bool> {
        let value = self.value(tree)?;
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
    pub(crate) fn plain(&mut self, tree: &'a Tree, field: &str) -> Option<String> {
        let value = self.value(tree)?;
        match value.plain() {
            Ok(text) => Some(text),
            Err(NotData::Waits(root)) => {
                self.waits.push(Pending {
                    path: root.clone(),
                    root,
                });
                None
            }
            Err(NotData::Form(why)) => {
                self.faults
                    .push(Diagnostic::error("expr/types", why).path(field));
                None
            }
        }
    }

    fn text(&mut self, pieces: &'a [Piece]) -> Option<String> {
        let mut text = String::new();
        let mut whole = true;
        for piece in pieces {
            match piece {
                Piece::Text(part) => text.push_str(part),
                Piece::Hole(hole) => match self.hole(hole).map(|value| value.plain()) {
                    Some(Ok(part)) => text.push_str(&part),
                    Some(Err(why)) => {
                        self.no_data(why, hole);
                        whole = false;
                    }
                    None => whole = false,
                },
            }
        }
        whole.then_some(text)
    }

    fn hole(&mut self, hole: &'a Hole) -> Option<Val<'a>> {
        match self.fuel.eval(hole, self.bindings) {
            Outcome::Ok(value) => Some(value),
            Outcome::Pending(pending) => {
                self.waits.push(pending);
                None
            }
            Outcome::Fault(fault) => {
                self.faults.push(diagnose(&fault, hole));
                None
            }
        }
    }

    fn no_data(&mut self, why: NotData, hole: &Hole) {
        match why {
            NotData::Waits(root) => self.waits.push(Pending {
                path: root.clone(),
                root,
            }),
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
