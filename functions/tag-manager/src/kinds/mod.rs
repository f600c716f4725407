//! Does this kind of resource have tags?
//!
//! The kinds of Upbound's AWS and Azure providers, version 2.7.0, whose `spec.forProvider.tags` is a map of texts: those
//! function-tag-manager 0.9.0 takes. Cluster-scoped and namespaced groups have the same kinds. Others are left alone, also
//! where their providers know tags by that name.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Kinds by service: the first part of the group, empty for the provider's own group.
type Kinds = BTreeMap<&'static str, Vec<&'static str>>;

static AWS: LazyLock<Kinds> = LazyLock::new(|| read(include_str!("aws.txt")));
static AZURE: LazyLock<Kinds> = LazyLock::new(|| read(include_str!("azure.txt")));

/// Lines of `service: Kind Kind …`.
fn read(text: &'static str) -> Kinds {
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    lines
        .map(|(service, kinds)| (service, kinds.split_whitespace().collect()))
        .collect()
}

/// Whether a resource has tags.
pub(crate) fn has_tags(api_version: &str, kind: &str) -> bool {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    [("aws", &*AWS), ("azure", &*AZURE)]
        .into_iter()
        .any(|(provider, kinds)| {
            service(group, provider)
                .and_then(|service| kinds.get(service))
                .is_some_and(|kinds| kinds.contains(&kind))
        })
}

/// The service a group of the provider is about.
fn service<'g>(group: &'g str, provider: &str) -> Option<&'g str> {
    let rest = group.strip_suffix(".upbound.io")?;
    let rest = rest.strip_suffix(".m").unwrap_or(rest);
    match rest.strip_suffix(provider)? {
        "" => Some(""),
        service => service.strip_suffix('.'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_with_tags_are_told_from_others() {
        for (api_version, kind, has) in [
            ("ec2.aws.upbound.io/v1beta1", "VPC", true),
            ("acm.aws.m.upbound.io/v1beta1", "Certificate", true),
            ("azure.upbound.io/v1beta1", "ResourceGroup", true),
            ("azure.m.upbound.io/v1beta1", "ResourceGroup", true),
            ("acmpca.aws.m.upbound.io/v1beta1", "Certificate", false),
            ("aws.upbound.io/v1beta1", "ProviderConfig", false),
            ("s3.aws.upbound.io/v1beta1", "", false),
            ("s3.notaws.upbound.io/v1beta1", "Bucket", false),
            ("aws.upbound.io/v1beta1", "Bucket", false),
            ("v1", "Bucket", false),
        ] {
            assert_eq!(has_tags(api_version, kind), has, "{api_version} {kind}");
        }
    }

    #[test]
    fn every_line_names_a_service_once_and_its_kinds_in_order() {
        for (text, kinds) in [
            (include_str!("aws.txt"), &*AWS),
            (include_str!("azure.txt"), &*AZURE),
        ] {
            assert_eq!(text.lines().count(), kinds.len());
            for (service, kinds) in kinds {
                assert!(kinds.is_sorted_by(|a, b| a < b), "{service}");
            }
        }
    }
}
