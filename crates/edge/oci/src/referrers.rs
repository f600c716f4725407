//! What refers to a package, as bundles of signatures do?
//!
//! Registries that know of it keep the list themselves. For others whoever puts something there keeps it, at a tag made of the digest.

use bytes::Bytes;
use http::header::{ACCEPT, HeaderValue};
use http::{Method, StatusCode};
use purlin_package::{Descriptor, Digest, Index, RefVersion, Reference, names, referrers_tag};
use serde_json::{Value, json};

use crate::client::{Client, Want};
use crate::error::Error;

impl Client {
    /// What refers to this digest, as bundles of signatures do: the registry's own list, or the one that is kept at a tag where
    /// the registry has none. The list may be cut: it is of what is of `kind`, where the registry can tell.
    pub(crate) async fn referrers(
        &self,
        reference: &Reference,
        digest: &Digest,
        kind: &str,
    ) -> Result<Vec<Descriptor>, Error> {
        let kind = kind.replace('+', "%2B");
        let path = format!("referrers/{digest}?artifactType={kind}");
        let mut ask = self.ask(Method::GET, reference, &path)?;
        let accepted = HeaderValue::from_static(names::OCI_INDEX);
        ask.headers.append(ACCEPT, accepted);
        let answer = self.send(ask, reference, Want::Pull).await?;
        if answer.status == StatusCode::OK {
            let bytes = answer
                .bytes("a list of referrers", self.sender.options.json)
                .await?;
            if let Ok(index) = serde_json::from_slice::<Index>(&bytes) {
                return Ok(index.manifests);
            }
        }
        let tag = RefVersion::Tag(referrers_tag(digest));
        let at = reference.with(tag);
        match self.manifest(&at).await {
            Ok(fetched) => Ok(serde_json::from_slice::<Index>(&fetched.bytes)
                .map(|index| index.manifests)
                .unwrap_or_default()),
            Err(Error::NotFound(_)) => Ok(Vec::new()),
            Err(other) => Err(other),
        }
    }

    /// Puts a manifest of this kind there that refers to a digest, and into the list when the registry keeps none.
    pub(crate) async fn put_referrer(
        &self,
        reference: &Reference,
        subject: &Digest,
        kind: &str,
        manifest: Bytes,
    ) -> Result<(), Error> {
        let mut described = Descriptor::of(names::OCI_MANIFEST, &manifest);
        described.artifact_type = Some(kind.to_owned());
        let at = reference.with(RefVersion::Digest(described.digest.clone()));
        let said = self
            .put_and_hear(&at, names::OCI_MANIFEST, manifest)
            .await?;
        if said.contains_key("oci-subject") {
            return Ok(());
        }
        let at = reference.with(RefVersion::Tag(referrers_tag(subject)));
        let none = || json!({"schemaVersion": 2, "mediaType": names::OCI_INDEX, "manifests": []});
        // As a value: what others wrote about theirs stays.
        let mut index = match self.manifest_wanting(&at, Want::Push).await {
            Ok(fetched) => serde_json::from_slice(&fetched.bytes).unwrap_or_else(|_| none()),
            Err(Error::NotFound(_)) => none(),
            Err(other) => return Err(other),
        };
        let Some(listed) = index.get_mut("manifests").and_then(Value::as_array_mut) else {
            return Err(Error::Refused(format!(
                "{at} holds something else than the list of what refers to the package"
            )));
        };
        if listed
            .iter()
            .any(|one| one["digest"] == described.digest.as_str())
        {
            return Ok(());
        }
        listed.push(serde_json::to_value(&described).expect("our types have text keys only"));
        let index = Bytes::from(index.to_string());
        self.put_manifest(&at, names::OCI_INDEX, index).await?;
        Ok(())
    }
}
