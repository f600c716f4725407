//! What tests share: golden files and lists of known failures that may only shrink.

#![expect(clippy::panic, reason = "tests fail by panicking")]

mod golden;
mod known;
mod recorded;

pub use golden::{cases, golden, root};
pub use known::{Outcome, check_known};
pub use recorded::{check_recorded, difference};
