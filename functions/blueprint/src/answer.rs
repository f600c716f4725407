//! What is said about the composite itself: its status, and whether everything is composed.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;
use purlin_diag::Diagnostic;
use purlin_expr::Pending;
use purlin_function::{
    Ready, RequestView as _, RunFunctionRequest, RunFunctionResponse, Status, condition,
};
use purlin_object::Value;

use crate::fill::Filler;
use crate::frame::Frame;
use crate::live::merge;
use crate::run::{COMPOSED, Run, warnings};
use crate::template::Tree;

impl<'m> Run<'m> {
    pub(crate) fn status(&mut self, frame: &Frame<'m>) {
        let Some(tree) = &self.plan.status else {
            return;
        };
        let xr = self.request.observed_composite();
        let mut filler = Filler::new(frame, &frame.bindings, &mut self.fuel);
        let form = self.plan.status_form.as_ref();
        let status = filler.fill_form(tree, form, xr.get("status"));
        // A field that cannot be computed keeps its value, and the rest goes on.
        self.found.extend(warnings(filler.faults));
        match status {
            Some(Value::Object(mut status)) => {
                if let Tree::Hole(_) = tree {
                    // Taken over as a whole, it has brought along what only the caller writes.
                    status.remove("conditions");
                }
                if status.is_empty() {
                    return;
                }
                self.fuel.spend(status.encoded_len() / 16);
                let composite = self.response.composite_object_mut();
                for key in ["apiVersion", "kind"] {
                    if let (None, Some(value)) = (composite.get(key), xr.get(key)) {
                        composite.insert(key, value.to_owned());
                    }
                }
                merge(composite.object_mut("status"), &status);
            }
            None => {}
            Some(other) => {
                let message = format!("status is an object, not {}", other.as_ref().kind());
                self.found
                    .push(Diagnostic::error("blueprint/status", message).path("status"));
            }
        }
    }

    pub(crate) fn finish(mut self) -> RunFunctionResponse {
        self.response.mistakes(&self.found);
        if self.waits.is_empty() {
            self.response
                .condition(condition(COMPOSED, Status::ConditionTrue, "Complete"));
            return self.response.build();
        }
        let message = waiting(&self.waits, self.request);
        self.response.composite_mut().ready = Ready::False.into();
        self.response.normal(message.clone());
        self.response.reason("Waiting");
        let mut composed = condition(COMPOSED, Status::ConditionFalse, "Waiting");
        composed.message = Some(message);
        self.response.condition(composed);
        self.response.build()
    }
}

/// Who waits for what, in words.
fn waiting(waits: &BTreeMap<String, BTreeSet<Pending>>, request: &RunFunctionRequest) -> String {
    const SHOWN: usize = 5;
    let mut parts: Vec<String> = Vec::new();
    for (name, paths) in waits.iter().take(SHOWN) {
        let mut words: Vec<&str> = paths
            .iter()
            .take(SHOWN)
            .map(|one| one.path.as_str())
            .collect();
        if paths.len() > SHOWN {
            words.push("…");
        }
        let kept = if request.observed_resource(name).is_some() {
            " (kept as it is)"
        } else {
            ""
        };
        // What is waited for may be the thing itself: an object of somebody else.
        if words.len() == 1 && words.first() == Some(&name.replace(['-', '.'], "_").as_str()) {
            parts.push(format!("{name} is not there yet"));
        } else {
            parts.push(format!("{name}{kept} waits for {}", words.join(", ")));
        }
    }
    if waits.len() > SHOWN {
        parts.push(format!("and {} more", waits.len() - SHOWN));
    }
    parts.join("; ")
}
