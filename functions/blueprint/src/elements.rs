//! Which elements are there of something, and which of them are wanted?

use std::collections::BTreeMap;

use purlin_diag::{Diagnostic, Diagnostics};
use purlin_expr::{Bindings, Pending};

use crate::bind::Binder;
use crate::fill::Filler;
use crate::frame::{Frame, Gate};
use crate::instance::{self, Element};
use crate::plan::Each;

/// The elements of a `forEach`.
pub(crate) enum Elements<'m> {
    /// They are known; there may be more as long as that is missing.
    Known(Vec<Option<Element<'m>>>, Option<Pending>),
    /// They are not known yet.
    Waits(Vec<Pending>),
    /// The list is wrong; that is told already.
    Wrong,
}

impl<'m> Binder<'m> {
    /// The elements of something; one without variables when there is just one.
    pub(crate) fn elements(&mut self, each: &'m Each, frame: &Frame<'m>) -> Elements<'m> {
        if !each.many() {
            return Elements::Known(vec![None], None);
        }
        let mut lists = Vec::with_capacity(each.variables.len());
        let mut all_waits = Vec::new();
        let mut unsure = None;
        let mut wrong = false;
        for (variable, tree) in &each.variables {
            let field = format!("{}.forEach.{variable}", each.field);
            let mut filler = Filler::new(frame, &frame.bindings, &mut self.fuel);
            let list = filler.needed(tree);
            let Filler {
                waits,
                missed,
                faults,
                ..
            } = filler;
            wrong |= faults.has_errors();
            self.faults.extend(faults);
            unsure = unsure.or(missed.into_iter().next());
            if let Some(list) = &list {
                self.fuel.spend_on_all(list);
            }
            if self.fuel.is_out() {
                return Elements::Wrong;
            }
            match list.map(|list| instance::items(&list, &field)) {
                Some(Ok(items)) => lists.push(items),
                Some(Err(diagnostic)) => {
                    self.faults.push(*diagnostic);
                    wrong = true;
                }
                None => all_waits.extend(waits),
            }
        }
        if wrong {
            return Elements::Wrong;
        }
        if lists.len() < each.variables.len() {
            return Elements::Waits(all_waits);
        }
        let elements = match instance::product(&lists, &format!("{}.forEach", each.field)) {
            Ok(elements) => elements,
            Err(diagnostic) => {
                self.faults.push(*diagnostic);
                return Elements::Wrong;
            }
        };
        self.fuel.spend(8 * elements.len() * each.variables.len());
        self.keyed(each, elements, unsure, frame)
    }

    /// Elements by their `key`.
    fn keyed(
        &mut self,
        each: &'m Each,
        mut elements: Vec<Element<'m>>,
        unsure: Option<Pending>,
        frame: &Frame<'m>,
    ) -> Elements<'m> {
        let unsure = unsure.map(|pending| frame.told(pending));
        let Some(tree) = &each.key else {
            return Elements::Known(elements.into_iter().map(Some).collect(), unsure);
        };
        let field = format!("{}.key", each.field);
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for (at, element) in elements.iter_mut().enumerate() {
            let bindings = inside(each, element, frame);
            let mut filler = Filler::new(frame, &bindings, &mut self.fuel);
            let key = filler.plain(tree, &field);
            let Filler { waits, faults, .. } = filler;
            let wrong = faults.has_errors();
            self.faults.extend(faults);
            let Some(key) = key else {
                return if wrong {
                    Elements::Wrong
                } else {
                    Elements::Waits(waits)
                };
            };
            if let Some(first) = seen.insert(key.clone(), at) {
                let message = format!("the elements {first} and {at} have the same key: {key}");
                let diagnostic = Diagnostic::error("blueprint/for-each", message);
                self.faults.push(diagnostic.path(field));
                return Elements::Wrong;
            }
            element.rename(key);
        }
        elements.sort_by(|a, b| a.keys.cmp(&b.keys));
        Elements::Known(elements.into_iter().map(Some).collect(), unsure)
    }

    /// Whether one is wanted.
    pub(crate) fn gate(
        &mut self,
        each: &'m Each,
        element: Option<&Element<'m>>,
        frame: &Frame<'m>,
    ) -> Gate {
        let Some(when) = &each.when else {
            return Gate::Open;
        };
        let field = format!("{}.when", each.field);
        let (truth, waits, missed, faults) = match element {
            None => truth(
                Filler::new(frame, &frame.bindings, &mut self.fuel),
                when,
                &field,
            ),
            Some(element) => {
                let bindings = inside(each, element, frame);
                truth(Filler::new(frame, &bindings, &mut self.fuel), when, &field)
            }
        };
        let wrong = faults.has_errors();
        self.faults.extend(faults);
        match (truth, missed.into_iter().next()) {
            (Some(true), _) => Gate::Open,
            (Some(false), None) => Gate::Shut,
            (Some(false), Some(missed)) => Gate::Unsure(frame.told(missed)),
            (None, _) if wrong => Gate::Wrong,
            (None, _) => Gate::Waits(waits),
        }
    }
}

type Truth = (Option<bool>, Vec<Pending>, Vec<Pending>, Diagnostics);

fn truth<'m: 'a, 'a>(
    mut filler: Filler<'m, 'a, '_>,
    tree: &'m crate::template::Tree,
    field: &str,
) -> Truth {
    let truth = filler.truth(tree, field);
    (truth, filler.waits, filler.missed, filler.faults)
}

/// The variables of an element.
pub(crate) fn inside<'b, 'm: 'b>(
    each: &'m Each,
    element: &Element<'m>,
    frame: &'b Frame<'m>,
) -> Bindings<'b> {
    let mut bindings = Bindings::inside(&frame.bindings);
    for ((variable, _), value) in each.variables.iter().zip(&element.values) {
        bindings.val(variable.as_str(), value.clone());
    }
    bindings
}
