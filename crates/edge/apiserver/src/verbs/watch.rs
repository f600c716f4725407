//! Watching a collection: what is there, then every change, as JSON lines.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{Ask, read, show};
use crate::failure::{Failure, Outcome};
use crate::http::accept::Form;
use crate::http::reply::{Payload, Reply};
use crate::registry::Resource;
use crate::selector::Selector;
use crate::server::{Core, Shown};
use crate::store::{Change, Happened, Since, Subscription, TooOld};
use crate::table;

/// How long a watch lives when the client does not say.
const LIFE: Duration = Duration::from_mins(45);
/// A bookmark is sent this long before the end.
const FAREWELL: Duration = Duration::from_secs(2);
/// Lines on their way to one client.
const BUFFER: usize = 256;

struct Watch {
    core: Arc<Core>,
    resource: Arc<Resource>,
    namespace: Option<String>,
    selector: Selector,
    form: Form,
    include: table::Include,
    bookmarks: bool,
    /// The initial events end with a marked bookmark.
    mark: bool,
    end: Instant,
    /// Changes up to this revision are not sent.
    after: u64,
    columns_sent: bool,
    lines: mpsc::Sender<Bytes>,
}

/// Serves a watch.
pub(crate) fn watch(core: &Arc<Core>, ask: &Ask) -> Outcome<Reply> {
    read::check_options(ask, true)?;
    let query = &ask.query;
    let life = query.number("timeoutSeconds")?.filter(|n| *n > 0);
    let life = life
        .and_then(|n| u64::try_from(n).ok())
        .map_or(LIFE, Duration::from_secs);
    let selector = Selector::parse(
        query.get("labelSelector"),
        query.get("fieldSelector"),
        &ask.resource,
    )?;
    let revision: u64 = match query.get("resourceVersion") {
        None => 0,
        Some(text) => text
            .parse()
            .map_err(|_| Failure::unnamed(format!("invalid resource version {text:?}")))?,
    };
    let asked = query.get("sendInitialEvents").is_some();
    let initial = if asked {
        query.flag("sendInitialEvents")
    } else {
        revision == 0
    };
    let since = if initial || revision == 0 {
        Since::Now
    } else {
        Since::Revision(revision)
    };
    let namespace = ask.namespace.as_deref();
    let subscription = (revision <= core.store.revision())
        .then(|| core.store.subscribe(&ask.resource.id, namespace, since));
    let (lines, receive) = mpsc::channel(BUFFER);
    let watch = Watch {
        core: core.clone(),
        resource: ask.resource.clone(),
        namespace: ask.namespace.clone(),
        selector,
        form: ask.accepted.form,
        include: show::include(ask),
        bookmarks: query.flag("allowWatchBookmarks"),
        mark: asked && initial,
        end: Instant::now() + life,
        after: revision,
        columns_sent: false,
        lines,
    };
    tokio::spawn(async move {
        let subscription = match subscription {
            Some(subscription) => subscription,
            None if watch.reaches(revision).await => watch.subscribe(since),
            None => return,
        };
        match subscription {
            Ok(subscription) => watch.run(subscription, initial).await,
            Err(old) => watch.too_old(revision, old.0).await,
        }
    });
    Ok(Reply::new(200, Payload::Stream(receive)))
}

impl Watch {
    fn subscribe(&self, since: Since) -> Result<Subscription, TooOld> {
        let namespace = self.namespace.as_deref();
        self.core
            .store
            .subscribe(&self.resource.id, namespace, since)
    }

    /// Waits for a revision of the future; when it does not come, the client learns that it is too large.
    async fn reaches(&self, revision: u64) -> bool {
        let reached = tokio::select! {
            biased;
            () = self.core.stop.cancelled() => return false,
            () = self.lines.closed() => return false,
            () = tokio::time::sleep_until(self.end) => return false,
            reached = read::wait_for(&self.core, revision) => reached,
        };
        if let Err(failure) = &reached {
            self.send("ERROR", &failure.status()).await;
        }
        reached.is_ok()
    }

    async fn too_old(self, asked: u64, oldest: u64) {
        let failure = Failure::expired(format!("too old resource version: {asked} ({oldest})"));
        self.send("ERROR", &failure.status()).await;
    }

    /// Writes one line; false when the client left.
    async fn send(&self, kind: &str, object: &Value) -> bool {
        let mut line = format!("{{\"type\":\"{kind}\",\"object\":").into_bytes();
        if serde_json::to_writer(&mut line, object).is_err() {
            return false;
        }
        line.extend_from_slice(b"}\n");
        self.lines.send(line.into()).await.is_ok()
    }

