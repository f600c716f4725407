//! Every metric, declared once.
//!
//! The `grpc_server_*` names and labels are those of the Go gRPC middleware that existing function servers export
//! (spec/functions.md 3.1), so that dashboards go on working.

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

/// Which method was called.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct CallLabels {
    /// Always `unary` here.
    pub grpc_type: &'static str,
    /// The full name of the service.
    pub grpc_service: &'static str,
    /// The method.
    pub grpc_method: &'static str,
}

/// Which method was called, and how the call ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct HandledLabels {
    /// Always `unary` here.
    pub grpc_type: &'static str,
    /// The full name of the service.
    pub grpc_service: &'static str,
    /// The method.
    pub grpc_method: &'static str,
    /// The status code, spelled as in Go.
    pub grpc_code: &'static str,
}

/// Which function ran.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct FunctionLabels {
    /// Its name; empty when no function took the request.
    pub function: &'static str,
}

/// Which function said how bad a thing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct SeverityLabels {
    /// Its name.
    pub function: &'static str,
    /// `fatal`, `warning` or `normal`.
    pub severity: &'static str,
}

/// Which function answered, and how its call ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct AnswerLabels {
    /// Its name; empty when no function took the request.
    pub function: &'static str,
    /// `OK`, or `Fatal` when the answer has a fatal result.
    pub outcome: &'static str,
}

/// Which limit was hit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct LimitLabels {
    /// Its name.
    pub limit: &'static str,
}

/// Which file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct FileLabels {
    /// Its name.
    pub file: &'static str,
}

/// Which program this is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BuildLabels {
    version: &'static str,
}

type Seconds<L> = Family<L, Histogram, fn() -> Histogram>;

/// The metrics of a process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Calls that began.
    pub started: Family<CallLabels, Counter>,
    /// Calls that ended, by code.
    pub handled: Family<HandledLabels, Counter>,
    /// Requests read.
    pub received: Family<CallLabels, Counter>,
    /// Responses written.
    pub sent: Family<CallLabels, Counter>,
    /// How long calls took.
    pub handling: Seconds<CallLabels>,
    /// How long functions ran.
    pub ran: Seconds<FunctionLabels>,
    /// What functions reported.
    pub results: Family<SeverityLabels, Counter>,
    /// Functions that panicked.
    pub panics: Family<FunctionLabels, Counter>,
    /// Functions that were given up.
    pub timeouts: Family<FunctionLabels, Counter>,
    /// Calls answered, by function.
    pub answers: Family<AnswerLabels, Counter>,
    /// Calls answered by what was answered to the same request before.
    pub kept: Counter,
    /// Calls refused because there were too many.
    pub refused: Counter,
    /// Calls and connections that were refused or cut because of a limit.
    pub limits_hit: Family<LimitLabels, Counter>,
    /// Calls under way, from their first header to the last byte of their answer.
    pub in_flight: Gauge,
    /// Connections that are open.
    pub connections: Gauge,
    /// TLS handshakes that failed.
    pub handshake_failures: Counter,
    /// Certificates that were reloaded.
    pub tls_reloads: Counter,
    /// Certificates that could not be reloaded.
    pub tls_reload_failures: Counter,
    /// Until when certificates are valid, in seconds since 1970.
    pub certificate_expiry: Family<FileLabels, Gauge>,
}

impl Default for Metrics {
    fn default() -> Self {
        let seconds: fn() -> Histogram = || Histogram::new(exponential_buckets(0.000_1, 2.5, 14));
        let mut metrics = Self {
            registry: Registry::default(),
            started: Family::default(),
            handled: Family::default(),
            received: Family::default(),
            sent: Family::default(),
            handling: Family::new_with_constructor(seconds),
            ran: Family::new_with_constructor(seconds),
            results: Family::default(),
            panics: Family::default(),
            timeouts: Family::default(),
            answers: Family::default(),
            kept: Counter::default(),
            refused: Counter::default(),
            limits_hit: Family::default(),
            in_flight: Gauge::default(),
            connections: Gauge::default(),
            handshake_failures: Counter::default(),
            tls_reloads: Counter::default(),
            tls_reload_failures: Counter::default(),
            certificate_expiry: Family::default(),
        };
        metrics.register_calls();
        metrics.register_functions();
        metrics.register_connections();
        let version = env!("CARGO_PKG_VERSION");
        let built = Info::new(BuildLabels { version });
        metrics
            .registry
            .register("purlin_build", "Which program this is", built);
        metrics
    }
}

