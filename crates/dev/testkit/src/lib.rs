//! What tests share: golden files, lists of known failures that may only shrink, and examples of manual pages.

#![expect(clippy::panic, reason = "tests fail by panicking")]

#[cfg(feature = "certificates")]
pub mod certificates;
mod golden;
mod known;
mod manual;
mod recorded;

pub use golden::{cases, golden, root};
pub use known::{Outcome, check_known};
pub use manual::check_manual;
pub use recorded::{check_recorded, difference};
