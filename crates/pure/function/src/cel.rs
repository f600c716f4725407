//! The request as CEL expressions see it.
//!
//! The variables of the functions that evaluate CEL over requests: `observed` and `desired` (the protocol's `State`, with its
//! own field names: `composite`, `resources`, each with `resource`, `connection_details`, `ready`) and `context`.

use std::collections::BTreeMap;

use bytes::Bytes;
use purlin_expr::{Bindings, Shape, Val};
use purlin_object::{ObjectRef, ValueRef};
use purlin_proto::v1::{Ready, Resource, RunFunctionRequest, State};

use crate::request::nothing;

/// How an object becomes a value.
type Read = for<'a> fn(ObjectRef<'a>) -> Val<'a>;

/// Binds `observed`, `desired` and `context`, and the names of the readiness enum.
pub fn bindings(request: &RunFunctionRequest) -> Bindings<'_> {
    bindings_by(request, |object| Val::from_data(ValueRef::Object(object)))
}

/// The same, with numbers that are floating throughout, as protobuf has them.
pub fn wire_bindings(request: &RunFunctionRequest) -> Bindings<'_> {
    bindings_by(request, |object| Val::from_wire(ValueRef::Object(object)))
}

/// The types of `observed`, `desired`, `context` and the full names of the readiness enum.
pub fn shapes() -> BTreeMap<String, Shape> {
    let data = || Shape::map_of(Shape::any());
    let resource = Shape::fields([
        ("resource", data()),
        ("connection_details", Shape::map_of(Shape::bytes())),
        ("ready", Shape::int()),
    ]);
    let state = Shape::fields([
        ("composite", resource.clone()),
        ("resources", Shape::map_of(resource)),
    ]);
    let ready = Shape::fields(READY.map(|ready| (ready.as_str_name(), Shape::int())));
    let enums = PACKAGE
        .into_iter()
        .fold(ready, |inner, name| Shape::fields([(name, inner)]));
    BTreeMap::from([
        ("observed".to_owned(), state.clone()),
        ("desired".to_owned(), state),
        ("context".to_owned(), data()),
        ("apiextensions".to_owned(), enums),
    ])
}

const READY: [Ready; 3] = [Ready::Unspecified, Ready::True, Ready::False];

/// Where the readiness enum is, from the inside, below `apiextensions`.
const PACKAGE: [&str; 4] = ["Ready", "v1", "proto", "fn"];

fn bindings_by(request: &RunFunctionRequest, read: Read) -> Bindings<'_> {
    let mut bindings = Bindings::new();
    bindings.val("observed", state(request.observed.as_ref(), read));
    bindings.val("desired", state(request.desired.as_ref(), read));
    let context = request
        .context
        .as_ref()
        .map_or(nothing(), |context| context.as_ref());
    bindings.val("context", read(context));
    for ready in READY {
        // Longer names are selects from `apiextensions`, which nothing else binds.
        bindings.val(ready.as_str_name(), Val::Int(i64::from(i32::from(ready))));
    }
    bindings.val("apiextensions", enums());
    bindings
}

/// `apiextensions.fn.proto.v1.Ready.READY_TRUE` and its siblings.
fn enums<'a>() -> Val<'a> {
    let ready = Val::map(READY.map(|ready| {
        (
            ready.as_str_name().to_owned(),
            Val::Int(i64::from(i32::from(ready))),
        )
    }));
    PACKAGE
        .into_iter()
        .fold(ready, |inner, name| Val::map([(name.to_owned(), inner)]))
}

fn state(state: Option<&State>, read: Read) -> Val<'_> {
    let composite = state.and_then(|state| state.composite.as_ref());
    let resources = state.into_iter().flat_map(|state| &state.resources);
    Val::map([
        ("composite".to_owned(), resource(composite, read)),
        (
            "resources".to_owned(),
            Val::map(resources.map(|(name, one)| (name.clone(), resource(Some(one), read)))),
        ),
    ])
}

fn resource(resource: Option<&Resource>, read: Read) -> Val<'_> {
    static NONE: BTreeMap<String, Bytes> = BTreeMap::new();
    let object: ObjectRef<'_> = resource
        .and_then(|r| r.resource.as_ref())
        .map_or(nothing(), |object| object.as_ref());
    let details = resource.map_or(&NONE, |r| &r.connection_details);
    Val::map([
        ("resource".to_owned(), read(object)),
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
