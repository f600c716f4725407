//! Renders the target's claims with what stands there today and with what would.
//!
//! Nothing of a cluster is known here, so the resources are taken to exist: what the first pass wants is fed back as
//! observed, ready, reporting its own fields and an id, until no more resources come. Both sides are treated alike, so
//! what differs between them comes from the two versions and nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use purlin_api::meta::{self, names};
use purlin_diag::{Diagnostics, Sources};
use purlin_function::Functions;
use purlin_git::{Id, Repo};
use purlin_promotion::{ClaimId, Rendered};
use purlin_render::{Failed, Inputs, Show, Text, Texts, render};
use serde_json::{Value, json};

use crate::Result;
use crate::claim::{Apis, Composite};
use crate::error::Error;
use crate::folder::Folder;

/// How long one claim may take on one side.
const TIME: Duration = Duration::from_secs(20);
/// How often newly ready resources may bring forth others.
const ROUNDS: usize = 6;
/// Where the definitions of managed resources may be kept in a repository.
const CRD_FOLDERS: [&str; 2] = ["crds", ".purlin/crds"];

/// The claims of an environment, rendered.
#[derive(Debug, Default)]
pub(crate) struct Previews {
    pub rendered: Vec<Rendered>,
    /// What cannot be read, so that nobody knows what becomes of it.
    pub unreadable: Vec<String>,
    pub findings: Diagnostics,
    pub sources: Sources,
}

/// Renders every claim below `folder` that is of an API of either side.
pub(crate) fn previews(
    repo: &Repo,
    (root, folder): (Id, &str),
    (target, source): (&Folder, &Folder),
    hosted: &Arc<Functions>,
) -> Result<Previews> {
    let mut claims = Folder::read(repo, root, folder)?;
    // Of two claims with one name both are rendered.
    let unreadable = claims.as_warnings_except(&["promotion/duplicate"]);
    let (before, after) = (Apis::new(&target.contents), Apis::new(&source.contents));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| Error::Runtime { source })?;
    let mut rendered = Vec::new();
    for loaded in &claims.contents.objects {
        let object = &loaded.object;
        if !before.has(object) && !after.has(object) {
            continue;
        }
        let side = |apis: &Apis<'_>| runtime.block_on(resources(apis, object, hosted));
        rendered.push(Rendered {
            claim: claim_id(object, format!("{folder}/{}", loaded.file)),
            before: before.has(object).then(|| side(&before)),
            after: side(&after),
        });
    }
    // A function that does not come back must not keep the program from ending.
    runtime.shutdown_background();
    rendered.sort_by(|a, b| a.claim.cmp(&b.claim));
    Ok(Previews {
        rendered,
        unreadable,
        findings: claims.findings,
        sources: claims.sources,
    })
}

/// The definitions of managed resources that a repository keeps, by `group/Kind`.
pub(crate) fn known_crds(repo: &Repo, root: Id) -> Result<BTreeMap<String, Value>> {
    let mut crds = BTreeMap::new();
    for path in CRD_FOLDERS {
        let folder = Folder::read(repo, root, path)?;
        for (_, crd) in folder
            .contents
            .of_kind("apiextensions.k8s.io", "CustomResourceDefinition")
        {
            let group = meta::text(crd, &["spec", "group"]);
            let kind = meta::text(crd, &["spec", "names", "kind"]);
            crds.insert(format!("{group}/{kind}"), crd.clone());
        }
    }
    Ok(crds)
}

fn claim_id(object: &Value, file: String) -> ClaimId {
    let namespace = meta::namespace(object);
    ClaimId {
        file,
        kind: meta::text(object, &["kind"]).to_owned(),
        namespace: (!namespace.is_empty()).then(|| namespace.to_owned()),
        name: meta::name(object).to_owned(),
    }
}

/// What one claim is made of with one version of its API.
async fn resources(
    apis: &Apis<'_>,
    claim: &Value,
    hosted: &Arc<Functions>,
) -> Result<Vec<Value>, Vec<String>> {
    let mut composite = apis.composite(claim)?;
    let mut found: Vec<Value> = Vec::new();
    for _ in 0..ROUNDS {
        let mut next = once(&composite, &found, hosted).await?;
        // The first document is the composite itself; what it reports, the next pass may read.
        let reported = if next.is_empty() {
            Value::Null
        } else {
            next.remove(0)["status"].take()
        };
        let settled = keys(&next) == keys(&found) && composite.object["status"] == reported;
        found = next;
        if settled {
            break;
        }
        composite.object["status"] = reported;
    }
    Ok(found)
}

fn keys(resources: &[Value]) -> Vec<&str> {
    let key = |resource| meta::annotation(resource, names::ANNOTATION_RESOURCE_NAME);
    resources.iter().map(key).collect()
}

/// One pass: the composite, then what it composes.
async fn once(
    composite: &Composite<'_>,
    existing: &[Value],
    hosted: &Arc<Functions>,
) -> Result<Vec<Value>, Vec<String>> {
    let text = |name: &str, object: &Value| Text {
        name: name.to_owned(),
        content: purlin_yaml::to_string(object),
    };
    let texts = Texts {
        xr: text("the composite", &composite.object),
        composition: text("the Composition", &composite.composition),
        modules: Vec::new(),
        xrd: Some(text("the definition", composite.definition)),
        observed: existing
            .iter()
            .map(|object| text("a resource", &as_live(object)))
            .collect(),
        functions: Vec::new(),
        required: Vec::new(),
        schemas: Vec::new(),
        credentials: Vec::new(),
        context: Vec::new(),
    };
    let (inputs, found) = Inputs::read(&texts, &[]);
    let Some(inputs) = inputs else {
        return Err(words(&found));
    };
    match render(&inputs, hosted, TIME, Show::default()).await {
        Ok(rendered) => Ok(rendered.documents),
        Err(Failed::Inputs(found)) => Err(words(&found)),
        Err(Failed::Pass { problems, .. }) => Err(problems),
    }
}

/// The places are inside texts made here, and the help is for those who render files: only the messages are of use.
fn words(found: &Diagnostics) -> Vec<String> {
    found
        .iter()
        .map(|finding| finding.message.clone())
        .collect()
}

/// A wanted resource as it would look once its provider made it: ready, and reporting what it was asked for, by the id
/// it was given.
fn as_live(wanted: &Value) -> Value {
    let mut live = wanted.clone();
    let name = match meta::annotation(wanted, names::ANNOTATION_EXTERNAL_NAME) {
        "" => meta::name(wanted),
        external => external,
    };
    let mut reported = meta::at(wanted, &["spec", "forProvider"])
        .cloned()
        .unwrap_or_else(|| json!({}));
    if let Some(fields) = reported.as_object_mut() {
        fields.entry("id").or_insert_with(|| name.into());
        fields
            .entry("arn")
            .or_insert_with(|| format!("arn:preview:{name}").into());
    }
    let condition = |kind: &str| json!({"type": kind, "status": "True", "reason": "Available", "lastTransitionTime": purlin_render::TRANSITION_TIME});
    let status = meta::object_mut(&mut live, &["status"]);
    status.insert(
        "conditions".to_owned(),
        json!([condition("Ready"), condition("Synced")]),
    );
    status.insert("atProvider".to_owned(), reported);
    live
}
