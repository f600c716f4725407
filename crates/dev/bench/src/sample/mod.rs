//! Requests as a cluster sends them: a composite, N observed resources of 2.3 KB, and an input that makes N resources.

mod inputs;
mod objects;

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use function_patch_and_transform::PatchAndTransform;
use prost::Message as _;
use purlin_function::Function as _;
use purlin_object::Object;
use purlin_proto::v1::{Resource, RunFunctionRequest, State};
use serde_json::Value;

/// How many patches a resource has unless somebody asks for another number.
pub(crate) const PATCHES: usize = 8;

/// What is replaced in each request: a word of digits, the same length as its marker.
const MARKER: &[u8] = b"0000000000";

/// What the functions are asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Work {
    /// N resources with eight patches each.
    PatchAndTransform,
    /// Which of N resources, desired by the step before, are ready?
    AutoReady,
    /// Both in one call: `patch-and-transform`, and which of its resources are ready.
    Pipeline,
    /// The resources of `patch-and-transform`, as a Blueprint makes them.
    Blueprint,
    /// The resources of `patch-and-transform`, as a Go template makes them.
    GoTemplating,
    /// The requests of `patch-and-transform`, each like all others.
    Repeated,
}

impl Work {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::PatchAndTransform => "patch-and-transform",
            Self::AutoReady => "auto-ready",
            Self::Pipeline => "pipeline",
            Self::Blueprint => "blueprint",
            Self::GoTemplating => "go-templating",
            Self::Repeated => "repeated",
        }
    }

    /// How much more CPU than the echo it may take at 100 resources.
    pub(crate) fn goal(self) -> f64 {
        match self {
            Self::PatchAndTransform | Self::Blueprint => 2.0,
            Self::AutoReady => 1.5,
            Self::Pipeline => 2.5,
            Self::GoTemplating => 10.0,
            Self::Repeated => 1.2,
        }
    }

    /// Whether the answer says that the resources are ready.
    pub(crate) fn says_ready(self) -> bool {
        matches!(self, Self::AutoReady | Self::Pipeline)
    }
}

/// An encoded request, different each time, unless the work is to see the same again.
#[derive(Debug)]
pub(crate) struct Requests {
    template: Bytes,
    places: Vec<usize>,
    next: AtomicU64,
}

impl Requests {
    /// Requests with this many composed resources.
    pub(crate) fn new(work: Work, resources: usize, patches: usize) -> anyhow::Result<Self> {
        let template = request(work, resources, patches)?.encode_to_vec();
        let places: Vec<usize> = template
            .windows(MARKER.len())
            .enumerate()
            .filter(|(_, window)| *window == MARKER)
            .map(|(place, _)| place)
            .collect();
        ensure!(places.len() > resources, "every resource has a marker");
        Ok(Self {
            template: template.into(),
            places: if work == Work::Repeated {
                Vec::new()
            } else {
                places
            },
            next: AtomicU64::new(1),
        })
    }

    /// How large each is.
    pub(crate) fn len(&self) -> usize {
        self.template.len()
    }

    /// The next one. The composite and every observed resource differ from all others.
    pub(crate) fn next(&self) -> Bytes {
        if self.places.is_empty() {
            return self.template.clone();
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let digits = format!("{number:0width$}", width = MARKER.len());
        let mut request = self.template.to_vec();
        for &place in &self.places {
            if let Some(marker) = request.get_mut(place..place + MARKER.len()) {
                marker.copy_from_slice(digits.as_bytes());
            }
        }
        request.into()
    }
}

fn request(work: Work, resources: usize, patches: usize) -> anyhow::Result<RunFunctionRequest> {
    let observed: anyhow::Result<_> = (0..resources)
        .map(|index| Ok((name(index), resource(objects::observed(index))?)))
        .collect();
    let mut request = RunFunctionRequest {
        observed: Some(State {
            composite: Some(resource(objects::composite())?),
            resources: observed?,
        }),
        ..RunFunctionRequest::default()
    };
    "0000000000".clone_into(&mut request.meta.get_or_insert_default().tag);
    let input = |json| Object::from_json(json).map(Some);
    match work {
        Work::PatchAndTransform | Work::Repeated => {
            request.input = input(inputs::patches(resources, patches))?;
        }
        Work::Pipeline => {
            let steps = [
                ("patch", inputs::patches(resources, patches)),
                ("ready", inputs::auto_ready()),
            ];
            request.input = input(inputs::pipeline(steps))?;
        }
        Work::Blueprint => request.input = input(inputs::blueprint(resources))?,
        Work::GoTemplating => request.input = input(inputs::template(resources))?,
        Work::AutoReady => {
            request.input = input(inputs::patches(resources, patches))?;
            request.desired = PatchAndTransform::default().run(&request).desired;
            request.input = input(inputs::auto_ready())?;
        }
    }
    Ok(request)
}

fn resource(object: Value) -> anyhow::Result<Resource> {
    let object = Object::from_json(object).context("a sample object")?;
    Ok(Resource {
        resource: Some(object),
        ..Resource::default()
    })
}

/// The name of a composed resource.
pub(crate) fn name(index: usize) -> String {
    format!("bucket-{index:03}")
}

#[cfg(test)]
mod tests {
    use super::{PATCHES, Requests, Work};

    #[test]
    fn requests_differ_unless_they_are_to_be_repeated() {
        let two = |work| {
            let requests = Requests::new(work, 10, PATCHES).unwrap();
            (requests.next(), requests.next())
        };
        let (first, second) = two(Work::PatchAndTransform);
        assert_ne!(first, second);
        assert_eq!(first.len(), second.len());
        let (first, second) = two(Work::Repeated);
        assert_eq!(first, second);
    }
}
