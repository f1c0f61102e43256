//! Endpoints for monitoring: whether the process runs, and whether it can work.

use std::time::Duration;

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};

use tokio::time::timeout;

use crate::app_state::AppState;

const TEXT: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];

/// `GET /healthz`: the process runs.
pub async fn alive() -> impl IntoResponse {
    (TEXT, "ok\n")
}

/// How long `/readyz` waits for the database. A load balancer that gets no answer for longer takes the instance out anyway.
const READY_WITHIN: Duration = Duration::from_secs(5);

/// `GET /readyz`: the database responds too.
pub async fn ready(State(state): State<AppState>) -> impl IntoResponse {
    let ping = async {
        let _turn = state.checking.lock().await;
        state.engine.db().ping().await
    };
    match timeout(READY_WITHIN, ping).await {
        Ok(Ok(())) => return (StatusCode::OK, TEXT, "ok\n"),
        Ok(Err(error)) => tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the database does not respond"
        ),
        Err(_) => tracing::warn!(
            "the database does not respond within {} s",
            READY_WITHIN.as_secs()
        ),
    }
    let text = "the database does not respond\n";
    (StatusCode::SERVICE_UNAVAILABLE, TEXT, text)
}

/// `GET /metrics`.
pub async fn metrics(State(state): State<AppState>) -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4")],
        state.metrics.render(&state.engine),
    )
}
