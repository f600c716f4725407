//! `purlin package inspect`

use std::fmt::Write as _;
use std::path::Path;

use purlin_oci::{Error, Look};
use purlin_package::{
    Config, Contents, Descriptor, Digest, Image, Limits, Manifest, PackageObject, Reference, Role,
    names,
};
use serde_json::{Value, json};

use super::registry::{Registry, block_on};
use crate::exit::Exit;
use crate::ui::Ui;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A package file, or REGISTRY/REPOSITORY:TAG or REGISTRY/REPOSITORY@DIGEST.
    #[arg(value_name = "FILE|REF")]
    package: String,
    /// How to show it.
    #[arg(short, long, value_enum, default_value = "table")]
    output: Output,
    #[command(flatten)]
    registry: Registry,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Output {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// Only package.yaml.
    Yaml,
}

/// What is shown, wherever it comes from.
struct Seen {
    name: String,
    digest: Option<Digest>,
    images: Vec<SeenImage>,
    package: Result<String, String>,
}

struct SeenImage {
    digest: Digest,
    manifest: Manifest,
    config: Config,
}

pub(super) fn run(args: &Args, ui: &Ui) -> anyhow::Result<Exit> {
    let path = Path::new(&args.package);
    let seen = if path.exists() {
        of_file(path)?
    } else {
        let reference = match Reference::parse(&args.package) {
            Ok(reference) => reference,
            Err(bad) => {
                ui.say(format_args!(
                    "error: there is no file {}, and {bad}",
                    args.package
                ));
                return Ok(Exit::Misuse);
            }
        };
        let client = args.registry.client()?;
        match block_on(client.look(&reference))? {
            Ok(look) => of_look(&reference, look),
            Err(Error::NotFound(what)) => {
                ui.say(format_args!("error: {what} is not in the registry"));
                return Ok(Exit::World);
            }
            Err(other) => return Err(other.into()),
        }
    };
    let stream = seen.package.clone().unwrap_or_default();
    let (contents, found) = if seen.package.is_ok() {
        let (contents, found) = Contents::read([(names::PACKAGE_FILE, stream.as_str())]);
        (Some(contents), found)
    } else {
        (None, purlin_diag::Diagnostics::new())
    };
    match args.output {
        Output::Table => ui.data(table(&seen, contents.as_ref()))?,
        Output::Json => ui.data(format_args!("{:#}\n", value(&seen, contents.as_ref())))?,
        Output::Yaml => ui.data(&stream)?,
    }
    let mut sources = purlin_diag::Sources::new();
    sources.insert(names::PACKAGE_FILE.to_owned(), stream);
    ui.report(&found, &sources);
    if let Err(why) = &seen.package {
        ui.say(format_args!("error: {why}"));
    }
    Ok(if found.has_errors() || seen.package.is_err() {
        Exit::Differs
    } else {
        Exit::Done
    })
}

fn of_file(path: &Path) -> anyhow::Result<Seen> {
    let archive = super::open(path)?;
    let limits = Limits::default();
    let read = |image: &Image| {
        image
            .package_yaml(&limits)
            .map_err(|error| error.to_string())
    };
    let installed = archive
        .images
        .iter()
        .find(|image| image.config.architecture == "amd64" && image.config.os == "linux")
        .or(archive.images.first());
    let package = installed.map_or_else(|| Err("the file has no images".to_owned()), read);
    let mut images = Vec::new();
    for image in &archive.images {
        let manifest = image.manifest();
        images.push(SeenImage {
            digest: Digest::of(&manifest),
            manifest: serde_json::from_slice(&manifest)?,
            config: image.config.clone(),
        });
    }
    Ok(Seen {
        name: path.display().to_string(),
        digest: None,
        images,
        package,
    })
}

fn of_look(reference: &Reference, look: Look) -> Seen {
    let images = look.members.into_iter().map(|member| SeenImage {
        digest: member.digest,
        manifest: member.manifest,
        config: member.config,
    });
    Seen {
        name: reference.to_string(),
        digest: Some(look.digest),
        images: images.collect(),
        package: look.package_yaml,
    }
}

fn table(seen: &Seen, contents: Option<&Contents>) -> String {
    let mut lines = vec![seen.name.clone()];
    lines.extend(seen.digest.as_ref().map(ToString::to_string));
    lines.extend(contents.into_iter().flat_map(meta_lines));
    lines.extend(seen.images.iter().flat_map(image_lines));
    lines.extend(contents.into_iter().flat_map(object_lines));
    lines.iter().fold(String::new(), |mut out, line| {
        out.push_str(line.trim_end());
        out.push('\n');
        out
    })
}

fn meta_lines(contents: &Contents) -> Vec<String> {
    let Some(meta) = &contents.meta else {
        return Vec::new();
    };
    let mut lines = vec![format!(
        "{} {}  ({})",
        meta.kind, meta.name, meta.api_version
    )];
    if !meta.crossplane.is_empty() {
        lines.push(format!("needs Crossplane {}", meta.crossplane));
    }
    if !meta.capabilities.is_empty() {
        lines.push(format!("capabilities: {}", meta.capabilities.join(", ")));
    }
    for (key, text) in &meta.annotations {
        if let Some(what) = key.strip_prefix("meta.crossplane.io/") {
            lines.push(format!(
                "{what}: {}",
                text.lines().next().unwrap_or_default()
            ));
        }
    }
    lines
}

