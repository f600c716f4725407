//! The request as CEL expressions see it.
//!
//! The variables of the functions that evaluate CEL over requests: `observed` and `desired` (the protocol's `State`, with its
//! own field names: `composite`, `resources`, each with `resource`, `connection_details`, `ready`) and `context`.

use std::collections::BTreeMap;

use bytes::Bytes;
use purlin_expr::{Bindings, Val};
use purlin_object::ObjectRef;
use purlin_proto::v1::{Ready, Resource, RunFunctionRequest, State};

use crate::request::nothing;

/// Binds `observed`, `desired` and `context`, and the names of the readiness enum.
pub fn bindings(request: &RunFunctionRequest) -> Bindings<'_> {
    let mut bindings = Bindings::new();
    bindings.val("observed", state(request.observed.as_ref()));
    bindings.val("desired", state(request.desired.as_ref()));
    let context = request
        .context
        .as_ref()
        .map_or(nothing(), |context| context.as_ref());
    bindings.val("context", Val::from_object(context));
    for ready in [Ready::Unspecified, Ready::True, Ready::False] {
        // Longer names are selects from `apiextensions`, which nothing else binds.
        bindings.val(ready.as_str_name(), Val::Int(i64::from(i32::from(ready))));
    }
    bindings.val("apiextensions", enums());
    bindings
}

/// `apiextensions.fn.proto.v1.Ready.READY_TRUE` and its siblings.
fn enums<'a>() -> Val<'a> {
    let values = [Ready::Unspecified, Ready::True, Ready::False];
    let ready = Val::map(values.map(|ready| {
        (
            ready.as_str_name().to_owned(),
            Val::Int(i64::from(i32::from(ready))),
        )
    }));
    ["Ready", "v1", "proto", "fn"]
        .into_iter()
        .fold(ready, |inner, name| Val::map([(name.to_owned(), inner)]))
}

fn state(state: Option<&State>) -> Val<'_> {
    let composite = state.and_then(|state| state.composite.as_ref());
    let resources = state.into_iter().flat_map(|state| &state.resources);
    Val::map([
        ("composite".to_owned(), resource(composite)),
        (
            "resources".to_owned(),
            Val::map(resources.map(|(name, one)| (name.clone(), resource(Some(one))))),
        ),
    ])
}

fn resource(resource: Option<&Resource>) -> Val<'_> {
    static NONE: BTreeMap<String, Bytes> = BTreeMap::new();
    let object: ObjectRef<'_> = resource
        .and_then(|r| r.resource.as_ref())
        .map_or(nothing(), |object| object.as_ref());
    let details = resource.map_or(&NONE, |r| &r.connection_details);
    Val::map([
        ("resource".to_owned(), Val::from_object(object)),
        (
            "connection_details".to_owned(),
            Val::map(
                details
                    .iter()
                    .map(|(key, value)| (key.clone(), Val::Bytes(value.as_ref().into()))),
            ),
        ),
        (
            "ready".to_owned(),
            Val::Int(resource.map_or(0, |r| i64::from(r.ready))),
        ),
    ])
}
