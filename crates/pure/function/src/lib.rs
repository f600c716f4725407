//! What was asked, and what is answered? The kit that functions are written with.
//!
//! A function implements [`Function`], reads its request through [`RequestView`], its typed input with [`input::decode`],
//! and answers with a [`Response`]. Which transport carries them it never learns.
//!
//! ```
//! use purlin_function::testing::{AnswerView, Request};
//! use purlin_function::{
//!     Function, Object, Ready, RequestView, Response, RunFunctionRequest, RunFunctionResponse, input,
//! };
//! use serde::Deserialize;
//! use serde_json::json;
//!
//! /// What the step says.
//! #[derive(Deserialize)]
//! #[serde(rename_all = "camelCase", deny_unknown_fields)]
//! struct Buckets {
//!     /// How many of them.
//!     count: u8,
//! }
//!
//! /// Makes as many buckets as the input says, where the composite says.
//! fn run(request: &RunFunctionRequest) -> RunFunctionResponse {
//!     let mut answer = Response::to(request);
//!     let buckets = match request.input().map(input::decode::<Buckets>) {
//!         Some(Ok(buckets)) => buckets,
//!         Some(Err(mistakes)) => return answer.mistakes(&mistakes).build(),
//!         None => return answer.fatal("an input with count is needed").build(),
//!     };
//!     let region = request.observed_composite().get_path(&["spec", "region"]);
//!     let Some(region) = region.and_then(|region| region.as_str()) else {
//!         return answer.fatal("spec.region of the composite is missing; set it").build();
//!     };
//!     for index in 0..buckets.count {
//!         let name = format!("bucket-{index}");
//!         let mut bucket = Object::new();
//!         bucket.insert("apiVersion", "s3.aws.upbound.io/v1beta1");
//!         bucket.insert("kind", "Bucket");
//!         bucket.object_mut("spec").object_mut("forProvider").insert("region", region);
//!         let ready = request.observed_resource(&name).is_some_and(|seen| seen.condition_status("Ready") == "True");
//!         answer.set_desired(&name, bucket, if ready { Ready::True } else { Ready::Unspecified });
//!     }
//!     answer.build()
//! }
//!
//! let request = Request::new()
//!     .input(json!({"count": 2}))
//!     .composite(json!({"kind": "XStore", "spec": {"region": "eu-west-1"}}))
//!     .observed("bucket-1", json!({"status": {"conditions": [{"type": "Ready", "status": "True"}]}}))
//!     .build();
//! let answer = run.run(&request);
//! assert_eq!(answer.fatal(), None);
//! assert_eq!(answer.ready("bucket-0"), Ready::Unspecified);
//! assert_eq!(answer.ready("bucket-1"), Ready::True);
//! ```
//!
//! `purlin new function NAME` makes a project with all of this in place.

#[cfg(feature = "cel")]
pub mod cel;
mod duration;
mod function;
mod functions;
pub mod input;
pub mod models;
mod older;
mod plans;
pub mod protojson;
pub mod recorded;
mod request;
mod response;
pub mod selection;
pub mod testing;

pub use bytes::Bytes;
pub use duration::parse_duration;
pub use function::{
    FieldRead, Function, Hosted, Panicked, ReadObject, ReadStep, checked, repeating, run_caught,
    run_short_caught, typed,
};
pub use functions::Functions;
pub use older::ask_in_the_old_field_too;
pub use plans::Plans;
pub use purlin_diag::{Diagnostic, Diagnostics};
pub use purlin_object::{List, ListRef, Object, ObjectRef, Path, Value, ValueRef};
pub use purlin_proto::v1::{
    Capability, Condition, Ready, Requirements, Resource, Resources, RunFunctionRequest,
    RunFunctionResponse, Severity, Status, Target,
};
pub use request::RequestView;
pub use response::{ConditionExt, Response, Selector, TTL, condition};

/// The examples of the manual's page about this crate are tests.
#[cfg(doctest)]
#[doc = include_str!("../../../../docs/manual/sdk.md")]
struct Manual;
