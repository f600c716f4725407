//! Which of several replicas is the active one? The holder of a Lease; the others wait.

use std::time::Duration;

use purlin_api::meta::{self, Gvk};
use purlin_kube::{Client, Error, Kind, Retry};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// Where the lease is, and how long it lasts.
#[derive(Debug, Clone)]
pub struct LeaseOptions {
    /// The namespace of the lease.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Who holds it: a word no other replica has.
    pub holder: String,
    /// After how long without renewal somebody else may take it.
    pub duration: Duration,
}

/// A lease that is held.
#[derive(Debug)]
pub struct Lease {
    client: Client,
    options: LeaseOptions,
}

impl Lease {
    /// Waits until the lease is held; nothing when `stop` came first.
    ///
    /// # Errors
    /// When the API server does not serve leases.
    pub async fn acquire(
        client: Client,
        options: LeaseOptions,
        stop: &CancellationToken,
    ) -> Result<Option<Self>, Error> {
        client.kind(&gvk()).await?;
        let lease = Self { client, options };
        // What the other holder wrote last, and when this process saw it first: clocks of machines differ.
        let mut seen: Option<(String, Instant)> = None;
        loop {
            match lease.try_acquire(&mut seen).await {
                Ok(true) => return Ok(Some(lease)),
                Ok(false) => {}
                Err(error) if error.retry() == Retry::Denied => return Err(error),
                Err(error) => tracing::warn!(%error, "cannot take the lease"),
            }
            tokio::select! {
                () = stop.cancelled() => return Ok(None),
                () = sleep(lease.options.duration / 6) => {}
            }
        }
    }

    /// Renews the lease until `stop` comes, and then gives it up. Cancels `lost` when the lease cannot be kept.
    pub async fn keep(self, stop: CancellationToken, lost: CancellationToken) {
        let mut renewed = Instant::now();
        loop {
            tokio::select! {
                () = stop.cancelled() => {
                    if let Err(error) = self.write("", false).await {
                        tracing::warn!(%error, "cannot give up the lease");
                    }
                    return;
                }
                () = sleep(self.options.duration / 6) => {}
            }
            match self.write(&self.options.holder, true).await {
                Ok(true) => renewed = Instant::now(),
                Ok(false) => {
                    lost.cancel();
                    return;
                }
                Err(error) => tracing::warn!(%error, "cannot renew the lease"),
            }
            if renewed.elapsed() > self.options.duration * 5 / 6 {
                lost.cancel();
                return;
            }
        }
    }

    async fn try_acquire(&self, seen: &mut Option<(String, Instant)>) -> Result<bool, Error> {
        let kind = self.client.kind(&gvk()).await?;
        let Some(held) = self.get(&kind).await? else {
            let lease = self.lease(&self.options.holder);
            return match self.client.create(&kind, &lease, "purlin").await {
                Ok(_) => Ok(true),
                Err(error) if error.retry() == Retry::Conflict => Ok(false),
                Err(error) => Err(error),
            };
        };
        let holder = meta::text(&held, &["spec", "holderIdentity"]);
        if !holder.is_empty() && holder != self.options.holder {
            let version = meta::resource_version(&held).to_owned();
            let since = match seen {
                Some((last, since)) if *last == version => *since,
                _ => {
                    *seen = Some((version, Instant::now()));
                    return Ok(false);
                }
            };
            if since.elapsed() < self.options.duration {
                return Ok(false);
            }
        }
        self.replace(&kind, held, &self.options.holder).await
    }

    /// Writes a holder into a lease that is ours; answers whether it was.
    async fn write(&self, holder: &str, ours_only: bool) -> Result<bool, Error> {
        let kind = self.client.kind(&gvk()).await?;
        let Some(held) = self.get(&kind).await? else {
            return Ok(false);
        };
        if meta::text(&held, &["spec", "holderIdentity"]) != self.options.holder {
            return Ok(!ours_only);
        }
        self.replace(&kind, held, holder).await
    }

    async fn get(&self, kind: &Kind) -> Result<Option<Value>, Error> {
        self.client
            .get(kind, &self.options.namespace, &self.options.name)
            .await
    }

    async fn replace(&self, kind: &Kind, mut held: Value, holder: &str) -> Result<bool, Error> {
        let spec = self.lease(holder)["spec"].clone();
        meta::object_mut(&mut held, &[]).insert("spec".into(), spec);
        match self.client.replace(kind, &held, "purlin", "").await {
            Ok(_) => Ok(true),
            Err(error) if error.retry() == Retry::Conflict => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn lease(&self, holder: &str) -> Value {
        let now = crate::clock::now_micro();
        let mut spec = json!({"renewTime": now, "leaseDurationSeconds": 1});
        // A lease that nobody holds names no holder; an empty name is not allowed.
        if !holder.is_empty() {
            spec["holderIdentity"] = holder.into();
            spec["leaseDurationSeconds"] = self.options.duration.as_secs().into();
        }
        json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "spec": spec,
            "metadata": {"namespace": self.options.namespace, "name": self.options.name},
        })
    }
}

fn gvk() -> Gvk {
    Gvk::new("coordination.k8s.io/v1", "Lease")
}
