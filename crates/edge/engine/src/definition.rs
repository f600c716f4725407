//! Gathers a definition and its CRDs, serves what it defines, and takes it down in order. (spec/engine.md 1.3, 1.4)

use std::sync::Arc;
use std::time::Duration;

use purlin_api::conditions::{self, Condition, ESTABLISHED, OFFERED, Status};
use purlin_api::meta::{self, Gvk, names};
use purlin_api::xrd::Xrd;
use purlin_kube::{Error, Propagation, Retry};
use purlin_lifecycle::event::Event;
use purlin_lifecycle::status::Draft;
use purlin_schema::FieldError;
use serde_json::{Value, json};

use crate::crd::write_crd;
use crate::queue::{Key, Next};
use crate::shared::{Shared, member, next_after, watched};

/// How soon something that gives no event is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// One of the two kinds a definition gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Composite,
    Claim,
}

impl Side {
    fn finalizer(self) -> &'static str {
        match self {
            Self::Composite => names::FINALIZER_DEFINED,
            Self::Claim => names::FINALIZER_OFFERED,
        }
    }

    /// The event reasons of serving and of taking down.
    fn reasons(self) -> (&'static str, &'static str) {
        match self {
            Self::Composite => ("EstablishComposite", "TerminateComposite"),
            Self::Claim => ("OfferClaim", "RedactClaim"),
        }
    }

    /// The condition, and its reasons while serving and while going.
    fn condition(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Composite => (
                ESTABLISHED,
                "WatchingCompositeResource",
                "TerminatingCompositeResource",
            ),
            Self::Claim => (
                OFFERED,
                "WatchingCompositeResourceClaim",
                "TerminatingCompositeResourceClaim",
            ),
        }
    }
}

/// Serves a definition, or takes it down.
pub(crate) async fn reconcile(shared: &Shared, name: &str) -> Next {
    let stores = (
        shared.store(&watched::definitions()).await,
        shared.store(&watched::crds()).await,
    );
    let (Ok(definitions), Ok(_)) = stores else {
        return Next::Failed;
    };
    let Some(definition) = definitions.get("", name) else {
        stop(shared, name);
        return Next::Done;
    };
    let done = if meta::is_deleting(&definition) {
        take_down(shared, &definition).await
    } else {
        serve(shared, &definition).await
    };
    done.unwrap_or_else(|error| next_after(&error))
}

fn stop(shared: &Shared, name: &str) {
    if let Some(claim) = shared
        .kinds
        .remove_claim(name)
        .and_then(|xrd| xrd.claim.clone())
    {
        shared.informers.stop(&claim);
    }
    if let Some(xrd) = shared.kinds.remove_composite(name) {
        shared.informers.stop(&xrd.composite);
    }
}

async fn serve(shared: &Shared, definition: &Value) -> Result<Next, Error> {
    let mut definition = definition.clone();
    let rendered = (
        purlin_schema::composite_crd(&definition),
        purlin_schema::claim_crd(&definition),
    );
    let composite_crd = match rendered.0 {
        Ok(crd) => crd,
        Err(errors) => {
            shared.tell(&definition, [cannot_render("composite", &errors)]);
            return Ok(Next::Done);
        }
    };
    let claim_crd = rendered.1.unwrap_or_else(|errors| {
        shared.tell(&definition, [cannot_render("claim", &errors)]);
        None
    });
    let mut held = definition.clone();
    meta::add_finalizer(&mut held, names::FINALIZER_DEFINED);
    if claim_crd.is_some() {
        meta::add_finalizer(&mut held, names::FINALIZER_OFFERED);
    }
    if held != definition {
        definition = shared.replace(&held, "").await?;
    }
    let Some(xrd) = Xrd::read(&definition).map(Arc::new) else {
        let missing =
            "the definition has no referenceable version; set referenceable: true on exactly one";
        shared.tell(&definition, [Event::warning("EstablishComposite", missing)]);
        return Ok(Next::Done);
    };
    let composite = serve_side(shared, &definition, &xrd, Side::Composite, composite_crd).await?;
    let claim = match claim_crd {
        Some(crd) => Some(serve_side(shared, &definition, &xrd, Side::Claim, crd).await?),
        None => None,
    };
    write_served(shared, &definition, &xrd, (composite, claim)).await?;
    let waits = [Some(composite), claim].contains(&Some(Served::Soon));
    Ok(if waits {
        Next::After(LOOK_AGAIN)
    } else {
        Next::Done
    })
}

