//! The grammar of paths: which resource, which object, which part of it.

use super::query::decode;

/// What a path below `/api` or `/apis` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResourcePath {
    pub group: String,
    pub version: String,
    pub namespace: Option<String>,
    pub plural: String,
    pub name: Option<String>,
    pub subresource: Option<String>,
    /// The deprecated `/watch/` form.
    pub watch: bool,
    /// There were more segments than any path has.
    pub too_long: bool,
}

/// The decoded segments of a path; empty ones are dropped.
pub(crate) fn segments(path: &str) -> Vec<String> {
    // Upstream decodes before it splits, so an escaped slash separates too.
    decode(path, false)
        .split('/')
        .filter(|s| !s.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Reads a resource path; `None` when the path is shorter than that.
pub(crate) fn parse(segments: &[String]) -> Option<ResourcePath> {
    let (group, version, rest) = match segments {
        [api, version, rest @ ..] if api == "api" => (String::new(), version, rest),
        [apis, group, version, rest @ ..] if apis == "apis" => (group.clone(), version, rest),
        _ => return None,
    };
    let (watch, rest) = match rest {
        [first, rest @ ..] if first == "watch" && !rest.is_empty() => (true, rest),
        _ => (false, rest),
    };
    let namespaced = match rest {
        [first, _, third, ..] if first == "namespaces" => {
            !(group.is_empty() && matches!(third.as_str(), "status" | "finalize"))
        }
        _ => false,
    };
    let (namespace, rest) = if namespaced {
        (rest.get(1).cloned(), rest.get(2..).unwrap_or_default())
    } else {
        (None, rest)
    };
    Some(ResourcePath {
        group,
        version: version.clone(),
        namespace,
        plural: rest.first()?.clone(),
        name: rest.get(1).cloned(),
        subresource: rest.get(2).cloned(),
        watch,
        too_long: rest.len() > 3,
    })
}

#[cfg(test)]
mod tests {
    use super::{parse, segments};

    fn check(path: &str, expected: &str) {
        let found = parse(&segments(path)).map(|p| {
            let part = |t: Option<String>| t.unwrap_or_else(|| "-".into());
            format!(
                "{} {} {} {} {} {}",
                p.group,
                p.version,
                part(p.namespace),
                p.plural,
                part(p.name),
                part(p.subresource)
            )
        });
        assert_eq!(found.unwrap_or_default(), expected, "{path}");
    }

    #[test]
    fn paths_name_resources() {
        check("/api/v1/namespaces", " v1 - namespaces - -");
        check("/api/v1/namespaces/a", " v1 - namespaces a -");
        check(
            "/api/v1/namespaces/a/finalize",
            " v1 - namespaces a finalize",
        );
        check("/api/v1/namespaces/a/configmaps/b", " v1 a configmaps b -");
        check(
            "/apis/e.com/v1/widgets/b/status",
            "e.com v1 - widgets b status",
        );
        check("/apis/e.com/v1", "");
    }
}
