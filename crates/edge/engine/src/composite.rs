//! Gathers a composite's world, lets lifecycle decide, performs. (spec/engine.md 3.3)

use std::time::Duration;

use purlin_api::conditions::{self, Condition, VALID_PIPELINE};
use purlin_api::meta::{self, names};
use purlin_api::xrd::Xrd;
use purlin_kube::{Error, Retry, Store};
use purlin_lifecycle::composite::{Prepared, World, prepare};
use purlin_lifecycle::event::{Event, Problem};
use purlin_lifecycle::status::{self, Draft};
use serde_json::{Value, json};

use crate::compose::{self, Around, Failure, Outcome};
use crate::pass::Told;
use crate::queue::{Member, Next};
use crate::shared::{Shared, next_after, watched};

const COMPOSE: &str = "ComposeResources";
/// The condition's message when the API server found something invalid: its own words change from try to try, and
/// each new word would be a new status, a new event, and a new try.
const INVALID: &str = "cannot compose resources: some resources were invalid, check events";

/// Brings a composite to what its Composition says.
pub(crate) async fn reconcile(shared: &Shared, key: &Member) -> Next {
    let Some(xrd) = shared.kinds.composite(&key.xrd) else {
        return Next::Done;
    };
    let stores = (
        shared.store(&xrd.composite).await,
        shared.store(&watched::compositions()).await,
        shared.store(&watched::revisions()).await,
    );
    let (Ok(composites), Ok(compositions), Ok(revisions)) = stores else {
        return Next::Failed;
    };
    let Some(composite) = composites.get(&key.namespace, &key.name) else {
        shared.tracker.forget(key);
        shared.kept.forget(key);
        return Next::Done;
    };
    let now = crate::clock::now();
    if meta::is_paused(&composite) {
        return pause(shared, &composite, &now).await;
    }
    if meta::is_deleting(&composite) {
        return delete(shared, key, &composite, &now).await;
    }
    let prepared = choose(shared, &composite, &xrd, (&compositions, &revisions)).await;
    let around = Around {
        shared,
        key,
        xrd: &xrd,
        now: &now,
    };
    pass(around, &composite, prepared).await
}

/// Chooses Composition and revision. Before it is said that there is none, the API server is asked: a watch may be
/// behind, and a Composition of this moment may not be recorded in a revision yet.
async fn choose(
    shared: &Shared,
    composite: &Value,
    xrd: &Xrd,
    (compositions, revisions): (&Store, &Store),
) -> Prepared {
    let decide = || {
        prepare(World {
            composite,
            xrd,
            compositions: &compositions.list(),
            revisions: &revisions.list(),
        })
    };
    let prepared = decide();
    if prepared.revision.is_ok() {
        return prepared;
    }
    for gvk in [watched::compositions(), watched::revisions()] {
        let listed = match shared.client.kind(&gvk).await {
            Ok(kind) => shared.client.list(&kind, "").await,
            Err(error) => Err(error),
        };
        let Ok(listed) = listed else {
            return prepared;
        };
        listed
            .items
            .iter()
            .for_each(|object| shared.informers.learn(object));
    }
    let chosen = decide();
    let name = xrd
        .reference(&chosen.composite, "compositionRef")
        .to_owned();
    if chosen.revision.is_ok() || compositions.get("", &name).is_none() {
        return chosen;
    }
    match crate::revision::record(shared, &name).await {
        Next::Done => decide(),
        Next::After(_) | Next::Conflict | Next::Failed => chosen,
    }
}

/// Writes what was chosen, and makes a pass with it.
async fn pass(around: Around<'_>, composite: &Value, prepared: Prepared) -> Next {
    let shared = around.shared;
    let written = if prepared.composite == *composite {
        Ok(prepared.composite)
    } else {
        shared.replace(&prepared.composite, "").await
    };
    let composite = match written {
        Ok(written) => written,
        Err(error) => {
            let reason = "InitializeCompositeResource";
            return shared.fail(composite, reason, &error, around.now).await;
        }
    };
    shared.tell(&composite, prepared.events);
    let revision = prepared.revision.and_then(|revision| {
        check(shared, &revision)?;
        Ok(revision)
    });
    match revision {
        Ok(revision) => match compose::compose(around, composite, &revision).await {
            Ok(outcome) => around.succeeded(outcome).await,
            Err(failure) => around.failed(*failure).await,
        },
        Err(problem) => around.stuck(&composite, problem).await,
    }
}

/// Whether the revision's pipeline may run. One that nobody validated yet is validated here, so that nobody waits.
fn check(shared: &Shared, revision: &Value) -> Result<(), Problem> {
    let invalid = |message: &str| {
        let name = meta::name(revision);
        Problem::new(
            COMPOSE,
            format!(
                "selected CompositionRevision {name} does not have a valid function pipeline: {message}"
            ),
        )
    };
    match conditions::get(revision, VALID_PIPELINE) {
        Some(held) if meta::text(held, &["status"]) == "True" => Ok(()),
        Some(held) => Err(invalid(meta::text(held, &["message"]))),
        None => {
            let functions = shared.all(&watched::functions());
            let validity = purlin_lifecycle::revision::validity(revision, &functions);
            if validity.status == conditions::Status::True {
                Ok(())
            } else {
                Err(invalid(&validity.message))
            }
        }
    }
}

