//! What was told about which object, and is it worth telling again?
//!
//! Events are written beside the reconciles, in order, and never hold one up. The same words about the same object are
//! told once an hour; somebody who tells ever new words runs out of budget.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use purlin_api::meta::{self, Gvk};
use purlin_kube::Client;
use purlin_lifecycle::event::Event;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// How long the same words are not repeated.
const REPEAT: Duration = Duration::from_hours(1);
/// How many events one object may have at once, and how long until it earns another one.
const BUDGET: (f64, Duration) = (25.0, Duration::from_secs(30));
/// How many events may wait to be written; more are dropped.
const WAITING: usize = 4096;
/// How many objects are remembered.
const REMEMBERED: usize = 20_000;
/// Who tells.
const COMPONENT: &str = "purlin";

/// Tells events.
#[derive(Debug)]
pub(crate) struct Recorder {
    told: Mutex<BTreeMap<String, Told>>,
    writer: mpsc::Sender<Value>,
}

#[derive(Debug)]
struct Told {
    words: BTreeMap<Event, Instant>,
    budget: f64,
    counted: Instant,
}

impl Recorder {
    /// A recorder, and the task that writes what it is told until the recorder is gone.
    pub(crate) fn new(client: Client) -> (Self, impl Future<Output = ()>) {
        let (writer, waiting) = mpsc::channel(WAITING);
        let recorder = Self {
            told: Mutex::default(),
            writer,
        };
        (recorder, write(client, waiting))
    }

    /// Tells an event about an object.
    pub(crate) fn tell(&self, about: &Value, event: &Event) {
        if meta::uid(about).is_empty() || !self.is_news(meta::uid(about), event) {
            return;
        }
        tracing::debug!(
            object = meta::name(about),
            reason = event.reason,
            message = event.message,
            "event"
        );
        // A full queue means the API server cannot keep up; the conditions still say how things are.
        drop(self.writer.try_send(to_json(about, event)));
    }

    fn is_news(&self, uid: &str, event: &Event) -> bool {
        let now = Instant::now();
        let mut all = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= REMEMBERED {
            all.retain(|_, told| now.duration_since(told.counted) < REPEAT / 4);
        }
        let told = all.entry(uid.to_owned()).or_insert_with(|| Told {
            words: BTreeMap::new(),
            budget: BUDGET.0,
            counted: now,
        });
        told.words.retain(|_, at| now.duration_since(*at) < REPEAT);
        if told.words.contains_key(event) {
            return false;
        }
        let earned = now.duration_since(told.counted).as_secs_f64() / BUDGET.1.as_secs_f64();
        told.budget = (told.budget + earned).min(BUDGET.0);
        told.counted = now;
        if told.budget < 1.0 {
            return false;
        }
        told.budget -= 1.0;
        told.words.insert(event.clone(), now);
        true
    }
}

fn to_json(about: &Value, event: &Event) -> Value {
    let now = crate::clock::now();
    let namespace = match meta::namespace(about) {
        "" => "default",
        namespace => namespace,
    };
    // Events hold at most a kilobyte of words.
    let message: String = event.message.chars().take(1000).collect();
    json!({
        "apiVersion": "v1", "kind": "Event",
        "metadata": {"namespace": namespace, "name": format!("{}.{}", meta::name(about), crate::clock::unique())},
        "involvedObject": {
            "apiVersion": about.get("apiVersion"), "kind": about.get("kind"), "name": meta::name(about),
            "namespace": meta::namespace(about), "uid": meta::uid(about),
            "resourceVersion": meta::resource_version(about),
        },
        "type": event.severity.as_str(), "reason": event.reason, "message": message, "count": 1,
        "firstTimestamp": now, "lastTimestamp": now,
        "source": {"component": COMPONENT}, "reportingComponent": COMPONENT, "reportingInstance": "",
    })
}

async fn write(client: Client, mut waiting: mpsc::Receiver<Value>) {
    let gvk = Gvk::new("v1", "Event");
    while let Some(event) = waiting.recv().await {
        let written = match client.kind(&gvk).await {
            Ok(kind) => client.create(&kind, &event, COMPONENT).await.map(drop),
            Err(error) => Err(error),
        };
        if let Err(error) = written {
            tracing::debug!(%error, "cannot write an event");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorder() -> Recorder {
        let (writer, _) = mpsc::channel(1);
        Recorder {
            told: Mutex::default(),
            writer,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_same_words_are_told_once_an_hour() {
        let recorder = recorder();
        let event = Event::normal("R", "m");
        assert!(recorder.is_news("u", &event));
        assert!(!recorder.is_news("u", &event));
        assert!(recorder.is_news("v", &event));
        tokio::time::advance(REPEAT).await;
        assert!(recorder.is_news("u", &event));
    }

    #[tokio::test(start_paused = true)]
    async fn ever_new_words_run_out_of_budget() {
        let recorder = recorder();
        let news = (0..100).filter(|n| recorder.is_news("u", &Event::normal("R", n.to_string())));
        assert_eq!(news.count(), 25);
    }
}