    async fn run(mut self, mut subscription: Subscription, initial: bool) {
        let stop = self.core.stop.clone();
        if !self.begin(&subscription, initial).await {
            return;
        }
        let mut reached = subscription.revision.max(self.after);
        let farewell = self.end.checked_sub(FAREWELL).unwrap_or(self.end);
        let mut said_farewell = farewell <= Instant::now();
        let mut bookmark = Instant::now() + self.core.bookmark;
        loop {
            let next = if said_farewell {
                self.end
            } else {
                farewell.min(self.end)
            };
            let next = if self.bookmarks {
                next.min(bookmark)
            } else {
                self.end
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = self.lines.closed() => return,
                change = subscription.live.recv() => {
                    // A closed channel: this watcher was too slow, or the kind is gone.
                    let Some(change) = change else { return };
                    reached = reached.max(change.revision);
                    if !self.change(&change).await {
                        return;
                    }
                }
                () = tokio::time::sleep_until(next) => {
                    if Instant::now() >= self.end {
                        return;
                    }
                    if !self.bookmark(reached.max(self.core.store.revision()), false).await {
                        return;
                    }
                    said_farewell |= Instant::now() >= farewell;
                    bookmark = Instant::now() + self.core.bookmark;
                }
            }
        }
    }

    async fn begin(&mut self, subscription: &Subscription, initial: bool) -> bool {
        if initial {
            for object in &subscription.initial {
                let view = Core::show(&self.resource, object);
                if self.selector.matches(&view) && !self.event("ADDED", &view).await {
                    return false;
                }
            }
        }
        if self.mark && self.bookmarks && !self.bookmark(subscription.revision, true).await {
            return false;
        }
        self.after = self.after.min(subscription.revision.max(self.after));
        for change in &subscription.backlog {
            if !self.change(change).await {
                return false;
            }
        }
        true
    }

    async fn bookmark(&mut self, revision: u64, end: bool) -> bool {
        let (version, kind) = match self.form {
            Form::Metadata => ("meta.k8s.io/v1".to_owned(), "PartialObjectMetadata"),
            Form::Object | Form::Table => {
                (self.resource.api_version(), self.resource.kind.as_str())
            }
        };
        let mut object = json!({
            "kind": kind, "apiVersion": version,
            "metadata": {"resourceVersion": revision.to_string(), "creationTimestamp": null},
        });
        if end {
            object["metadata"]["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        if self.form == Form::Table {
            let views = [&object];
            let mut shown =
                table::table(&self.core, &self.resource, &views, table::Include::Object);
            shown["metadata"]["resourceVersion"] = revision.to_string().into();
            shown["rows"] = json!([{"cells": [], "object": object}]);
            return self.send("BOOKMARK", &shown).await;
        }
        self.send("BOOKMARK", &object).await
    }

    /// Sends a change as it looks through the selector.
    async fn change(&mut self, change: &Change) -> bool {
        if change.revision <= self.after {
            return true;
        }
        if self
            .namespace
            .as_deref()
            .is_some_and(|n| n != change.key.namespace)
        {
            return true;
        }
        let new = Core::show(&self.resource, &change.new);
        let before = |old| self.selector.matches(&Core::show(&self.resource, old));
        let was = change.old.as_ref().is_some_and(before);
        let is = change.happened != Happened::Deleted && self.selector.matches(&new);
        match (was, is) {
            (false, true) => self.event("ADDED", &new).await,
            (true, true) => self.event("MODIFIED", &new).await,
            (true, false) if change.happened == Happened::Deleted => {
                self.event("DELETED", &new).await
            }
            (true, false) => {
                // It left the selection: its last matching state under the revision of the change.
                let Some(old) = &change.old else { return true };
                let mut last = (*Core::show(&self.resource, old)).clone();
                last["metadata"]["resourceVersion"] = change.revision.to_string().into();
                self.event("DELETED", &Shown::Made(Arc::new(last))).await
            }
            (false, false) => true,
        }
    }

    async fn event(&mut self, kind: &str, view: &Shown) -> bool {
        match self.form {
            Form::Object => self.send(kind, view).await,
            Form::Metadata => self.send(kind, &show::partial(view)).await,
            Form::Table => {
                let views: [&Value; 1] = [view];
                let mut shown = table::table(&self.core, &self.resource, &views, self.include);
                shown["metadata"]["resourceVersion"] = view["metadata"]["resourceVersion"].clone();
                if self.columns_sent {
                    shown["columnDefinitions"] = json!([]);
                }
                self.columns_sent = true;
                self.send(kind, &shown).await
            }
        }
    }
}
