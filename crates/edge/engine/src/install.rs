//! Puts in place what the engine needs: the definitions of its own kinds, and its namespace.

use purlin_api::conditions;
use purlin_api::meta::{self, Gvk, names};
use purlin_kube::{Client, Error};
use serde_json::json;
use tokio::time::{Duration, sleep};

use crate::shared::watched;

/// How often it is looked whether a definition is served.
const LOOK: Duration = Duration::from_millis(50);
/// How many times.
const LOOKS: usize = 400;

/// Applies the CRDs of the engine's own kinds, and waits until they are served.
///
/// # Errors
/// When the API server refuses one, or does not serve it in time.
pub async fn install_crds(client: &Client) -> Result<(), Error> {
    let kind = client.kind(&watched::crds()).await?;
    let crds = purlin_api::crds();
    for crd in &crds {
        client.apply(&kind, crd, names::MANAGER_UPDATE, "").await?;
    }
    for crd in &crds {
        let mut looks = 0;
        loop {
            let held = client.get(&kind, "", meta::name(crd)).await?;
            if held.is_some_and(|held| conditions::is_true(&held, conditions::ESTABLISHED)) {
                break;
            }
            looks += 1;
            if looks > LOOKS {
                return Err(Error::Timeout {
                    verb: "establish",
                    subject: meta::name(crd).to_owned(),
                    seconds: 20,
                });
            }
            sleep(LOOK).await;
        }
        client.forget_group(meta::text(crd, &["spec", "group"]));
    }
    Ok(())
}

/// Makes a namespace that is not there.
///
/// # Errors
/// When the API server refuses.
pub async fn ensure_namespace(client: &Client, name: &str) -> Result<(), Error> {
    let kind = client.kind(&Gvk::new("v1", "Namespace")).await?;
    if client.get(&kind, "", name).await?.is_some() {
        return Ok(());
    }
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    match client
        .create(&kind, &namespace, names::MANAGER_UPDATE)
        .await
    {
        Ok(_) => Ok(()),
        Err(error) if error.retry() == purlin_kube::Retry::Conflict => Ok(()),
        Err(error) => Err(error),
    }
}
