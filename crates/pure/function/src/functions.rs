//! Which of the functions in this process answers a request?

use purlin_diag::{Diagnostic, Diagnostics, nearest};
use purlin_proto::v1::{RunFunctionRequest, RunFunctionResponse};

use crate::{Function, Hosted, RequestView as _, Response};

/// The name under which all hosted functions answer, each to its kind of input.
const ALL: &str = "function-purlin";

/// The functions in this process. As a [`Function`] itself, it hands each request to the one that its input asks for.
#[derive(Debug, Clone, Default)]
pub struct Functions {
    hosted: Vec<Hosted>,
    default: Option<String>,
}

impl Functions {
    /// These functions, and none for a request without an input.
    pub fn new(hosted: impl IntoIterator<Item = Hosted>) -> Self {
        Self {
            hosted: hosted.into_iter().collect(),
            default: None,
        }
    }

    /// Gives requests without an input to the function of this name.
    #[must_use]
    pub fn with_default(mut self, name: impl Into<String>) -> Self {
        self.default = Some(name.into());
        self
    }

    /// The hosted functions.
    pub fn hosted(&self) -> &[Hosted] {
        &self.hosted
    }

    /// Those of these names, in this order, each once; what all our names begin with may be left out. Every name that nothing
    /// here has is told.
    pub fn only<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Result<Self, Diagnostics> {
        let (mut chosen, mut unknown) = (Vec::<Hosted>::new(), Diagnostics::new());
        for name in names {
            match self.by_name(name).or_else(|| self.by_name(&whole(name))) {
                Some(hosted) if chosen.iter().any(|one| one.name == hosted.name) => {}
                Some(hosted) => chosen.push(hosted.clone()),
                None => unknown.push(self.unknown_name(name)),
            }
        }
        if unknown.is_empty() {
            Ok(Self::new(chosen))
        } else {
            Err(unknown)
        }
    }

    /// The function of this name.
    pub fn by_name(&self, name: &str) -> Option<&Hosted> {
        self.hosted.iter().find(|hosted| hosted.name == name)
    }

    /// The function that takes this kind of input.
    pub fn by_kind(&self, api_version: &str, kind: &str) -> Option<&Hosted> {
        self.hosted
            .iter()
            .find(|hosted| hosted.api_version == api_version && hosted.kind == kind)
    }

    /// The function for a call to `name`: by that name, or by the kind of the input when nothing here has the name.
    ///
    /// A name that is almost one of ours is a slip, and not another package of the same function: it finds nothing, so that
    /// the slip is seen here and not where only names count.
    pub fn find(&self, name: &str, request: &RunFunctionRequest) -> Option<&Hosted> {
        match self.by_name(name) {
            Some(hosted) => Some(hosted),
            None if name == ALL => self.pick(request).ok(),
            None if self.is_slip(name) => None,
            None => {
                let (api_version, kind) = input_kind(request)?;
                self.by_kind(api_version, kind)
            }
        }
    }

    /// The function that a request's input asks for, or the default one when it has none.
    pub fn pick(&self, request: &RunFunctionRequest) -> Result<&Hosted, Diagnostics> {
        if request.input().is_none() {
            let Some(name) = &self.default else {
                return Err(Diagnostic::error(
                    "function/no-input",
                    "the request has no input, and no default function is configured",
                )
                .path("input")
                .help(self.known_kinds())
                .into());
            };
            return self
                .by_name(name)
                .ok_or_else(|| self.unknown_name(name).into());
        }
        let Some((api_version, kind)) = input_kind(request) else {
            return Err(Diagnostic::error(
                "function/no-input-kind",
                "the input does not say its apiVersion and kind",
            )
            .path("input")
            .help(self.known_kinds())
            .into());
        };
        self.by_kind(api_version, kind).ok_or_else(|| {
            Diagnostic::error(
                "function/unknown-input",
                format!("no function here takes the input {api_version}, kind {kind}"),
            )
            .path("input")
            .help(self.known_kinds())
            .into()
        })
    }

