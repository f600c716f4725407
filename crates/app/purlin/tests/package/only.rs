//! Packages of one of our functions, or of some of them.

use serde_json::{Value, json};

use crate::{BOTH, bad, build, good, programs};

/// What `inspect` says of a package of these functions.
fn made(arguments: &[&str]) -> Value {
    let folder = programs();
    let at = folder.path();
    let first = ["--function", "-o", "p.xpkg", "--format", "oci"];
    build(at, &[&first[..], arguments, &BOTH[..]].concat());
    serde_json::from_str(&good(at, &["inspect", "-o", "json", "p.xpkg"])).unwrap()
}

fn crds(package: &Value) -> Vec<&str> {
    let objects = package["objects"].as_array().unwrap();
    objects
        .iter()
        .map(|object| object["name"].as_str().unwrap())
        .collect()
}

#[test]
fn a_package_of_one_function_has_its_name_its_input_and_serves_it() {
    let one = made(&["--only", "patch-and-transform"]);
    assert_eq!(one["meta"]["name"], "function-patch-and-transform");
    assert_eq!(crds(&one), ["resources.pt.fn.crossplane.io"]);
    let images = one["images"].as_array().unwrap();
    assert_eq!(images.len(), 2);
    for image in images {
        assert_eq!(
            image["entrypoint"],
            json!([
                "/usr/bin/purlin",
                "serve",
                "--only",
                "function-patch-and-transform",
                "--default-function",
                "function-patch-and-transform"
            ])
        );
    }
}

#[test]
fn a_package_may_be_of_some_functions_and_called_otherwise() {
    let some = made(&["--only", "sequencer,function-auto-ready", "--name", "ours"]);
    assert_eq!(some["meta"]["name"], "ours");
    assert_eq!(
        crds(&some),
        [
            "inputs.autoready.fn.crossplane.io",
            "inputs.sequencer.fn.crossplane.io"
        ]
    );
    assert_eq!(
        some["images"][0]["entrypoint"],
        json!([
            "/usr/bin/purlin",
            "serve",
            "--only",
            "function-sequencer,function-auto-ready",
            "--default-function",
            "function-sequencer"
        ])
    );
    let all = made(&["--name", "everything"]);
    assert_eq!(all["meta"]["name"], "everything");
    assert_eq!(
        all["images"][0]["entrypoint"],
        json!(["/usr/bin/purlin", "serve"])
    );
}

#[test]
fn every_function_that_is_not_ours_is_told_with_near_names() {
    let folder = programs();
    let at = folder.path();
    let only = [
        "build",
        "--function",
        "--only",
        "auto-redy,squencer,tag-manager",
    ];
    let said = bad(at, &[&only[..], &BOTH[..]].concat(), 2);
    for wanted in [
        "no function here is named auto-redy",
        "did you mean function-auto-ready?",
        "no function here is named squencer",
        "did you mean function-sequencer?",
    ] {
        assert!(said.contains(wanted), "{wanted} is not in\n{said}");
    }
    let name = ["build", "--function", "--name", "Not A Label"];
    let said = bad(at, &[&name[..], &BOTH[..]].concat(), 2);
    assert!(
        said.contains("--name:") && said.contains("Not A Label"),
        "{said}"
    );
}

#[test]
fn only_is_of_our_own_functions() {
    let folder = programs();
    for arguments in [
        &["build", "--only", "auto-ready"][..],
        &["build", "--function", "-f", ".", "--only", "auto-ready"],
        &["build", "--configuration", "--name", "a"],
    ] {
        let said = bad(folder.path(), arguments, 2);
        assert!(
            said.contains("--function") || said.contains("cannot be used with"),
            "{said}"
        );
    }
}
