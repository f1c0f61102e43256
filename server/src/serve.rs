//! Runs the server, from the first connection to the last write of usage.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use hyper_util::server::graceful::GracefulShutdown;
use latchkey::{
    accounts::{SignUpPolicy, setup_code, sign_up},
    db::StorageError,
    feed, imports, refusals, usage,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::timeout,
};

use crate::{
    app_state::AppState,
    assets,
    background::Background,
    connections::{Connection, Connections, raise_descriptor_limit},
    conversation::conversation,
    mail::{self, MailServerError, Mailer},
    router::router,
    settings::Settings,
    start::{self, StartError},
};

/// The maximum duration of requests that are in progress at shutdown.
const GRACE: Duration = Duration::from_secs(10);

/// Why the server did not start or did not stop cleanly.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(transparent)]
    Start(#[from] StartError),
    /// The address is in use, or does not belong to this machine.
    #[error("listen: {}", cannot_listen(*.0, .1))]
    Listen(SocketAddr, io::Error),
    /// Signal handlers could not be registered.
    #[error("signals cannot be received: {0}")]
    Signals(io::Error),
    /// The mail server's settings cannot be used.
    #[error(transparent)]
    Mail(#[from] MailServerError),
    /// The last counts of usage could not be written.
    #[error("the last usage could not be written")]
    Flush(#[source] StorageError),
    /// The last security events could not be written to the audit log.
    #[error("the last entries of the audit log could not be written")]
    Log(#[source] StorageError),
    /// The database does not respond.
    #[error("the database does not respond")]
    Storage(#[from] StorageError),
}

/// Why the server cannot listen on an address, and what to do.
fn cannot_listen(address: SocketAddr, error: &io::Error) -> String {
    let (ip, port) = (address.ip(), address.port());
    let with_port = |port| SocketAddr::new(ip, port);
    match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "another program uses port {port} of {ip}. Stop it, or choose another port with --listen {} or \
             LATCHKEY_LISTEN={0}",
            with_port(port.checked_add(1).unwrap_or(3000))
        ),
        io::ErrorKind::AddrNotAvailable => format!(
            "{ip} is not an address of this machine. Use --listen 127.0.0.1:{port} to accept local connections only, \
             or --listen 0.0.0.0:{port} to listen on all addresses"
        ),
        io::ErrorKind::PermissionDenied => format!(
            "this user cannot use port {port} of {ip}. Choose port 1024 or higher with --listen {} or \
             LATCHKEY_LISTEN={0}",
            with_port(3000)
        ),
        _ => format!("{address} cannot be used: {error}"),
    }
}

/// Migrates the database, serves until SIGTERM or SIGINT, and writes the remaining usage.
///
/// # Errors
/// If the server cannot start, or the remaining usage could not be written at the end.
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
    feed::start(&engine).await?;
    imports::refresh(&engine).await?;
    let state = AppState::new(Arc::clone(&engine), Arc::clone(&settings), address.port());
    let mailer = Mailer::start(&state, mail::Times::default())?;
    let background = Background::start(&state).await?;
    announce(&state, address).await?;
    accept(listener, state, stop).await;
    background.stop().await;
    let logged = engine.finish().await;
    if let Some(mailer) = mailer {
        mailer.stop().await;
    }
    if let Err(error) = refusals::store(&engine).await {
        let error = &error as &dyn std::error::Error;
        tracing::error!(error, "failed to write rejected requests");
    }
    usage::flush::flush(&engine)
        .await
        .map_err(ServeError::Flush)?;
    engine.db().close().await;
    logged.map_err(ServeError::Log)?;
    tracing::info!("stopped");
    Ok(())
}

/// Accepts connections until `stop`, then waits for the requests in progress.
async fn accept(listener: TcpListener, state: AppState, stop: impl Future<Output = ()>) {
    let connections = Connections::new(
        raise_descriptor_limit(),
        state.settings.trusted_proxies.clone(),
    );
    tracing::info!(
        connections = connections.max(),
        "maximum number of connections"
    );
    let live = Arc::clone(&state.live);
    let router = router(state);
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                // If there is no room, the stream is closed here.
                if let Some(connection) = connections.admit(peer) {
                    converse(stream, peer, connection, &router, &graceful);
                }
            }
            Err(error) => wait_after(&error).await,
        }
    }
    drop(listener);
    // Their requests would stay in progress until their clients leave.
    live.stop.cancel();
    tracing::info!("stopping: no new connections, waiting for requests in progress");
    if timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!(
            "cutting off requests that are still in progress after {} s",
            GRACE.as_secs()
        );
    }
}

/// Handles the requests of a connection, in its own task.
fn converse(
    stream: TcpStream,
    peer: SocketAddr,
    connection: Connection,
    router: &Router,
    graceful: &GracefulShutdown,
) {
    // Sends small responses immediately. Otherwise, the kernel can delay them by 40 ms.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "failed to set TCP_NODELAY");
    }
    let phase = Arc::clone(&connection.phase);
    let conversation = conversation(stream, peer, phase, router.clone());
    let conversation = graceful.watch(conversation);
    tokio::spawn(async move {
        tokio::select! {
            // Errors of a connection are caused by the client, so they are ignored.
            _ = conversation => {}
            () = connection.end.notified() => {}
        }
        drop(connection);
    });
}

/// Handles an error of `accept`. If the client has disconnected, there is nothing to do. If file descriptors have run
/// out, waiting gives connections time to close.
async fn wait_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    ) {
        tracing::error!(%error, "failed to accept a connection");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Logs the address of the server, and prints how to create the first account at the first start.
async fn announce(state: &AppState, address: SocketAddr) -> Result<(), ServeError> {
    if !assets::are_embedded() {
        tracing::warn!(
            "this binary was built without the pages' files; build it with `cargo xtask build`"
        );
    }
    if !address.ip().is_loopback() && !state.settings.names_public_url() {
        tracing::warn!(
            "public_url is not set; browsers can sign in only at {}",
            state.public_url
        );
    }
    if let Some(sentence) = state.settings.undeclared_proxy() {
        tracing::warn!("{sentence}");
    }
    for sentence in state.settings.mail_warnings() {
        tracing::warn!("{sentence}");
    }
    tracing::info!(
        "rate limits are counted per instance; with several instances, each allows the full limit"
    );
    tracing::info!(
        instance = %state.engine.instance(),
        pid = std::process::id(),
        %address,
        database = state.engine.db().name(),
        version = env!("CARGO_PKG_VERSION"),
        "started"
    );
    println!("Latchkey is listening on http://{address}");
    if state.settings.names_public_url() {
        println!("Open it at {}", state.public_url);
    }
    let is_first = timeout(GRACE, sign_up::is_first(&state.engine)).await;
    if matches!(is_first, Ok(Ok(true))) {
        println!("{}", first_account(state));
    }
    Ok(())
}

/// The message about the first account.
fn first_account(state: &AppState) -> String {
    match state.settings.sign_up {
        SignUpPolicy::Closed => {
            "No account exists yet, and sign_up is closed. Create accounts with `latchkey org create` and `latchkey user \
             create`"
                .to_owned()
        }
        SignUpPolicy::Invite | SignUpPolicy::Open => format!(
            "No account exists yet. Create the first account at {}{}",
            state.public_url,
            setup_code::path(&state.engine)
        ),
    }
}

/// Resolves when the process receives SIGTERM or SIGINT.
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

/// Resolves when the process receives Ctrl-C.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as on Unix, where it can fail")]
fn stop_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    Ok(async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "failed to listen for Ctrl-C");
            std::future::pending::<()>().await;
        }
    })
}
