//! What may an input say?

use std::collections::BTreeMap;

use purlin_function::input::ObjectMeta;
use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Input {
    /// Decoded only so that mistakes in it are found.
    pub(crate) metadata: ObjectMeta,
    /// How long the response holds, as a Go duration.
    pub(crate) ttl: String,
    /// Expressions by group, version and kind.
    pub(crate) cel_health_check_customization: BTreeMap<String, String>,
    /// A field path in the context where more of them are.
    pub(crate) cel_health_check_customization_from: String,
}
