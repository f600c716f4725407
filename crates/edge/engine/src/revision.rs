//! Gathers a Composition's revisions, lets lifecycle decide, performs.

use std::sync::Arc;

use purlin_api::conditions;
use purlin_api::conditions::{Condition, VALID_PIPELINE};
use purlin_api::meta::{self, names};
use purlin_lifecycle::event::Event;
use purlin_lifecycle::revision::{self, Write};
use purlin_lifecycle::status::Draft;
use serde_json::Value;

use crate::queue::Next;
use crate::shared::{Shared, next_after, watched};

/// Records a Composition in a revision.
pub(crate) async fn record(shared: &Shared, name: &str) -> Next {
    let stores = (
        shared.store(&watched::compositions()).await,
        shared.store(&watched::revisions()).await,
    );
    let (Ok(compositions), Ok(revisions)) = stores else {
        return Next::Failed;
    };
    let Some(composition) = compositions.get("", name) else {
        return Next::Done;
    };
    if meta::is_deleting(&composition) {
        return Next::Done;
    }
    let labelled: Vec<Arc<Value>> = revisions
        .list()
        .into_iter()
        .filter(|r| meta::label(r, names::LABEL_COMPOSITION_NAME) == name)
        .collect();
    let writes = match revision::plan(&composition, &labelled) {
        Ok(writes) => writes,
        Err(message) => {
            shared.tell(&composition, [Event::warning("CreateRevision", message)]);
            return Next::Failed;
        }
    };
    for write in writes {
        let (done, reason) = match write {
            Write::Create(object) => (shared.create(&object).await, "CreateRevision"),
            Write::Update(object) => (shared.replace(&object, "").await, "UpdateRevision"),
        };
        match done {
            Ok(written) if reason == "CreateRevision" => {
                let told = format!("Created revision {}", meta::name(&written));
                shared.tell(&composition, [Event::normal(reason, told)]);
            }
            Ok(_) => {}
            Err(error) => {
                let next = next_after(&error);
                if next != Next::Conflict {
                    shared.tell(&composition, [Event::warning(reason, error.to_string())]);
                }
                return next;
            }
        }
    }
    Next::Done
}

/// Says whether a revision's pipeline may run.
pub(crate) async fn validate(shared: &Shared, name: &str) -> Next {
    let Ok(revisions) = shared.store(&watched::revisions()).await else {
        return Next::Failed;
    };
    let Some(revision) = revisions.get("", name) else {
        return Next::Done;
    };
    let validity = revision::validity(&revision, &shared.all(&watched::functions()));
    let now = crate::clock::now();
    let mut draft = Draft::of(&revision, &now);
    draft.set(Condition::synced()).set(validity.clone());
    if draft.on(&revision).is_none() {
        return Next::Done;
    }
    let valid = validity.status == conditions::Status::True;
    let held = conditions::is_true(&revision, VALID_PIPELINE);
    let event = if valid {
        Event::normal(
            "CheckCapabilities",
            "Every function of the pipeline may be used in it",
        )
    } else {
        Event::warning("CheckCapabilities", validity.message.clone())
    };
    match shared.write_status(&draft, &revision).await {
        Ok(_) => {
            if valid != held {
                shared.tell(&revision, [event]);
            }
            Next::Done
        }
        Err(error) => next_after(&error),
    }
}
