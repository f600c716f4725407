//! What is in `function-purlin`, the package of Purlin's own functions?

use std::path::PathBuf;

use purlin_package::input_crd;
use purlin_yaml::to_stream;
use serde_json::{Value, json};

/// The architectures it is made for.
pub(super) const ARCHITECTURES: [&str; 2] = ["amd64", "arm64"];

/// The stream of `package.yaml`: the meta object, and the CRD of every input.
pub(super) fn stream() -> String {
    let mut objects = vec![meta()];
    objects.extend(input_crds());
    to_stream(&objects)
}

fn meta() -> Value {
    json!({
        "apiVersion": "meta.pkg.crossplane.io/v1",
        "kind": "Function",
        "metadata": {
            "name": "function-purlin",
            "annotations": {
                "meta.crossplane.io/maintainer": "Purlin",
                "meta.crossplane.io/license": "Apache-2.0",
                "meta.crossplane.io/description": "The composition functions people use, in one process: which one answers is \
                    decided by the kind of the input. Blueprint, a typed composition language, is one of them.",
            },
        },
        "spec": {"capabilities": ["composition"]},
    })
}

/// The CRDs of the inputs, in the order of their names. What a function decodes is what its CRD has: one is made of the other.
fn input_crds() -> Vec<Value> {
    let functions = crate::hosted::functions();
    let mut crds: Vec<Value> = functions
        .hosted()
        .iter()
        .filter_map(|hosted| {
            let schema = hosted.function.input_schema()?;
            Some(input_crd(hosted.api_version, hosted.kind, &schema))
        })
        .collect();
    crds.sort_by_key(|crd| {
        crd["metadata"]["name"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    });
    crds
}

/// Where the programs of Purlin's own package are, when nobody says: what `scripts/static.sh` makes lies beside this program,
/// and this program is one of them itself.
pub(super) fn binary(architecture: &str) -> Option<PathBuf> {
    let this = std::env::current_exe().ok()?;
    let beside = this.with_file_name(format!("purlin-linux-{architecture}"));
    if beside.is_file() {
        return Some(beside);
    }
    let ours = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    (cfg!(target_os = "linux") && architecture == ours).then_some(this)
}

#[cfg(test)]
mod tests {
    use purlin_package::{Contents, PackageKind};

    #[test]
    fn the_package_of_our_functions_is_one() {
        let stream = super::stream();
        let (contents, found) = Contents::read([("package.yaml", stream.as_str())]);
        assert!(found.is_empty(), "{found:?}");
        assert_eq!(contents.meta.unwrap().kind, PackageKind::Function);
        assert_eq!(
            contents.objects.len(),
            crate::hosted::functions().hosted().len(),
            "every function says what its input is"
        );
        let report = purlin_check::check(
            [("package.yaml", stream.as_str())],
            &crate::hosted::functions(),
        );
        assert!(report.found.is_empty(), "{:?}", report.found);
    }
}
