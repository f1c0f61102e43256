//! Connecting to Postgres, and what to say when nothing answers.

use std::{str::FromStr, time::Duration};

use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::ConnectError;

/// How long a connection may take, and how long a Postgres that is just starting is waited for.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// Connects to the database that a URL names.
///
/// # Errors
/// When the URL is not valid, nothing answers there, or the database rejects the connection.
pub(super) async fn connect(url: &str) -> Result<PgPool, ConnectError> {
    let options = PgConnectOptions::from_str(url).map_err(|_| ConnectError::Url)?;
    let place = match options.get_socket() {
        Some(socket) => format!("socket {}", socket.display()),
        None => format!("host {}, port {}", options.get_host(), options.get_port()),
    };
    let connected = PgPoolOptions::new()
        .max_connections(16)
        .acquire_timeout(MAX_WAIT)
        .connect_with(options)
        .await;
    connected.map_err(|error| match error {
        sqlx::Error::PoolTimedOut => ConnectError::Unreachable {
            place,
            reason: format!("no connection within {} seconds", MAX_WAIT.as_secs()),
        },
        sqlx::Error::Io(error) => ConnectError::Unreachable {
            place,
            reason: error.to_string(),
        },
        error => ConnectError::Rejected(error.into()),
    })
}
