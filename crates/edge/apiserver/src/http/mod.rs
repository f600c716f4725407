//! Between the wire and the verbs: requests in, replies out.

pub(crate) mod accept;
pub(crate) mod body;
pub(crate) mod listen;
pub(crate) mod path;
pub(crate) mod protobuf;
pub(crate) mod query;
pub(crate) mod reply;
pub(crate) mod route;
