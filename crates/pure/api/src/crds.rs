//! The CRDs of the kinds the engine works with.
//!
//! Names, fields, defaults, rules and columns are those of Crossplane v2.4 (apis/); descriptions are ours. One is
//! different on purpose: `CompositeResourceDefinition` v1 is not marked as deprecated, since Purlin keeps serving it.

use serde_json::Value;

static FILES: &[&str] = &[
    include_str!("../crds/clusterusages.protection.crossplane.io.json"),
    include_str!("../crds/compositeresourcedefinitions.apiextensions.crossplane.io.json"),
    include_str!("../crds/compositionrevisions.apiextensions.crossplane.io.json"),
    include_str!("../crds/compositions.apiextensions.crossplane.io.json"),
    include_str!("../crds/configurationrevisions.pkg.crossplane.io.json"),
    include_str!("../crds/configurations.pkg.crossplane.io.json"),
    include_str!("../crds/environmentconfigs.apiextensions.crossplane.io.json"),
    include_str!("../crds/functionrevisions.pkg.crossplane.io.json"),
    include_str!("../crds/functions.pkg.crossplane.io.json"),
    include_str!("../crds/providerrevisions.pkg.crossplane.io.json"),
    include_str!("../crds/providers.pkg.crossplane.io.json"),
    include_str!("../crds/usages.protection.crossplane.io.json"),
];

/// The CRDs of XRDs, Compositions and their revisions, environment configs, usages and packages, by name.
pub fn crds() -> Vec<Value> {
    FILES
        .iter()
        .map(|text| serde_json::from_str(text).expect("the files are JSON, which a test checks"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_a_crd_in_order_of_names() {
        let names: Vec<String> = crds()
            .iter()
            .map(|crd| crd["metadata"]["name"].to_string())
            .collect();
        assert_eq!(names.len(), FILES.len());
        assert!(names.is_sorted(), "{names:?}");
        assert!(
            crds()
                .iter()
                .all(|crd| crd["kind"] == "CustomResourceDefinition")
        );
    }
}
