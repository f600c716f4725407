//! Sends the requests of a case, one after the other.

use std::collections::BTreeMap;
use std::time::Duration;

use http_body_util::BodyExt as _;
use kube::client::Body;
use serde_json::{Map, Value, json};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout_at};

use crate::normal::{Normal, mark};
use crate::project::{ABSENT, pick, project};

/// One case under way.
pub(crate) struct Run {
    client: kube::Client,
    vars: BTreeMap<String, Value>,
    pub(crate) normal: Normal,
    background: BTreeMap<String, JoinHandle<Watched>>,
}

struct Answer {
    code: u16,
    headers: http::HeaderMap,
    body: Vec<u8>,
}

struct Watched {
    code: u16,
    lines: Vec<Vec<u8>>,
    ended: bool,
}

fn substitute(value: &Value, vars: &BTreeMap<String, Value>) -> Value {
    match value {
        Value::String(text) => {
            let whole = text.strip_prefix("${").and_then(|t| t.strip_suffix('}'));
            if let Some(value) = whole.and_then(|name| vars.get(name)) {
                return value.clone();
            }
            let mut out = text.clone();
            for (name, value) in vars {
                let shown = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                out = out.replace(&format!("${{{name}}}"), &shown);
            }
            out.into()
        }
        Value::Array(list) => list
            .iter()
            .map(|v| substitute(v, vars))
            .collect::<Vec<_>>()
            .into(),
        Value::Object(map) => {
            let fields = map.iter().map(|(k, v)| {
                let key = substitute(&k.as_str().into(), vars);
                (key.as_str().unwrap_or(k).to_owned(), substitute(v, vars))
            });
            Value::Object(fields.collect())
        }
        other => other.clone(),
    }
}

