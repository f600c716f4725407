//! How does a request become a call of a function? In bounded time, and without dying.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use purlin_function::{
    Function as _, Functions, Hosted, Panicked, RequestView as _, Response as Answer,
};
use purlin_function::{RunFunctionRequest, RunFunctionResponse, Severity};
use purlin_function::{ask_in_the_old_field_too, run_caught, run_short_caught};
use purlin_proto::decode_request;
use purlin_telemetry::{
    AnswerLabels, CallLabels, FunctionLabels, HandledLabels, Metrics, SeverityLabels,
};
use tokio::sync::Semaphore;
use tokio::time::timeout_at;
use tonic::body::Body;
use tonic::{Code, Status};

use crate::kept::{Kept, Known};
use crate::large::LARGE;
use crate::limit::Turn;
use crate::message::{self, Frame};
use crate::record::Recorder;

/// The largest request that is decoded, and answered when that is short, where connections are served. The hand-over to
/// another thread costs more than a small request; a larger one would hold up others for too long.
const SMALL: usize = LARGE;

/// The functions behind both versions of the protocol.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) functions: Arc<Functions>,
    pub(crate) timeout: Duration,
    pub(crate) kept: Arc<Kept>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) recorder: Option<Arc<Recorder>>,
    /// How many large requests of short functions are worked on at once: as many as there are processors. More would
    /// not be done sooner, and each takes several times its size while it is.
    pub(crate) large: Arc<Semaphore>,
}

/// Who works on a request, as far as is known.
#[derive(Debug)]
struct Working {
    tag: String,
    function: &'static str,
}

/// A request as it was read, by which service it came, and under which hash its answer is worth keeping, if it is.
#[derive(Debug)]
struct Question {
    bytes: Bytes,
    service: &'static str,
    keep: Option<u64>,
}

/// What a function came to.
#[derive(Debug)]
struct Ran {
    response: RunFunctionResponse,
    panicked: Panicked,
    took: Duration,
}

impl Service {
    /// Answers an encoded request with an encoded response, and counts it.
    pub(crate) async fn handle(
        self,
        service: &'static str,
        request: Request<Body>,
    ) -> Result<Frame, Status> {
        let began = Instant::now();
        let call = CallLabels {
            grpc_type: "unary",
            grpc_service: service,
            grpc_method: "RunFunction",
        };
        self.metrics.started.get_or_create(&call).inc();
        let turn = request.extensions().get::<Turn>().cloned();
        let outcome = match message::read(request).await {
            Ok(bytes) => {
                self.metrics.received.get_or_create(&call).inc();
                self.run(service, bytes, turn).await
            }
            Err(status) => Err(status),
        };
        let handled = HandledLabels {
            grpc_type: call.grpc_type,
            grpc_service: call.grpc_service,
            grpc_method: call.grpc_method,
            grpc_code: code_name(outcome.as_ref().map_or_else(Status::code, |_| Code::Ok)),
        };
        self.metrics.handled.get_or_create(&handled).inc();
        if outcome.is_ok() {
            self.metrics.sent.get_or_create(&call).inc();
        }
        let took = began.elapsed().as_secs_f64();
        self.metrics.handling.get_or_create(&call).observe(took);
        outcome
    }

