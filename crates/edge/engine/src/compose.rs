//! Observes, runs the pipeline, and applies what it says, so that a crash at any point loses nothing. (spec/engine.md 3.4)
//!
//! A reference is recorded before its object is created, and an object is deleted before its reference is dropped.
//! Whatever fails, fails before anything is removed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt as _, stream};
use purlin_api::meta::{self, Gvk, names};
use purlin_api::xrd::Xrd;
use purlin_kube::{Error, Propagation};
use purlin_lifecycle::composed::{self, Rendered, Served};
use purlin_lifecycle::composite as decide;
use purlin_lifecycle::event::Event;
use purlin_lifecycle::status::Composed;
use purlin_lifecycle::{gc, name, secret};
use serde_json::Value;

use crate::composite::Stop;
use crate::pass::{self, Pass, Told};
use crate::queue::Member;
use crate::shared::{Shared, gvk_of};
use crate::tracker::{Dependency, Which};

/// How many of one composite's resources are applied at a time.
const AT_A_TIME: usize = 8;

/// A pass that was made and applied.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) composite: Value,
    pub(crate) composed: Vec<Composed>,
    pub(crate) ready: Option<bool>,
    pub(crate) told: Told,
    pub(crate) ttl: Option<Duration>,
    pub(crate) published: bool,
}

/// A pass that was not made, or not applied to its end.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) composite: Value,
    pub(crate) error: Stop,
    pub(crate) told: Told,
}

/// What is live of what a composite composed.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    /// By the key in the pipeline.
    pub(crate) objects: BTreeMap<String, Arc<Value>>,
    /// Connection details by the key in the pipeline; values in base64.
    pub(crate) connections: BTreeMap<String, BTreeMap<String, String>>,
}

/// What one reconcile of a composite happens around.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Around<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) key: &'a Member,
    pub(crate) xrd: &'a Xrd,
    pub(crate) now: &'a str,
}

/// Makes one pass.
pub(crate) async fn compose(
    around: Around<'_>,
    composite: Value,
    revision: &Value,
) -> Result<Outcome, Box<Failure>> {
    let Around {
        shared,
        key,
        xrd,
        now,
    } = around;
    let mut work = Work {
        shared,
        key,
        xrd,
        composite,
        told: Told::default(),
        now,
    };
    match work.run(revision).await {
        Ok((composed, pass, published)) => Ok(Outcome {
            composite: work.composite,
            composed,
            ready: pass.ready,
            told: work.told,
            ttl: pass.ttl,
            published,
        }),
        Err(error) => Err(Box::new(Failure {
            composite: work.composite,
            error,
            told: work.told,
        })),
    }
}

struct Work<'a> {
    shared: &'a Shared,
    key: &'a Member,
    xrd: &'a Xrd,
    composite: Value,
    told: Told,
    now: &'a str,
}

