//! Which conditions does the composite get?

use purlin_diag::Diagnostic;
use purlin_expr::Val;
use purlin_function::{RequestView as _, Status, condition};
use purlin_object::{ObjectRef, ValueRef};

use crate::compile::is_word;
use crate::fill::Filler;
use crate::frame::Frame;
use crate::plan::ConditionPlan;
use crate::run::{Run, target, warnings};

/// Longest message of a condition.
const LONGEST: usize = 32_768;

/// Sets the conditions. One that cannot be told stays what it was, or is `Unknown` when there is none yet.
pub(crate) fn set<'m>(frame: &Frame<'m>, run: &mut Run<'m>) {
    let plan = run.plan;
    for (at, one) in plan.conditions.iter().enumerate() {
        let field = format!("conditions[{at}]");
        let mut filler = Filler::new(frame, &frame.bindings, &mut run.fuel);
        let told = tell(one, &field, &mut filler);
        let waits = filler.waits.first().map(|pending| pending.path.clone());
        let failed = !filler.faults.is_empty();
        // A condition that fails is no reason to stop everything.
        run.found.extend(warnings(filler.faults));
        let told = told.or_else(|| kept(run.request.observed_composite(), &one.kind));
        let told = told.unwrap_or_else(|| Told {
            status: Status::ConditionUnknown,
            reason: if failed { "Failed" } else { "Waiting" }.to_owned(),
            message: waits.map(|path| format!("waits for {path}")),
        });
        let mut made = condition(one.kind.as_str(), told.status, told.reason);
        made.message = told.message;
        made.target = Some(target(one.target).into());
        run.response.condition(made);
    }
}

struct Told {
    status: Status,
    reason: String,
    message: Option<String>,
}

fn tell<'m>(one: &'m ConditionPlan, field: &str, filler: &mut Filler<'m, 'm, '_>) -> Option<Told> {
    let status = filler.needed(&one.status);
    let reason = one.reason.as_ref();
    let reason = reason.map(|tree| filler.plain(tree, &format!("{field}.reason")));
    let message = one.message.as_ref();
    let message = message.map(|tree| filler.plain(tree, &format!("{field}.message")));
    let status = match status? {
        Val::Bool(true) => Status::ConditionTrue,
        Val::Bool(false) => Status::ConditionFalse,
        Val::String(text) if text.as_str() == "True" => Status::ConditionTrue,
        Val::String(text) if text.as_str() == "False" => Status::ConditionFalse,
        Val::String(text) if text.as_str() == "Unknown" => Status::ConditionUnknown,
        other => {
            let message = format!(
                "this gives {}, and true, false, or one of the texts True, False and Unknown is wanted",
                other.type_name()
            );
            let diagnostic = Diagnostic::error("blueprint/condition", message);
            filler
                .faults
                .push(diagnostic.path(format!("{field}.status")));
            return None;
        }
    };
    let reason = match reason {
        None => match status {
            Status::ConditionTrue => one.kind.clone(),
            Status::ConditionFalse => format!("Not{}", one.kind),
            _ => "Unknown".to_owned(),
        },
        Some(reason) => {
            let reason = reason?;
            if !is_word(&reason) {
                let message = "the reason of a condition is one word of letters and digits";
                let diagnostic = Diagnostic::error("blueprint/condition", message);
                filler
                    .faults
                    .push(diagnostic.path(format!("{field}.reason")));
                return None;
            }
            reason
        }
    };
    let message = match message {
        None => None,
        Some(message) => {
            let message = message?;
            Some(match message.char_indices().nth(LONGEST) {
                Some((at, _)) => message.get(..at).unwrap_or_default().to_owned(),
                None => message,
            })
        }
    };
    Some(Told {
        status,
        reason,
        message,
    })
}

/// The condition as the composite has it.
fn kept(xr: ObjectRef<'_>, kind: &str) -> Option<Told> {
    let conditions = xr.get_path(&["status", "conditions"])?.as_list()?;
    let text = |condition: ObjectRef<'_>, key: &str| {
        let found = condition.get(key).and_then(ValueRef::as_str);
        found.map(str::to_owned)
    };
    let found = conditions
        .iter()
        .filter_map(ValueRef::as_object)
        .find(|condition| condition.get("type").and_then(ValueRef::as_str) == Some(kind))?;
    Some(Told {
        status: match found.get("status").and_then(ValueRef::as_str)? {
            "True" => Status::ConditionTrue,
            "False" => Status::ConditionFalse,
            _ => Status::ConditionUnknown,
        },
        reason: text(found, "reason")?,
        message: text(found, "message"),
    })
}
