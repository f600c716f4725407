//! What every request and controller works on: the store, what is served, and the clock.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::failure::{Failure, Outcome};
use crate::kinds::decode::seconds;
use crate::kinds::{Which, events};
use crate::registry::{Registry, Resource, Source};
use crate::store::{Key, KindId, Object, Refused, Store};

/// Tells the time.
pub(crate) type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The heart of the server.
pub(crate) struct Core {
    pub store: Store,
    pub registry: Registry,
    pub clock: Clock,
    pub stop: CancellationToken,
    /// Serialises the steps that look at every definition.
    pub definitions: std::sync::Mutex<crate::definitions::Served>,
    /// How often a quiet watch gets a bookmark.
    pub bookmark: Duration,
    /// Wakes whoever waits for housekeeping to be idle.
    pub settled: Notify,
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core").finish_non_exhaustive()
    }
}

/// A stored object as one version shows it.
#[derive(Debug, Clone)]
pub(crate) enum Shown {
    Stored(Arc<Object>),
    Made(Arc<Value>),
}

impl std::ops::Deref for Shown {
    type Target = Value;

    fn deref(&self) -> &Value {
        match self {
            Self::Stored(object) => &object.value,
            Self::Made(value) => value,
        }
    }
}

impl Core {
    pub(crate) fn now(&self) -> String {
        seconds((self.clock)())
    }

    /// A stored object in the form of the resource's version.
    pub(crate) fn show(resource: &Resource, object: &Arc<Object>) -> Shown {
        match &resource.source {
            Source::Builtin(builtin) if builtin.which == Which::NewEvent => {
                let mut value = object.value.clone();
                events::from_core(&mut value);
                Shown::Made(Arc::new(value))
            }
            Source::Builtin(_) => Shown::Stored(object.clone()),
            Source::Custom(custom) => {
                let same = object.definition == custom.definition
                    && custom.version == custom.storage_version;
                if same {
                    Shown::Stored(object.clone())
                } else {
                    Shown::Made(Arc::new(custom.present(&object.value, &resource.group)))
                }
            }
        }
    }

    /// The form in which an object of the resource's version is stored.
    pub(crate) fn stored(resource: &Resource, mut value: Value) -> Object {
        let definition = match &resource.source {
            Source::Builtin(builtin) => {
                if builtin.which == Which::NewEvent {
                    events::to_core(&mut value);
                }
                0
            }
            Source::Custom(custom) => {
                custom.store(&mut value, &resource.group);
                custom.definition
            }
        };
        Object {
            revision: 0,
            definition,
            value,
        }
    }

    pub(crate) fn get(&self, resource: &Resource, key: &Key) -> Outcome<Arc<Object>> {
        self.store
            .get(&resource.id, key)
            .ok_or_else(|| Failure::not_found(&resource.group, &resource.plural, &key.name))
    }

    /// Waits for the disk, when there is one.
    pub(crate) async fn durable(&self, revision: u64) -> Outcome<()> {
        self.store
            .durable(revision)
            .await
            .map_err(|error| Failure::internal(error.to_string()))
    }

    /// Changes a stored object from inside the server. `edit` returns whether there is anything to write.
    ///
    /// An object that is being deleted goes with its last finalizer.
    pub(crate) fn mutate(
        &self,
        kind: &KindId,
        key: &Key,
        edit: impl Fn(&mut Value) -> bool,
    ) -> bool {
        while let Some(live) = self.store.get(kind, key) {
            let mut value = live.value.clone();
            if !edit(&mut value) {
                return false;
            }
            let result = if finished(&value) {
                self.store.remove(kind, key, live.revision).map(drop)
            } else {
                let object = Object {
                    revision: 0,
                    definition: live.definition,
                    value,
                };
                self.store
                    .put(kind, key, Some(live.revision), object)
                    .map(drop)
            };
            match result {
                Ok(()) => return true,
                Err(Refused::Changed) => {}
            }
        }
        false
    }
}

/// Whether an object is being deleted and nothing holds it any more.
pub(crate) fn finished(object: &Value) -> bool {
    object
        .pointer("/metadata/deletionTimestamp")
        .is_some_and(|v| !v.is_null())
        && list_is_empty(object, "/metadata/finalizers")
        && (object["kind"].as_str() != Some("Namespace")
            || object["apiVersion"].as_str() != Some("v1")
            || list_is_empty(object, "/spec/finalizers"))
}

fn list_is_empty(object: &Value, pointer: &str) -> bool {
    object
        .pointer(pointer)
        .and_then(Value::as_array)
        .is_none_or(Vec::is_empty)
}
