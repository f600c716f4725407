//! How much may the answer to one request still take?
//!
//! All expressions of a request share a budget. A run in a hurry has a small one, from which everything else that may grow is
//! paid too, and ends as soon as it is used up. It costs nothing but its time: whoever asked runs the plan again, with all
//! the time it takes.

use purlin_expr::{Bindings, Evaluation, FaultKind, Limits, List, Map, Outcome, Val};

use crate::template::Hole;

/// Steps all expressions of one request may take together.
const BUDGET: u64 = 20_000_000;

/// Steps of a run in a hurry: a millisecond or two, what other functions take for the largest requests that are answered where
/// they are read.
const SHORT: u64 = 32_000;

/// Bytes that an expression may make, and give, in a hurry: these are written out and copied.
const SHORT_BYTES: u64 = 64 << 10;

/// What is left of the steps of a request.
#[derive(Debug)]
pub(crate) struct Fuel {
    left: u64,
    hurry: bool,
    out: bool,
}

impl Fuel {
    /// All the steps a request may take.
    pub(crate) fn new() -> Self {
        Self {
            left: BUDGET,
            hurry: false,
            out: false,
        }
    }

    /// Those of a run in a hurry.
    pub(crate) fn short() -> Self {
        Self {
            left: SHORT,
            hurry: true,
            out: false,
        }
    }

    /// Gives back what was used since `before` was left: it is about to be used again. In a hurry it is used.
    pub(crate) fn give_back(&mut self, before: u64) {
        if !self.hurry {
            self.left = before;
        }
    }

    /// How many steps are left.
    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    /// Whether a run in a hurry takes too long: what it gives means nothing any more.
    pub(crate) fn is_out(&self) -> bool {
        self.out
    }

    /// Work of other kinds than evaluation, which is bounded by itself, counts only for a run in a hurry.
    pub(crate) fn spend(&mut self, steps: usize) {
        if !self.hurry {
            return;
        }
        match self.left.checked_sub(steps as u64) {
            Some(left) => self.left = left,
            None => self.give_up(),
        }
    }

    fn give_up(&mut self) {
        self.left = 0;
        self.out = true;
    }

    /// What is done with a value next takes as long as the value is large: it is copied, written out, or walked over.
    pub(crate) fn spend_on(&mut self, value: &Val<'_>) {
        if !self.hurry {
            return;
        }
        let bytes = match value {
            Val::String(text) => text.as_str().len() / 8,
            Val::Bytes(bytes) => bytes.len() / 8,
            Val::List(List::Owned(_)) | Val::Map(Map::Owned(..)) | Val::Optional(Some(_)) => {
                value.size(SHORT_BYTES)
            }
            // Parts of the request are not copied.
            _ => 0,
        };
        self.spend(1 + bytes / 8);
    }

    /// The same for the elements of something, of whatever kind.
    pub(crate) fn spend_on_all(&mut self, value: &Val<'_>) {
        if self.hurry {
            self.spend(value.size(SHORT_BYTES) / 2);
        }
    }

    pub(crate) fn eval<'a>(&mut self, hole: &'a Hole, bindings: &Bindings<'a>) -> Evaluation<'a> {
        let usual = Limits::default();
        let most = if self.hurry { SHORT_BYTES } else { u64::MAX };
        let limits = Limits {
            fuel: usual.fuel.min(self.left),
            memory: usual.memory.min(most),
            output: usual.output.min(most),
            by_size: self.hurry,
            ..usual
        };
        let mut evaluation = hole.program.evaluate(bindings, limits);
        self.left = self.left.saturating_sub(evaluation.used);
        if let Outcome::Fault(fault) = &mut evaluation.outcome
            && matches!(fault.kind, FaultKind::Fuel | FaultKind::Memory)
        {
            if self.hurry {
                self.give_up();
            } else if fault.kind == FaultKind::Fuel && limits.fuel < usual.fuel {
                fault.message = format!("all expressions together need more than {BUDGET} steps");
            }
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