async fn pause(shared: &Shared, composite: &Value, now: &str) -> Next {
    let mut draft = Draft::of(composite, now);
    draft.set(Condition::responsive()).set(Condition::paused());
    if draft.on(composite).is_none() {
        return Next::Done;
    }
    let told = "Reconciles are paused by the annotation crossplane.io/paused";
    shared.tell(composite, [Event::normal("ReconciliationPaused", told)]);
    match shared.write_status(&draft, composite).await {
        Ok(_) => Next::Done,
        Err(error) => next_after(&error),
    }
}

/// Lets a composite go. What it composed goes through its owner references. The status is only written when somebody
/// else still holds the composite.
async fn delete(shared: &Shared, key: &Member, composite: &Value, now: &str) -> Next {
    shared.tracker.forget(key);
    let others = meta::finalizers(composite).any(|f| f != names::FINALIZER_COMPOSITE);
    let mut composite = composite.clone();
    if others {
        let mut draft = Draft::of(&composite, now);
        draft
            .set(Condition::responsive())
            .set(Condition::deleting())
            .set(Condition::synced());
        match shared.write_status(&draft, &composite).await {
            Ok(Some(written)) => composite = written,
            Ok(None) => {}
            Err(error) if error.retry() == Retry::Gone => return Next::Done,
            Err(error) => return next_after(&error),
        }
    }
    if !meta::has_finalizer(&composite, names::FINALIZER_COMPOSITE) {
        return Next::Done;
    }
    meta::remove_finalizer(&mut composite, names::FINALIZER_COMPOSITE);
    match shared.replace(&composite, "").await {
        Ok(_) => Next::Done,
        Err(error) if error.retry() == Retry::Gone => Next::Done,
        Err(error) => {
            let next = next_after(&error);
            if next != Next::Conflict {
                shared.tell(
                    &composite,
                    [Event::warning("DeleteCompositeResource", error.to_string())],
                );
            }
            next
        }
    }
}

impl Around<'_> {
    fn draft(&self, composite: &Value) -> Draft<'_> {
        let mut draft = Draft::of(composite, self.now);
        draft.set(Condition::responsive());
        draft
    }

    /// No pass was made: nothing is chosen, or what is chosen cannot run.
    async fn stuck(&self, composite: &Value, problem: Problem) -> Next {
        self.shared.tell(
            composite,
            [Event::warning(problem.reason, problem.message.clone())],
        );
        let mut draft = self.draft(composite);
        draft.set(Condition::failed(problem.message));
        self.write(&draft, composite, Next::Failed).await
    }

    /// A pass failed. Ready stays what it was, and so does everything that is live.
    async fn failed(&self, failure: Failure) -> Next {
        let Failure {
            composite,
            error,
            told,
        } = failure;
        if error.retry == Some(Retry::Conflict) {
            return Next::Conflict;
        }
        let mut draft = self.draft(&composite);
        let message = if error.retry == Some(Retry::Invalid) {
            INVALID.to_owned()
        } else {
            format!("cannot compose resources: {}", error.message)
        };
        draft.set(Condition::failed(message));
        self.tell_all(&composite, &mut draft, &told);
        let seen: Vec<&str> = told
            .conditions
            .iter()
            .map(|c| c.condition.kind.as_str())
            .collect();
        draft.forget_unseen(&seen);
        let full = format!("cannot compose resources: {}", error.message);
        self.shared
            .tell(&composite, [Event::warning(error.reason, full)]);
        self.write(&draft, &composite, Next::Failed).await
    }

    /// A pass was made and applied.
    async fn succeeded(&self, outcome: Outcome) -> Next {
        let Outcome {
            composite,
            composed,
            ready,
            told,
            ttl,
            published,
        } = outcome;
        let mut draft = self.draft(&composite);
        self.tell_all(&composite, &mut draft, &told);
        let unready = status::names(&composed, |c| c.synced && !c.ready);
        if !unready.is_empty() {
            let told = format!(
                "Composed resources are not yet ready: {}",
                status::listed(&unready)
            );
            self.shared.tell(&composite, [Event::normal(COMPOSE, told)]);
        }
        let invalid = status::names(&composed, |c| !c.synced);
        if !invalid.is_empty() {
            let told = format!(
                "Composed resources are not yet valid: {}",
                status::listed(&invalid)
            );
            self.shared.tell(&composite, [Event::normal(COMPOSE, told)]);
        }
        draft
            .set(status::synced(&composed))
            .set(status::ready(&composed, ready));
        if published {
            draft.insert("connectionDetails", json!({"lastPublishedTime": self.now}));
        }
        let token = meta::annotation(&composite, names::ANNOTATION_RECONCILE_REQUESTED);
        if !token.is_empty()
            && token != meta::text(&composite, &["status", "lastHandledReconcileAt"])
        {
            let told = format!("Handled the reconcile request {token}");
            self.shared
                .tell(&composite, [Event::normal("ReconcileRequestHandled", told)]);
            draft.insert("lastHandledReconcileAt", token.into());
        }
        let next = match next_pass(&composite, ttl) {
            Some(wait) => Next::After(wait),
            None => Next::Done,
        };
        let next = if invalid.is_empty() {
            next
        } else {
            Next::Failed
        };
        self.write(&draft, &composite, next).await
    }

    /// Events and conditions of functions, to the composite and where asked to the claim.
    fn tell_all(&self, composite: &Value, draft: &mut Draft<'_>, told: &Told) {
        let for_claim = |claim: bool| claim && self.xrd.is_legacy();
        for custom in &told.conditions {
            draft.set_custom(&custom.condition, for_claim(custom.for_claim));
        }
        let claim = if told.events.iter().any(|e| for_claim(e.for_claim)) {
            self.claim(composite)
        } else {
            None
        };
        for event in &told.events {
            let mut own = event.event.clone();
            own.message = format!("Pipeline step \"{}\": {}", event.step, own.message);
            self.shared.tell(composite, [own]);
            if let (true, Some(claim)) = (for_claim(event.for_claim), &claim) {
                self.shared.tell(claim, [event.event.clone()]);
            }
        }
    }

    fn claim(&self, composite: &Value) -> Option<std::sync::Arc<Value>> {
        let field = |field| meta::text(composite, &["spec", "claimRef", field]);
        let store = self.shared.informers.known(self.xrd.claim.as_ref()?)?;
        store.get(field("namespace"), field("name"))
    }

    async fn write(&self, draft: &Draft<'_>, composite: &Value, next: Next) -> Next {
        match self.shared.write_status(draft, composite).await {
            Ok(_) => next,
            Err(error) if error.retry() == Retry::Gone => Next::Done,
            Err(error) if error.retry() == Retry::Conflict => Next::Conflict,
            Err(error) => {
                tracing::warn!(composite = self.key.name, %error, "cannot write a status");
                Next::Failed
            }
        }
    }
}

