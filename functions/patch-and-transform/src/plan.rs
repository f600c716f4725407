//! What does an input come to? The immutable plan that requests are run by.

use std::fmt;
use std::sync::Arc;

use purlin_object::merge::MergeOptions;
use purlin_object::{Form, Object, ObjectRef, Path};

use crate::fault::is_secret;
use crate::transform::Op;

/// A compiled input.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) environment: Vec<Step>,
    pub(crate) templates: Vec<Template>,
    /// How many different values the templates take from the composite.
    pub(crate) taken: usize,
    pub(crate) secret: Option<Secret>,
}

/// A composed resource to be made.
#[derive(Debug)]
pub(crate) struct Template {
    pub(crate) name: String,
    pub(crate) base: Option<Object>,
    pub(crate) steps: Vec<Step>,
    /// How to make the resource in one piece, when its patches allow that.
    pub(crate) formed: Option<Formed>,
    pub(crate) details: Vec<Detail>,
    pub(crate) checks: Vec<Check>,
}

/// A base with a hole for each field that patches write. The first two holes are for the identity of what exists.
#[derive(Debug)]
pub(crate) struct Formed {
    pub(crate) form: Form,
    pub(crate) holes: usize,
}

impl Formed {
    pub(crate) const NAMESPACE: usize = 0;
    pub(crate) const NAME: usize = 1;
}

/// A patch where it is used. A patch set is compiled once and shared.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    /// The field path of the patch in the input.
    pub(crate) place: String,
    pub(crate) patch: Arc<Patch>,
    /// Which of the values taken from the composite it writes: the same for all patches that read and transform alike.
    pub(crate) taken: Option<usize>,
    /// Which hole of the form it fills.
    pub(crate) hole: Option<usize>,
}

/// A compiled patch.
#[derive(Debug)]
pub(crate) struct Patch {
    pub(crate) kind: PatchKind,
    pub(crate) source: Source,
    pub(crate) to: Field,
    /// A slice, because a list collected from the larger transforms of the input keeps the room of those.
    pub(crate) ops: Box<[Op]>,
    /// `policy.fromFieldPath: Required`.
    pub(crate) required: bool,
    /// How to merge; none replaces what is there. A word that is no policy is a mistake when the patch runs: upstream does
    /// not check the policy of a combining patch before.
    pub(crate) merge: Result<Option<MergeOptions>, String>,
}

/// What a patch reads.
#[derive(Debug)]
pub(crate) enum Source {
    Field(Field),
    Combined { paths: Vec<Field>, format: String },
}

/// A field path of a patch. One that is malformed is a mistake when the patch comes to use it and not before, as
/// upstream: a Composition may hold such a patch for years when what it reads is never there.
#[derive(Debug)]
pub(crate) enum Field {
    At(Path),
    Malformed { text: String, error: String },
}

impl Field {
    pub(crate) fn parse(text: &str) -> Self {
        match Path::parse(text) {
            Ok(path) => Self::At(path),
            Err(error) => Self::Malformed {
                text: text.to_owned(),
                error: format!("{error}; write it like spec.list[0].name"),
            },
        }
    }

    /// The path.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) fn path(&self) -> Result<&Path, String> {
        match self {
            Self::At(path) => Ok(path),
            Self::Malformed { error, .. } => Err(error.clone()),
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(path) => path.fmt(f),
            Self::Malformed { text, .. } => f.write_str(text),
        }
    }
}

impl Source {
    /// Whether what is read from `object` is not to be shown in a message.
    pub(crate) fn is_secret(&self, object: ObjectRef<'_>) -> bool {
        let secret = |path: &Field| is_secret(object, &path.to_string());
        match self {
            Self::Field(path) => secret(path),
            Self::Combined { paths, .. } => paths.iter().any(secret),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(path) => path.fmt(f),
            Self::Combined { paths, .. } => {
                let paths: Vec<String> = paths.iter().map(Field::to_string).collect();
                f.write_str(&paths.join(" and "))
            }
        }
    }
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

    /// Whether the patch writes into the composed resource.
    pub(crate) fn writes_resource(self) -> bool {
        match self {
            Self::FromComposite
            | Self::CombineFromComposite
            | Self::FromEnvironment
            | Self::CombineFromEnvironment => true,
            Self::ToComposite
            | Self::CombineToComposite
            | Self::ToEnvironment
            | Self::CombineToEnvironment => false,
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

/// How a word of `policy.toFieldPath` merges. None replaces.
pub(crate) fn merge_policy(word: &str) -> Result<Option<MergeOptions>, String> {
    let (keep, append) = match word {
        "MergeObjects" | "MergeObject" => (true, false),
        "MergeObjectsAppendArrays" => (true, true),
        "ForceMergeObjects" => (false, false),
        "ForceMergeObjectsAppendArrays" | "AppendArray" => (false, true),
        "Replace" => return Ok(None),
        other => {
            let known = MERGE_POLICIES.join(", ");
            return Err(format!(
                "`{other}` is no policy.toFieldPath; it is one of {known}"
            ));
        }
    };
    Ok(Some(MergeOptions { keep, append }))
}
