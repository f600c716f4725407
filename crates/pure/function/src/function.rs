//! What is a function?

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use purlin_diag::Diagnostics;
use purlin_object::Object;
use purlin_proto::v1::{RunFunctionRequest, RunFunctionResponse};
use serde::de::DeserializeOwned;

use crate::Response;

/// One step of a pipeline: from what is observed and desired to what is desired.
pub trait Function: Send + Sync {
    /// Answers a request. Mistakes of users are FATAL results ([`crate::Response::fatal`]), never panics.
    fn run(&self, request: &RunFunctionRequest) -> RunFunctionResponse;

    /// Everything that is wrong with an input, found without running: field paths are inside the input. Whoever has the
    /// file shows the places. A function that cannot tell beforehand finds nothing.
    fn check(&self, input: &Object) -> Diagnostics {
        let _ = input;
        Diagnostics::new()
    }

    /// The OpenAPI schema of the input, in the structural form of CRDs: what [`crate::input::schema_of`] says of its type.
    /// `None` when the function does not tell.
    fn input_schema(&self) -> Option<crate::input::Schema> {
        None
    }

    /// The fields of observed objects that an input is certain to read, so that whoever knows their kinds can say which
    /// are not there. A function that cannot tell beforehand knows of none.
    fn reads(&self, input: &Object) -> Vec<FieldRead> {
        let _ = input;
        Vec::new()
    }

    /// Whether the answer to this request depends on nothing but its bytes: on no clock, file, network or chance. Such an
    /// answer may be kept, and given again when the same request comes again. A function that does not say so is asked
    /// each time.
    fn repeats(&self, request: &RunFunctionRequest) -> bool {
        let _ = request;
        false
    }

    /// Whether answering takes a bounded and short time, computing and never waiting, a few microseconds for each
    /// kilobyte. A server may then answer where it reads, without handing the request to another thread.
    fn is_short(&self, request: &RunFunctionRequest) -> bool {
        let _ = request;
        false
    }

    /// The answer, if finding it takes no longer than [`Function::is_short`] says. A function that cannot tell beforehand may
    /// begin, and give up as soon as it turns out to take longer: it is then asked again where it may take its time.
    fn run_short(&self, request: &RunFunctionRequest) -> Option<RunFunctionResponse> {
        self.is_short(request).then(|| self.run(request))
    }
}

/// An observed object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadObject {
    /// The composite.
    Composite,
    /// The composed resource of this name.
    Composed(String),
}

/// One step to a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadStep {
    /// The field of this name.
    Field(String),
    /// Some element of a list, or value of a map.
    Element,
}

/// A field of an observed object that an input reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldRead {
    /// Whose field.
    pub object: ReadObject,
    /// The way to it.
    pub steps: Vec<ReadStep>,
    /// The field of the input that says so.
    pub path: String,
    /// Which bytes of its text.
    pub within: (usize, usize),
}

impl<F> Function for F
where
    F: Fn(&RunFunctionRequest) -> RunFunctionResponse + Send + Sync,
{
    fn run(&self, request: &RunFunctionRequest) -> RunFunctionResponse {
        self(request)
    }
}

/// A function that is one `fn`, and whose input is a `T`: what does not fit `T` is found without running.
pub fn typed<T: DeserializeOwned + 'static>(
    run: fn(&RunFunctionRequest) -> RunFunctionResponse,
) -> Arc<dyn Function> {
    Arc::new(Typed {
        run,
        decode: |input| crate::input::decode::<T>(input).err().unwrap_or_default(),
        schema: crate::input::schema_of::<T>,
    })
}

/// A function that is one `fn`, whose input is a `T`, and that knows what may be wrong with a `T` before it runs. What does not fit
/// `T` is found along with it.
pub fn checked<T: DeserializeOwned + 'static>(
    run: fn(&RunFunctionRequest) -> RunFunctionResponse,
    check: fn(&T) -> Diagnostics,
) -> Arc<dyn Function> {
    Arc::new(Checked { run, check })
}

struct Checked<T> {
    run: fn(&RunFunctionRequest) -> RunFunctionResponse,
    check: fn(&T) -> Diagnostics,
}

impl<T: DeserializeOwned> Function for Checked<T> {
    fn run(&self, request: &RunFunctionRequest) -> RunFunctionResponse {
        (self.run)(request)
    }

