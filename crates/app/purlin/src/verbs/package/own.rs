//! What is in `function-purlin`, the package of Purlin's own functions?

use std::path::PathBuf;

use purlin_diag::Diagnostics;
use purlin_function::Functions;
use purlin_package::input_crd;
use purlin_yaml::to_stream;
use serde_json::{Value, json};

/// The architectures it is made for.
pub(super) const ARCHITECTURES: [&str; 2] = ["amd64", "arm64"];

/// A package of Purlin's own functions: all of them, or those that somebody chose.
///
/// A Crossplane resolves a repository only once, and lets one package own a CRD: whoever keeps the names of several Functions needs
/// a package for each, with the CRD of that function alone.
#[derive(Debug)]
pub(super) struct Own {
    functions: Functions,
    name: String,
    chosen: bool,
}

impl Own {
    /// The functions that `only` names, all of them when it names none; the package is called `name`.
    pub(super) fn new(only: &[String], name: Option<&str>) -> Result<Self, Diagnostics> {
        let all = crate::hosted::functions();
        let chosen = !only.is_empty();
        let functions = if chosen {
            all.only(only.iter().map(String::as_str))?
        } else {
            all
        };
        let name = match (name, functions.hosted()) {
            (Some(name), _) => name,
            (None, [one]) => one.name,
            (None, _) => "function-purlin",
        };
        Ok(Self {
            name: name.to_owned(),
            functions,
            chosen,
        })
    }

    /// The stream of `package.yaml`: the meta object, and the CRD of every input.
    pub(super) fn stream(&self) -> String {
        let mut objects = vec![self.meta()];
        objects.extend(self.input_crds());
        to_stream(&objects)
    }

    /// What follows the program's name in the image.
    pub(super) fn arguments(&self) -> Vec<String> {
        let mut arguments = vec!["serve".to_owned()];
        let mut names = self.functions.hosted().iter().map(|hosted| hosted.name);
        if self.chosen {
            let all: Vec<&str> = names.clone().collect();
            arguments.extend(["--only".to_owned(), all.join(",")]);
            if let Some(first) = names.next() {
                arguments.extend(["--default-function".to_owned(), first.to_owned()]);
            }
        }
        arguments
    }

    fn meta(&self) -> Value {
        json!({
            "apiVersion": "meta.pkg.crossplane.io/v1",
            "kind": "Function",
            "metadata": {
                "name": self.name,
                "annotations": {
                    "meta.crossplane.io/maintainer": "Purlin",
                    "meta.crossplane.io/license": "Apache-2.0",
                    "meta.crossplane.io/description": self.description(),
                },
            },
            "spec": {"capabilities": ["composition"]},
        })
    }

    fn description(&self) -> String {
        if !self.chosen {
            return "The composition functions people use, in one process: which one answers is decided by the kind of the input. \
                Blueprint, a typed composition language, is one of them."
                .to_owned();
        }
        let names = self.functions.hosted().iter().map(|hosted| hosted.name);
        format!("Purlin, as {}.", names.collect::<Vec<_>>().join(", "))
    }

    /// The CRDs of the inputs, in the order of their names. What a function decodes is what its CRD has: one is made of the other.
    fn input_crds(&self) -> Vec<Value> {
        let mut crds: Vec<Value> = self
            .functions
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

    use super::Own;

    #[test]
    fn the_package_of_our_functions_is_one() {
        let stream = Own::new(&[], None).unwrap().stream();
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

    #[test]
    fn packages_of_one_function_each_share_neither_name_nor_crd() {
        let (mut names, mut crds) = (Vec::new(), Vec::new());
        for hosted in crate::hosted::functions().hosted() {
            let own = Own::new(&[hosted.name.to_owned()], None).unwrap();
            let stream = own.stream();
            let (contents, found) = Contents::read([("package.yaml", stream.as_str())]);
            assert!(found.is_empty(), "{found:?}");
            names.push(contents.meta.unwrap().name);
            crds.extend(contents.objects.into_iter().map(|object| object.name));
            assert_eq!(own.arguments().last().unwrap(), hosted.name);
        }
        for (what, all) in [("names", &mut names), ("CRDs", &mut crds)] {
            let count = all.len();
            all.sort();
            all.dedup();
            assert_eq!(all.len(), count, "{what}");
            assert_eq!(count, crate::hosted::functions().hosted().len(), "{what}");
        }
    }
}
