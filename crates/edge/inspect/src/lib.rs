//! Which files and kinds are there to check, and what is known of them from before?
//!
//! [`inspect`] finds files, reads them on all processors, lets `purlin_check` decide, and remembers what it saw, so that the
//! next run looks only at what changed. [`Store`] keeps the kinds of providers for all projects of a user.

mod files;
mod memory;
mod read;
mod run;
mod sources;
mod stored;
mod threads;

pub use files::{Files, Misuse, find};
pub use memory::Memory;
pub use run::{Inspected, Options, inspect, known};
pub use sources::{Error, from_archive, from_cluster, from_path, from_stream};
pub use stored::{Store, StoredKind};