fn image_lines(image: &SeenImage) -> Vec<String> {
    let mut lines = vec![
        String::new(),
        format!("{}  {}", image.config.platform(), image.digest),
    ];
    let run = &image.config.config;
    if !run.entrypoint.is_empty() || !run.cmd.is_empty() {
        let command: Vec<&str> = run
            .entrypoint
            .iter()
            .chain(&run.cmd)
            .map(String::as_str)
            .collect();
        let ports: Vec<&str> = run.exposed_ports.keys().map(String::as_str).collect();
        lines.push(format!(
            "  runs {} as {}  ports {}",
            command.join(" "),
            user(&run.user),
            ports.join(", ")
        ));
    }
    let rows = image.manifest.layers.iter().map(|layer| {
        [
            what(layer).to_owned(),
            super::size(layer.size),
            layer.digest.to_string(),
        ]
    });
    lines.extend(columns(["LAYER", "SIZE", "DIGEST"], rows.collect()));
    lines
}

fn object_lines(contents: &Contents) -> Vec<String> {
    let mut lines = Vec::new();
    let needed = contents.meta.iter().flat_map(|meta| &meta.dependencies);
    let rows: Vec<_> = needed
        .map(|one| {
            [
                one.kind.to_string(),
                one.package.clone(),
                one.version.clone(),
            ]
        })
        .collect();
    if !rows.is_empty() {
        lines.push(String::new());
        lines.extend(columns(["NEEDS", "PACKAGE", "VERSION"], rows));
    }
    let rows: Vec<_> = contents
        .objects
        .iter()
        .map(|object| [object.kind.clone(), object.name.clone(), served(object)])
        .collect();
    if !rows.is_empty() {
        lines.push(String::new());
        lines.extend(columns(["BRINGS", "NAME", "VERSIONS"], rows));
    }
    lines
}

fn user(user: &str) -> &str {
    if user.is_empty() { "root" } else { user }
}

fn what(layer: &Descriptor) -> &'static str {
    match layer
        .annotations
        .get(names::ANNOTATION)
        .and_then(|word| Role::parse(word))
    {
        Some(Role::Package) => "package.yaml",
        Some(Role::Examples) => "examples",
        None => "files",
    }
}

/// The versions that a CRD or XRD serves; of anything else, its own.
fn served(object: &PackageObject) -> String {
    let versions = object.value["spec"]["versions"]
        .as_array()
        .into_iter()
        .flatten();
    let served: Vec<&str> = versions
        .filter(|version| version["served"] == true)
        .filter_map(|version| version["name"].as_str())
        .collect();
    if served.is_empty() {
        object.api_version.clone()
    } else {
        served.join(", ")
    }
}

/// Lines of cells under each other.
fn columns<const N: usize>(head: [&str; N], rows: Vec<[String; N]>) -> Vec<String> {
    let mut all = vec![head.map(str::to_owned)];
    all.extend(rows);
    let width = |at: usize| {
        all.iter()
            .map(|row| row[at].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let lines = all.iter().map(|row| {
        let mut line = String::from("  ");
        for (cell, width) in row.iter().zip(widths) {
            write!(line, "{cell:width$}  ").expect("writing to a String does not fail");
        }
        line
    });
    lines.collect()
}

fn value(seen: &Seen, contents: Option<&Contents>) -> Value {
    let images: Vec<Value> = seen.images.iter().map(image_value).collect();
    let meta = contents
        .and_then(|contents| contents.meta.as_ref())
        .map(|meta| {
            let needed = meta.dependencies.iter().map(|one| {
            json!({"kind": one.kind.as_str(), "package": one.package, "version": one.version})
        });
            json!({
                "apiVersion": meta.api_version,
                "kind": meta.kind.as_str(),
                "name": meta.name,
                "crossplane": meta.crossplane,
                "capabilities": meta.capabilities,
                "annotations": meta.annotations,
                "dependencies": needed.collect::<Vec<_>>(),
            })
        });
    let objects = contents.iter().flat_map(|contents| &contents.objects).map(|object| {
        json!({"apiVersion": object.api_version, "kind": object.kind, "name": object.name})
    });
    json!({
        "name": seen.name,
        "digest": seen.digest,
        "images": images,
        "meta": meta,
        "objects": objects.collect::<Vec<_>>(),
    })
}

fn image_value(image: &SeenImage) -> Value {
    let layers = image.manifest.layers.iter().map(|layer| {
        json!({
            "digest": layer.digest,
            "size": layer.size,
            "mediaType": layer.media_type,
            "is": layer.annotations.get(names::ANNOTATION),
        })
    });
    let run = &image.config.config;
    json!({
        "platform": image.config.platform().to_string(),
        "digest": image.digest,
        "mediaType": image.manifest.media_type,
        "user": run.user,
        "entrypoint": run.entrypoint,
        "ports": run.exposed_ports.keys().collect::<Vec<_>>(),
        "annotations": image.manifest.annotations,
        "layers": layers.collect::<Vec<_>>(),
    })
}
