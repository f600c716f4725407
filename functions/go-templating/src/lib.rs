//! Composed resources from Go templates.
//!
//! Takes the input of function-go-templating (`gotemplating.fn.crossplane.io/v1beta1 GoTemplate`) and answers as it does: the
//! template is Go's `text/template` with Sprig, sees the request, and renders YAML documents that become composed
//! resources, the status of the composite, or one of the meta kinds. What differs, on purpose:
//!
//! - What is random depends only on the composite, so that it is the same in every run; keys, certificates and passwords
//!   cannot be made, because they would change in every run.
//! - Functions whose order is random in Go (`keys`, `values`) answer in the order of the keys.
//! - Times are in UTC; other zones are refused instead of read from the machine.
//! - Loops, output, depth and what functions make are bounded.
//! - A message about a list of templates names the template in it.
//! - The source `FileSystem` reads only when the host gives a reader ([`Options::read`]).

mod apply;
mod data;
mod documents;
mod input;
mod own;
mod source;
mod yaml;

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};

use prost_types::Duration;
use purlin_function::{
    FieldRead, Function, Hosted, ReadObject, ReadStep, RequestView as _, Response,
    RunFunctionRequest, RunFunctionResponse, parse_duration,
};
use purlin_object::Object;
use purlin_template::{Delimiters, Library, Limits, MissingKey, Template};

use input::Input;

/// The annotation that names a composed resource.
const NAME: &str = "gotemplating.fn.crossplane.io/composition-resource-name";
/// The annotation that says whether a resource is ready.
const READY: &str = "gotemplating.fn.crossplane.io/ready";
/// The annotation of a composite that says how long the answer holds.
const TTL: &str = "gotemplating.fn.crossplane.io/ttl";
/// The context key of the environment.
const ENVIRONMENT: &str = "apiextensions.crossplane.io/environment";
/// The context key of extra resources.
const EXTRA_RESOURCES: &str = "apiextensions.crossplane.io/extra-resources";
/// How many parsed templates are kept.
const KEPT: usize = 64;

/// Reads the templates below a folder: each file's text, in lexical order of the paths.
pub type Reader = dyn Fn(&str) -> Result<Vec<String>, String> + Send + Sync;
/// Tells the time, in nanoseconds since 1970.
pub type Clock = dyn Fn() -> i128 + Send + Sync;

/// What the host decides.
#[derive(Clone, Default)]
pub struct Options {
    /// Reads folders of templates. Without it there is no source `FileSystem`.
    pub read: Option<Arc<Reader>>,
    /// The clock behind `now`. Without it there is no `now`.
    pub now: Option<Arc<Clock>>,
    /// The folder that is read when an input names no source.
    pub default_source: Option<String>,
    /// The template options of inputs that give none, as `missingkey=error`.
    pub default_options: Vec<String>,
    /// How long answers hold, whatever an input says.
    pub ttl: Option<Duration>,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("default_source", &self.default_source)
            .field("default_options", &self.default_options)
            .field("ttl", &self.ttl)
            .finish_non_exhaustive()
    }
}

/// The function.
#[derive(Debug)]
pub struct GoTemplating {
    options: Options,
    library: Library,
    parsed: Mutex<VecDeque<(Key, Arc<Template>)>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    text: String,
    delimiters: Delimiters,
}

impl Default for GoTemplating {
    fn default() -> Self {
        Self::new(Options::default())
    }
}

/// This function, to be hosted.
pub fn hosted() -> Hosted {
    hosted_with(Options::default())
}

/// This function with what the host decides.
pub fn hosted_with(options: Options) -> Hosted {
    Hosted {
        name: "function-go-templating",
        api_version: "gotemplating.fn.crossplane.io/v1beta1",
        kind: "GoTemplate",
        function: Arc::new(GoTemplating::new(options)),
    }
}

impl Function for GoTemplating {
    fn run(&self, request: &RunFunctionRequest) -> RunFunctionResponse {
        let mut response = Response::to(request);
        let empty = Object::new();
        let input = request.input().unwrap_or(&empty);
        let input: Input = match purlin_function::input::decode(input) {
            Ok(input) => input,
            Err(mistakes) => return response.mistakes(&mistakes).build(),
        };
        let given = input.ttl.as_deref().and_then(parse_duration);
        let mut ttl = given.or(self.options.ttl);
        if let Err(why) = self.render(request, &input, &mut response) {
            return hold(response.fatal(why).build(), ttl);
        }
        if let Some(annotated) = request
            .observed_composite()
            .get_path(&["metadata", "annotations", TTL])
            .and_then(purlin_object::ValueRef::as_str)
        {
            ttl = Some(parse_duration(annotated).unwrap_or_default());
        }
        hold(response.build(), ttl)
    }

