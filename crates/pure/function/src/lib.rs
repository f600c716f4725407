//! What was asked, and what is answered? The kit that functions are written with.
//!
//! A function implements [`Function`], reads its request through [`RequestView`], its typed input with [`input::decode`],
//! and answers with a [`Response`]. Which transport carries them it never learns.

#[cfg(feature = "cel")]
pub mod cel;
mod duration;
mod function;
mod functions;
pub mod input;
pub mod protojson;
mod request;
mod response;
pub mod selection;

pub use duration::parse_duration;
pub use function::{Function, Hosted, Panicked, run_caught, typed};
pub use functions::Functions;
pub use purlin_diag::{Diagnostic, Diagnostics};
pub use purlin_proto::v1::{
    Capability, Condition, Ready, Resource, Resources, RunFunctionRequest, RunFunctionResponse,
    Severity, Status, Target,
};
pub use request::RequestView;
pub use response::{Response, Selector, TTL, condition};
