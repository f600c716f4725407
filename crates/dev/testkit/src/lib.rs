//! What tests share: golden files and lists of known failures that may only shrink.

mod golden;
mod known;

pub use golden::{cases, golden, root};
pub use known::{Outcome, check_known};
