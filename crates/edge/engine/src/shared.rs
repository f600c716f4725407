//! What do all reconciles share, and how do they read and write?

use std::sync::Arc;

use purlin_api::conditions::Condition;
use purlin_api::meta::{self, Gvk, names};
use purlin_kube::{Client, Error, Informers, Retry, Store};
use purlin_lifecycle::event::Event;
use purlin_lifecycle::{settled, status::Draft};
use serde_json::Value;

use crate::events::Recorder;
use crate::functions::Functions;
use crate::kinds::Kinds;
use crate::queue::{Member, Next, Queue};
use crate::tracker::Tracker;

/// The kinds the engine always watches.
pub(crate) mod watched {
    use purlin_api::meta::Gvk;

    pub(crate) fn definitions() -> Gvk {
        Gvk::new(
            "apiextensions.crossplane.io/v1",
            "CompositeResourceDefinition",
        )
    }
    pub(crate) fn compositions() -> Gvk {
        Gvk::new("apiextensions.crossplane.io/v1", "Composition")
    }
    pub(crate) fn revisions() -> Gvk {
        Gvk::new("apiextensions.crossplane.io/v1", "CompositionRevision")
    }
    pub(crate) fn functions() -> Gvk {
        Gvk::new("pkg.crossplane.io/v1", "FunctionRevision")
    }
    pub(crate) fn crds() -> Gvk {
        Gvk::new("apiextensions.k8s.io/v1", "CustomResourceDefinition")
    }
}

/// What all reconciles share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) client: Client,
    pub(crate) informers: Informers,
    pub(crate) queue: Queue,
    pub(crate) kinds: Kinds,
    pub(crate) tracker: Tracker,
    pub(crate) recorder: Recorder,
    pub(crate) functions: Functions,
    pub(crate) applied_crds: crate::crd::AppliedCrds,
    pub(crate) kept: crate::pass::Kept,
}

impl Shared {
    /// The store of a kind, read at least once.
    pub(crate) async fn store(&self, gvk: &Gvk) -> Result<Arc<Store>, Error> {
        self.informers.synced(gvk).await
    }

    /// Everything known of a kind that is always watched; nothing while it is not served.
    pub(crate) fn all(&self, gvk: &Gvk) -> Vec<Arc<Value>> {
        self.informers
            .known(gvk)
            .map(|store| store.list())
            .unwrap_or_default()
    }

    /// Replaces an object, or its status.
    pub(crate) async fn replace(&self, object: &Value, subresource: &str) -> Result<Value, Error> {
        let kind = self.client.kind(&gvk_of(object)?).await?;
        let written = self
            .client
            .replace(&kind, object, names::MANAGER_UPDATE, subresource)
            .await?;
        self.informers.learn(&written);
        Ok(written)
    }

    /// Creates an object.
    pub(crate) async fn create(&self, object: &Value) -> Result<Value, Error> {
        let kind = self.client.kind(&gvk_of(object)?).await?;
        let written = self
            .client
            .create(&kind, object, names::MANAGER_UPDATE)
            .await?;
        self.informers.learn(&written);
        Ok(written)
    }

    /// Applies a patch unless that would change nothing; answers the object as it is then.
    pub(crate) async fn apply(
        &self,
        live: Option<&Value>,
        patch: &Value,
        manager: &str,
        subresource: &str,
    ) -> Result<Option<Value>, Error> {
        if live.is_some_and(|live| settled::is_applied(live, patch, manager, subresource)) {
            return Ok(None);
        }
        let kind = self.client.kind(&gvk_of(patch)?).await?;
        let written = self
            .client
            .apply(&kind, patch, manager, subresource)
            .await?;
        self.informers.learn(&written);
        Ok(Some(written))
    }

    /// Writes a status that changed; answers the object as it is then.
    pub(crate) async fn write_status(
        &self,
        draft: &Draft<'_>,
        object: &Value,
    ) -> Result<Option<Value>, Error> {
        match draft.on(object) {
            Some(next) => self.replace(&next, "status").await.map(Some),
            None => Ok(None),
        }
    }

    /// Tells events about an object.
    pub(crate) fn tell(&self, about: &Value, events: impl IntoIterator<Item = Event>) {
        for event in events {
            self.recorder.tell(about, &event);
        }
    }

    /// Says in status and event that a reconcile failed, and what the next try waits for.
    pub(crate) async fn fail(
        &self,
        object: &Value,
        reason: &str,
        error: &Error,
        now: &str,
    ) -> Next {
        if error.retry() == Retry::Conflict {
            return Next::Conflict;
        }
        self.tell(object, [Event::warning(reason, error.to_string())]);
        let mut draft = Draft::of(object, now);
        draft.set(Condition::failed(error.to_string()));
        match self.write_status(&draft, object).await {
            Err(error) if error.retry() == Retry::Conflict => Next::Conflict,
            Ok(_) | Err(_) => Next::Failed,
        }
    }
}

/// The kind an object says it is.
pub(crate) fn gvk_of(object: &Value) -> Result<Gvk, Error> {
    Gvk::of(object).ok_or_else(|| Error::Malformed {
        verb: "write",
        subject: meta::name(object).to_owned(),
        what: "it has no apiVersion or kind",
    })
}

/// The key of an object a definition defines.
pub(crate) fn member(xrd: &str, object: &Value) -> Member {
    Member {
        xrd: xrd.to_owned(),
        namespace: meta::namespace(object).to_owned(),
        name: meta::name(object).to_owned(),
    }
}

/// What an error means for the next try.
pub(crate) fn next_after(error: &Error) -> Next {
    match error.retry() {
        Retry::Conflict => Next::Conflict,
        Retry::Gone | Retry::Invalid | Retry::Denied | Retry::Later => Next::Failed,
    }
}