impl Metrics {
    /// All metrics in the OpenMetrics text format.
    pub fn text(&self) -> String {
        let mut out = String::new();
        text::encode(&mut out, &self.registry).unwrap_or_default();
        out
    }

    fn register_calls(&mut self) {
        let to = &mut self.registry;
        to.register(
            "grpc_server_started",
            "Calls that began",
            self.started.clone(),
        );
        to.register(
            "grpc_server_handled",
            "Calls that ended, by code",
            self.handled.clone(),
        );
        to.register(
            "grpc_server_msg_received",
            "Requests read",
            self.received.clone(),
        );
        to.register(
            "grpc_server_msg_sent",
            "Responses written",
            self.sent.clone(),
        );
        to.register(
            "grpc_server_handling_seconds",
            "How long calls took",
            self.handling.clone(),
        );
    }

    fn register_functions(&mut self) {
        let to = &mut self.registry;
        to.register(
            "purlin_function_run_seconds",
            "How long functions ran",
            self.ran.clone(),
        );
        to.register(
            "purlin_function_results",
            "Results of functions, by severity",
            self.results.clone(),
        );
        to.register(
            "purlin_function_panics",
            "Functions that panicked",
            self.panics.clone(),
        );
        to.register(
            "purlin_function_timeouts",
            "Functions that were given up",
            self.timeouts.clone(),
        );
        to.register(
            "purlin_function_answers",
            "Calls answered, by function and whether a result is fatal",
            self.answers.clone(),
        );
        to.register(
            "purlin_serve_limits_hit",
            "Calls and connections refused or cut because of a limit",
            self.limits_hit.clone(),
        );
        to.register(
            "purlin_serve_in_flight",
            "Calls under way",
            self.in_flight.clone(),
        );
        to.register(
            "purlin_serve_kept_answers",
            "Calls answered by what was answered to the same request before",
            self.kept.clone(),
        );
        to.register(
            "purlin_serve_refused",
            "Calls refused because there were too many",
            self.refused.clone(),
        );
    }

    fn register_connections(&mut self) {
        let to = &mut self.registry;
        to.register(
            "purlin_serve_connections",
            "Open connections",
            self.connections.clone(),
        );
        to.register(
            "purlin_serve_handshake_failures",
            "TLS handshakes that failed",
            self.handshake_failures.clone(),
        );
        to.register(
            "purlin_serve_tls_reloads",
            "Certificates reloaded",
            self.tls_reloads.clone(),
        );
        to.register(
            "purlin_serve_tls_reload_failures",
            "Certificates that could not be reloaded",
            self.tls_reload_failures.clone(),
        );
        to.register(
            "purlin_serve_certificate_expiry_timestamp_seconds",
            "Until when the certificates of a file are valid",
            self.certificate_expiry.clone(),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::{CallLabels, Metrics};

    #[test]
    fn names_and_labels_are_those_of_existing_dashboards() {
        let metrics = Metrics::default();
        metrics
            .started
            .get_or_create(&CallLabels {
                grpc_type: "unary",
                grpc_service: "a.B",
                grpc_method: "C",
            })
            .inc();
        let line =
            r#"grpc_server_started_total{grpc_type="unary",grpc_service="a.B",grpc_method="C"} 1"#;
        let text = metrics.text();
        assert!(text.lines().any(|found| found == line), "{text}");
    }
}
