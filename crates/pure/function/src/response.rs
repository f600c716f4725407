//! What is answered? Starts from what the request desires, so that nothing is dropped by forgetting it.

use std::time::Duration;

use bytes::Bytes;
use purlin_diag::{Diagnostic, Diagnostics};
use purlin_object::{Object, Value};
use purlin_proto::v1;
use purlin_proto::v1::resource_selector::Match;
use purlin_proto::v1::{
    Condition, Ready, Resource, ResourceSelector, ResponseMeta, RunFunctionRequest,
    RunFunctionResponse, SchemaSelector, Severity, State, Status, Target,
};

use crate::RequestView as _;

/// How long a response holds unless the function says otherwise: a minute, as with the existing SDKs.
pub const TTL: Duration = Duration::from_mins(1);

/// Says which objects a function needs to see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector {
    /// Their apiVersion.
    pub api_version: String,
    /// Their kind.
    pub kind: String,
    /// The namespace; absent for cluster-scoped objects, or for all namespaces.
    pub namespace: Option<String>,
    /// The name, when it is one object.
    pub name: Option<String>,
    /// The labels they carry, when they are not named. With neither, all of the kind.
    pub labels: Option<std::collections::BTreeMap<String, String>>,
}

impl From<Selector> for ResourceSelector {
    fn from(selector: Selector) -> Self {
        let by_labels = |labels| Match::MatchLabels(v1::MatchLabels { labels });
        Self {
            api_version: selector.api_version,
            kind: selector.kind,
            namespace: selector.namespace,
            r#match: match selector.name {
                Some(name) => Some(Match::MatchName(name)),
                None => selector.labels.map(by_labels),
            },
        }
    }
}

/// A condition of the composite without a message.
pub fn condition(kind: impl Into<String>, status: Status, reason: impl Into<String>) -> Condition {
    Condition {
        r#type: kind.into(),
        status: status.into(),
        reason: reason.into(),
        message: None,
        target: Some(Target::Composite.into()),
    }
}

/// What can be added to a condition.
///
/// ```
/// use purlin_function::{ConditionExt, Status, Target, condition};
///
/// let condition = condition("DatabaseReady", Status::ConditionFalse, "Creating")
///     .with_message("the instance is being created; this takes about ten minutes")
///     .with_target(Target::CompositeAndClaim);
/// assert_eq!(condition.reason, "Creating");
/// assert_eq!(condition.target(), Target::CompositeAndClaim);
/// ```
pub trait ConditionExt {
    /// Says why, for people.
    #[must_use]
    fn with_message(self, message: impl Into<String>) -> Self;
    /// Says who is told.
    #[must_use]
    fn with_target(self, target: Target) -> Self;
}

impl ConditionExt for Condition {
    fn with_message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    fn with_target(mut self, target: Target) -> Self {
        self.target = Some(target.into());
        self
    }
}

/// A response being made.
///
/// It starts from what was asked, so that forgetting something never drops it: a composed resource that an earlier step
/// desires stays desired until [`Response::remove_desired`].
///
/// ```
/// use purlin_function::testing::{AnswerView, Request};
/// use purlin_function::{Response, Status, condition};
/// use serde_json::json;
///
/// let request = Request::new().desired("vpc", json!({"kind": "VPC"})).build();
/// let answer = Response::to(&request)
///     .condition(condition("NetworkReady", Status::ConditionFalse, "Creating"))
///     .warning("the subnet has no route yet")
///     .build();
/// assert!(answer.desired("vpc").is_some());
/// assert_eq!(answer.condition("NetworkReady"), Some((Status::ConditionFalse, "Creating")));
/// ```
#[derive(Debug, Clone)]
pub struct Response(RunFunctionResponse);

