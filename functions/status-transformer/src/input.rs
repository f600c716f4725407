//! What may the input say?

use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Input {
    pub(crate) status_condition_hooks: Vec<Hook>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Hook {
    pub(crate) matchers: Vec<Matcher>,
    pub(crate) set_conditions: Vec<SetCondition>,
    pub(crate) create_events: Vec<CreateEvent>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Matcher {
    /// For logs of others; nothing is done with it here.
    #[serde(rename = "name")]
    pub(crate) _name: Option<String>,
    pub(crate) r#type: Option<String>,
    pub(crate) resources: Vec<ResourceMatcher>,
    pub(crate) include_composite_as_resource: bool,
    pub(crate) include_extra_resources: bool,
    pub(crate) conditions: Vec<ConditionMatcher>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct ResourceMatcher {
    /// A pattern for some part of the name.
    pub(crate) name: String,
}

/// What is absent matches anything.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct ConditionMatcher {
    pub(crate) r#type: String,
    pub(crate) status: Option<String>,
    pub(crate) reason: Option<String>,
    /// A pattern for some part of the message.
    pub(crate) message: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct SetCondition {
    pub(crate) target: Option<String>,
    pub(crate) force: bool,
    pub(crate) condition: Condition,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Condition {
    pub(crate) r#type: String,
    pub(crate) status: String,
    pub(crate) reason: String,
    pub(crate) message: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct CreateEvent {
    pub(crate) target: Option<String>,
    pub(crate) event: Event,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Event {
    pub(crate) r#type: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) message: String,
}
