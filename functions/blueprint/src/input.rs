//! What may a user write? The input as it is decoded; holes are still texts.

use std::collections::BTreeMap;

use purlin_object::{Object, Value};
use serde::Deserialize;

/// `blueprint.fn.purlin.dev/v1alpha1`, kind `Blueprint`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Input {
    /// Named values.
    #[serde(default, rename = "let")]
    pub(crate) lets: BTreeMap<String, Value>,
    /// What is composed.
    #[serde(default)]
    pub(crate) resources: Vec<Resource>,
    /// Objects to be read, by the name they are read under.
    #[serde(default)]
    pub(crate) requires: BTreeMap<String, Require>,
    /// Modules that are used, each under a name of its own.
    #[serde(default, rename = "use")]
    pub(crate) uses: Vec<Use>,
    /// What has to hold before anything is composed.
    #[serde(default)]
    pub(crate) asserts: Vec<Assert>,
    /// Modules by name.
    #[serde(default)]
    pub(crate) modules: BTreeMap<String, Module>,
    /// What is expected of the pipeline's environment.
    #[serde(default)]
    pub(crate) environment: BTreeMap<String, Declaration>,
    /// Fields of the composite's status.
    #[serde(default)]
    pub(crate) status: Option<Value>,
    /// Connection details of the composite.
    #[serde(default)]
    pub(crate) connection: BTreeMap<String, Value>,
    /// Where a composite of the second version keeps its connection details.
    #[serde(default)]
    pub(crate) connection_secret: Option<SecretRef>,
    /// Conditions of the composite.
    #[serde(default)]
    pub(crate) conditions: Vec<Condition>,
    /// Who must be deleted before whom.
    #[serde(default)]
    pub(crate) usages: Option<Usages>,
}

/// A part of a Blueprint with parameters and outputs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Module {
    #[serde(default)]
    pub(crate) parameters: BTreeMap<String, Declaration>,
    #[serde(default, rename = "let")]
    pub(crate) lets: BTreeMap<String, Value>,
    #[serde(default)]
    pub(crate) resources: Vec<Resource>,
    #[serde(default)]
    pub(crate) requires: BTreeMap<String, Require>,
    #[serde(default, rename = "use")]
    pub(crate) uses: Vec<Use>,
    #[serde(default)]
    pub(crate) asserts: Vec<Assert>,
    #[serde(default)]
    pub(crate) outputs: BTreeMap<String, Value>,
}

/// A value that somebody else gives: a parameter of a module, or a field of the environment.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Declaration {
    #[serde(default, rename = "type")]
    pub(crate) form: Form,
    #[serde(default)]
    pub(crate) default: Option<Value>,
    /// Without it: whether there is no default.
    #[serde(default)]
    pub(crate) required: Option<bool>,
    #[serde(default, rename = "enum")]
    pub(crate) one_of: Vec<Value>,
    /// Whether the value is never to be shown.
    #[serde(default)]
    pub(crate) secret: bool,
    /// For people.
    #[serde(default)]
    #[expect(dead_code, reason = "it is allowed, and only people read it")]
    pub(crate) description: Option<String>,
}

/// The types of declared values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Form {
    #[default]
    Any,
    String,
    Integer,
    Number,
    Boolean,
    Array,
    Object,
}

/// A module, used.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Use {
    /// What its outputs are read under, and what the names of its resources begin with.
    pub(crate) name: String,
    /// The module's name; without it, the same name.
    #[serde(default)]
    pub(crate) module: Option<String>,
    /// Its parameters.
    #[serde(default)]
    pub(crate) with: BTreeMap<String, Value>,
    #[serde(default)]
    pub(crate) for_each: Option<BTreeMap<String, Value>>,
    #[serde(default)]
    pub(crate) key: Option<Value>,
    #[serde(default)]
    pub(crate) when: Option<Value>,
}

/// A composed resource, or one per element of a list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Resource {
    /// Its name among the composed resources, and in expressions.
    pub(crate) name: String,
    /// The object.
    pub(crate) manifest: Value,
    /// Variables, and the lists and maps they take their values from.
    #[serde(default)]
    pub(crate) for_each: Option<BTreeMap<String, Value>>,
    /// What an element is known by; without it, its value.
    #[serde(default)]
    pub(crate) key: Option<Value>,
    /// Whether it is wanted.
    #[serde(default)]
    pub(crate) when: Option<Value>,
    /// Whether it is ready; without it, its condition `Ready` says so.
    #[serde(default)]
    pub(crate) ready: Option<Value>,
    /// `true`: somebody else's object, read and not composed. `{name, observe}`: something that exists outside of the
    /// cluster under that name.
    #[serde(default)]
    pub(crate) external: Option<Value>,
}

/// An object, or several, that somebody else keeps.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Require {
    pub(crate) api_version: Value,
    pub(crate) kind: Value,
    #[serde(default)]
    pub(crate) namespace: Option<Value>,
    #[serde(default)]
    pub(crate) name: Option<Value>,
    #[serde(default)]
    pub(crate) match_labels: Option<Object>,
    /// Whether it may be missing.
    #[serde(default)]
    pub(crate) optional: bool,
}

/// Something that has to hold.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Assert {
    pub(crate) that: Value,
    pub(crate) message: Value,
    #[serde(default)]
    pub(crate) severity: Severity,
    #[serde(default)]
    pub(crate) target: Target,
}

/// What it means that something does not hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// Nothing is changed.
    #[default]
    Fatal,
    /// It is told, and everything goes on.
    Warning,
}

/// Who is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum Target {
    /// Who looks at the composite.
    #[default]
    Composite,
    /// Who looks at the claim, too.
    CompositeAndClaim,
}

/// A condition of the composite.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Condition {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) status: Value,
    #[serde(default)]
    pub(crate) reason: Option<Value>,
    #[serde(default)]
    pub(crate) message: Option<Value>,
    #[serde(default)]
    pub(crate) target: Target,
}

/// A secret's place.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct SecretRef {
    #[serde(default)]
    pub(crate) name: Option<Value>,
    #[serde(default)]
    pub(crate) namespace: Option<Value>,
}

/// Who must be deleted before whom.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Usages {
    /// Whether a resource that reads another uses it.
    #[serde(default)]
    pub(crate) inferred: bool,
    #[serde(default)]
    pub(crate) pairs: Vec<Pair>,
    #[serde(default)]
    pub(crate) version: UsageVersion,
    #[serde(default)]
    pub(crate) replay_deletion: bool,
}

/// `by` uses `of`, so `by` is deleted first.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Pair {
    pub(crate) of: String,
    pub(crate) by: String,
}

/// Which kinds say so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum UsageVersion {
    /// `apiextensions.crossplane.io/v1beta1`: `Usage`.
    V1,
    /// `protection.crossplane.io/v1beta1`: `Usage` and `ClusterUsage`.
    #[default]
    V2,
}
