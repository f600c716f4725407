//! How long does `purlin check` take on a platform with a whole provider family? `purlin-bench check`
//!
//! Makes a tree of XRDs, Compositions and CRDs, each other than the others, and checks it three times: with an empty cache,
//! with a full one, and after a change of one Composition.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, bail};

/// Resources of a Composition.
const RESOURCES: usize = 8;
/// Compositions of an XRD.
const SHARED: usize = 10;
/// Kinds of a group.
const GROUP: usize = 20;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many Compositions.
    #[arg(long, default_value_t = 500)]
    compositions: usize,
    /// How many CRDs.
    #[arg(long, default_value_t = 900)]
    crds: usize,
    /// How many bytes of CRDs, all together.
    #[arg(long, default_value_t = 100 << 20)]
    bytes: usize,
    /// Take the CRDs of this folder instead of made ones.
    #[arg(long)]
    from: Option<PathBuf>,
    /// The `purlin` to measure.
    #[arg(long, default_value = "target/release/purlin")]
    purlin: PathBuf,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let tree = folder.path().join("platform");
    let bytes = make(args, &tree)?;
    let purlin = fs::canonicalize(&args.purlin).context("there is no purlin to measure")?;
    print(&format!(
        "check: {} Compositions of {RESOURCES} resources, {} CRDs of {} MiB",
        args.compositions,
        args.crds,
        bytes >> 20
    ));
    let check = |words: &str| -> anyhow::Result<()> {
        let started = Instant::now();
        let before = children()?;
        let output = Command::new(&purlin)
            .args(["check", "."])
            .current_dir(&tree)
            .env("PURLIN_SCHEMA_CACHE", folder.path().join("cache"))
            .output()?;
        let took = started.elapsed();
        if !output.status.success() {
            bail!(
                "{}",
                String::from_utf8_lossy(&output.stdout)
                    .chars()
                    .take(2000)
                    .collect::<String>()
            );
        }
        let cpu = children()?.saturating_sub(before);
        print(&format!(
            "  {words:<28} {:>6} ms, {:>6} ms of CPU",
            took.as_millis(),
            cpu.as_millis()
        ));
        Ok(())
    };
    check("with an empty cache")?;
    check("with a full cache")?;
    check("again")?;
    let one = tree.join("compositions/0007.yaml");
    let text = fs::read_to_string(&one)?;
    fs::write(&one, format!("{text}# changed\n"))?;
    check("after a Composition changed")?;
    let xrd = tree.join("xrds/0000.yaml");
    let text = fs::read_to_string(&xrd)?;
    fs::write(&xrd, format!("{text}# changed\n"))?;
    check("after an XRD changed")
}

/// The CPU time of children that ended, in ticks of a hundredth of a second.
fn children() -> anyhow::Result<Duration> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .context("a line of /proc/self/stat")?
        .1
        .split_whitespace()
        .collect();
    let ticks: u64 = fields[13].parse::<u64>()? + fields[14].parse::<u64>()?;
    Ok(Duration::from_millis(ticks * 10))
}

#[expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]
fn print(text: &str) {
    println!("{text}");
}

/// Makes the tree; gives how many bytes the CRDs have.
fn make(args: &Args, tree: &Path) -> anyhow::Result<usize> {
    for folder in ["crds", "xrds", "compositions"] {
        fs::create_dir_all(tree.join(folder))?;
    }
    let mut bytes = 0;
    let mut kinds = Vec::new();
    match &args.from {
        Some(from) => {
            for entry in fs::read_dir(from)?.take(args.crds) {
                let entry = entry?;
                let text = fs::read_to_string(entry.path())?;
                bytes += text.len();
                write(&tree.join("crds").join(entry.file_name()), &text)?;
            }
        }
        None => {
            for index in 0..args.crds {
                let text = crd(index, args.bytes / args.crds.max(1));
                bytes += text.len();
                write(&tree.join(format!("crds/{index:04}.yaml")), &text)?;
                kinds.push(index);
            }
        }
    }
    for index in 0..args.compositions.div_ceil(SHARED) {
        write(&tree.join(format!("xrds/{index:04}.yaml")), &xrd(index))?;
    }
    for index in 0..args.compositions {
        let text = composition(index, args.crds.max(1));
        write(&tree.join(format!("compositions/{index:04}.yaml")), &text)?;
    }
    Ok(bytes)
}

/// Writes a file that looks as if it had been there for a while: what changed only just now is read again.
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text)?;
    let then = SystemTime::now() - Duration::from_hours(1);
    fs::File::options()
        .write(true)
        .open(path)?
        .set_modified(then)?;
    Ok(())
}

macro_rules! push {
    ($out:expr, $($text:tt)*) => {
        writeln!($out, $($text)*).expect("a String takes any text")
    };
}

