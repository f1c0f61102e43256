//! Endpoints for monitoring: whether the process runs, and whether it can work.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};

use crate::app_state::AppState;

const TEXT: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];

/// `GET /healthz`: the process runs.
pub async fn alive() -> impl IntoResponse {
    (TEXT, "ok\n")
}

/// `GET /readyz`: the database responds too.
pub async fn ready(State(state): State<AppState>) -> impl IntoResponse {
    let _turn = state.checking.lock().await;
    match state.engine.db().ping().await {
        Ok(()) => (StatusCode::OK, TEXT, "ok\n"),
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the database does not respond"
            );
            (
                StatusCode::SERVICE_UNAVAILABLE,
                TEXT,
                "the database does not respond\n",
            )
        }
    }
}

/// `GET /metrics`.
pub async fn metrics(State(state): State<AppState>) -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4")],
        state.metrics.render(&state.engine),
    )
}