fn quote(text: &str) -> String {
    let safe = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
    text.bytes()
        .map(|b| {
            if safe(b) {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}

fn request(step: &Value) -> http::Request<Body> {
    let mut target = step["path"].as_str().unwrap_or_default().to_owned();
    match &step["query"] {
        Value::String(text) => target = format!("{target}?{text}"),
        Value::Object(map) => {
            let pairs = map.iter().map(|(k, v)| {
                let shown = v.as_str().map_or_else(|| v.to_string(), str::to_owned);
                format!("{}={}", quote(k), quote(&shown))
            });
            target = format!("{target}?{}", pairs.collect::<Vec<_>>().join("&"));
        }
        _ => {}
    }
    let body = match (&step["raw"], step.get("body")) {
        (Value::String(raw), _) => Some(raw.clone().into_bytes()),
        (_, Some(body)) => Some(body.to_string().into_bytes()),
        _ => None,
    };
    let mut headers: BTreeMap<String, String> = BTreeMap::from([
        ("accept".into(), "application/json".into()),
        ("user-agent".into(), "golden-api/1.0".into()),
    ]);
    if body.is_some() {
        headers.insert("content-type".into(), "application/json".into());
    }
    for (name, value) in step["headers"].as_object().into_iter().flatten() {
        match value.as_str() {
            Some(value) => drop(headers.insert(name.to_lowercase(), value.to_owned())),
            None => drop(headers.remove(&name.to_lowercase())),
        }
    }
    let method = step["method"].as_str().unwrap_or("GET");
    let mut builder = http::Request::builder().method(method).uri(target);
    for (name, value) in headers {
        builder = builder.header(name, value);
    }
    builder
        .body(Body::from(body.unwrap_or_default()))
        .expect("the case is a request")
}

async fn call(client: &kube::Client, step: &Value) -> Answer {
    let response = client
        .send(request(step))
        .await
        .expect("the server answers");
    let (parts, body) = response.into_parts();
    let body = body
        .collect()
        .await
        .expect("the body ends")
        .to_bytes()
        .to_vec();
    Answer {
        code: parts.status.as_u16(),
        headers: parts.headers,
        body,
    }
}

fn number(value: &Value) -> Option<usize> {
    value.as_u64().and_then(|n| usize::try_from(n).ok())
}

async fn watch(client: kube::Client, step: Value) -> Watched {
    let options = &step["watch"];
    let seconds = options["seconds"].as_f64().unwrap_or(3.0);
    let most = number(&options["events"]).unwrap_or(1000);
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let response = client
        .send(request(&step))
        .await
        .expect("the server answers");
    let code = response.status().as_u16();
    let mut body = response.into_body();
    let (mut text, mut ended) = (Vec::new(), false);
    let lines = |text: &[u8]| text.split(|b| *b == b'\n').count() - 1;
    while lines(&text) < most {
        match timeout_at(end, body.frame()).await {
            Err(_) => break,
            Ok(Some(Ok(frame))) => text.extend(frame.into_data().unwrap_or_default()),
            Ok(_) => {
                ended = true;
                break;
            }
        }
    }
    let lines = text
        .split(|b| *b == b'\n')
        .filter(|l| !l.is_empty())
        .map(<[u8]>::to_vec)
        .take(most)
        .collect();
    Watched { code, lines, ended }
}

/// An event's object reduced to what a case compares.
fn brief(object: &Value) -> Value {
    let kind = object["kind"].as_str().unwrap_or_default();
    if matches!(kind, "Status" | "Table") {
        return object.clone();
    }
    let keep = [
        "name",
        "namespace",
        "resourceVersion",
        "labels",
        "deletionTimestamp",
        "finalizers",
        "generation",
    ];
    let metadata: Map<String, Value> = keep
        .into_iter()
        .filter_map(|k| Some((k.to_owned(), object["metadata"].get(k)?.clone())))
        .collect();
    let mut out =
        json!({"kind": object["kind"], "apiVersion": object["apiVersion"], "metadata": metadata});
    for key in ["spec", "data", "status"] {
        if let Some(value) = object.get(key) {
            out[key] = value.clone();
        }
    }
    out
}

impl Run {
    pub(crate) fn new(client: kube::Client) -> Self {
        Self {
            client,
            vars: BTreeMap::new(),
            normal: Normal::default(),
            background: BTreeMap::new(),
        }
    }

    /// A step whose answer takes no part in numbering when it may be refused.
    pub(crate) async fn fixture(&mut self, step: &Value) -> Value {
        if step.get("ok").is_none() {
            return self.step(step).await;
        }
        let kept = std::mem::take(&mut self.normal);
        let answer = self.step(step).await;
        self.normal = kept;
        answer
    }

    pub(crate) async fn step(&mut self, step: &Value) -> Value {
        let asked = substitute(step, &self.vars);
        if let Some(wait) = step["sleep_ms"].as_u64() {
            sleep(Duration::from_millis(wait)).await;
        }
        if let Some(id) = step["collect"].as_str() {
            let handle = self.background.remove(id).expect("the watch was started");
            let watched = handle.await.expect("the watch ends");
            return self.events(&watched, step);
        }
        if !step["watch"].is_null() {
            let running = watch(self.client.clone(), asked);
            if let Some(id) = step["watch"]["background"].as_str() {
                self.background.insert(id.to_owned(), tokio::spawn(running));
                sleep(Duration::from_millis(100)).await;
                return json!({});
            }
            let watched = running.await;
            return self.events(&watched, step);
        }
        let mut asked = asked;
        if let Some(times) = step["repeat"].as_u64() {
            let text = asked.to_string();
            for i in 0..times {
                asked =
                    serde_json::from_str(&text.replace("{i}", &i.to_string())).expect("still JSON");
                if i + 1 < times {
                    call(&self.client, &asked).await;
                }
            }
        }
        let (answer, body) = self.poll(&asked).await;
        if step["await"].as_str() == Some("crd") && matches!(answer.code, 200 | 201 | 409) {
            self.await_definition(&asked["body"]).await;
        }
        self.remember(step, &asked, answer.code, body.as_ref());
        self.shape(step, &asked, &answer, body)
    }

    async fn poll(&self, step: &Value) -> (Answer, Option<Value>) {
        let seconds = step["poll"]["seconds"].as_u64().unwrap_or(30);
        let end = Instant::now() + Duration::from_secs(seconds);
        let until = &step["poll"]["until"];
        loop {
            let answer = call(&self.client, step).await;
            let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
            let mut fine = until["status"].is_null() || until["status"] == answer.code;
            if let (true, Some(pointer)) = (fine, until["ptr"].as_str()) {
                let got = body.as_ref().map_or(Value::Null, |b| pick(b, pointer));
                fine = match (until.get("equals"), got.as_array()) {
                    (Some(wanted), _) => got == *wanted,
                    (None, Some(list)) => until["count"] == list.len(),
                    (None, None) => false,
                };
            }
            if until.is_null() || fine || Instant::now() > end {
                return (answer, body);
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    async fn await_definition(&self, definition: &Value) {
        let name = definition["metadata"]["name"].as_str().unwrap_or_default();
        let path = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}");
        let end = Instant::now() + Duration::from_secs(20);
        while Instant::now() < end && !name.is_empty() {
            let answer = call(&self.client, &json!({"method": "GET", "path": path})).await;
            let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            let is = |kind: &str, status: &str| {
                let list = body["status"]["conditions"].as_array();
                list.into_iter()
                    .flatten()
                    .any(|c| c["type"] == kind && c["status"] == status)
            };
            if answer.code == 404 || is("Established", "True") || is("NamesAccepted", "False") {
                return;
            }
            sleep(Duration::from_millis(10)).await;
        }
    }

    fn remember(&mut self, step: &Value, asked: &Value, code: u16, body: Option<&Value>) {
        let Some(body) = body.filter(|_| code < 300) else {
            return;
        };
        for (name, pointer) in step["save"].as_object().into_iter().flatten() {
            let value = pick(body, pointer.as_str().unwrap_or_default());
            if value != ABSENT && !value.is_null() {
                self.vars.insert(name.clone(), value);
            }
        }
        let writes = matches!(asked["method"].as_str(), Some("POST" | "PUT" | "PATCH"));
        let loose = matches!(
            body["kind"].as_str(),
            Some("CustomResourceDefinition" | "Namespace")
        );
        let revision = body["metadata"]["resourceVersion"]
            .as_str()
            .unwrap_or_default();
        if writes
            && !loose
            && !asked["query"].to_string().contains("dryRun")
            && !revision.is_empty()
            && self.normal.is_new(revision)
        {
            let number = revision.parse().unwrap_or_default();
            if number <= self.normal.last_write {
                self.normal
                    .problems
                    .push(format!("resourceVersion did not grow: {revision}"));
            }
            self.normal.last_write = self.normal.last_write.max(number);
        }
    }

    fn shape(
        &mut self,
        step: &Value,
        asked: &Value,
        answer: &Answer,
        body: Option<Value>,
    ) -> Value {
        let mut out = json!({"status": answer.code});
        out["body"] = match body {
            None if answer.body.is_empty() => Value::Null,
            None => json!({"$nonjson": true}),
            Some(body) => {
                let mut shown = self.normal.object(&body);
                let base = asked["body"]["metadata"]["generateName"]
                    .as_str()
                    .unwrap_or_default();
                let marked = shown["details"]["name"]
                    .as_str()
                    .and_then(|n| mark(n, base));
                if let Some(marked) = marked {
                    shown["details"]["name"] = marked.into();
                }
                if answer.code < 300 {
                    project(step, shown)
                } else {
                    shown
                }
            }
        };
        for name in step["want_headers"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            let value = answer.headers.get(name).and_then(|v| v.to_str().ok());
            out["headers"][name.to_lowercase()] = value.map_or(Value::Null, Value::from);
        }
        let warnings = answer.headers.get_all(http::header::WARNING).iter().count();
        if warnings > 0 {
            out["warnings"] = warnings.into();
        }
        out
    }

    fn events(&mut self, watched: &Watched, step: &Value) -> Value {
        if watched.code != 200 {
            let body = serde_json::from_slice(&watched.lines.concat()).unwrap_or_default();
            return json!({"status": watched.code, "body": self.normal.object(&body)});
        }
        let options = if step["watch"].is_null() {
            step
        } else {
            &step["watch"]
        };
        let mut events = Vec::new();
        for line in &watched.lines {
            let Ok(event) = serde_json::from_slice::<Value>(line) else {
                events.push(json!({"type": "<not one JSON object per line>"}));
                continue;
            };
            let Some(kind) = event.get("type") else {
                let object = brief(&self.normal.object(&event));
                events.push(json!({"type": "<plain object>", "object": object}));
                continue;
            };
            let object = &event["object"];
            if kind == "BOOKMARK" {
                let metadata = &object["metadata"];
                let has = metadata["resourceVersion"]
                    .as_str()
                    .is_some_and(|r| !r.is_empty());
                let mut shown = json!({"kind": object["kind"], "apiVersion": object["apiVersion"], "hasRV": has});
                let marked = metadata["annotations"].is_object();
                if marked {
                    shown["annotations"] = metadata["annotations"].clone();
                }
                if marked || options["drop_bookmarks"] != true {
                    events.push(json!({"type": "BOOKMARK", "object": shown}));
                }
                continue;
            }
            let mut shown = self.normal.object(object);
            if options["brief"] == true {
                shown = brief(&shown);
            }
            events.push(json!({"type": kind, "object": shown}));
        }
        if let Some(count) = number(&options["sort_initial"]) {
            let count = count.min(events.len());
            events[..count].sort_by_key(|e| e["object"].to_string());
        }
        let mut out = json!({"status": 200, "events": events});
        if options["want_end"] == true {
            out["ended_by_server"] = watched.ended.into();
        }
        out
    }
}
