//! The built-in kinds: what each is called, what may be done with it, and its own rules.

pub(crate) mod checks;
pub(crate) mod columns;
pub(crate) mod decode;
pub(crate) mod events;
pub(crate) mod names;
pub(crate) mod rules;
pub(crate) mod types;

use std::sync::{Arc, LazyLock};

use crate::apply::shape::Shape;
use crate::registry::{Resource, Source};

/// What the rules of a built-in kind are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    Namespace,
    ConfigMap,
    Secret,
    ServiceAccount,
    /// Both groups' events are one kind in the store.
    Event,
    NewEvent,
    Lease,
    Role,
    ClusterRole,
    RoleBinding,
    ClusterRoleBinding,
    Definition,
    /// A question that is answered and not stored.
    Review,
}

/// A built-in kind.
#[derive(Debug)]
pub(crate) struct Builtin {
    pub which: Which,
    /// Its message in the table of types.
    pub message: &'static str,
    pub kind: &'static str,
    pub group: &'static str,
    pub plural: &'static str,
    pub namespaced: bool,
    pub short_names: &'static [&'static str],
    pub categories: &'static [&'static str],
    pub verbs: &'static [&'static str],
    pub status: bool,
    /// A PUT may leave out the resource version.
    pub unconditional: bool,
    /// A PUT may create.
    pub create_on_update: bool,
    /// Its `metadata.generation` is counted.
    pub generation: bool,
}

const ALL: &[&str] = &[
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
];
const NO_COLLECTION: &[&str] = &[
    "create", "delete", "get", "list", "patch", "update", "watch",
];
const CREATE: &[&str] = &["create"];

const fn kind(
    which: Which,
    kind: &'static str,
    group: &'static str,
    plural: &'static str,
) -> Builtin {
    Builtin {
        which,
        message: kind,
        kind,
        group,
        plural,
        namespaced: true,
        short_names: &[],
        categories: &[],
        verbs: ALL,
        status: false,
        unconditional: true,
        create_on_update: false,
        generation: false,
    }
}

const fn review(name: &'static str, group: &'static str, plural: &'static str) -> Builtin {
    Builtin {
        namespaced: false,
        verbs: CREATE,
        ..kind(Which::Review, name, group, plural)
    }
}

const RBAC: &str = "rbac.authorization.k8s.io";
const AUTHORIZATION: &str = "authorization.k8s.io";
const AUTHENTICATION: &str = "authentication.k8s.io";
/// The group of custom resource definitions.
pub(crate) const EXTENSIONS: &str = "apiextensions.k8s.io";

static BUILTINS: &[Builtin] = &[
    Builtin {
        namespaced: false,
        short_names: &["ns"],
        verbs: NO_COLLECTION,
        status: true,
        ..kind(Which::Namespace, "Namespace", "", "namespaces")
    },
    Builtin {
        short_names: &["cm"],
        ..kind(Which::ConfigMap, "ConfigMap", "", "configmaps")
    },
    kind(Which::Secret, "Secret", "", "secrets"),
    Builtin {
        short_names: &["sa"],
        ..kind(
            Which::ServiceAccount,
            "ServiceAccount",
            "",
            "serviceaccounts",
        )
    },
    Builtin {
        short_names: &["ev"],
        create_on_update: true,
        ..kind(Which::Event, "Event", "", "events")
    },
    Builtin {
        message: "NewEvent",
        short_names: &["ev"],
        create_on_update: true,
        ..kind(Which::NewEvent, "Event", "events.k8s.io", "events")
    },
    Builtin {
        unconditional: false,
        create_on_update: true,
        ..kind(Which::Lease, "Lease", "coordination.k8s.io", "leases")
    },
    Builtin {
        create_on_update: true,
        ..kind(Which::Role, "Role", RBAC, "roles")
    },
    Builtin {
        create_on_update: true,
        ..kind(Which::RoleBinding, "RoleBinding", RBAC, "rolebindings")
    },
    Builtin {
        namespaced: false,
        create_on_update: true,
        ..kind(Which::ClusterRole, "ClusterRole", RBAC, "clusterroles")
    },
    Builtin {
        namespaced: false,
        create_on_update: true,
        ..kind(
            Which::ClusterRoleBinding,
            "ClusterRoleBinding",
            RBAC,
            "clusterrolebindings",
        )
    },
    Builtin {
        namespaced: false,
        short_names: &["crd", "crds"],
        categories: &["api-extensions"],
        status: true,
        unconditional: false,
        generation: true,
        ..kind(
            Which::Definition,
            "CustomResourceDefinition",
            EXTENSIONS,
            "customresourcedefinitions",
        )
    },
    review(
        "SelfSubjectAccessReview",
        AUTHORIZATION,
        "selfsubjectaccessreviews",
    ),
    review(
        "SelfSubjectRulesReview",
        AUTHORIZATION,
        "selfsubjectrulesreviews",
    ),
    review("SubjectAccessReview", AUTHORIZATION, "subjectaccessreviews"),
    Builtin {
        namespaced: true,
        ..review(
            "LocalSubjectAccessReview",
            AUTHORIZATION,
            "localsubjectaccessreviews",
        )
    },
    review("SelfSubjectReview", AUTHENTICATION, "selfsubjectreviews"),
    review("TokenReview", AUTHENTICATION, "tokenreviews"),
];

static SHAPES: LazyLock<Vec<Arc<Shape>>> = LazyLock::new(|| {
    BUILTINS
        .iter()
        .map(|builtin| types::shape(builtin.message))
        .collect()
});

impl Builtin {
    /// Its shape for server-side apply.
    pub(crate) fn shape(&'static self) -> Arc<Shape> {
        let place = BUILTINS.iter().position(|b| std::ptr::eq(b, self));
        place
            .and_then(|i| SHAPES.get(i).cloned())
            .unwrap_or_else(|| types::shape(self.message))
    }
}

/// The resources of the built-in kinds.
pub(crate) fn resources() -> Vec<Resource> {
    let strings = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect();
    BUILTINS
        .iter()
        .map(|builtin| Resource {
            group: builtin.group.to_owned(),
            version: "v1".to_owned(),
            kind: builtin.kind.to_owned(),
            list_kind: format!("{}List", builtin.kind),
            plural: builtin.plural.to_owned(),
            singular: builtin.kind.to_lowercase(),
            short_names: strings(builtin.short_names),
            categories: strings(builtin.categories),
            namespaced: builtin.namespaced,
            id: match builtin.which {
                Which::NewEvent => "/events".into(),
                _ => format!("{}/{}", builtin.group, builtin.plural).into(),
            },
            source: Source::Builtin(builtin),
        })
        .collect()
}
