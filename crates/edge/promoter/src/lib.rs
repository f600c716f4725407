//! Gathers what a promotion needs from Git, and performs it.
//!
//! Everything is read from one commit, in the object database: no work tree, no clone, no cluster. What to do is decided
//! in `purlin-promotion`; what is done here can be killed anywhere and run again.

mod claim;
mod error;
mod folder;
mod gather;
mod perform;
mod preview;
mod survey;

pub use error::{Error, Result};
pub use gather::{Planned, Promoter, Subject};
pub use perform::{Done, Order, Outcome};
