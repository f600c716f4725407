//! Gathers a claim and its composite, lets lifecycle decide, performs. (spec/engine.md 4)

use std::sync::Arc;

use purlin_api::conditions::{self, Condition};
use purlin_api::meta::{self, Gvk, names};
use purlin_api::xrd::Xrd;
use purlin_kube::{Error, Propagation, Store};
use purlin_lifecycle::claim::{Pair, is_foreground};
use purlin_lifecycle::event::Event;
use purlin_lifecycle::secret::{self, Write};
use purlin_lifecycle::status::Draft;
use serde_json::{Value, json};

use crate::queue::{Member, Next};
use crate::shared::{Shared, next_after};

const BIND: &str = "BindCompositeResource";
const DELETE: &str = "DeleteCompositeResource";
const PROPAGATE: &str = "PropagateConnectionSecret";
/// How many random names are tried for a composite.
const NAMES: usize = 10;

/// Brings a claim and its composite together.
pub(crate) async fn reconcile(shared: &Shared, key: &Member) -> Next {
    let Some(xrd) = shared.kinds.claim(&key.xrd) else {
        return Next::Done;
    };
    let Some(gvk) = &xrd.claim else {
        return Next::Done;
    };
    let stores = (shared.store(gvk).await, shared.store(&xrd.composite).await);
    let (Ok(claims), Ok(composites)) = stores else {
        return Next::Failed;
    };
    let Some(claim) = claims.get(&key.namespace, &key.name) else {
        return Next::Done;
    };
    let now = crate::clock::now();
    if meta::is_paused(&claim) {
        return pause(shared, &claim, &now).await;
    }
    let referred = meta::text(&claim, &["spec", "resourceRef", "name"]);
    let composite = composites.get("", referred);
    let pair = Pair {
        claim: &claim,
        composite: composite.as_deref(),
        xrd: &xrd,
    };
    if let Err(problem) = pair.check_bound() {
        if meta::is_deleting(&claim) {
            return finish(shared, &claim, &now).await;
        }
        shared.tell(
            &claim,
            [Event::warning(problem.reason, problem.message.clone())],
        );
        let mut draft = Draft::of(&claim, &now);
        draft.set(Condition::failed(problem.message));
        return match shared.write_status(&draft, &claim).await {
            Ok(_) => Next::Done,
            Err(error) => next_after(&error),
        };
    }
    if meta::is_deleting(&claim) {
        return delete(shared, &claim, composite, &now).await;
    }
    match sync(shared, pair, &composites, &now).await {
        Ok(next) => next,
        Err(error) => {
            let held = claims.get(&key.namespace, &key.name).unwrap_or(claim);
            shared.fail(&held, BIND, &error, &now).await
        }
    }
}

/// Stops at a paused claim, its deletion included.
async fn pause(shared: &Shared, claim: &Value, now: &str) -> Next {
    let mut draft = Draft::of(claim, now);
    draft.set(Condition::paused());
    if draft.on(claim).is_none() {
        return Next::Done;
    }
    let told = "Reconciles are paused by the annotation crossplane.io/paused";
    shared.tell(claim, [Event::normal("ReconciliationPaused", told)]);
    match shared.write_status(&draft, claim).await {
        Ok(_) => Next::Done,
        Err(error) => next_after(&error),
    }
}

async fn delete(shared: &Shared, claim: &Value, composite: Option<Arc<Value>>, now: &str) -> Next {
    let Some(composite) = composite else {
        return finish(shared, claim, now).await;
    };
    let foreground = is_foreground(claim);
    if !meta::is_deleting(&composite) {
        let propagation = if foreground {
            Propagation::Foreground
        } else {
            Propagation::Background
        };
        let kind = match Gvk::of(&composite) {
            Some(gvk) => shared.client.kind(&gvk).await,
            None => return Next::Failed,
        };
        let deleted = match kind {
            Ok(kind) => shared.client.delete(&kind, &composite, propagation).await,
            Err(error) => Err(error),
        };
        match deleted {
            Ok(_) => {
                let told = format!("Deleted composite resource {}", meta::name(&composite));
                shared.tell(claim, [Event::normal(DELETE, told)]);
            }
            Err(error) => return shared.fail(claim, DELETE, &error, now).await,
        }
    }
    if !foreground {
        return finish(shared, claim, now).await;
    }
    // The composite's last event brings this claim back.
    write_deleting(shared, claim, now).await
}

