//! The kinds Purlin serves and reads, one file each, and the vocabulary of conditions.

pub mod conditions;
pub mod meta;
pub mod xrd;
