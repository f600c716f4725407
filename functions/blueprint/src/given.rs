//! What are the variables bound to that come from the request?

use purlin_diag::Diagnostic;
use purlin_expr::{Binding, Text, Val};
use purlin_function::{RequestView as _, Resource, RunFunctionRequest};
use purlin_object::ValueRef;

use crate::bind::{Binder, unknown};
use crate::declare::Declared;
use crate::plan::{Body, RequirePlan};
use crate::template::member;

/// Where Crossplane's functions leave the environment.
const ENVIRONMENT: &str = "apiextensions.crossplane.io/environment";

impl<'m> Binder<'m> {
    /// The environment, with what is declared to be there when it is not.
    pub(crate) fn environment(&mut self) -> Val<'m> {
        let root = "environment";
        let found = match self.request.context(ENVIRONMENT) {
            Some(ValueRef::Object(found)) => Some(found),
            _ => None,
        };
        for declared in &self.plan.environment {
            let value = found.and_then(|found| found.get(&declared.name));
            if let Some(why) = value.and_then(|value| declared.misfit(value)) {
                let diagnostic = Diagnostic::error("blueprint/environment", why);
                self.faults
                    .push(diagnostic.path(member(root, &declared.name)));
            }
        }
        let lacks =
            |declared: &&'m Declared| found.is_none_or(|found| !found.contains_key(&declared.name));
        let defaults: Vec<(&'m str, Val<'m>)> = self
            .plan
            .environment
            .iter()
            .filter(lacks)
            .filter_map(|declared| {
                let default = declared.default.as_ref()?;
                Some((declared.name.as_str(), Val::from_data(default.as_ref())))
            })
            .collect();
        match found {
            Some(found) if defaults.is_empty() => Val::tracked(ValueRef::Object(found), root),
            found => {
                let there = found.into_iter().flat_map(purlin_object::ObjectRef::iter);
                let there = there.map(|(key, value)| (key, Val::tracked(value, root)));
                Val::tracked_map(there.chain(defaults), root)
            }
        }
    }
}

/// The composite: what its spec lacks is a mistake, what its status lacks may still come.
pub(crate) fn composite(request: &RunFunctionRequest) -> Val<'_> {
    let xr = request.observed_composite();
    let status = xr
        .get("status")
        .map_or_else(|| Val::absent("xr"), |status| Val::tracked(status, "xr"));
    let rest = xr.iter().filter(|(key, _)| *key != "status");
    let rest = rest.map(|(key, value)| (key.to_owned(), Val::from_data(value)));
    Val::map(rest.chain([("status".to_owned(), status)]))
}

/// The data of all credentials, by name and key.
pub(crate) fn credentials(request: &RunFunctionRequest) -> Val<'_> {
    let root = "credentials";
    let all = request.credentials.keys().map(|name| {
        let data = request.credentials(name).into_iter().flatten();
        let data = data.map(|(key, bytes)| (key.as_str(), text(bytes)));
        (name.as_str(), Val::tracked_map(data, root))
    });
    Val::tracked_map(all, root)
}

fn text(bytes: &[u8]) -> Val<'_> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Val::String(Text::Borrowed(text)),
        Err(_) => Val::Bytes(bytes.into()),
    }
}

/// A composed resource as it is, with its connection details if somebody reads them.
pub(crate) fn observed<'a>(
    resource: Option<&'a Resource>,
    root: &'a str,
    connection: bool,
) -> Val<'a> {
    let Some((object, resource)) =
        resource.and_then(|resource| Some((resource.resource.as_ref()?, resource)))
    else {
        return Val::absent(root);
    };
    if !connection {
        return Val::tracked(ValueRef::Object(object.as_ref()), root);
    }
    let details = resource.connection_details.iter();
    let details = details.map(|(key, bytes)| (key.as_str(), text(bytes)));
    let details = Val::tracked_map(details, root);
    let fields = object.iter().filter(|(key, _)| *key != "connection");
    let fields = fields.map(|(key, value)| (key, Val::tracked(value, root)));
    Val::tracked_map(fields.chain([("connection", details)]), root)
}

/// What was found for a requirement. Until somebody has looked, nothing is known of it.
pub(crate) fn required<'a>(
    require: &'a RequirePlan,
    found: Option<&'a [Resource]>,
    body: &Body,
) -> Binding<'a> {
    let root = require.name.as_str();
    let connection = body.connections.contains(root);
    let Some(found) = found else {
        return Binding::Pending(unknown(root));
    };
    Binding::Val(if require.object.is_some() {
        observed(found.first(), root, connection)
    } else {
        let found = found.iter();
        Val::list(found.map(|resource| observed(Some(resource), root, connection)))
    })
}
