//! What tests share: golden files, lists of known failures that may only shrink, examples of manual pages, and a registry.

#![expect(clippy::panic, reason = "tests fail by panicking")]

#[cfg(feature = "certificates")]
pub mod certificates;
mod golden;
mod known;
mod manual;
mod recorded;
mod registry;

pub use golden::{cases, golden, root};
pub use known::{Outcome, check_known};
pub use manual::check_manual;
pub use recorded::{check_recorded, difference};
pub use registry::Registry;
