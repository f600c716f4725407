//! Where can be read how the server is? `/healthz` and `/readyz`; every other path shows metrics, as in existing servers.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use purlin_telemetry::Metrics;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What is shown.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) metrics: Arc<Metrics>,
    /// Whether the server stops, and wants no new callers.
    pub(crate) drain: CancellationToken,
}

/// Serves the metrics until it is dropped.
pub(crate) async fn serve(listener: TcpListener, page: Page) {
    let router = Router::new()
        .route("/healthz", get(async || "ok"))
        .route("/readyz", get(ready))
        .fallback(metrics)
        .with_state(page);
    if let Err(error) = axum::serve(listener, router).await {
        tracing::error!(%error, "metrics are not served any more");
    }
}

async fn metrics(State(page): State<Page>) -> impl IntoResponse {
    ([(CONTENT_TYPE, OPEN_METRICS)], page.metrics.text())
}

async fn ready(State(page): State<Page>) -> impl IntoResponse {
    if page.drain.is_cancelled() {
        (StatusCode::SERVICE_UNAVAILABLE, "stopping")
    } else {
        (StatusCode::OK, "ok")
    }
}
