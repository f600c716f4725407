//! What `render` reads, refuses and prints, with functions made for the purpose.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on says where"
)]

use std::sync::Arc;
use std::time::Duration;

use purlin_function::{
    Functions, Hosted, Ready, RequestView as _, Response, RunFunctionRequest, RunFunctionResponse,
    Selector,
};
use purlin_object::Object;
use purlin_render::{Failed, Inputs, Rendered, Show, Text, Texts, render};
use serde_json::{Value, json};

fn text(name: &str, content: &str) -> Text {
    Text {
        name: name.to_owned(),
        content: content.to_owned(),
    }
}

const XR: &str =
    "apiVersion: example.org/v1\nkind: XApp\nmetadata: {name: app, uid: u}\nspec: {size: 3}\n";
const COMPOSITION: &str = "\
apiVersion: apiextensions.crossplane.io/v1
kind: Composition
metadata: {name: app}
spec:
  compositeTypeRef: {apiVersion: example.org/v1, kind: XApp}
  mode: Pipeline
  pipeline:
  - step: one
    functionRef: {name: function-test}
";

fn texts(xr: &str, composition: &str) -> Texts {
    Texts {
        xr: text("xr.yaml", xr),
        composition: text("composition.yaml", composition),
        modules: Vec::new(),
        functions: Vec::new(),
        observed: Vec::new(),
        required: Vec::new(),
        schemas: Vec::new(),
        credentials: Vec::new(),
        xrd: None,
        context: Vec::new(),
    }
}

fn hosting(
    function: impl Fn(&RunFunctionRequest) -> RunFunctionResponse + Send + Sync + 'static,
) -> Arc<Functions> {
    Arc::new(Functions::new([Hosted {
        name: "function-test",
        api_version: "test.fn/v1",
        kind: "Input",
        function: Arc::new(function),
    }]))
}

fn object(value: Value) -> Object {
    Object::from_json(value).unwrap()
}

async fn run(texts: &Texts, functions: &Arc<Functions>, show: Show) -> Result<Rendered, Failed> {
    let (inputs, found) = Inputs::read(texts, &[]);
    match inputs {
        Some(inputs) => render(&inputs, functions, Duration::from_secs(20), show).await,
        None => Err(Failed::Inputs(found)),
    }
}