impl Response {
    /// Starts with the request's tag, desired state and context, and the default [`TTL`].
    pub fn to(request: &RunFunctionRequest) -> Self {
        let mut response = Self(RunFunctionResponse {
            meta: Some(ResponseMeta {
                tag: request.tag().to_owned(),
                ttl: None,
            }),
            desired: request.desired.clone(),
            context: request.context.clone(),
            ..RunFunctionResponse::default()
        });
        response.ttl(TTL);
        response
    }

    /// Says how long the response holds.
    pub fn ttl(&mut self, ttl: Duration) -> &mut Self {
        let meta = self.0.meta.get_or_insert_default();
        meta.ttl = prost_types::Duration::try_from(ttl).ok();
        self
    }

    /// Says how long the response holds, as [`crate::parse_duration`] read it: such a duration may be negative.
    pub fn ttl_of(&mut self, ttl: prost_types::Duration) -> &mut Self {
        self.0.meta.get_or_insert_default().ttl = Some(ttl);
        self
    }

    /// Stops the pipeline; nothing of it is applied.
    pub fn fatal(&mut self, message: impl Into<String>) -> &mut Self {
        self.result(Severity::Fatal, message)
    }

    /// Says that somebody should look.
    pub fn warning(&mut self, message: impl Into<String>) -> &mut Self {
        self.result(Severity::Warning, message)
    }

    /// Says something good to know.
    pub fn normal(&mut self, message: impl Into<String>) -> &mut Self {
        self.result(Severity::Normal, message)
    }

    /// Adds a result for the composite, without a reason.
    pub fn result(&mut self, severity: Severity, message: impl Into<String>) -> &mut Self {
        self.0.results.push(v1::Result {
            severity: severity.into(),
            message: message.into(),
            reason: None,
            target: Some(Target::Composite.into()),
        });
        self
    }

    /// Gives the result added last a reason.
    pub fn reason(&mut self, reason: impl Into<String>) -> &mut Self {
        if let Some(last) = self.0.results.last_mut() {
            last.reason = Some(reason.into());
        }
        self
    }

    /// Says who is told of the result added last.
    pub fn target(&mut self, target: Target) -> &mut Self {
        if let Some(last) = self.0.results.last_mut() {
            last.target = Some(target.into());
        }
        self
    }

    /// Reports findings: warnings and notes one by one, all errors in one FATAL, because callers show the first of those
    /// and no other.
    pub fn mistakes(&mut self, found: &Diagnostics) -> &mut Self {
        let mut errors = Vec::new();
        for finding in found {
            match finding.severity {
                purlin_diag::Severity::Error => errors.push(sentence(finding)),
                purlin_diag::Severity::Warning => {
                    self.warning(sentence(finding));
                }
                purlin_diag::Severity::Note => {
                    self.normal(sentence(finding));
                }
            }
        }
        match errors.as_slice() {
            [] => self,
            [one] => self.fatal(one),
            many => self.fatal(format!("{} mistakes:\n- {}", many.len(), many.join("\n- "))),
        }
    }

    /// Sets a condition on the composite.
    pub fn condition(&mut self, condition: Condition) -> &mut Self {
        self.0.conditions.push(condition);
        self
    }

    /// Desires a composed resource, in place of what was desired under that name.
    pub fn set_desired(&mut self, name: &str, object: Object, ready: Ready) -> &mut Self {
        let resource = (self.state().resources.entry(name.to_owned())).or_default();
        resource.resource = Some(object);
        resource.ready = ready.into();
        self
    }

    /// A desired composed resource, to be changed; empty when nobody desired it yet.
    pub fn desired_mut(&mut self, name: &str) -> &mut Resource {
        let resources = &mut self.state().resources;
        if !resources.contains_key(name) {
            resources.insert(name.to_owned(), Resource::default());
        }
        resources
            .get_mut(name)
            .expect("the resource was just inserted when it was not there")
    }

    /// No longer desires a composed resource. The caller deletes it.
    pub fn remove_desired(&mut self, name: &str) -> Option<Resource> {
        self.state().resources.remove(name)
    }

