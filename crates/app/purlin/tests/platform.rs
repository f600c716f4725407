//! The sample platform: what is in `xrds/`, `compositions/` and `environments/` holds together and renders as recorded.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use purlin_schema::{Schema, apply_defaults, crds_of, unknown_fields, validate};
use purlin_testkit::{golden, root};
use serde_json::Value;

const UNITS: [&str; 3] = ["bucket", "database", "network"];
const ENVIRONMENTS: [&str; 3] = ["dev", "staging", "prod"];

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn load(path: &Path) -> Vec<Value> {
    let (documents, found) = purlin_yaml::load(&path.display().to_string(), &read(path));
    assert!(found.is_empty(), "{found:?}");
    documents
        .into_iter()
        .map(|document| document.value)
        .collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries =
        std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The schemas of CRDs, by apiVersion and kind.
fn schemas(crds: &[Value]) -> BTreeMap<(String, String), Schema> {
    let mut out = BTreeMap::new();
    for crd in crds {
        for version in crd["spec"]["versions"].as_array().unwrap() {
            let api_version = format!(
                "{}/{}",
                crd["spec"]["group"].as_str().unwrap(),
                version["name"].as_str().unwrap()
            );
            let kind = crd["spec"]["names"]["kind"].as_str().unwrap().to_owned();
            let schema = Schema::parse(&version["schema"]["openAPIV3Schema"]).unwrap();
            out.insert((api_version, kind), schema);
        }
    }
    out
}

fn provider_crds() -> Vec<Value> {
    let folder = root().join("tests/fixtures/providers");
    files(&folder).iter().flat_map(|file| load(file)).collect()
}

/// Says what a server would: unknown fields, and values that do not fit.
fn assert_fits(object: &Value, schemas: &BTreeMap<(String, String), Schema>, about: &str) {
    let word = |name: &str| object[name].as_str().unwrap_or_default().to_owned();
    let schema = schemas.get(&(word("apiVersion"), word("kind")));
    let schema = schema.unwrap_or_else(|| {
        panic!(
            "{about}: nobody serves {} {}",
            word("apiVersion"),
            word("kind")
        )
    });
    assert_eq!(
        unknown_fields(object, schema),
        Vec::<String>::new(),
        "{about}"
    );
    let mut object = object.clone();
    apply_defaults(&mut object, schema);
    assert_eq!(validate(&object, schema), [], "{about}");
}

#[test]
fn dev_is_what_the_sources_say() {
    for unit in UNITS {
        for (source, copy) in [("xrds", "xrd"), ("compositions", "composition")] {
            let source = root().join(source).join(format!("{unit}.yaml"));
            let copy = root()
                .join("environments/dev")
                .join(unit)
                .join(format!("{copy}.yaml"));
            assert!(
                read(&source) == read(&copy),
                "cp {} {}",
                source.display(),
                copy.display()
            );
        }
    }
}

#[test]
fn the_providers_crds_are_crds() {
    for mut crd in provider_crds() {
        let name = crd["metadata"]["name"].to_string();
        purlin_schema::complete_crd(&mut crd).unwrap();
        assert_eq!(purlin_schema::check_crd(&crd, &()), [], "{name}");
    }
}

#[test]
fn every_claim_fits_the_api_of_its_environment() {
    for environment in ENVIRONMENTS {
        let folder = root().join("environments").join(environment);
        for unit in UNITS {
            let xrd = load(&folder.join(unit).join("xrd.yaml")).remove(0);
            let (crds, found) = crds_of(&xrd, &());
            assert!(found.is_empty(), "{environment}/{unit}: {found:?}");
            let schemas = schemas(&crds);
            for file in files(&folder.join("_claims").join(unit)) {
                for claim in load(&file) {
                    assert_fits(&claim, &schemas, &file.display().to_string());
                }
            }
        }
    }
}

#[test]
fn only_the_database_of_dev_is_ahead() {
    let folder =
        |environment: &str, unit: &str| root().join("environments").join(environment).join(unit);
    for unit in UNITS {
        let same = ["xrd.yaml", "composition.yaml"].iter().all(|file| {
            read(&folder("dev", unit).join(file)) == read(&folder("staging", unit).join(file))
        });
        assert_eq!(same, unit != "database", "{unit}");
    }
    let crd = |environment: &str| {
        let xrd = load(&folder(environment, "database").join("xrd.yaml")).remove(0);
        purlin_schema::composite_crd(&xrd).unwrap()
    };
    let changes = purlin_schema::compat::compare(&crd("staging"), &crd("dev"));
    let paths: Vec<&str> = changes.iter().map(|change| change.path.as_str()).collect();
    assert_eq!(paths, ["spec.backupRetentionDays"]);
    assert!(!changes[0].verdict.is_breaking());
}

#[test]
fn each_unit_renders_to_what_was_recorded_and_the_provider_takes_it() {
    let schemas = schemas(&provider_crds());
    for unit in UNITS {
        let fixtures = root().join("tests/fixtures/platform").join(unit);
        let file = format!("{unit}.yaml");
        let output = Command::new(env!("CARGO_BIN_EXE_purlin"))
            .arg("render")
            .args([
                fixtures.join("xr.yaml"),
                root().join("compositions").join(&file),
            ])
            .arg("--xrd")
            .arg(root().join("xrds").join(&file))
            .arg("-o")
            .arg(fixtures.join("observed.yaml"))
            .output()
            .unwrap();
        let talk = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{unit}: {talk}");
        let mut documents = documents(&String::from_utf8_lossy(&output.stdout));
        for resource in &documents[1..] {
            assert_fits(resource, &schemas, unit);
        }
        // The words of conditions belong to those who set them, and are tested there.
        for condition in documents[0]["status"]["conditions"].as_array_mut().unwrap() {
            condition.as_object_mut().unwrap().remove("message");
        }
        let expected = golden(&format!("platform/{file}"));
        if std::env::var_os("PURLIN_BLESS").is_some() {
            std::fs::write(&expected, purlin_yaml::to_stream(&documents)).unwrap();
        }
        assert_eq!(documents, load(&expected), "{unit}");
    }
}

fn documents(text: &str) -> Vec<Value> {
    let (documents, found) = purlin_yaml::load("output", text);
    assert!(found.is_empty(), "{found:?}");
    documents
        .into_iter()
        .map(|document| document.value)
        .collect()
}
