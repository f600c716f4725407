//! Which bytes of which file made this value?
//!
//! [`load`] reads a YAML or JSON stream the way `kubectl` does (YAML 1.2 syntax, the scalar typing of YAML 1.1 that
//! sigs.k8s.io/yaml has) into `serde_json` values, each with a [`PlaceMap`] that knows where every key and value stands.
//! [`Fields`] reads a manifest's fields and says everything that is wrong with them.
//! [`to_string`] writes values the way `kubectl -o yaml` does. Knows nothing of what the values mean.

mod build;
mod fields;
mod limits;
mod load;
mod map;
mod padding;
mod path;
mod place;
mod scalar;
mod syntax;
mod write;

#[cfg(test)]
mod tests;

pub use fields::{Fields, Section, kind};
pub use limits::Limits;
pub use load::{Document, load, load_with};
pub use path::{Segment, parse_path};
pub use place::PlaceMap;
pub use scalar::plain_value;
pub use write::{natural, to_stream, to_string};
