//! The kinds Purlin serves and reads, one file each, and the vocabulary of conditions.