/// When a composite is looked at although nothing happened: when its functions' answers grow old, or as often as it
/// asks for.
fn next_pass(composite: &Value, ttl: Option<Duration>) -> Option<Duration> {
    let jitter = |wait: Duration| {
        // Between 90 and 110 percent, so that a thousand composites do not come at once.
        let percent = 90 + u32::try_from(crate::clock::entropy() % 21).unwrap_or_default();
        wait * percent / 100
    };
    let asked = meta::annotation(composite, names::ANNOTATION_POLL_INTERVAL);
    let asked = parse_duration(asked).map(|wait| wait.max(Duration::from_secs(1)));
    ttl.map(jitter).or(asked)
}

/// A Go duration: numbers with units, as in `1h30m` or `1.5s`.
fn parse_duration(text: &str) -> Option<Duration> {
    let mut total = 0.0;
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at_checked(digits)?;
        let letters = tail
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(letters)?;
        let seconds = match unit {
            "ns" => 1e-9,
            "us" | "µs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * seconds;
        rest = tail;
    }
    Duration::try_from_secs_f64(total)
        .ok()
        .filter(|wait| !wait.is_zero())
}

/// What stops a pass.
#[derive(Debug, Clone)]
pub(crate) struct Stop {
    /// The reason of the Warning event.
    pub(crate) reason: &'static str,
    /// What is wrong.
    pub(crate) message: String,
    /// What the API server's answer means, when it was one.
    pub(crate) retry: Option<Retry>,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self {
            reason: COMPOSE,
            message: error.to_string(),
            retry: Some(if error.is_invalid() {
                Retry::Invalid
            } else {
                match error.retry() {
                    Retry::Invalid => Retry::Later,
                    other => other,
                }
            }),
        }
    }
}

impl From<String> for Stop {
    fn from(message: String) -> Self {
        Self {
            reason: COMPOSE,
            message,
            retry: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_writes_them() {
        let ms = |text| parse_duration(text).map(|d| d.as_millis());
        assert_eq!(ms("1h30m"), Some(5_400_000));
        assert_eq!(ms("1.5s"), Some(1500));
        assert_eq!(ms("250ms"), Some(250));
        for bad in ["", "soon", "5", "0s", "-1s", "1 s"] {
            assert_eq!(ms(bad), None, "{bad}");
        }
    }

    #[test]
    fn answers_that_grow_old_are_asked_for_again() {
        let composite =
            json!({"metadata": {"annotations": {"crossplane.io/poll-interval": "10ms"}}});
        assert_eq!(next_pass(&composite, None), Some(Duration::from_secs(1)));
        let wait = next_pass(&composite, Some(Duration::from_secs(100)))
            .unwrap()
            .as_secs();
        assert!((90..=110).contains(&wait), "{wait}");
        assert_eq!(next_pass(&json!({}), None), None);
    }
}