    /// What is random depends on the composite alone, and files are not the request's. A template that looks at the clock
    /// fails when there is none, and one that renders without a clock has not looked.
    fn repeats(&self, request: &RunFunctionRequest) -> bool {
        let empty = Object::new();
        let input = request.input().unwrap_or(&empty);
        let Ok(input) = purlin_function::input::decode::<Input>(input) else {
            return true;
        };
        let in_request = matches!(input.source.as_str(), "Inline" | "Environment");
        in_request && self.text(request, &input, None).is_ok()
    }

    fn check(&self, input: &Object) -> purlin_diag::Diagnostics {
        let decoded: Input = match purlin_function::input::decode(input) {
            Ok(decoded) => decoded,
            Err(mistakes) => return mistakes,
        };
        let mut found = purlin_diag::Diagnostics::new();
        let inline = decoded.source == "Inline";
        let sources = ["Inline", "FileSystem", "Environment"];
        let source = decoded.source.as_str();
        if !source.is_empty() && !sources.contains(&source) {
            let message = format!("there is no source `{source}`");
            let finding = purlin_diag::Diagnostic::error("go-templating/source", message);
            let near = purlin_diag::nearest(source, sources);
            let help = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("it is one of {}", sources.join(", ")),
            };
            found.push(finding.path("source").help(help));
        }
        if let Err(error) = self.missing_key(&decoded) {
            found.push(
                purlin_diag::Diagnostic::error("go-templating/option", error).path("options"),
            );
        }
        if inline
            && let Some(source) = source::inline(&decoded)
            && let Err(error) = self.parse(&source.text, delimiters(&decoded))
        {
            let (path, line) = source.place(error.line);
            let message = format!("line {line} of the template: {}", error.message);
            // What is wrong is often quoted in the message: `function "foo" not defined`.
            let word = error.message.split('"').nth(1);
            let (start, end) = source.bytes(error.line, word);
            let finding = purlin_diag::Diagnostic::error("go-templating/template", message);
            found.push(finding.path(path).within(start, end));
        }
        found
    }

    fn input_schema(&self) -> Option<purlin_function::input::Schema> {
        Some(purlin_function::input::schema_of::<Input>())
    }

    fn reads(&self, input: &Object) -> Vec<FieldRead> {
        let Ok(decoded) = purlin_function::input::decode::<Input>(input) else {
            return Vec::new();
        };
        let Some(source) = source::inline(&decoded).filter(|_| decoded.source == "Inline") else {
            return Vec::new();
        };
        let Ok(template) = self.parse(&source.text, delimiters(&decoded)) else {
            return Vec::new();
        };
        let read = |reading: purlin_template::Reading| {
            let (object, steps) = observed(&reading.steps)?;
            let (path, within) = source.field(reading.start, reading.end)?;
            Some(FieldRead {
                object,
                steps,
                path,
                within,
            })
        };
        template.reads().into_iter().filter_map(read).collect()
    }
}

/// The observed object that a template reads a field of, and the way to the field in it.
fn observed(steps: &[purlin_template::Step]) -> Option<(ReadObject, Vec<ReadStep>)> {
    use purlin_template::Step;
    let name = |step: Option<&Step>| match step {
        Some(Step::Field(name)) => Some(name.clone()),
        Some(Step::Element) | None => None,
    };
    let is = |at: usize, word: &str| name(steps.get(at)).is_some_and(|name| name == word);
    if !is(0, "observed") {
        return None;
    }
    let (object, start) = if is(1, "composite") && is(2, "resource") {
        (ReadObject::Composite, 3)
    } else if is(1, "resources") && is(3, "resource") {
        (ReadObject::Composed(name(steps.get(2))?), 4)
    } else {
        return None;
    };
    let rest = steps.get(start..)?.iter().map(|step| match step {
        Step::Field(name) => ReadStep::Field(name.clone()),
        Step::Element => ReadStep::Element,
    });
    Some((object, rest.collect()))
}

