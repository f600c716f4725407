//! One scenario on one server: its steps, and snapshots of everything.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use http::Method;
use regex::Regex;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::api::{Api, Refused};
use crate::names::{Names, Objects, name, text};
use crate::normal::{canonical, normal};

/// How long nothing may change before a snapshot is taken. Everything here is driven by watches, so that nothing that
/// is going to happen waits for longer.
const QUIET: Duration = Duration::from_millis(600);
/// How long quiet is waited for.
const LONGEST: Duration = Duration::from_secs(25);
/// How often it is looked.
const LOOK: Duration = Duration::from_millis(75);
const NAMESPACES: [&str; 3] = ["golden", "golden-other", "crossplane-system"];
const MANAGER: &str = "fieldManager=golden-user";
const OURS: &str = "apiextensions.crossplane.io/v1";
const MERGE: &str = "application/merge-patch+json";

pub(crate) struct World {
    api: Api,
    names: Names,
    seen: BTreeSet<String>,
    composed: Vec<(String, String)>,
    fixtures: BTreeSet<String>,
}

impl World {
    pub(crate) fn new(api: Api) -> Self {
        Self {
            api,
            names: Names::default(),
            seen: BTreeSet::new(),
            composed: Vec::new(),
            fixtures: BTreeSet::new(),
        }
    }

    /// Makes what every scenario starts from.
    pub(crate) async fn fixtures(&mut self, steps: &[Value]) -> Vec<String> {
        let mut problems = Vec::new();
        for step in steps {
            let result = self.step(step).await;
            if result != "ok" {
                problems.push(format!("fixture {step}: {result}"));
            }
            let manifest = &step["manifest"];
            if manifest["kind"] == "CustomResourceDefinition" {
                let group = text(manifest, &["spec", "group"]);
                let version = manifest["spec"]["versions"][0]["name"]
                    .as_str()
                    .unwrap_or_default();
                let plural = text(manifest, &["spec", "names", "plural"]);
                self.composed
                    .push((format!("{group}/{version}"), plural.to_owned()));
            }
            if manifest["kind"] == "CompositeResourceDefinition" {
                self.fixtures.insert(name(manifest).to_owned());
            }
        }
        problems
    }

    async fn collect(&mut self) -> Objects {
        let mut out: Objects = BTreeMap::new();
        for role in [
            "claim",
            "xr",
            "composed",
            "revision",
            "secret",
            "usage",
            "composition",
            "xrd",
        ] {
            out.insert(role, Vec::new());
        }
        let mut put = |role, objects: Vec<Value>| out.entry(role).or_default().extend(objects);
        for xrd in self.api.list(OURS, "compositeresourcedefinitions").await {
            let spec = &xrd["spec"];
            let versions = spec["versions"].as_array().cloned().unwrap_or_default();
            let version = versions
                .iter()
                .find(|v| v["referenceable"] == true)
                .or(versions.first());
            let at = format!(
                "{}/{}",
                text(spec, &["group"]),
                version.map_or("", |v| text(v, &["name"]))
            );
            put(
                "xr",
                self.api.list(&at, text(spec, &["names", "plural"])).await,
            );
            let claims = text(spec, &["claimNames", "plural"]);
            if !claims.is_empty() {
                put("claim", self.api.list(&at, claims).await);
            }
            put("xrd", vec![xrd]);
        }
        for (at, plural) in &self.composed {
            put("composed", self.api.list(at, plural).await);
        }
        put(
            "revision",
            self.api.list(OURS, "compositionrevisions").await,
        );
        put("composition", self.api.list(OURS, "compositions").await);
        let secrets = self.api.list("v1", "secrets").await.into_iter();
        let ours = |s: &Value| NAMESPACES.contains(&text(s, &["metadata", "namespace"]));
        put("secret", secrets.filter(ours).collect());
        for object in out.values().flatten() {
            self.seen
                .insert(text(object, &["metadata", "uid"]).to_owned());
        }
        out
    }

    async fn settle(&mut self) -> (Objects, bool) {
        let start = Instant::now();
        let (mut last, mut since) = (Vec::new(), start);
        loop {
            let world = self.collect().await;
            let mut state: Vec<(String, String)> = world
                .values()
                .flatten()
                .map(|o| {
                    let word = |key| text(o, &["metadata", key]).to_owned();
                    (word("uid"), word("resourceVersion"))
                })
                .collect();
            state.sort();
            let now = Instant::now();
            if state != last {
                (last, since) = (state, now);
            }
            if now - since >= QUIET {
                return (world, true);
            }
            if now - start > LONGEST {
                return (world, false);
            }
            sleep(LOOK).await;
        }
    }

