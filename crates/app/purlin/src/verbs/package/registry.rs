//! `purlin package push|pull|sign|verify`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use purlin_oci::{Client, Credentials, Error, Options, Which};
use purlin_package::{
    BadReference, Image, Limits, Platform, PrivateKey, PublicKey, Reference, dns_label, names,
    oci_layout, oci_layout_as, xpkg,
};

use super::keys;
use crate::exit::Exit;
use crate::ui::Ui;

/// How to talk to a registry.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Registry {
    /// Talk to the registry without TLS. To one on this machine it is done anyway.
    #[arg(long)]
    plain_http: bool,
    /// The folder of Docker's configuration, where credentials and their helpers are [default: ~/.docker].
    #[arg(long, value_name = "DIR", env = "DOCKER_CONFIG")]
    docker_config: Option<PathBuf>,
}

impl Registry {
    pub(super) fn client(&self) -> Result<Client, Error> {
        let folder = match super::super::given(self.docker_config.as_ref()) {
            Some(folder) => Some(folder.clone()),
            None => std::env::home_dir().map(|home| home.join(".docker")),
        };
        let credentials = match folder {
            Some(folder) => Credentials::from_folder(&folder)?,
            None => Credentials::anonymous(),
        };
        let options = Options {
            plain_http: self.plain_http,
            ..Options::default()
        };
        Client::new(credentials, options)
    }