/// The findings of a run that must fail because of its files.
async fn mistakes(texts: &Texts) -> Vec<String> {
    let functions = hosting(|request| Response::to(request).build());
    match run(texts, &functions, Show::default()).await {
        Err(Failed::Inputs(found)) => found.iter().map(ToString::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

async fn problems(texts: &Texts, functions: &Arc<Functions>) -> Vec<String> {
    match run(texts, functions, Show::default()).await {
        Err(Failed::Pass { problems, .. }) => problems,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn documents_come_in_order_and_only_with_what_was_asked_for() {
    let functions = hosting(|request| {
        let mut response = Response::to(request);
        for (name, ready) in [("b", Ready::True), ("a", Ready::False)] {
            response.set_desired(
                name,
                object(json!({"apiVersion": "v1", "kind": "ConfigMap"})),
                ready,
            );
        }
        response
            .composite_object_mut()
            .insert("status", object(json!({"n": 1})));
        response.set_context("k", 1).warning("careful");
        response.build()
    });
    let plain = run(&texts(XR, COMPOSITION), &functions, Show::default())
        .await
        .unwrap();
    let kinds: Vec<&Value> = plain.documents.iter().map(|d| &d["kind"]).collect();
    assert_eq!(kinds, ["XApp", "ConfigMap", "ConfigMap"]);
    let xr = &plain.documents[0];
    assert_eq!(xr["metadata"], json!({"name": "app"}));
    assert_eq!(xr["status"]["n"], 1);
    assert_eq!(
        xr["status"]["conditions"][2]["message"],
        "Unready resources: a"
    );
    assert_eq!(
        xr["spec"]["crossplane"]["resourceRefs"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(
        plain.documents[1]["metadata"]["annotations"]["crossplane.io/composition-resource-name"],
        "a"
    );
    let all = Show {
        full_xr: true,
        results: true,
        context: true,
    };
    let full = run(&texts(XR, COMPOSITION), &functions, all).await.unwrap();
    assert_eq!(full.documents[0]["spec"]["size"], 3);
    let results: Vec<&Value> = full
        .documents
        .iter()
        .filter(|d| d["kind"] == "Result")
        .collect();
    assert_eq!(results.len(), 3);
    assert_eq!(results[1]["message"], "Pipeline step \"one\": careful");
    assert_eq!(full.documents.last().unwrap()["fields"], json!({"k": 1}));
}

#[tokio::test]
async fn functions_see_the_world_as_the_engine_shows_it() {
    let functions = hosting(|request| {
        let mut response = Response::to(request);
        let xr = request.observed_composite().to_owned().to_json();
        assert_eq!(xr["metadata"]["labels"]["crossplane.io/composite"], "app");
        assert_eq!(xr["metadata"]["uid"], "u");
        let seen = request.observed_resource("a").unwrap().to_owned().to_json();
        assert_eq!(seen["metadata"]["ownerReferences"][0]["uid"], "u");
        assert_eq!(
            request.context("k").unwrap().to_json(),
            json!({"deep": [1]})
        );
        assert!(!request.tag().is_empty());
        response.require(
            "need",
            Selector {
                api_version: "v1".to_owned(),
                kind: "ConfigMap".to_owned(),
                namespace: None,
                name: Some("c".to_owned()),
                labels: None,
            },
        );
        let found = request.required_resources("need").map_or(0, <[_]>::len);
        response.set_context("found", i64::try_from(found).unwrap());
        response.build()
    });
    let mut texts = texts(XR, COMPOSITION);
    texts.observed = vec![text(
        "o.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: live, annotations: {crossplane.io/composition-resource-name: a}}\n",
    )];
    texts.required = vec![text(
        "r.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n",
    )];
    texts.context = vec![("k".to_owned(), text("k.json", "{\"deep\": [1]}"))];
    let show = Show {
        context: true,
        ..Show::default()
    };
    let rendered = run(&texts, &functions, show).await.unwrap();
    assert_eq!(rendered.documents.last().unwrap()["fields"]["found"], 1);
    assert_eq!(rendered.deleted, ["a (ConfigMap live)"]);
}

#[tokio::test]
async fn every_mistake_in_every_file_is_reported_with_its_place() {
    let mut texts = texts(
        "apiVersion: example.org/v1\nkind: XApp\nmetadata: {}\nspec: {a: 1, a: 2}\n",
        &COMPOSITION.replace("function-test}", "function-tset}"),
    );
    texts.observed = vec![text(
        "o.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 1}\n---\napiVersion: v1\nkind: A\n",
    )];
    texts.functions = vec![text(
        "f.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: f}\n",
    )];
    texts.credentials = vec![text(
        "s.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: f, namespace: ns}\ndata: {k: '%'}\n",
    )];
    assert_eq!(
        mistakes(&texts).await,
        [
            "f.yaml:2:7: error[render/not-a-function]: this is a v1 Pod, not a Function; a Function starts with `apiVersion: pkg.crossplane.io/v1` and `kind: Function`",
            "o.yaml:3:18: error[render/object]: `metadata.name` must be text, not a number; quote it",
            "s.yaml:4:11: error[render/secret]: `data.k` is not base64 text; encode it, or put the plain text under `stringData`",
            "xr.yaml:4:14: error[yaml/duplicate-key]: `a` is already set in line 4; keep one of the two",
        ]
    );
}

#[tokio::test]
async fn a_composition_of_another_kind_and_missing_functions_are_named() {
    let other = XR.replace("XApp", "XOther");
    let found = mistakes(&texts(&other, COMPOSITION)).await;
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("composition.yaml:5:21: error[render/other-kind]: the Composition \"app\" composes example.org/v1 XApp"), "{found:?}");
    let two = COMPOSITION.replace("function-test}", "function-tset}")
        + "  - step: two\n    functionRef: {name: elsewhere}\n  - step: three\n    functionRef: {name: box}\n";
    let mut texts = texts(XR, &two);
    texts.functions = vec![text(
        "f.yaml",
        "apiVersion: pkg.crossplane.io/v1\nkind: Function\nmetadata:\n  name: box\n",
    )];
    let found = mistakes(&texts).await;
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(
        found[0].starts_with("composition.yaml:9:25: error[render/unknown-function]"),
        "{found:?}"
    );
    assert!(
        found[0].contains("did you mean function-test?"),
        "{found:?}"
    );
    assert!(
        found[1].starts_with("composition.yaml:11:25: error[render/unknown-function]"),
        "{found:?}"
    );
    assert!(
        found[2].starts_with("f.yaml:4:9: error[render/container-runtime]"),
        "{found:?}"
    );
}

#[tokio::test]
async fn a_selector_that_does_not_match_is_refused() {
    let xr = "apiVersion: example.org/v1\nkind: XApp\nmetadata: {name: app}\nspec:\n  crossplane:\n    compositionSelector:\n      matchLabels: {tier: gold}\n";
    let found = mistakes(&texts(xr, COMPOSITION)).await;
    assert_eq!(found.len(), 1);
    assert!(
        found[0].starts_with("xr.yaml:7:27: error[render/not-selected]"),
        "{found:?}"
    );
}

#[tokio::test]
async fn what_the_engine_could_not_apply_is_told_all_at_once() {
    let functions = hosting(|request| {
        let mut response = Response::to(request);
        response.set_desired("nameless", object(json!({"spec": {}})), Ready::True);
        let bad =
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "Not_Valid"}});
        response.set_desired("bad", object(bad), Ready::True);
        response.build()
    });
    let problems = problems(&texts(XR, COMPOSITION), &functions).await;
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(
        problems[0].contains("Not_Valid") && problems[1].contains("no apiVersion or kind"),
        "{problems:?}"
    );
}

#[tokio::test]
async fn a_fatal_result_prints_nothing_but_its_words() {
    let functions = hosting(|request| Response::to(request).fatal("cannot go on").build());
    let problems = problems(&texts(XR, COMPOSITION), &functions).await;
    assert_eq!(
        problems,
        ["pipeline step \"one\" returned a fatal result: cannot go on"]
    );
}

#[tokio::test]
async fn a_missing_secret_is_an_error() {
    let composition = COMPOSITION.to_owned()
        + "    credentials:\n    - {name: c, source: Secret, secretRef: {namespace: ns, name: s}}\n";
    let functions = hosting(|request| {
        assert_eq!(request.credentials("c").unwrap()["k"], "v");
        Response::to(request).build()
    });
    let mut texts = texts(XR, &composition);
    let problems = problems(&texts, &functions).await;
    assert!(
        problems[0].contains("there is no Secret ns/s"),
        "{problems:?}"
    );
    texts.credentials = vec![text(
        "s.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: ns}\nstringData: {k: v}\n",
    )];
    assert!(run(&texts, &functions, Show::default()).await.is_ok());
}

#[tokio::test]
async fn the_definition_gives_defaults_and_the_layout() {
    let functions = hosting(|request| {
        let mut response = Response::to(request);
        response.set_desired(
            "a",
            object(json!({"apiVersion": "v1", "kind": "ConfigMap"})),
            Ready::True,
        );
        response.build()
    });
    let mut texts = texts(XR, COMPOSITION);
    texts.xrd = Some(text(
        "xrd.yaml",
        "apiVersion: apiextensions.crossplane.io/v1\nkind: CompositeResourceDefinition\nmetadata: {name: xapps.example.org}\nspec:\n  \
         group: example.org\n  names: {kind: XApp, plural: xapps}\n  claimNames: {kind: App, plural: apps}\n  versions:\n  - name: v1\n    served: true\n    \
         referenceable: true\n    schema:\n      openAPIV3Schema:\n        type: object\n        properties:\n          spec:\n            \
         type: object\n            properties:\n              size: {type: integer, maximum: 2}\n              region: {type: string, default: eu}\n",
    ));
    let show = Show {
        full_xr: true,
        ..Show::default()
    };
    let rendered = run(&texts, &functions, show).await.unwrap();
    let xr = &rendered.documents[0];
    assert_eq!(xr["spec"]["region"], "eu");
    assert_eq!(xr["spec"]["resourceRefs"].as_array().unwrap().len(), 1);
    let (_, found) = Inputs::read(&texts, &[]);
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(
        found.len() == 1 && found[0].starts_with("xr.yaml:4:14: warning[render/invalid-composite]"),
        "{found:?}"
    );
    // A claim is not a composite.
    texts.xr = text(
        "claim.yaml",
        "apiVersion: example.org/v1\nkind: App\nmetadata: {name: app, namespace: ns}\n",
    );
    let found = mistakes(&texts).await;
    assert!(
        found[0].starts_with("claim.yaml:2:7: error[render/claim]"),
        "{found:?}"
    );
}

#[tokio::test]
async fn a_function_that_never_answers_is_given_up() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let mut texts = texts(XR, &COMPOSITION.replace("function-test}", "silent}"));
    texts.functions = vec![text(
        "f.yaml",
        &format!(
            "apiVersion: pkg.crossplane.io/v1\nkind: Function\nmetadata:\n  name: silent\n  annotations:\n    \
             render.crossplane.io/runtime: Development\n    render.crossplane.io/runtime-development-target: {address}\n"
        ),
    )];
    let (inputs, _) = Inputs::read(&texts, &[]);
    let functions = hosting(|request| Response::to(request).build());
    let inputs = inputs.unwrap();
    let started = std::time::Instant::now();
    let failed = render(
        &inputs,
        &functions,
        Duration::from_millis(300),
        Show::default(),
    )
    .await;
    assert!(started.elapsed() < Duration::from_secs(5));
    let Err(Failed::Pass { problems, .. }) = failed else {
        panic!("{failed:?}");
    };
    assert!(
        problems[0].contains("silent") && problems[0].contains("did not answer"),
        "{problems:?}"
    );
    drop(silent);
    // Nobody listens there any more.
    let failed = render(&inputs, &functions, Duration::from_secs(5), Show::default()).await;
    let Err(Failed::Pass { problems, .. }) = failed else {
        panic!("{failed:?}");
    };
    assert!(
        problems[0].contains("cannot connect to function silent"),
        "{problems:?}"
    );
}