    async fn run(
        &self,
        service: &'static str,
        bytes: Bytes,
        turn: Option<Turn>,
    ) -> Result<Frame, Status> {
        let keep = match self.kept.find(&bytes) {
            Known::Answer(frame) => {
                self.metrics.kept.inc();
                tracing::debug!(size = bytes.len(), "answered with what was kept");
                return Ok(frame);
            }
            Known::Again(hash) => Some(hash),
            Known::Nothing => None,
        };
        let question = Question {
            bytes,
            service,
            keep,
        };
        let working = Arc::new(OnceLock::new());
        let mut decoded = None;
        // Recording writes files, which may take its time.
        if question.bytes.len() <= SMALL && self.recorder.is_none() {
            let request = decoded.insert(decode(&question.bytes)?);
            if let Some(frame) = self.answer_at_once(request, &question) {
                return Ok(frame);
            }
        }
        let until = Instant::now() + self.timeout;
        let room = match decoded {
            Some(_) => None,
            // Who does not get room in time goes on without.
            None => timeout_at(until.into(), Arc::clone(&self.large).acquire_owned())
                .await
                .ok()
                .and_then(Result::ok),
        };
        // Only to be recorded when nothing comes back.
        let asked = (self.recorder.as_ref()).map(|_| question.bytes.clone());
        // On a thread of its own: a function computes, and nothing can stop it while it does. It keeps its turn.
        let answer = tokio::task::spawn_blocking({
            let (this, working) = (self.clone(), Arc::clone(&working));
            move || {
                let request = match decoded {
                    Some(request) => Ok(request),
                    None => decode(&question.bytes),
                };
                let answer = request.map(|request| {
                    // A function that may take long holds up nobody else.
                    let room = room.filter(|_| this.functions.is_short(&request));
                    let answer = this.answer(&request, &question, &working);
                    drop(room);
                    answer
                });
                drop(turn);
                answer
            }
        });
        match tokio::time::timeout(self.timeout, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_stopping)) => Err(Status::unavailable("the server is stopping")),
            Err(_elapsed) => Ok(self.give_up(service, asked, working.get())),
        }
    }

    /// Answers a request if that is known, or turns out, to take little time.
    fn answer_at_once(&self, request: &RunFunctionRequest, question: &Question) -> Option<Frame> {
        let hosted = self.functions.pick(request).ok()?;
        let began = Instant::now();
        let (response, panicked) = run_short_caught(hosted.function.as_ref(), request)?;
        let ran = Ran {
            response,
            panicked,
            took: began.elapsed(),
        };
        Some(self.finish(hosted, request, question, ran))
    }

    /// Answers a request, however long that takes.
    fn answer(
        &self,
        request: &RunFunctionRequest,
        question: &Question,
        working: &OnceLock<Working>,
    ) -> Frame {
        let tag = request.tag();
        let hosted = match self.functions.pick(request) {
            Ok(hosted) => hosted,
            Err(mistakes) => {
                tracing::warn!(tag, ?mistakes, "no function takes the request");
                let response = Answer::to(request).mistakes(&mistakes).build();
                self.record(question.service, "", request, &response);
                return Frame::of(&response);
            }
        };
        let told = working.set(Working {
            tag: tag.to_owned(),
            function: hosted.name,
        });
        debug_assert!(told.is_ok(), "a request is worked on once");
        let began = Instant::now();
        let (response, panicked) = run_caught(hosted.function.as_ref(), request);
        let ran = Ran {
            response,
            panicked,
            took: began.elapsed(),
        };
        self.finish(hosted, request, question, ran)
    }

    /// The answer as it is sent. It is recorded, and kept, when it is worth that.
    fn finish(
        &self,
        hosted: &Hosted,
        request: &RunFunctionRequest,
        question: &Question,
        ran: Ran,
    ) -> Frame {
        self.count(hosted.name, request, &ran);
        let mut response = ran.response;
        ask_in_the_old_field_too(request, &mut response);
        self.record(question.service, hosted.name, request, &response);
        let frame = Frame::of(&response);
        // A fatal answer is not kept: each is logged and counted.
        if let Some(hash) = question.keep
            && hosted.function.repeats(request)
            && !response.results.iter().any(is_fatal)
        {
            self.kept.keep(hash, &question.bytes, &frame);
        }
        frame
    }

    fn record(
        &self,
        service: &str,
        function: &str,
        request: &RunFunctionRequest,
        response: &RunFunctionResponse,
    ) {
        if let Some(recorder) = &self.recorder {
            recorder.keep(protocol(service), function, request, response);
        }
    }

    /// Counts and logs what a function that ran reports.
    fn count(&self, function: &'static str, request: &RunFunctionRequest, ran: &Ran) {
        let response = &ran.response;
        let (tag, labels) = (request.tag(), FunctionLabels { function });
        let took = ran.took.as_secs_f64();
        self.metrics.ran.get_or_create(&labels).observe(took);
        tracing::debug!(tag, function, took, "answered");
        if ran.panicked == Panicked::Yes {
            self.metrics.panics.get_or_create(&labels).inc();
        }
        let outcome = if response.results.iter().any(is_fatal) {
            "Fatal"
        } else {
            "OK"
        };
        let answered = AnswerLabels { function, outcome };
        self.metrics.answers.get_or_create(&answered).inc();
        for result in &response.results {
            let severity = match result.severity() {
                Severity::Fatal => "fatal",
                Severity::Warning => "warning",
                Severity::Normal | Severity::Unspecified => "normal",
            };
            let labels = SeverityLabels { function, severity };
            self.metrics.results.get_or_create(&labels).inc();
            if result.severity() == Severity::Fatal {
                tracing::warn!(tag, function, message = result.message, "fatal result");
            }
        }
    }

    /// What to answer when the function does not.
    fn give_up(&self, service: &str, asked: Option<Bytes>, working: Option<&Working>) -> Frame {
        let (tag, function) = working.map_or(("", ""), |it| (it.tag.as_str(), it.function));
        let labels = FunctionLabels {
            function: working.map_or("", |it| it.function),
        };
        self.metrics.timeouts.get_or_create(&labels).inc();
        let after = self.timeout.as_secs_f64();
        tracing::error!(tag, function, after, "the function does not come back");
        let mut request = RunFunctionRequest::default();
        tag.clone_into(&mut request.meta.get_or_insert_default().tag);
        let message = format!("{function} did not come back within {after} s (--request-timeout)");
        let response = Answer::to(&request).fatal(message).build();
        if let Some(asked) = asked.and_then(|bytes| decode_request(bytes).ok()) {
            self.record(service, function, &asked, &response);
        }
        Frame::of(&response)
    }
}

/// The version in the full name of a service.
fn protocol(service: &str) -> &str {
    service.rsplit('.').nth(1).unwrap_or_default()
}

fn decode(bytes: &Bytes) -> Result<RunFunctionRequest, Status> {
    decode_request(bytes.clone()).map_err(|error| Status::invalid_argument(error.to_string()))
}

fn is_fatal(result: &purlin_proto::v1::Result) -> bool {
    result.severity() == Severity::Fatal
}

/// A status code as the Go middleware spells it in metrics.
pub(crate) fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "Canceled",
        Code::Unknown => "Unknown",
        Code::InvalidArgument => "InvalidArgument",
        Code::DeadlineExceeded => "DeadlineExceeded",
        Code::NotFound => "NotFound",
        Code::AlreadyExists => "AlreadyExists",
        Code::PermissionDenied => "PermissionDenied",
        Code::ResourceExhausted => "ResourceExhausted",
        Code::FailedPrecondition => "FailedPrecondition",
        Code::Aborted => "Aborted",
        Code::OutOfRange => "OutOfRange",
        Code::Unimplemented => "Unimplemented",
        Code::Internal => "Internal",
        Code::Unavailable => "Unavailable",
        Code::DataLoss => "DataLoss",
        Code::Unauthenticated => "Unauthenticated",
    }
}
