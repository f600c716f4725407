//! Which kinds may be in which package? (What Crossplane's parser knows and its linters allow.)

use std::fmt;

/// What a package brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PackageKind {
    /// APIs and Compositions.
    Configuration,
    /// Managed resources.
    Provider,
    /// A composition function.
    Function,
}

impl PackageKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Configuration, Self::Provider, Self::Function];

    /// The kind's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "Configuration",
            Self::Provider => "Provider",
            Self::Function => "Function",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The kinds of objects that a package of this kind may bring.
    pub fn allowed(self) -> &'static [&'static str] {
        match self {
            Self::Configuration => &[
                "CompositeResourceDefinition",
                "Composition",
                "ManagedResourceActivationPolicy",
                "Operation",
                "CronOperation",
                "WatchOperation",
            ],
            Self::Provider => &[
                "CustomResourceDefinition",
                "ManagedResourceDefinition",
                "MutatingWebhookConfiguration",
                "ValidatingWebhookConfiguration",
            ],
            Self::Function => &["CustomResourceDefinition"],
        }
    }
}

impl fmt::Display for PackageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The group of meta objects.
pub(crate) const META_GROUP: &str = "meta.pkg.crossplane.io";

/// The versions in which each meta kind may be written.
pub(crate) fn meta_versions(kind: PackageKind) -> &'static [&'static str] {
    match kind {
        PackageKind::Configuration | PackageKind::Provider => &["v1", "v1alpha1"],
        PackageKind::Function => &["v1", "v1beta1"],
    }
}

/// Group, versions and kinds of the objects that a package's parser knows.
const OBJECTS: &[(&str, &[&str], &[&str])] = &[
    (
        "apiextensions.crossplane.io",
        &["v1"],
        &[
            "CompositeResourceDefinition",
            "Composition",
            "CompositionRevision",
        ],
    ),
    (
        "apiextensions.crossplane.io",
        &["v2"],
        &["CompositeResourceDefinition"],
    ),
    (
        "apiextensions.crossplane.io",
        &["v1alpha1"],
        &[
            "ManagedResourceDefinition",
            "ManagedResourceActivationPolicy",
        ],
    ),
    (
        "ops.crossplane.io",
        &["v1alpha1"],
        &["Operation", "CronOperation", "WatchOperation"],
    ),
    (
        "apiextensions.k8s.io",
        &["v1", "v1beta1"],
        &["CustomResourceDefinition"],
    ),
    (
        "admissionregistration.k8s.io",
        &["v1"],
        &[
            "MutatingWebhookConfiguration",
            "ValidatingWebhookConfiguration",
        ],
    ),
];

/// Whether the parser knows objects of this kind.
pub(crate) fn is_known(api_version: &str, kind: &str) -> bool {
    let Some((group, version)) = api_version.split_once('/') else {
        return false;
    };
    OBJECTS.iter().any(|(known, versions, kinds)| {
        *known == group && versions.contains(&version) && kinds.contains(&kind)
    })
}

/// The versions in which the parser knows this kind, as `group/version`.
pub(crate) fn versions_of(kind: &str) -> Vec<String> {
    let known = OBJECTS.iter().filter(|(_, _, kinds)| kinds.contains(&kind));
    known
        .flat_map(|(group, versions, _)| {
            versions
                .iter()
                .map(move |version| format!("{group}/{version}"))
        })
        .collect()
}