    fn check(&self, input: &Object) -> Diagnostics {
        let (decoded, mut found) =
            crate::input::decode_all::<T>(purlin_object::ValueRef::Object(input.as_ref()));
        if let Some(decoded) = decoded {
            // Where something was unreadable nothing more is said.
            let holes: Vec<String> = found.iter().filter_map(|one| one.path.clone()).collect();
            let more = (self.check)(&decoded).into_iter().filter(|one| {
                let path = one.path.as_deref().unwrap_or_default();
                !holes.iter().any(|hole| path.starts_with(hole.as_str()))
            });
            found.extend(more);
        }
        found
    }

    fn input_schema(&self) -> Option<crate::input::Schema> {
        Some(crate::input::schema_of::<T>())
    }
}

/// The same function, which says that its answers depend on nothing but the request ([`Function::repeats`]).
pub fn repeating(function: Arc<dyn Function>) -> Arc<dyn Function> {
    Arc::new(Repeating(function))
}

struct Repeating(Arc<dyn Function>);

impl Function for Repeating {
    fn run(&self, request: &RunFunctionRequest) -> RunFunctionResponse {
        self.0.run(request)
    }

    fn check(&self, input: &Object) -> Diagnostics {
        self.0.check(input)
    }

    fn input_schema(&self) -> Option<crate::input::Schema> {
        self.0.input_schema()
    }

    fn reads(&self, input: &Object) -> Vec<FieldRead> {
        self.0.reads(input)
    }

    fn repeats(&self, _: &RunFunctionRequest) -> bool {
        true
    }

    fn is_short(&self, request: &RunFunctionRequest) -> bool {
        self.0.is_short(request)
    }

    fn run_short(&self, request: &RunFunctionRequest) -> Option<RunFunctionResponse> {
        self.0.run_short(request)
    }
}

struct Typed {
    run: fn(&RunFunctionRequest) -> RunFunctionResponse,
    decode: fn(&Object) -> Diagnostics,
    schema: fn() -> crate::input::Schema,
}

impl Function for Typed {
    fn run(&self, request: &RunFunctionRequest) -> RunFunctionResponse {
        (self.run)(request)
    }

    fn check(&self, input: &Object) -> Diagnostics {
        (self.decode)(input)
    }

    fn input_schema(&self) -> Option<crate::input::Schema> {
        Some((self.schema)())
    }
}

/// Runs a function; a panic in it becomes a FATAL result, and the flag says so.
pub fn run_caught(
    function: &dyn Function,
    request: &RunFunctionRequest,
) -> (RunFunctionResponse, Panicked) {
    catch_unwind(AssertUnwindSafe(|| function.run(request))).map_or_else(
        |panic| (panicked(panic.as_ref(), request), Panicked::Yes),
        |response| (response, Panicked::No),
    )
}

/// The same of [`Function::run_short`].
pub fn run_short_caught(
    function: &dyn Function,
    request: &RunFunctionRequest,
) -> Option<(RunFunctionResponse, Panicked)> {
    catch_unwind(AssertUnwindSafe(|| function.run_short(request))).map_or_else(
        |panic| Some((panicked(panic.as_ref(), request), Panicked::Yes)),
        |response| response.map(|response| (response, Panicked::No)),
    )
}

fn panicked(panic: &(dyn Any + Send), request: &RunFunctionRequest) -> RunFunctionResponse {
    let message = format!(
        "the function panicked, which is a defect in it: {}",
        words(panic)
    );
    Response::to(request).fatal(message).build()
}

/// Whether a function panicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Panicked {
    /// It answered.
    No,
    /// It did, and the response is ours.
    Yes,
}

fn words(panic: &(dyn Any + Send)) -> &str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (None, Some(text)) => text,
        (None, None) => "it did not say why",
    }
}

/// A function in this process, and what it answers to.
#[derive(Clone)]
pub struct Hosted {
    /// Its name, as Compositions refer to it.
    pub name: &'static str,
    /// The apiVersion of its input.
    pub api_version: &'static str,
    /// The kind of its input.
    pub kind: &'static str,
    /// The function.
    pub function: Arc<dyn Function>,
}

impl fmt::Debug for Hosted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hosted")
            .field("name", &self.name)
            .field("api_version", &self.api_version)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}