    /// Whether a name is one of ours, misspelt: the same but for a letter or two.
    fn is_slip(&self, name: &str) -> bool {
        let names = self.hosted.iter().map(|hosted| hosted.name);
        nearest(name, names).is_some_and(|near| {
            let differ = name.chars().count().abs_diff(near.chars().count());
            differ <= 2 && !name.ends_with(near) && !near.ends_with(name)
        })
    }

    /// What to say about a function name that nothing here has.
    pub fn unknown_name(&self, name: &str) -> Diagnostic {
        let names = || self.hosted.iter().map(|hosted| hosted.name);
        let known = names().collect::<Vec<_>>().join(", ");
        let whole = whole(name);
        let near = self
            .by_name(&whole)
            .map(|hosted| hosted.name)
            .or_else(|| nearest(name, names()))
            .or_else(|| nearest(&whole, names()));
        let help = match near {
            Some(near) => format!("did you mean {near}? Known: {known}"),
            None => format!("known: {known}"),
        };
        Diagnostic::error(
            "function/unknown-name",
            format!("no function here is named {name}"),
        )
        .help(help)
    }

    fn known_kinds(&self) -> String {
        let mut kinds: Vec<String> = self
            .hosted
            .iter()
            .map(|hosted| {
                format!(
                    "{}, kind {} ({})",
                    hosted.api_version, hosted.kind, hosted.name
                )
            })
            .collect();
        kinds.sort_unstable();
        format!("known inputs: {}", kinds.join("; "))
    }
}

impl Function for Functions {
    fn run(&self, request: &RunFunctionRequest) -> RunFunctionResponse {
        match self.pick(request) {
            Ok(hosted) => hosted.function.run(request),
            Err(mistakes) => Response::to(request).mistakes(&mistakes).build(),
        }
    }

    fn repeats(&self, request: &RunFunctionRequest) -> bool {
        self.pick(request)
            .is_ok_and(|hosted| hosted.function.repeats(request))
    }

    fn is_short(&self, request: &RunFunctionRequest) -> bool {
        self.pick(request)
            .is_ok_and(|hosted| hosted.function.is_short(request))
    }

    fn run_short(&self, request: &RunFunctionRequest) -> Option<RunFunctionResponse> {
        self.pick(request).ok()?.function.run_short(request)
    }
}

/// The name with what the names of functions begin with.
fn whole(name: &str) -> String {
    format!("function-{name}")
}

