//! The kinds Purlin serves and reads, one file each, and the vocabulary of conditions.

pub mod composition;
pub mod conditions;
mod crds;
pub mod function;
pub mod meta;
pub mod xrd;

pub use crds::crds;