    pub(crate) async fn snapshot(&mut self, with_definitions: bool) -> Value {
        let (world, quiet) = self.settle().await;
        self.names.learn(&world);
        let mut snapshot = json!({});
        let roles = [
            ("claim", "claims"),
            ("xr", "xrs"),
            ("composed", "composed"),
            ("secret", "secrets"),
            ("revision", "compositionRevisions"),
            ("usage", "usages"),
        ];
        for (role, shown) in roles {
            snapshot[shown] = self.normal_forms(world[role].iter());
        }
        if with_definitions {
            let own = world["xrd"]
                .iter()
                .filter(|x| !self.fixtures.contains(name(x)));
            snapshot["xrds"] = self.normal_forms(own);
        }
        if !quiet {
            snapshot["neverQuiet"] = true.into();
        }
        snapshot["events"] = self.events().await;
        snapshot
    }

    fn normal_forms<'a>(&self, objects: impl Iterator<Item = &'a Value>) -> Value {
        let mut all: Vec<Value> = objects.map(|o| normal(o, &self.names)).collect();
        all.sort_by_key(|o| {
            let word = |key| text(o, &["metadata", key]).to_owned();
            [
                text(o, &["kind"]).to_owned(),
                word("namespace"),
                word("name"),
                word("uid"),
            ]
        });
        all.into()
    }

    async fn events(&self) -> Value {
        let mut told = BTreeSet::new();
        for event in self.api.list("v1", "events").await {
            let about = |key| text(&event, &["involvedObject", key]);
            let fixture = about("kind") == "CompositeResourceDefinition"
                && self.fixtures.contains(about("name"));
            if !fixture
                && self.seen.contains(about("uid"))
                && event["count"].as_i64().unwrap_or_default() > 0
            {
                let word = |key| text(&event, &[key]).to_owned();
                told.insert((word("type"), word("reason"), about("kind").to_owned()));
            }
        }
        told.into_iter().map(|(a, b, c)| json!([a, b, c])).collect()
    }

    /// Replaces `@{xr CLAIM}`, `@{composed KEY}`, `@{rev COMPOSITION N}`, `@{uid KIND NAME}` by what is there.
    async fn resolve(&mut self, value: &Value) -> Value {
        let pattern = Regex::new(r"@\{([^}]+)\}").expect("the pattern is right");
        let text = value.to_string();
        let mut out = text.clone();
        for found in pattern.captures_iter(&text) {
            let words: Vec<&str> = found[1].split_whitespace().collect();
            let raw = self.look_up(&words).await;
            out = out.replace(&found[0], &raw);
        }
        serde_json::from_str(&out).expect("names are JSON strings without escapes")
    }

    async fn look_up(&mut self, words: &[&str]) -> String {
        for _ in 0..60 {
            let world = self.collect().await;
            self.names.learn(&world);
            if let Some(found) = self.find(&world, words) {
                return found;
            }
            sleep(Duration::from_millis(100)).await;
        }
        format!("unresolved-{}", words.join("-"))
    }

    fn find(&self, world: &Objects, words: &[&str]) -> Option<String> {
        match words {
            ["xr", claim, rest @ ..] => {
                let here = |o: &&Value| {
                    rest.first()
                        .is_none_or(|ns| text(o, &["metadata", "namespace"]) == *ns)
                };
                let mut found = world["claim"]
                    .iter()
                    .filter(|o| name(o) == *claim)
                    .filter(here);
                let referred = found
                    .next()
                    .map(|o| text(o, &["spec", "resourceRef", "name"]))?;
                (!referred.is_empty()).then(|| referred.to_owned())
            }
            ["composed", key] => {
                let annotated = |o: &&Value| {
                    text(
                        o,
                        &[
                            "metadata",
                            "annotations",
                            "crossplane.io/composition-resource-name",
                        ],
                    ) == *key
                };
                let mut all = world["composed"].iter().chain(&world["xr"]);
                all.find(annotated).map(|o| name(o).to_owned())
            }
            ["rev", composition, number] => {
                self.names.behind(&format!("{composition}-REV{number}"))
            }
            ["uid", kind, wanted] => {
                let mut all = world.values().flatten();
                let is = |o: &&Value| text(o, &["kind"]) == *kind && name(o) == *wanted;
                all.find(is)
                    .map(|o| text(o, &["metadata", "uid"]).to_owned())
            }
            _ => None,
        }
    }

    /// Does a step; answers `"ok"` or what the server refused.
    pub(crate) async fn step(&mut self, step: &Value) -> Value {
        let done = match step["do"].as_str().unwrap_or_default() {
            "wait" => return self.wait(step).await.into(),
            "apply" => self.apply(&step["manifest"]).await,
            "patch" => self.patch(step).await,
            "delete" => self.delete(step).await,
            other => panic!("unknown step {other}"),
        };
        match done {
            Ok(()) => "ok".into(),
            Err(refused) => refused.summary(),
        }
    }

    async fn apply(&mut self, manifest: &Value) -> Result<(), Refused> {
        let manifest = self.resolve(manifest).await;
        let namespace = text(&manifest, &["metadata", "namespace"]);
        let (api_version, kind) = (text(&manifest, &["apiVersion"]), text(&manifest, &["kind"]));
        let path = self.api.path(api_version, kind, namespace, "").await?;
        let create = format!("{path}?{MANAGER}");
        match self
            .api
            .request(Method::POST, &create, Some(&manifest), "application/json")
            .await
        {
            Err(refused) if refused.status["reason"] == "AlreadyExists" => {
                let one = format!("{path}/{}?{MANAGER}", name(&manifest));
                self.api
                    .request(Method::PATCH, &one, Some(&manifest), MERGE)
                    .await
                    .map(drop)
            }
            other => other.map(drop),
        }
    }

    async fn target(&mut self, step: &Value) -> Result<String, Refused> {
        let target = self.resolve(&step["target"]).await;
        let word = |key| text(&target, &[key]);
        self.api
            .path(
                word("apiVersion"),
                word("kind"),
                word("namespace"),
                word("name"),
            )
            .await
    }

    async fn patch(&mut self, step: &Value) -> Result<(), Refused> {
        let mut path = self.target(step).await?;
        let body = self.resolve(&step["patch"]).await;
        if let Some(subresource) = step["subresource"].as_str() {
            path = format!("{path}/{subresource}");
        }
        let content = if body.is_array() {
            "application/json-patch+json"
        } else {
            MERGE
        };
        let path = format!("{path}?{MANAGER}");
        self.api
            .request(Method::PATCH, &path, Some(&body), content)
            .await
            .map(drop)
    }

    async fn delete(&mut self, step: &Value) -> Result<(), Refused> {
        let path = self.target(step).await?;
        let policy = step["propagation"].as_str().unwrap_or("Background");
        let options =
            json!({"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": policy});
        self.api
            .request(Method::DELETE, &path, Some(&options), "application/json")
            .await
            .map(drop)
    }

    async fn wait(&mut self, step: &Value) -> &'static str {
        if let Some(condition) = step["condition"].as_str() {
            let wanted = step["status"].as_str().unwrap_or("True");
            let end = Instant::now() + Duration::from_secs(25);
            while Instant::now() < end {
                if let Ok(path) = self.target(step).await
                    && let Ok(object) = self.api.get(&path).await
                {
                    let conditions = object["status"]["conditions"].as_array();
                    let is = |c: &Value| c["type"] == condition && c["status"] == wanted;
                    if conditions.into_iter().flatten().any(is) {
                        return "ok";
                    }
                }
                sleep(Duration::from_millis(50)).await;
            }
            return "timeout";
        }
        for kind in step["served"].as_array().into_iter().flatten() {
            self.api.forget();
            let word = |index: usize| kind[index].as_str().unwrap_or_default();
            let end = Instant::now() + Duration::from_secs(20);
            loop {
                if let Ok(path) = self.api.path(word(0), word(1), "", "").await
                    && self.api.get(&path).await.is_ok()
                {
                    break;
                }
                if Instant::now() > end {
                    return "timeout";
                }
                sleep(Duration::from_millis(50)).await;
            }
        }
        // Seconds were recorded for an engine that polls; here whatever is going to happen has happened when it is quiet.
        if step.get("seconds").is_some() || step["settle"] == true {
            let (world, _) = self.settle().await;
            self.names.learn(&world);
        }
        "ok"
    }
}

/// A step's result as it is compared.
pub(crate) fn same_result(want: &Value, got: &Value) -> bool {
    canonical(want) == canonical(got)
}
