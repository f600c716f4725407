//! Reads the manifests of the workspace.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use toml::Table;

/// Every package of the workspace, by folder.
pub(super) struct Workspace {
    pub(super) root: PathBuf,
    pub(super) packages: Vec<Package>,
}

/// One package: what its manifest says.
pub(super) struct Package {
    pub(super) name: String,
    pub(super) dir: PathBuf,
    /// `pure`, `edge`, `app`, `dev` or `function`, from `[package.metadata.purlin]`.
    pub(super) layer: String,
    /// Whether the workspace's lints apply.
    pub(super) linted: bool,
    /// Packages of ours it needs outside tests.
    pub(super) needs: BTreeSet<String>,
    /// Packages of ours its tests need.
    pub(super) tests_need: BTreeSet<String>,
}

impl Workspace {
    pub(super) fn read(root: &Path) -> Result<Self> {
        let mut packages = Vec::new();
        for parent in [
            "crates/pure",
            "crates/edge",
            "crates/app",
            "crates/dev",
            "functions",
        ] {
            let mut dirs: Vec<PathBuf> = fs::read_dir(root.join(parent))
                .with_context(|| format!("reading {parent}"))?
                .filter_map(|entry| entry.ok().map(|e| e.path()))
                .filter(|dir| dir.join("Cargo.toml").exists())
                .collect();
            dirs.sort();
            for dir in dirs {
                packages.push(Package::read(dir)?);
            }
        }
        Ok(Self {
            root: root.to_owned(),
            packages,
        })
    }
}

impl Package {
    fn read(dir: PathBuf) -> Result<Self> {
        let path = dir.join("Cargo.toml");
        let text =
            fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        let manifest: Table = text
            .parse()
            .with_context(|| format!("parsing {}", path.display()))?;
        let package = manifest.get("package");
        let text_at = |value: Option<&toml::Value>| {
            value
                .and_then(toml::Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        Ok(Self {
            name: text_at(package.and_then(|p| p.get("name"))),
            layer: text_at(package.and_then(|p| p.get("metadata")?.get("purlin")?.get("layer"))),
            linted: manifest
                .get("lints")
                .and_then(|l| l.get("workspace")?.as_bool())
                == Some(true),
            needs: ours(&manifest, "dependencies"),
            tests_need: ours(&manifest, "dev-dependencies"),
            dir,
        })
    }

    /// The folder's name, which the package name must follow.
    pub(super) fn folder(&self) -> &str {
        self.dir
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default()
    }
}

fn ours(manifest: &Table, table: &str) -> BTreeSet<String> {
    let Some(table) = manifest.get(table).and_then(toml::Value::as_table) else {
        return BTreeSet::new();
    };
    table
        .keys()
        .filter(|name| name.starts_with("purlin") || name.starts_with("function-"))
        .cloned()
        .collect()
}
