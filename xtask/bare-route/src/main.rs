//! A bare axum server, the baseline for `cargo xtask bench`.
//!
//! Listens on the port given as the only argument and answers every POST to `/v1/verify` with a fixed JSON object of
//! about the size of a real response.

use std::error::Error;

use axum::{Json, Router, routing::post};
use serde_json::{Value, json};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = std::env::args()
        .nth(1)
        .ok_or("usage: bare-route PORT")?
        .parse()?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    let router = Router::new().route(
        "/v1/verify",
        post(async |Json(_): Json<Value>| Json(answer())),
    );
    axum::serve(listener, router).await?;
    Ok(())
}

fn answer() -> Value {
    json!({
        "valid": true,
        "code": "VALID",
        "status": 200,
        "detail": "The key is valid.",
        "key": {
            "id": "00000000-0000-0000-0000-000000000000",
            "name": "bench",
            "kind": "secret",
            "environment": "live",
            "org": { "id": "00000000-0000-0000-0000-000000000000", "slug": "bench" },
            "project": "Default",
            "scopes": [],
            "expires_at": "2030-01-01T00:00:00Z",
            "metadata": {},
        },
    })
}
