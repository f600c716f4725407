//! Files in, the pass driven, files out.
//!
//! [`read_files`] collects the texts a command line names; [`Inputs::read`] turns them into typed inputs or says, with
//! file, line and column, everything that is wrong with them; [`render`] drives the same pass the engine drives, and
//! gives the documents that `crossplane composition render` prints (spec/devex.md 1.3). Knows no cluster.

mod composite;
mod definition;
mod documents;
mod drive;
mod fatal;
mod files;
mod functions;
mod inputs;
mod lookup;
mod manifest;
mod observed;

pub use documents::{Show, TRANSITION_TIME};
pub use drive::{Failed, Rendered, render};
pub use files::{Files, ReadError, Text, read_file, read_files, read_path};
pub use functions::{Route, route};
pub use inputs::{Inputs, Texts};