fn input_kind(request: &RunFunctionRequest) -> Option<(&str, &str)> {
    let input = request.input()?;
    Some((
        input.get("apiVersion")?.as_str()?,
        input.get("kind")?.as_str()?,
    ))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use purlin_object::Object;
    use serde_json::{Value, json};

    use super::Functions;
    use crate::{Function as _, Hosted, Response, RunFunctionRequest, Severity};

    fn hosted(name: &'static str, kind: &'static str) -> Hosted {
        Hosted {
            name,
            api_version: "test.fn/v1",
            kind,
            function: Arc::new(move |request: &RunFunctionRequest| {
                Response::to(request).normal(name).build()
            }),
        }
    }

    fn check(input: Option<Value>, severity: Severity, message: &str) {
        let functions = Functions::new([hosted("function-a", "A"), hosted("function-b", "B")])
            .with_default("function-b");
        let request = RunFunctionRequest {
            input: input.map(|json| Object::from_json(json).unwrap()),
            ..RunFunctionRequest::default()
        };
        let response = functions.run(&request);
        assert_eq!(response.results[0].severity(), severity);
        assert_eq!(response.results[0].message, message);
    }

    #[test]
    fn the_input_picks_the_function() {
        check(
            Some(json!({"apiVersion": "test.fn/v1", "kind": "A"})),
            Severity::Normal,
            "function-a",
        );
        check(None, Severity::Normal, "function-b");
    }

    #[test]
    fn an_unknown_input_is_fatal_and_lists_the_known_ones() {
        let known =
            "known inputs: test.fn/v1, kind A (function-a); test.fn/v1, kind B (function-b)";
        check(
            Some(json!({"apiVersion": "test.fn/v2", "kind": "A"})),
            Severity::Fatal,
            &format!("input: no function here takes the input test.fn/v2, kind A; {known}"),
        );
        check(
            Some(json!({"kind": "A"})),
            Severity::Fatal,
            &format!("input: the input does not say its apiVersion and kind; {known}"),
        );
    }

    #[test]
    fn some_are_chosen_by_whole_or_short_names_in_the_order_given() {
        let all = Functions::new([hosted("function-a", "A"), hosted("function-b", "B")]);
        let names = |chosen: &Functions| -> Vec<_> {
            chosen.hosted().iter().map(|hosted| hosted.name).collect()
        };
        let both = all.only(["b", "function-a", "function-b"]).unwrap();
        assert_eq!(names(&both), ["function-b", "function-a"]);
        assert_eq!(names(&all.only(["a"]).unwrap()), ["function-a"]);
    }

    #[test]
    fn every_name_that_is_not_there_is_told_with_the_nearest() {
        let all = Functions::new([
            hosted("function-auto-ready", "A"),
            hosted("function-sequencer", "B"),
        ]);
        let unknown = all
            .only(["auto-redy", "function-sequencer", "function-seqencer"])
            .unwrap_err();
        let told: Vec<_> = unknown.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(
            told[0].contains("no function here is named auto-redy")
                && told[0].contains("did you mean function-auto-ready?"),
            "{told:?}"
        );
        assert!(
            told[1].contains("did you mean function-sequencer?"),
            "{told:?}"
        );
        let near = all.unknown_name("sequencer").to_string();
        assert!(near.contains("did you mean function-sequencer?"), "{near}");
    }

    #[test]
    fn only_what_says_so_is_answered_at_once() {
        struct Short(bool);
        impl crate::Function for Short {
            fn run(&self, request: &RunFunctionRequest) -> crate::RunFunctionResponse {
                assert!(self.0, "it takes long");
                Response::to(request).normal("short").build()
            }
            fn is_short(&self, _: &RunFunctionRequest) -> bool {
                true
            }
        }
        let request = RunFunctionRequest::default();
        let functions = |short| {
            let function = Arc::new(Short(short));
            Functions::new([Hosted {
                function,
                ..hosted("function-a", "A")
            }])
            .with_default("function-a")
        };
        let short = functions(true);
        assert_eq!(short.run_short(&request), Some(short.run(&request)));
        let long = Functions::new([hosted("function-a", "A")]).with_default("function-a");
        assert_eq!(long.run_short(&request), None);
        let (response, panicked) = crate::run_short_caught(&functions(false), &request).unwrap();
        assert_eq!(panicked, crate::Panicked::Yes);
        assert!(response.results[0].message.ends_with("it takes long"));
        assert!(crate::run_short_caught(&long, &request).is_none());
    }

    #[test]
    fn a_call_by_name_falls_back_to_the_kind_of_input() {
        let functions = Functions::new([hosted("function-a", "A"), hosted("function-b", "B")]);
        let request = RunFunctionRequest {
            input: Some(
                Object::from_json(json!({"apiVersion": "test.fn/v1", "kind": "A"})).unwrap(),
            ),
            ..RunFunctionRequest::default()
        };
        let find = |name| functions.find(name, &request).map(|hosted| hosted.name);
        assert_eq!(find("function-b"), Some("function-b"));
        assert_eq!(find("upbound-function-a"), Some("function-a"));
        assert_eq!(find("function-purlin"), Some("function-a"));
        // Two letters the wrong way round.
        let long = Functions::new([hosted("function-patch-and-transform", "A")]);
        let find = |name| long.find(name, &request).map(|hosted| hosted.name);
        assert_eq!(find("function-patch-and-transfrom"), None);
        assert_eq!(
            find("crossplane-contrib-function-patch-and-transform"),
            Some("function-patch-and-transform")
        );
        assert_eq!(find("pt"), Some("function-patch-and-transform"));
        assert!(
            functions
                .find("x", &RunFunctionRequest::default())
                .is_none()
        );
    }
}
