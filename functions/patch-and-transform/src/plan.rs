//! What does an input come to? The immutable plan that requests are run by.

use std::sync::Arc;

use purlin_object::merge::MergeOptions;
use purlin_object::{Object, Path};

use crate::transform::Op;

/// A compiled input.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) environment: Vec<Step>,
    pub(crate) templates: Vec<Template>,
    pub(crate) secret: Option<Secret>,
}

/// A composed resource to be made.
#[derive(Debug)]
pub(crate) struct Template {
    pub(crate) name: String,
    pub(crate) base: Option<Object>,
    pub(crate) steps: Vec<Step>,
    pub(crate) details: Vec<Detail>,
    pub(crate) checks: Vec<Check>,
}

/// A patch where it is used. A patch set is compiled once and shared.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    /// The field path of the patch in the input.
    pub(crate) place: String,
    pub(crate) patch: Arc<Patch>,
}

/// A compiled patch.
#[derive(Debug)]
pub(crate) struct Patch {
    pub(crate) kind: PatchKind,
    pub(crate) source: Source,
    pub(crate) to: Path,
    pub(crate) ops: Vec<Op>,
    /// `policy.fromFieldPath: Required`.
    pub(crate) required: bool,
    /// How to merge; none replaces what is there.
    pub(crate) merge: Option<MergeOptions>,
}

/// What a patch reads.
#[derive(Debug)]
pub(crate) enum Source {
    Field(Path),
    Combined { paths: Vec<Path>, format: String },
}

/// A connection detail to be taken from an observed resource.
#[derive(Debug)]
pub(crate) struct Detail {
    pub(crate) name: String,
    pub(crate) from: DetailSource,
}

#[derive(Debug)]
pub(crate) enum DetailSource {
    Key(String),
    /// None when the path is malformed, which gives nothing, as upstream.
    Field(Option<Path>),
    Value(String),
}

/// A readiness check.
#[derive(Debug)]
pub(crate) enum Check {
    Always,
    Condition {
        kind: String,
        status: String,
    },
    /// A field path that cannot be parsed, found when the check runs, as upstream.
    Malformed(String),
    Field {
        path: Path,
        test: Test,
    },
}

#[derive(Debug)]
pub(crate) enum Test {
    NonEmpty,
    Text(String),
    Integer,
    Bool(bool),
}

/// Where the connection secret is to be written.
#[derive(Debug)]
pub(crate) struct Secret {
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) patches: Vec<SecretPatch>,
}

/// A patch of the connection secret's reference; upstream checks these only when they run.
#[derive(Debug)]
pub(crate) enum SecretPatch {
    Patch(Box<Patch>),
    /// A malformed path, which a single-source patch ignores.
    Ignored,
    /// Cannot run, with the reason.
    Broken(String),
}

/// Which way a patch goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PatchKind {
    FromComposite,
    ToComposite,
    CombineFromComposite,
    CombineToComposite,
    FromEnvironment,
    ToEnvironment,
    CombineFromEnvironment,
    CombineToEnvironment,
}

impl PatchKind {
    /// The names used in inputs.
    pub(crate) const NAMES: &'static [&'static str] = &[
        "FromCompositeFieldPath",
        "ToCompositeFieldPath",
        "CombineFromComposite",
        "CombineToComposite",
        "FromEnvironmentFieldPath",
        "ToEnvironmentFieldPath",
        "CombineFromEnvironment",
        "CombineToEnvironment",
        "PatchSet",
    ];

    /// Reads a name; no name is the default.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "" | "FromCompositeFieldPath" => Self::FromComposite,
            "ToCompositeFieldPath" => Self::ToComposite,
            "CombineFromComposite" => Self::CombineFromComposite,
            "CombineToComposite" => Self::CombineToComposite,
            "FromEnvironmentFieldPath" => Self::FromEnvironment,
            "ToEnvironmentFieldPath" => Self::ToEnvironment,
            "CombineFromEnvironment" => Self::CombineFromEnvironment,
            "CombineToEnvironment" => Self::CombineToEnvironment,
            _ => return None,
        })
    }

    /// The name used in inputs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::FromComposite => "FromCompositeFieldPath",
            Self::ToComposite => "ToCompositeFieldPath",
            Self::CombineFromComposite => "CombineFromComposite",
            Self::CombineToComposite => "CombineToComposite",
            Self::FromEnvironment => "FromEnvironmentFieldPath",
            Self::ToEnvironment => "ToEnvironmentFieldPath",
            Self::CombineFromEnvironment => "CombineFromEnvironment",
            Self::CombineToEnvironment => "CombineToEnvironment",
        }
    }

    /// Whether the patch reads several fields.
    pub(crate) fn combines(self) -> bool {
        matches!(
            self,
            Self::CombineFromComposite
                | Self::CombineToComposite
                | Self::CombineFromEnvironment
                | Self::CombineToEnvironment
        )
    }
}

/// The words of `policy.toFieldPath`.
pub(crate) const MERGE_POLICIES: &[&str] = &[
    "Replace",
    "MergeObjects",
    "MergeObjectsAppendArrays",
    "ForceMergeObjects",
    "ForceMergeObjectsAppendArrays",
    "MergeObject",
    "AppendArray",
];

/// How a word of `policy.toFieldPath` merges. None replaces, as does a word that is none of [`MERGE_POLICIES`].
pub(crate) fn merge_policy(word: &str) -> Option<MergeOptions> {
    let (keep, append) = match word {
        "MergeObjects" | "MergeObject" => (true, false),
        "MergeObjectsAppendArrays" => (true, true),
        "ForceMergeObjects" => (false, false),
        "ForceMergeObjectsAppendArrays" | "AppendArray" => (false, true),
        _ => return None,
    };
    Some(MergeOptions { keep, append })
}