    /// Leaves of every desired resource only its object and its readiness, as the Go SDK does for functions that answer the
    /// desired resources as a whole: a resource without an object gets an empty one, connection details are dropped.
    pub fn plain_resources(&mut self) -> &mut Self {
        for resource in self.state().resources.values_mut() {
            resource.resource.get_or_insert_default();
            resource.connection_details.clear();
        }
        self
    }

    /// The desired composite: its status, connection details and readiness.
    pub fn composite_mut(&mut self) -> &mut Resource {
        self.state().composite.get_or_insert_default()
    }

    /// The desired composite's object, to be changed.
    pub fn composite_object_mut(&mut self) -> &mut Object {
        self.composite_mut().resource.get_or_insert_default()
    }

    /// Says whether the composite is ready, whatever its resources are.
    pub fn composite_ready(&mut self, ready: Ready) -> &mut Self {
        self.composite_mut().ready = ready.into();
        self
    }

    /// Sets a field of the composite's status. Callers take nothing else of the composite than its status.
    pub fn set_status(&mut self, field: impl AsRef<str>, value: impl Into<Value>) -> &mut Self {
        let status = self.composite_object_mut().object_mut("status");
        status.insert(field, value);
        self
    }

    /// What an operation gives, for callers that run functions outside of compositions.
    pub fn output(&mut self, output: Object) -> &mut Self {
        self.0.output = Some(output);
        self
    }

    /// Sets a connection detail of the composite.
    pub fn set_connection(&mut self, key: impl Into<String>, value: impl Into<Bytes>) -> &mut Self {
        let details = &mut self.composite_mut().connection_details;
        details.insert(key.into(), value.into());
        self
    }

    /// Leaves something for later steps.
    pub fn set_context(&mut self, key: impl AsRef<str>, value: impl Into<Value>) -> &mut Self {
        let context = self.0.context.get_or_insert_default();
        context.insert(key, value);
        self
    }

    /// Asks for objects, under a name to find them by when the function is called again.
    pub fn require(&mut self, name: impl Into<String>, selector: Selector) -> &mut Self {
        let requirements = self.0.requirements.get_or_insert_default();
        requirements.resources.insert(name.into(), selector.into());
        self
    }

    /// Asks for objects in the field that callers before Crossplane 2 read.
    pub fn require_extra(&mut self, name: impl Into<String>, selector: Selector) -> &mut Self {
        let requirements = self.0.requirements.get_or_insert_default();
        (requirements.extra_resources).insert(name.into(), selector.into());
        self
    }

    /// Says that nothing is required, which is more than saying nothing: the requirements are there, and empty.
    pub fn require_nothing(&mut self) -> &mut Self {
        self.0.requirements.get_or_insert_default();
        self
    }

    /// Asks for the schema of a kind.
    pub fn require_schema(
        &mut self,
        name: impl Into<String>,
        api_version: impl Into<String>,
        kind: impl Into<String>,
    ) -> &mut Self {
        let requirements = self.0.requirements.get_or_insert_default();
        let selector = SchemaSelector {
            api_version: api_version.into(),
            kind: kind.into(),
        };
        requirements.schemas.insert(name.into(), selector);
        self
    }

    /// The desired state, to be changed.
    pub fn state(&mut self) -> &mut State {
        self.0.desired.get_or_insert_default()
    }

    /// The finished response.
    pub fn build(&mut self) -> RunFunctionResponse {
        std::mem::take(&mut self.0)
    }
}

/// A finding in one line, without the code that only programs want.
fn sentence(finding: &Diagnostic) -> String {
    let place = match (&finding.place, &finding.path) {
        (Some(place), _) => format!("{place}: "),
        (None, Some(path)) => format!("{path}: "),
        (None, None) => String::new(),
    };
    let help = match &finding.help {
        Some(help) => format!("; {help}"),
        None => String::new(),
    };
    format!("{place}{}{help}", finding.message)
}
