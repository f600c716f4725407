//! What differs, and does it matter?
//!
//! Compares values field by field, sets of Kubernetes objects resource by resource, folders file by file, and texts line
//! by line. Knows nothing of who asks, and reads nothing but its arguments.

mod fields;
mod files;
mod resources;
mod text;

pub use fields::{FieldChange, fields};
pub use files::{FileChange, FileChangeKind, files};
pub use resources::{ResourceChange, ResourceId, ResourceName, Verb, resources};
pub use text::unified;