    /// What a package in a registry says, of the image that Crossplane reads.
    pub(crate) fn package_yaml(&self, reference: &Reference) -> anyhow::Result<String> {
        let pulled = block_on(self.client()?.pull(reference, &Which::Installed))??;
        let image = pulled.images.first().context("there is no image")?;
        Ok(image.package_yaml(&Limits::default())?)
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct PushArgs {
    /// Where to: REGISTRY/REPOSITORY:TAG.
    #[arg(value_name = "REF", value_parser = reference)]
    reference: Reference,
    /// The packages, one for each platform [default: the only .xpkg in this folder].
    #[arg(short = 'f', long, value_name = "FILE", value_delimiter = ',')]
    package_files: Vec<PathBuf>,
    /// An annotation of the manifest, or of the index.
    #[arg(short, long, value_name = "KEY=VALUE", value_parser = annotation)]
    annotation: Vec<(String, String)>,
    #[command(flatten)]
    registry: Registry,
}

#[derive(Debug, clap::Args)]
pub(crate) struct PullArgs {
    /// What: REGISTRY/REPOSITORY:TAG or REGISTRY/REPOSITORY@DIGEST.
    #[arg(value_name = "REF", value_parser = reference)]
    reference: Reference,
    /// The image for this platform [default: linux/amd64, which is the one Crossplane reads].
    #[arg(long, value_name = "OS/ARCH", value_parser = platform, conflicts_with = "all")]
    platform: Option<Platform>,
    /// All images, as one OCI layout.
    #[arg(long)]
    all: bool,
    /// Where the package goes [default: a name made of the repository and tag].
    #[arg(short = 'o', long, value_name = "FILE")]
    package_file: Option<PathBuf>,
    #[command(flatten)]
    registry: Registry,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SignArgs {
    /// What: REGISTRY/REPOSITORY:TAG or REGISTRY/REPOSITORY@DIGEST. What the tag names now is signed: an index as a whole.
    #[arg(value_name = "REF", value_parser = reference)]
    reference: Reference,
    /// The private key: cosign.key, or an unsealed one in PEM. The password is taken from COSIGN_PASSWORD.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Sign with a Sigstore bundle as well, which is what cosign 3 writes. Without it that is done when there are bundles already.
    #[arg(long)]
    bundle: bool,
    #[command(flatten)]
    registry: Registry,
}

#[derive(Debug, clap::Args)]
pub(crate) struct VerifyArgs {
    /// What: REGISTRY/REPOSITORY:TAG or REGISTRY/REPOSITORY@DIGEST.
    #[arg(value_name = "REF", value_parser = reference)]
    reference: Reference,
    /// The public key: cosign.pub.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    #[command(flatten)]
    registry: Registry,
}

pub(super) fn push(args: &PushArgs, ui: &Ui) -> anyhow::Result<Exit> {
    let files = match files(&args.package_files)? {
        Ok(files) => files,
        Err(mistake) => {
            ui.say(format_args!("error: {mistake}"));
            return Ok(Exit::Misuse);
        }
    };
    let mut images: Vec<Image> = Vec::new();
    let mut index = None;
    for file in &files {
        let archive = super::open(file)?;
        images.extend(archive.images);
        index = archive.index;
    }
    let annotations: BTreeMap<String, String> = args.annotation.iter().cloned().collect();
    let client = args.registry.client()?;
    // What is pushed as it came keeps its digest.
    let index = index.filter(|_| files.len() == 1 && annotations.is_empty());
    let outcome = match index {
        Some(index) => block_on(client.push_as(&args.reference, &images, index))?,
        None => block_on(client.push(&args.reference, &images, &annotations))?,
    };
    let Some(pushed) = allowed(outcome, ui)? else {
        return Ok(Exit::Misuse);
    };
    ui.say(format_args!(
        "pushed {}: {} ({} sent, {} there before)",
        args.reference,
        counted(pushed.manifests.len(), "image"),
        counted(pushed.sent, "blob"),
        pushed.kept
    ));
    ui.data(format_args!(
        "{}@{}\n",
        args.reference.name(),
        pushed.digest
    ))?;
    Ok(Exit::Done)
}

pub(super) fn pull(args: &PullArgs, ui: &Ui) -> anyhow::Result<Exit> {
    let which = match (&args.platform, args.all) {
        (Some(platform), _) => Which::Platform(platform.clone()),
        (None, true) => Which::All,
        (None, false) => Which::Installed,
    };
    let client = args.registry.client()?;
    let outcome = block_on(client.pull(&args.reference, &which))?;
    let Some(pulled) = allowed(outcome, ui)? else {
        return Ok(Exit::Misuse);
    };
    let (bytes, ending) = match pulled.images.as_slice() {
        [image] if !args.all => (xpkg(image), names::EXTENSION),
        several => {
            let layout = match pulled.index {
                Some(index) => oci_layout_as(several, index),
                None => oci_layout(several, BTreeMap::new(), None),
            };
            (layout, "tar")
        }
    };
    let path = args.package_file.clone().unwrap_or_else(|| {
        let version = args.reference.version.as_str();
        let name = dns_label(&format!("{}-{version}", args.reference.repository));
        PathBuf::from(format!("{name}.{ending}"))
    });
    super::write(&path, &bytes)?;
    ui.say(format_args!(
        "pulled {} ({})",
        args.reference, pulled.digest
    ));
    ui.data(format_args!("{}\n", path.display()))?;
    Ok(Exit::Done)
}

pub(super) fn sign(args: &SignArgs, ui: &Ui) -> anyhow::Result<Exit> {
    let pem = keys::read_pem(&args.key)?;
    let named = || args.key.display().to_string();
    let key = PrivateKey::read(&pem, || keys::password(&args.key)).with_context(named)?;
    let client = args.registry.client()?;
    let signed = block_on(client.sign(&args.reference, &key, args.bundle))??;
    let words = if signed.was_there {
        "was signed already"
    } else {
        "is signed"
    };
    let also = if signed.bundle { ", and a bundle" } else { "" };
    ui.say(format_args!(
        "{} {words}: {}{also}",
        args.reference, signed.at
    ));
    ui.data(format_args!(
        "{}@{}\n",
        args.reference.name(),
        signed.digest
    ))?;
    Ok(Exit::Done)
}

pub(super) fn verify(args: &VerifyArgs, ui: &Ui) -> anyhow::Result<Exit> {
    let pem = keys::read_pem(&args.key)?;
    let key = PublicKey::read(&pem).with_context(|| args.key.display().to_string())?;
    let client = args.registry.client()?;
    match block_on(client.verify(&args.reference, &key))? {
        Ok(verified) => {
            ui.say(format_args!(
                "{}: {} by the owner of {}",
                args.reference,
                counted(verified.signatures(), "signature"),
                args.key.display()
            ));
            ui.data(format_args!(
                "{}@{}\n",
                args.reference.name(),
                verified.digest
            ))?;
            Ok(Exit::Done)
        }
        Err(error @ Error::Signature { .. }) => {
            ui.say(format_args!("error: {error}"));
            Ok(Exit::Differs)
        }
        Err(other) => Err(other.into()),
    }
}

/// What cannot be done at all is the caller's mistake, not the world's.
fn allowed<T>(outcome: Result<T, Error>, ui: &Ui) -> anyhow::Result<Option<T>> {
    match outcome {
        Ok(done) => Ok(Some(done)),
        Err(Error::Refused(why)) => {
            ui.say(format_args!("error: {why}"));
            Ok(None)
        }
        Err(other) => Err(other.into()),
    }
}

/// The files that are given, or the only package in this folder.
fn files(given: &[PathBuf]) -> anyhow::Result<Result<Vec<PathBuf>, String>> {
    if !given.is_empty() {
        return Ok(Ok(given.to_vec()));
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(Path::new(".")).context("cannot read this folder")? {
        let path = entry.context("cannot read this folder")?.path();
        if path
            .extension()
            .is_some_and(|ending| ending == names::EXTENSION)
        {
            found.push(path);
        }
    }
    Ok(match found.as_slice() {
        [_] => Ok(found),
        [] => Err("there is no .xpkg in this folder: give one with -f".to_owned()),
        _ => Err("there are several .xpkg in this folder: say which ones with -f".to_owned()),
    })
}

fn counted(count: usize, of: &str) -> String {
    match count {
        1 => format!("1 {of}"),
        _ => format!("{count} {of}s"),
    }
}

pub(super) fn block_on<F: Future>(future: F) -> anyhow::Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start")?;
    Ok(runtime.block_on(future))
}

pub(super) fn reference(text: &str) -> Result<Reference, BadReference> {
    Reference::parse(text)
}

fn annotation(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE".to_owned()),
    }
}

fn platform(text: &str) -> Result<Platform, String> {
    let parts: Vec<&str> = text.split(['/', '_']).collect();
    match parts.as_slice() {
        [os, architecture, ..] if !os.is_empty() && !architecture.is_empty() => Ok(Platform {
            os: (*os).to_owned(),
            ..Platform::linux(architecture)
        }),
        _ => Err(anyhow!("write OS/ARCH, such as linux/arm64").to_string()),
    }
}
