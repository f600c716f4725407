//! YAML in three roles: what templates render, what `fromYaml` reads, and what `toYaml` writes.

mod plain;
mod read;
mod scalar;
mod write;

pub(crate) use plain::object;
pub(crate) use read::{Dialect, Node, read};
pub(crate) use write::to_yaml;