/// Says how long the answer holds; protobuf durations may be negative, as upstream passes them on.
fn hold(mut response: RunFunctionResponse, ttl: Option<Duration>) -> RunFunctionResponse {
    if let (Some(ttl), Some(meta)) = (ttl, &mut response.meta) {
        meta.ttl = Some(ttl);
    }
    response
}

fn delimiters(input: &Input) -> Delimiters {
    match &input.delims {
        Some(input::Delims {
            left: Some(left),
            right: Some(right),
        }) => Delimiters {
            left: left.clone(),
            right: right.clone(),
        },
        _ => Delimiters::default(),
    }
}

impl GoTemplating {
    /// The function with what the host decides.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            library: Library::sprig().with(own::FUNCTIONS),
            parsed: Mutex::default(),
        }
    }

    fn render(
        &self,
        request: &RunFunctionRequest,
        input: &Input,
        response: &mut Response,
    ) -> Result<(), String> {
        let now = self.options.now.as_ref().map(|now| now());
        let rendered = self.text(request, input, now)?;
        let text = String::from_utf8(rendered)
            .map_err(|_| "cannot decode manifest: the text is not UTF-8".to_owned())?;
        let objects =
            documents::objects(&text).map_err(|why| format!("cannot decode manifest: {why}"))?;
        apply::all(objects, request, response)
    }

    /// What the template of an input renders, at this time if there is a clock.
    fn text(
        &self,
        request: &RunFunctionRequest,
        input: &Input,
        now: Option<i128>,
    ) -> Result<Vec<u8>, String> {
        let source = source::find(input, request, &self.options)
            .map_err(|why| format!("invalid function input: {why}"))?;
        let template = self
            .parse(&source.text, delimiters(input))
            .map_err(|error| {
                format!(
                    "invalid function input: cannot parse the provided templates: {error}{}",
                    source.hint(error.line)
                )
            })?;
        let missing_key = self.missing_key(input).map_err(|why| {
            format!("cannot apply template options: panic occurred while applying template options: {why}")
        })?;
        let limits = Limits {
            now,
            seed: seed(request),
            ..Limits::default()
        };
        let template = if missing_key == MissingKey::Default {
            template
        } else {
            Arc::new((*template).clone().with_missing_key(missing_key))
        };
        template
            .execute(&data::of(request), &limits)
            .map_err(|error| {
                format!(
                    "cannot execute template: {error}{}",
                    source.hint(error.line)
                )
            })
    }

    /// The parsed template, from those kept when it is there.
    fn parse(
        &self,
        text: &str,
        delimiters: Delimiters,
    ) -> Result<Arc<Template>, purlin_template::Error> {
        let key = Key {
            text: text.to_owned(),
            delimiters,
        };
        let mut kept = self
            .parsed
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(at) = kept.iter().position(|(held, _)| *held == key) {
            let found = kept.remove(at).expect("the position was just found");
            let template = Arc::clone(&found.1);
            kept.push_front(found);
            return Ok(template);
        }
        drop(kept);
        let template = Template::parse_with("manifests", text, &key.delimiters, &self.library)?;
        let template = Arc::new(template);
        let mut kept = self
            .parsed
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        kept.push_front((key, Arc::clone(&template)));
        kept.truncate(KEPT);
        Ok(template)
    }

    fn missing_key(&self, input: &Input) -> Result<MissingKey, String> {
        let options = input
            .options
            .as_ref()
            .unwrap_or(&self.options.default_options);
        let mut missing_key = MissingKey::Default;
        for option in options {
            missing_key = match option.as_str() {
                "missingkey=default" | "missingkey=invalid" => MissingKey::Default,
                "missingkey=zero" => MissingKey::Zero,
                "missingkey=error" => MissingKey::Error,
                "" => return Err("empty option string".to_owned()),
                other => return Err(format!("unrecognized option: {other}")),
            };
        }
        Ok(missing_key)
    }
}

/// What is random depends on the composite alone: its uid, or its name while it has none.
fn seed(request: &RunFunctionRequest) -> u64 {
    let composite = request.observed_composite();
    let text = ["uid", "namespace", "name"]
        .into_iter()
        .filter_map(|key| composite.get_path(&["metadata", key])?.as_str())
        .collect::<Vec<_>>()
        .join("/");
    // FNV-1a.
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