async fn write_deleting(shared: &Shared, claim: &Value, now: &str) -> Next {
    let mut draft = Draft::of(claim, now);
    draft.set(Condition::deleting()).set(Condition::synced());
    match shared.write_status(&draft, claim).await {
        Ok(_) => Next::Done,
        Err(error) => next_after(&error),
    }
}

/// Lets the claim go. Its status is only written when somebody else still holds it.
async fn finish(shared: &Shared, claim: &Value, now: &str) -> Next {
    if meta::has_finalizer(claim, names::FINALIZER_CLAIM) {
        let mut next = claim.clone();
        meta::remove_finalizer(&mut next, names::FINALIZER_CLAIM);
        return match shared.replace(&next, "").await {
            Ok(_) => Next::Done,
            Err(error) if error.retry() == purlin_kube::Retry::Gone => Next::Done,
            Err(error) => next_after(&error),
        };
    }
    if meta::finalizers(claim).next().is_some() {
        return write_deleting(shared, claim, now).await;
    }
    Next::Done
}

async fn sync(
    shared: &Shared,
    pair: Pair<'_>,
    composites: &Store,
    now: &str,
) -> Result<Next, Error> {
    let next_claim = pair.next_claim(&fresh_name(pair.claim, composites));
    // The reference is kept before the composite exists, so that a crash between the two makes no second one.
    let claim = if next_claim == *pair.claim {
        next_claim
    } else {
        shared.replace(&next_claim, "").await?
    };
    let name = meta::text(&claim, &["spec", "resourceRef", "name"]).to_owned();
    let pair = Pair {
        claim: &claim,
        ..pair
    };
    let was_bound = pair.is_bound();
    let patch = pair.composite_patch(&name);
    let applied = shared
        .apply(pair.composite, &patch, names::MANAGER_CLAIM, "")
        .await?;
    let composite = match (&applied, pair.composite) {
        (Some(applied), _) => applied,
        (None, Some(held)) => held,
        (None, None) => return Ok(Next::Failed),
    };
    if !was_bound {
        let told = "Successfully bound composite resource";
        shared.tell(&claim, [Event::normal(BIND, told)]);
    }
    let mut draft = pair.status(composite, now);
    let mut next = Next::Done;
    if conditions::is_true(composite, conditions::READY) {
        match propagate(shared, &claim, composite, pair.xrd).await {
            Ok(published) => {
                draft.set(Condition::available());
                if published {
                    draft.insert("connectionDetails", json!({"lastPublishedTime": now}));
                }
            }
            Err(message) => {
                shared.tell(&claim, [Event::warning(PROPAGATE, message.clone())]);
                draft.set(Condition::failed(message));
                next = Next::Failed;
            }
        }
    }
    shared.write_status(&draft, &claim).await?;
    Ok(next)
}

/// A name for a composite that is not taken, as far as is known.
fn fresh_name(claim: &Value, composites: &Store) -> String {
    let base = format!("{}-", meta::name(claim));
    let mut names =
        (0..NAMES).map(|_| purlin_lifecycle::name::random(&base, crate::clock::entropy()));
    let free = names.find(|name| composites.get("", name).is_none());
    free.unwrap_or_else(|| purlin_lifecycle::name::random(&base, crate::clock::entropy()))
}

/// Copies the connection secret; answers whether it was written.
async fn propagate(
    shared: &Shared,
    claim: &Value,
    composite: &Value,
    xrd: &Xrd,
) -> Result<bool, String> {
    let wanted = meta::text(claim, &["spec", "writeConnectionSecretToRef", "name"]);
    let Some((namespace, name)) = secret::target(composite, xrd).filter(|_| !wanted.is_empty())
    else {
        return Ok(false);
    };
    let say = |error: Error| error.to_string();
    let kind = shared
        .client
        .kind(&Gvk::new("v1", "Secret"))
        .await
        .map_err(say)?;
    let Some(source) = shared
        .client
        .get(&kind, namespace, name)
        .await
        .map_err(say)?
    else {
        return Ok(false);
    };
    let existing = shared
        .client
        .get(&kind, meta::namespace(claim), wanted)
        .await
        .map_err(say)?;
    let written = match secret::propagate(claim, composite, &source, existing.as_ref())? {
        None => return Ok(false),
        Some(Write::Create(object)) => shared.create(&object).await,
        Some(Write::Update(object)) => shared.replace(&object, "").await,
    };
    written.map_err(say)?;
    let told = "Successfully propagated connection details from composite resource";
    shared.tell(claim, [Event::normal(PROPAGATE, told)]);
    Ok(true)
}
