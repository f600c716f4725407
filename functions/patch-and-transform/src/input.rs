//! What may an input say? The typed input, as it is written; [`crate::validate`] says whether it makes sense.

use std::collections::BTreeMap;

use purlin_function::input::ObjectMeta;
use purlin_object::Value;
use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the field is named so in inputs")]
pub(crate) struct Resources {
    /// Decoded only so that mistakes in it are found.
    pub(crate) metadata: ObjectMeta,
    pub(crate) patch_sets: Vec<PatchSet>,
    pub(crate) environment: Environment,
    pub(crate) resources: Vec<Template>,
    pub(crate) write_connection_secret_to_ref: Option<SecretRef>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PatchSet {
    pub(crate) name: String,
    pub(crate) patches: Vec<Patch>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Environment {
    pub(crate) patches: Vec<Patch>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Template {
    pub(crate) name: String,
    pub(crate) base: Option<Value>,
    pub(crate) patches: Vec<TemplatePatch>,
    pub(crate) connection_details: Vec<Detail>,
    pub(crate) readiness_checks: Vec<Check>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SecretRef {
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) patches: Vec<Patch>,
}

macro_rules! patch {
    ($(#[$meta:meta])* $name:ident { $($extra:tt)* }) => {
        $(#[$meta])*
        #[derive(Debug, Default, Deserialize)]
        #[serde(default, rename_all = "camelCase")]
        pub(crate) struct $name {
            pub(crate) r#type: String,
            pub(crate) from_field_path: String,
            pub(crate) to_field_path: String,
            pub(crate) combine: Option<Combine>,
            pub(crate) transforms: Vec<Transform>,
            pub(crate) policy: Policy,
            $($extra)*
        }
    };
}

patch!(
    /// A patch of a patch set, of the environment, or of the connection secret's reference.
    Patch {}
);
patch!(
    /// A patch of a template, which may stand for a patch set.
    TemplatePatch {
        pub(crate) patch_set_name: String,
    }
);

impl TemplatePatch {
    /// The same patch without the name of a patch set, and that name.
    pub(crate) fn split(self) -> (Patch, String) {
        let patch = Patch {
            r#type: self.r#type,
            from_field_path: self.from_field_path,
            to_field_path: self.to_field_path,
            combine: self.combine,
            transforms: self.transforms,
            policy: self.policy,
        };
        (patch, self.patch_set_name)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Policy {
    pub(crate) from_field_path: Option<String>,
    pub(crate) to_field_path: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Combine {
    pub(crate) variables: Vec<Variable>,
    pub(crate) strategy: String,
    pub(crate) string: Option<CombineString>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Variable {
    pub(crate) from_field_path: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct CombineString {
    pub(crate) fmt: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Transform {
    pub(crate) r#type: String,
    pub(crate) math: Option<Math>,
    pub(crate) map: Option<BTreeMap<String, Value>>,
    pub(crate) r#match: Option<Match>,
    pub(crate) string: Option<Text>,
    pub(crate) convert: Option<Convert>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Math {
    pub(crate) r#type: String,
    pub(crate) multiply: Option<i64>,
    pub(crate) clamp_min: Option<i64>,
    pub(crate) clamp_max: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Match {
    pub(crate) patterns: Vec<Pattern>,
    pub(crate) fallback_value: Option<Value>,
    pub(crate) fallback_to: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Pattern {
    pub(crate) r#type: String,
    pub(crate) literal: Option<String>,
    pub(crate) regexp: Option<String>,
    pub(crate) result: Option<Value>,
}

/// A `string` transform.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Text {
    pub(crate) r#type: String,
    pub(crate) fmt: Option<String>,
    pub(crate) convert: Option<String>,
    pub(crate) trim: Option<String>,
    pub(crate) regexp: Option<Regexp>,
    pub(crate) join: Option<Join>,
    pub(crate) replace: Option<Replace>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Regexp {
    pub(crate) r#match: String,
    pub(crate) group: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Join {
    pub(crate) separator: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Replace {
    pub(crate) search: String,
    pub(crate) replace: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Convert {
    pub(crate) to_type: String,
    pub(crate) format: Option<String>,
}

/// A connection detail.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Detail {
    pub(crate) name: String,
    pub(crate) r#type: String,
    pub(crate) from_connection_secret_key: Option<String>,
    pub(crate) from_field_path: Option<String>,
    pub(crate) value: Option<String>,
}

/// A readiness check.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Check {
    pub(crate) r#type: String,
    pub(crate) field_path: Option<String>,
    pub(crate) match_string: Option<String>,
    pub(crate) match_integer: Option<i64>,
    pub(crate) match_condition: Option<MatchCondition>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct MatchCondition {
    pub(crate) r#type: String,
    pub(crate) status: String,
}