/// Says in the definition's status what is served.
async fn write_served(
    shared: &Shared,
    definition: &Value,
    xrd: &Xrd,
    (composite, claim): (Served, Option<Served>),
) -> Result<(), Error> {
    let now = crate::clock::now();
    let mut draft = Draft::of(definition, &now);
    let mut controllers = meta::at(definition, &["status", "controllers"])
        .cloned()
        .unwrap_or_default();
    for (side, served) in [(Side::Composite, Some(composite)), (Side::Claim, claim)] {
        if served != Some(Served::Yes) {
            continue;
        }
        let (condition, serving, _) = side.condition();
        draft.set(Condition::new(condition, Status::True, serving));
        let (field, gvk) = match side {
            Side::Composite => ("compositeResourceType", Some(&xrd.composite)),
            Side::Claim => ("compositeResourceClaimType", xrd.claim.as_ref()),
        };
        if let Some(gvk) = gvk {
            let kind = json!({"apiVersion": gvk.api_version(), "kind": gvk.kind});
            meta::object_mut(&mut controllers, &[]).insert(field.into(), kind);
        }
    }
    if controllers.is_object() {
        draft.insert("controllers", controllers);
    }
    shared.write_status(&draft, definition).await?;
    Ok(())
}

fn cannot_render(what: &str, errors: &[FieldError]) -> Event {
    let all: Vec<String> = errors.iter().map(ToString::to_string).collect();
    let all = all.join("; ");
    Event::warning(
        "RenderCRD",
        format!("cannot render the {what} CustomResourceDefinition: {all}. Correct the definition"),
    )
}

/// Whether a kind is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Served {
    /// It is.
    Yes,
    /// Not yet; an event will tell.
    No,
    /// Not yet; nothing will tell.
    Soon,
}

/// Writes the CRD of one side, and starts reconciling its objects once they are served.
async fn serve_side(
    shared: &Shared,
    definition: &Value,
    xrd: &Arc<Xrd>,
    side: Side,
    crd: Value,
) -> Result<Served, Error> {
    let (reason, _) = side.reasons();
    let crd = match write_crd(shared, definition, crd, reason).await {
        Ok(crd) => crd,
        Err(error) if error.retry() == Retry::Conflict => return Err(error),
        Err(error) => {
            shared.tell(definition, [Event::warning(reason, error.to_string())]);
            return if error.retry() == Retry::Invalid {
                Ok(Served::No)
            } else {
                Err(error)
            };
        }
    };
    let Some(crd) = crd else {
        return Ok(Served::No);
    };
    if !conditions::is_true(&crd, ESTABLISHED) {
        return Ok(Served::No);
    }
    let Some(gvk) = (match side {
        Side::Composite => Some(&xrd.composite),
        Side::Claim => xrd.claim.as_ref(),
    }) else {
        return Ok(Served::No);
    };
    if let Err(error) = shared.client.kind(gvk).await {
        // The version others refer to is not served, or the server has not caught up with its own CRD.
        let served = meta::at(&crd, &["spec", "versions"])
            .and_then(Value::as_array)
            .is_some_and(|all| {
                all.iter().any(|v| {
                    meta::text(v, &["name"]) == gvk.version
                        && v.get("served") == Some(&Value::Bool(true))
                })
            });
        return match error {
            Error::NotServed(_) if served => Ok(Served::Soon),
            Error::NotServed(_) => Ok(Served::No),
            other => Err(other),
        };
    }
    start(shared, definition, xrd, side, gvk);
    Ok(Served::Yes)
}

/// Starts reconciling the objects of one side; a definition that changed starts all of them again.
fn start(shared: &Shared, definition: &Value, xrd: &Arc<Xrd>, side: Side, gvk: &Gvk) {
    let before = match side {
        Side::Composite => shared.kinds.put_composite(xrd),
        Side::Claim => shared.kinds.put_claim(xrd),
    };
    let store = shared.informers.watch(gvk);
    let (condition, serving, _) = side.condition();
    let held = conditions::get(definition, condition);
    let observed = held
        .filter(|c| meta::text(c, &["reason"]) == serving)
        .and_then(|c| c.get("observedGeneration")?.as_i64())
        .unwrap_or_default();
    let changed = observed != 0 && observed != meta::generation(definition);
    if changed && side == Side::Composite {
        let told = format!(
            "The definition changed; composites of {gvk} are reconciled by its new generation"
        );
        shared.tell(definition, [Event::normal("RestartComposite", told)]);
    }
    if before.as_ref() == Some(xrd) && !changed {
        return;
    }
    for object in store.list() {
        let member = member(&xrd.name, &object);
        shared.queue.add(match side {
            Side::Composite => Key::Composite(member),
            Side::Claim => Key::Claim(member),
        });
    }
}

