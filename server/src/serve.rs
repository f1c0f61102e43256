//! Serving, from the first connection to the last count.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::serve::ListenerExt;
use latchkey::{accounts::sign_up, db::StorageError, usage};
use tokio::{net::TcpListener, sync::oneshot, time::timeout};

use crate::{
    app_state::AppState,
    assets,
    background::Background,
    router::router,
    settings::Settings,
    start::{self, StartError},
};

/// How long requests that are under way at shutdown may take.
const GRACE: Duration = Duration::from_secs(10);

/// Why serving did not begin or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The engine could not be started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The address is in use, or not this machine's.
    #[error("listen {0}: {1}")]
    Listen(SocketAddr, io::Error),
    /// Signals of the system could not be received.
    #[error("signals cannot be received: {0}")]
    Signals(io::Error),
    /// Connections could not be accepted any more.
    #[error("serving broke off: {0}")]
    Serve(io::Error),
    /// The last counts could not be written.
    #[error("the last usage could not be written")]
    Flush(#[source] StorageError),
    /// The database could not be asked.
    #[error("the database does not answer")]
    Storage(#[from] StorageError),
}

/// Migrates, serves until SIGTERM or SIGINT, and writes down what was counted.
///
/// # Errors
/// When it cannot begin, or what was counted could not be written at the end.
pub async fn serve(settings: Settings) -> Result<(), ServeError> {
    let settings = Arc::new(settings);
    let stop = stop_signal().map_err(ServeError::Signals)?;
    let engine = start::engine(&settings).await?;
    let listener = TcpListener::bind(settings.listen)
        .await
        .map_err(|error| ServeError::Listen(settings.listen, error))?;
    let address = listener
        .local_addr()
        .map_err(|error| ServeError::Listen(settings.listen, error))?;
    let state = AppState::new(Arc::clone(&engine), Arc::clone(&settings), address.port());
    announce(&state, address).await?;

    let background = Background::start(&state);
    let served = accept(listener, state, stop).await;
    background.stop().await;
    usage::flush::flush(&engine)
        .await
        .map_err(ServeError::Flush)?;
    engine.db().close().await;
    tracing::info!("stopped");
    served.map_err(ServeError::Serve)
}

/// Answers connections until `stop`, then lets the requests that are under way finish.
async fn accept(
    listener: TcpListener,
    state: AppState,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    // Small answers wait for nothing: without this the kernel may hold them back for 40 ms.
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY was not set");
        }
    });
    let (stopping, stopped) = oneshot::channel();
    let service = router(state).into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, service).with_graceful_shutdown(async move {
        stop.await;
        tracing::info!("stopping: no new connections, requests under way are finished");
        // An error says that serving broke off by itself.
        let _ = stopping.send(());
    });
    let deadline = async {
        match stopped.await {
            Ok(()) => tokio::time::sleep(GRACE).await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        served = server => served,
        () = deadline => {
            tracing::warn!("requests were still under way after {} s and are cut off", GRACE.as_secs());
            Ok(())
        }
    }
}

/// Says where the server is, and at the first start what to do there.
async fn announce(state: &AppState, address: SocketAddr) -> Result<(), ServeError> {
    if !assets::are_embedded() {
        tracing::warn!(
            "this binary was built without the pages' files: build it with `cargo xtask build`"
        );
    }
    if !address.ip().is_loopback() && !state.settings.names_public_url() {
        tracing::warn!(
            "public_url is not set: browsers can sign in only at {}",
            state.public_url
        );
    }
    tracing::info!(
        "rate limits are counted by this instance alone: with several, each allows as much"
    );
    tracing::info!(%address, database = state.engine.db().name(), version = env!("CARGO_PKG_VERSION"), "started");
    println!("Latchkey is listening on http://{address}");
    let is_first = timeout(GRACE, sign_up::is_first(&state.engine)).await;
    if matches!(is_first, Ok(Ok(true))) {
        println!(
            "There is no account yet. Make the first one at {}/sign-up",
            state.public_url
        );
    }
    Ok(())
}

/// Resolves when the process is asked to end.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Resolves when the process is asked to end.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as on Unix, where it can fail")]
fn stop_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    Ok(async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "Ctrl-C cannot be received");
            std::future::pending::<()>().await;
        }
    })
}
