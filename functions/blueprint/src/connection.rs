//! Which connection details does the composite get, and where are they kept?
//!
//! A composite of the first version has them itself. One of the second version (it has `spec.crossplane`) gets a composed
//! secret, as function-patch-and-transform makes it: the same name among the composed resources, the same type, and the same
//! order of who says where it is.

use std::collections::BTreeMap;

use bytes::Bytes;
use purlin_diag::Diagnostic;
use purlin_expr::{NotData, Val};
use purlin_function::{Ready, RequestView as _};
use purlin_object::{Object, ObjectRef, ValueRef};

use crate::encoding::{base64, from_base64};
use crate::fill::Filler;
use crate::frame::Frame;
use crate::run::{Run, detail};

/// The type of a secret with connection details.
const TYPE: &str = "connection.crossplane.io/v1alpha1";

/// Sets the connection details. One that is not there yet stays what it was.
pub(crate) fn compose<'m>(frame: &Frame<'m>, run: &mut Run<'m>) {
    let (plan, request) = (run.plan, run.request);
    if plan.connection.is_empty() {
        return;
    }
    let xr = request.observed_composite();
    let second = xr.get_path(&["spec", "crossplane"]).is_some();
    let resource = format!("{}-connection-secret", text(xr, &["metadata", "name"]));
    let live = request.observed_resource(&resource).filter(|_| second);
    let mut details: BTreeMap<&str, Bytes> = BTreeMap::new();
    for (key, tree) in &plan.connection {
        let field = detail(key);
        let mut filler = Filler::new(frame, &frame.bindings, &mut run.fuel);
        let value = match filler.value(tree) {
            Some(Val::Bytes(bytes)) => Some(Bytes::copy_from_slice(&bytes)),
            None | Some(Val::Optional(None)) => None,
            Some(value) => match value.plain() {
                Ok(text) => Some(text.into()),
                Err(NotData::Form(_)) => filler.plain(tree, &field).map(Bytes::from),
                Err(NotData::Waits(root)) => {
                    filler.waits.push(crate::bind::unknown(&root));
                    None
                }
            },
        };
        let missing = !filler.waits.is_empty() || !filler.missed.is_empty();
        run.found.extend(filler.faults);
        let kept = || {
            let own = request.observed_composite_connection().get(key).cloned();
            own.or_else(|| {
                let data = live?.get_path(&["data", key])?.as_str()?;
                from_base64(data).map(Bytes::from)
            })
        };
        if let Some(value) = value.or_else(|| missing.then(kept).flatten()) {
            details.insert(key, value);
        }
    }
    for (key, value) in &details {
        run.response.set_connection(*key, value.clone());
    }
    if second && !details.is_empty() {
        secret(frame, run, &resource, live, &details);
    }
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm per who says where the secret is"
)]
fn secret<'m>(
    frame: &Frame<'m>,
    run: &mut Run<'m>,
    resource: &str,
    live: Option<ObjectRef<'_>>,
    details: &BTreeMap<&str, Bytes>,
) {
    let xr = run.request.observed_composite();
    let mut filler = Filler::new(frame, &frame.bindings, &mut run.fuel);
    let mut part = |tree: &'m Option<crate::template::Tree>, name: &str| {
        let tree = tree.as_ref()?;
        filler.plain(tree, &format!("connectionSecret.{name}"))
    };
    let given = (
        part(&run.plan.secret.name, "name"),
        part(&run.plan.secret.namespace, "namespace"),
    );
    let waits = filler.waits;
    run.found.extend(filler.faults);
    let asked = xr.get_path(&["spec", "writeConnectionSecretToRef"]);
    let (name, namespace) = match (asked, given) {
        (Some(ValueRef::Object(asked)), _) => (
            text(asked, &["name"]).to_owned(),
            text(asked, &["namespace"]).to_owned(),
        ),
        // Where it is said to be is not known yet. What is live stays where it is.
        _ if !waits.is_empty() => {
            let Some(live) = live else {
                run.decide(resource, "connectionSecret", true);
                return run.wait(resource, waits);
            };
            (
                text(live, &["metadata", "name"]).to_owned(),
                text(live, &["metadata", "namespace"]).to_owned(),
            )
        }
        (_, (name, namespace)) if name.is_some() || namespace.is_some() => {
            (name.unwrap_or_default(), namespace.unwrap_or_default())
        }
        _ => (
            format!("{}-connection", text(xr, &["metadata", "name"])),
            text(xr, &["metadata", "namespace"]).to_owned(),
        ),
    };
    if name.is_empty() {
        let message = "the secret of the connection details has no name";
        let diagnostic = Diagnostic::error("blueprint/connection", message);
        run.found.push(
            diagnostic
                .path("connectionSecret.name")
                .help("give one, or none of the two: then it is called after the composite"),
        );
        return;
    }
    let mut secret = Object::new();
    secret.insert("apiVersion", "v1");
    secret.insert("kind", "Secret");
    for (key, text) in [("name", name), ("namespace", namespace)] {
        if !text.is_empty() {
            secret.object_mut("metadata").insert(key, text);
        }
    }
    secret.insert("type", TYPE);
    let data: Object = details
        .iter()
        .map(|(key, value)| (*key, base64(value)))
        .collect();
    secret.insert("data", data);
    if run.decide(resource, "connectionSecret", true) {
        run.desire(resource, secret, Ready::True, "connectionSecret");
    }
}

fn text<'a>(object: ObjectRef<'a>, path: &[&str]) -> &'a str {
    let found = object.get_path(path).and_then(ValueRef::as_str);
    found.unwrap_or_default()
}