#[expect(
    clippy::too_many_lines,
    reason = "one manifest, read from top to bottom"
)]
fn crd(index: usize, size: usize) -> String {
    let group = format!("g{}.provider.example", index / GROUP);
    let mut out = format!(
        "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  annotations:
    controller-gen.kubebuilder.io/version: v0.18.0
  name: kind{index}s.{group}
spec:
  group: {group}
  names:
    categories:
    - crossplane
    - managed
    kind: Kind{index}
    listKind: Kind{index}List
    plural: kind{index}s
    singular: kind{index}
  scope: Cluster
  versions:
  - name: v1beta1
    schema:
      openAPIV3Schema:
        description: Kind{index} is the schema of an object of the provider.
        properties:
          apiVersion:
            type: string
          kind:
            type: string
          metadata:
            type: object
          spec:
            properties:
              forProvider:
                properties:
                  region:
                    description: Region is where the object is to be.
                    type: string
                  tags:
                    additionalProperties:
                      type: string
                    type: object
                    x-kubernetes-map-type: granular
"
    );
    let mut field = 0;
    while out.len() < size {
        push!(out, "                  field{field}:");
        push!(out, "                    description: |-");
        for _ in 0..3 {
            push!(
                out,
                "                      What the field {field} of the kind {index} is for, in the words of whoever made it, at some"
            );
            push!(
                out,
                "                      length, as generated definitions have it: 'quotes', \"others\", `ticks`, and (parts)."
            );
        }
        match field % 4 {
            0 => {
                push!(out, "                    items:");
                push!(out, "                      properties:");
                for inner in 0..4 {
                    push!(out, "                        inner{inner}:");
                    push!(
                        out,
                        "                          description: Part {inner} of it."
                    );
                    push!(
                        out,
                        "                          type: {}",
                        ["string", "number", "boolean", "string"][inner]
                    );
                }
                push!(out, "                      type: object");
                push!(out, "                    type: array");
            }
            1 => push!(out, "                    type: number"),
            2 => push!(out, "                    type: boolean"),
            _ => push!(out, "                    type: string"),
        }
        field += 1;
    }
    out.push_str(
        "                type: object
            required:
            - forProvider
            type: object
          status:
            properties:
              atProvider:
                properties:
                  id:
                    type: string
                type: object
            type: object
        required:
        - spec
        type: object
    served: true
    storage: true
    subresources:
      status: {}
",
    );
    out
}

fn xrd(index: usize) -> String {
    format!(
        "apiVersion: apiextensions.crossplane.io/v1
kind: CompositeResourceDefinition
metadata:
  name: xapi{index}s.platform.example
spec:
  group: platform.example
  names: {{kind: XApi{index}, plural: xapi{index}s}}
  claimNames: {{kind: Api{index}, plural: api{index}s}}
  versions:
  - name: v1
    served: true
    referenceable: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [region]
            properties:
              region: {{type: string}}
              size: {{type: string, enum: [small, large]}}
              count: {{type: integer, minimum: 1}}
          status:
            type: object
            properties:
              ids: {{type: array, items: {{type: string}}}}
"
    )
}

#[expect(
    clippy::too_many_lines,
    reason = "one manifest, read from top to bottom"
)]
fn composition(index: usize, kinds: usize) -> String {
    let mut out = format!(
        "apiVersion: apiextensions.crossplane.io/v1
kind: Composition
metadata:
  name: api-{index}
spec:
  compositeTypeRef:
    apiVersion: platform.example/v1
    kind: XApi{}
  mode: Pipeline
  pipeline:
  - step: resources
    functionRef:
      name: function-patch-and-transform
    input:
      apiVersion: pt.fn.crossplane.io/v1beta1
      kind: Resources
      resources:
",
        index / SHARED
    );
    for resource in 0..RESOURCES {
        // All kinds are used by somebody.
        let kind = (index * RESOURCES + resource) % kinds;
        push!(
            out,
            "      - name: resource-{resource}
        base:
          apiVersion: g{}.provider.example/v1beta1
          kind: Kind{kind}
          spec:
            forProvider:
              field2: true
              tags:
                composition: api-{index}
        patches:
        - type: FromCompositeFieldPath
          fromFieldPath: spec.region
          toFieldPath: spec.forProvider.region
        - type: FromCompositeFieldPath
          fromFieldPath: spec.size
          toFieldPath: spec.forProvider.field3
          transforms:
          - type: map
            map:
              small: s{index}
              large: l{index}
        - type: FromCompositeFieldPath
          fromFieldPath: spec.count
          toFieldPath: spec.forProvider.field1
        - type: CombineFromComposite
          combine:
            variables:
            - fromFieldPath: metadata.name
            - fromFieldPath: spec.region
            strategy: string
            string:
              fmt: '%s-%s-{resource}'
          toFieldPath: metadata.annotations[crossplane.io/external-name]
        - type: ToCompositeFieldPath
          fromFieldPath: status.atProvider.id
          toFieldPath: status.ids[{resource}]",
            kind / GROUP
        );
    }
    out.push_str("  - step: ready\n    functionRef:\n      name: function-auto-ready\n");
    out
}