/// Takes down claims first, so that none makes a composite again; then composites; then the definition goes.
async fn take_down(shared: &Shared, definition: &Value) -> Result<Next, Error> {
    let now = crate::clock::now();
    let mut draft = Draft::of(definition, &now);
    for side in [Side::Claim, Side::Composite] {
        if meta::has_finalizer(definition, side.finalizer()) {
            let (condition, _, going) = side.condition();
            draft.set(Condition::new(condition, Status::False, going));
        }
    }
    let written = shared.write_status(&draft, definition).await?;
    let mut definition = written.unwrap_or_else(|| definition.clone());
    for side in [Side::Claim, Side::Composite] {
        if !meta::has_finalizer(&definition, side.finalizer()) {
            continue;
        }
        if let Some(wait) = take_down_side(shared, &definition, side).await? {
            return Ok(wait);
        }
        let mut next = definition.clone();
        meta::remove_finalizer(&mut next, side.finalizer());
        definition = match shared.replace(&next, "").await {
            Ok(written) => written,
            Err(error) if error.retry() == Retry::Gone => return Ok(Next::Done),
            Err(error) => return Err(error),
        };
    }
    stop(shared, meta::name(&definition));
    Ok(Next::Done)
}

/// Takes down one side; answers what is waited for, or nothing when it is gone.
async fn take_down_side(
    shared: &Shared,
    definition: &Value,
    side: Side,
) -> Result<Option<Next>, Error> {
    let xrd = Xrd::read(definition).map(Arc::new);
    let crd_name = match (side, &xrd) {
        (Side::Composite, _) => Some(meta::name(definition).to_owned()),
        (Side::Claim, Some(xrd)) => xrd.claim_crd(),
        (Side::Claim, None) => None,
    };
    let crd = crd_name.and_then(|name| shared.informers.known(&watched::crds())?.get("", &name));
    let ours = crd.filter(|crd| {
        meta::controller(crd).is_some_and(|owner| owner.uid == meta::uid(definition))
    });
    let gvk = xrd.as_ref().and_then(|xrd| match side {
        Side::Composite => Some(xrd.composite.clone()),
        Side::Claim => xrd.claim.clone(),
    });
    let (Some(crd), Some(xrd), Some(gvk)) = (ours, xrd, gvk) else {
        return Ok(None);
    };
    let (_, reason) = side.reasons();
    // A process that just started must be able to let the instances go.
    match side {
        Side::Composite => drop(shared.kinds.put_composite(&xrd)),
        Side::Claim => drop(shared.kinds.put_claim(&xrd)),
    }
    let left = match shared.store(&gvk).await {
        Ok(store) => store.list(),
        Err(Error::NotServed(_)) => Vec::new(),
        Err(error) => return Err(error),
    };
    if !left.is_empty() {
        let told = format!("waiting for {} {} to be deleted", left.len(), gvk.kind);
        shared.tell(definition, [Event::normal(reason, told)]);
        let kind = shared.client.kind(&gvk).await?;
        for object in left.iter().filter(|object| !meta::is_deleting(object)) {
            shared
                .client
                .delete(&kind, object, Propagation::Background)
                .await?;
        }
        // Each one that goes asks for this again.
        return Ok(Some(Next::After(Duration::from_secs(5))));
    }
    // Watches stop before the kind goes, so that none of them breaks.
    match side {
        Side::Composite => drop(shared.kinds.remove_composite(&xrd.name)),
        Side::Claim => drop(shared.kinds.remove_claim(&xrd.name)),
    }
    shared.informers.stop(&gvk);
    if !meta::is_deleting(&crd) {
        let kind = shared.client.kind(&watched::crds()).await?;
        shared
            .client
            .delete(&kind, &crd, Propagation::Background)
            .await?;
        let told = format!("Deleted CustomResourceDefinition: {}", meta::name(&crd));
        shared.tell(definition, [Event::normal(reason, told)]);
    }
    // The CRD's last event asks for this again.
    Ok(Some(Next::After(Duration::from_secs(5))))
}