impl Work<'_> {
    async fn run(&mut self, revision: &Value) -> Result<(Vec<Composed>, Pass, bool), Stop> {
        let observed = self.observe().await?;
        let connection = self.own_connection().await?;
        let input = pass::Input {
            composite: &self.composite,
            connection: &connection,
            observed: &observed,
            revision,
        };
        let mut pass = pass::run(self.shared, self.key, input, &mut self.told).await?;
        let rendered = self.render(&mut pass, &observed).await?;
        self.collect(&rendered, &observed).await?;
        self.track(&rendered, &pass);
        self.record(&rendered).await?;
        let composed = self.apply(rendered, &observed).await?;
        let patch = decide::status_patch(&self.composite, pass.composite.as_ref(), self.now);
        let applied = self
            .shared
            .apply(
                Some(&self.composite),
                &patch,
                names::MANAGER_COMPOSITE,
                "status",
            )
            .await?;
        if let Some(applied) = applied {
            self.composite = applied;
        }
        let published = self.publish(&pass).await?;
        Ok((composed, pass, published))
    }

    /// Reads every referenced object that is there and is ours.
    async fn observe(&self) -> Result<Observed, Stop> {
        let mut observed = Observed::default();
        for reference in self.xrd.resource_refs(&self.composite) {
            let Some(at) = decide::referent(reference, &self.composite, self.xrd) else {
                continue;
            };
            let gvk = Gvk::new(at.api_version, at.kind);
            let Some(object) = self.find(&gvk, at.namespace, at.name).await? else {
                continue;
            };
            let Some(key) = decide::observed_key(&object, &self.composite)? else {
                continue;
            };
            let key = key.to_owned();
            let connection = self.connection_of(&object, at.namespace).await?;
            if !connection.is_empty() {
                observed.connections.insert(key.clone(), connection);
            }
            observed.objects.insert(key, object);
        }
        Ok(observed)
    }

    /// An object from the store, or from the API server when the store does not have it.
    async fn find(
        &self,
        gvk: &Gvk,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Arc<Value>>, Error> {
        let kind = match self.shared.client.kind(gvk).await {
            Ok(kind) => kind,
            // The kind is gone, so its objects are.
            Err(Error::NotServed(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        if kind.namespaced && namespace.is_empty() {
            return Ok(None);
        }
        let store = self.shared.store(gvk).await?;
        if let Some(object) = store.get(namespace, name) {
            return Ok(Some(object));
        }
        let object = self.shared.client.get(&kind, namespace, name).await?;
        Ok(object.map(Arc::new))
    }

    /// The data of the Secret an object writes its connection details to; values in base64.
    async fn connection_of(
        &self,
        object: &Value,
        namespace: &str,
    ) -> Result<BTreeMap<String, String>, Error> {
        let reference = |field| meta::text(object, &["spec", "writeConnectionSecretToRef", field]);
        let namespace = match namespace {
            "" => reference("namespace"),
            own => own,
        };
        self.secret(namespace, reference("name")).await
    }

    /// What the composite's own connection secret holds.
    async fn own_connection(&self) -> Result<BTreeMap<String, String>, Error> {
        match secret::target(&self.composite, self.xrd) {
            Some((namespace, name)) => self.secret(namespace, name).await,
            None => Ok(BTreeMap::new()),
        }
    }

    async fn secret(&self, namespace: &str, name: &str) -> Result<BTreeMap<String, String>, Error> {
        if namespace.is_empty() || name.is_empty() {
            return Ok(BTreeMap::new());
        }
        let kind = self.shared.client.kind(&Gvk::new("v1", "Secret")).await?;
        let secret = self.shared.client.get(&kind, namespace, name).await?;
        Ok(secret.as_ref().map(data_of).unwrap_or_default())
    }

    /// Gives every desired resource its identity, before anything is touched.
    async fn render(
        &mut self,
        pass: &mut Pass,
        observed: &Observed,
    ) -> Result<Vec<Rendered>, Stop> {
        let mut rendered = Vec::new();
        for desired in std::mem::take(&mut pass.desired) {
            let served = match self.shared.client.kind(&gvk_of(&desired.object)?).await {
                Ok(kind) => Served {
                    namespaced: kind.namespaced,
                    status: kind.status,
                },
                // Applying it will say so; what is served is applied nevertheless.
                Err(Error::NotServed(_)) => Served {
                    namespaced: true,
                    status: true,
                },
                Err(error) => return Err(error.into()),
            };
            let live = observed.objects.get(&desired.key).map(Arc::as_ref);
            let done = composed::render(desired, live, &self.composite, self.xrd, served)?;
            if let Some(namespace) = &done.overridden_namespace {
                let told = format!(
                    "Composed resource {:?} asks for namespace {namespace:?}; it is made in the composite's \
                     namespace {:?}",
                    done.key,
                    meta::namespace(&self.composite)
                );
                self.shared.tell(
                    &self.composite,
                    [Event::warning("NamespaceOverridden", told)],
                );
            }
            rendered.push(done);
        }
        Ok(rendered)
    }

    /// Deletes what is live and no longer desired.
    async fn collect(&self, rendered: &[Rendered], observed: &Observed) -> Result<(), Stop> {
        let desired: BTreeSet<&str> = rendered.iter().map(|r| r.key.as_str()).collect();
        for (_, object) in gc::undesired(&observed.objects, &desired, meta::uid(&self.composite))? {
            let untied = match gc::without_labels(&object) {
                Some(next) => match self.shared.replace(&next, "").await {
                    Ok(written) => written,
                    Err(error) if error.retry() == purlin_kube::Retry::Gone => continue,
                    Err(error) => return Err(error.into()),
                },
                None => Value::clone(&object),
            };
            if meta::is_deleting(&untied) {
                continue;
            }
            let kind = self.shared.client.kind(&gvk_of(&untied)?).await?;
            self.shared
                .client
                .delete(&kind, &untied, Propagation::Foreground)
                .await?;
        }
        Ok(())
    }

    /// Remembers what the composite depends on, before its objects exist, so that no event of theirs is missed.
    fn track(&self, rendered: &[Rendered], pass: &Pass) {
        let composed = rendered.iter().filter_map(|r| {
            Some(Dependency {
                gvk: Gvk::of(&r.object)?,
                namespace: Some(meta::namespace(&r.object).to_owned()),
                which: Which::Name(meta::name(&r.object).to_owned()),
            })
        });
        let all = composed.chain(pass.required.iter().cloned()).collect();
        self.shared.tracker.track(self.key, all);
    }

    /// Records the references.
    async fn record(&mut self, rendered: &[Rendered]) -> Result<(), Stop> {
        let references = composed::references(rendered, self.xrd);
        let patch = decide::references_patch(&self.composite, self.xrd, references);
        let applied = self
            .shared
            .apply(Some(&self.composite), &patch, names::MANAGER_COMPOSITE, "")
            .await?;
        if let Some(applied) = applied {
            self.composite = applied;
        }
        Ok(())
    }

    /// Applies every resource, several at a time. One that is refused does not stop the others.
    async fn apply(
        &self,
        rendered: Vec<Rendered>,
        observed: &Observed,
    ) -> Result<Vec<Composed>, Stop> {
        let manager = name::composed_manager(
            meta::name(&self.composite),
            &self.xrd.composite.kind,
            &self.xrd.composite.group,
        );
        let manager = manager.as_str();
        let kinds: BTreeSet<Gvk> = rendered.iter().filter_map(|r| Gvk::of(&r.object)).collect();
        for gvk in &kinds {
            match self.shared.store(gvk).await {
                Ok(_) | Err(Error::NotServed(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let results: Vec<_> = stream::iter(rendered)
            .map(|r| async move {
                let live = observed.objects.get(&r.key).cloned();
                let applied = self.apply_one(live, &r, manager).await;
                (r, applied)
            })
            .buffered(AT_A_TIME)
            .collect()
            .await;
        let mut composed = Vec::new();
        let mut first_error = None;
        for (r, applied) in results {
            let synced = match applied {
                Ok(synced) => synced,
                Err(error) => {
                    let told = format!("cannot apply composed resource {:?}: {error}", r.key);
                    first_error.get_or_insert(Stop {
                        message: told,
                        ..Stop::from(error)
                    });
                    false
                }
            };
            composed.push(Composed {
                name: r.key,
                synced,
                ready: r.ready,
            });
        }
        first_error.map_or(Ok(composed), Err)
    }

    /// Applies one resource; answers whether the API server took it.
    async fn apply_one(
        &self,
        live: Option<Arc<Value>>,
        resource: &Rendered,
        manager: &str,
    ) -> Result<bool, Error> {
        let object = &resource.object;
        let live = live.or_else(|| {
            let store = self.shared.informers.known(&Gvk::of(object)?)?;
            store.get(meta::namespace(object), meta::name(object))
        });
        let foreign = live
            .as_deref()
            .and_then(meta::controller)
            .filter(|owner| owner.uid != meta::uid(&self.composite));
        if let Some(owner) = foreign {
            let told = format!(
                "cannot apply composed resource {:?}: {} {:?} exists and is controlled by {} {:?}; name another one",
                resource.key,
                meta::text(object, &["kind"]),
                meta::name(object),
                owner.kind,
                owner.name
            );
            self.shared
                .tell(&self.composite, [Event::warning("ComposeResources", told)]);
            return Ok(false);
        }
        match self
            .shared
            .apply(live.as_deref(), object, manager, "")
            .await
        {
            Ok(_) => Ok(true),
            Err(error) if error.is_invalid() => {
                let told = format!("cannot apply composed resource {:?}: {error}", resource.key);
                self.shared
                    .tell(&self.composite, [Event::warning("ComposeResources", told)]);
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Writes the composite's connection secret; answers whether it was written.
    async fn publish(&self, pass: &Pass) -> Result<bool, Stop> {
        let Some((namespace, name)) = secret::target(&self.composite, self.xrd) else {
            return Ok(false);
        };
        let kind = self.shared.client.kind(&Gvk::new("v1", "Secret")).await?;
        let existing = self.shared.client.get(&kind, namespace, name).await?;
        let decided = secret::publish(
            &self.composite,
            self.xrd,
            &pass.connection,
            existing.as_ref(),
        );
        let stop = |message: String| Stop {
            reason: "PublishConnectionSecret",
            message,
            retry: None,
        };
        let written = match decided.map_err(stop)? {
            None => return Ok(false),
            Some(secret::Write::Create(object)) => self.shared.create(&object).await,
            Some(secret::Write::Update(object)) => self.shared.replace(&object, "").await,
        };
        written?;
        let told = "Successfully published connection details";
        self.shared.tell(
            &self.composite,
            [Event::normal("PublishConnectionSecret", told)],
        );
        Ok(true)
    }
}

/// A Secret's data; values in base64.
pub(crate) fn data_of(secret: &Value) -> BTreeMap<String, String> {
    secret
        .get("data")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}
