//! Sends the letters that operations post.
//!
//! Each letter is a task of its own, which waits for its turn among the letters of all senders, so that neither a slow
//! mail server nor the letters of one sender delay others more than necessary. A letter is tried four times.
//!
//! A letter that someone can have requested for the address of another is sent some seconds later, at random: whoever requested
//! it could otherwise notice from the requests that follow that it is being written and sent, or which one it is. For the
//! same reason, the metrics do not count it. Whether the mail server works is tested once a minute, whatever is sent.

mod message;
mod smtp;
mod words;

use std::{sync::Arc, time::Duration};

use latchkey::{
    mail::{Content, Outgoing},
    random::Randomness,
};
use metrics::Counter;
use tokio::time::{sleep, timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use self::smtp::{MailServer, MailServerError, SendError};
use crate::app_state::AppState;

/// When letters are sent.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// The time between the tries of a letter.
    pub waits: [Duration; 3],
    /// The longest time that a letter with a requested link waits before the first try.
    pub longest_delay: Duration,
    /// The time between two tests of the connection to the mail server.
    pub between_tests: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            waits: [10, 60, 300].map(Duration::from_secs),
            longest_delay: Duration::from_secs(5),
            between_tests: Duration::from_secs(60),
        }
    }
}
/// How long letters that wait are still sent when the process ends.
const GRACE: Duration = Duration::from_secs(10);

/// The task that sends letters until it is stopped.
#[derive(Debug)]
pub struct Mailer {
    stop: CancellationToken,
    tasks: TaskTracker,
    letters: TaskTracker,
    state: AppState,
}

impl Mailer {
    /// Starts to send letters; `None` if no mail is set up. A letter that the server does not accept for now is tried again
    /// after each of the waits.
    ///
    /// # Errors
    /// If the mail server's settings cannot be used.
    pub fn start(state: &AppState, times: Times) -> Result<Option<Self>, MailServerError> {
        let Some(settings) = &state.settings.mail else {
            return Ok(None);
        };
        let server = Arc::new(MailServer::new(settings)?);
        let (stop, tasks, letters) = Default::default();
        let mailer = Self {
            stop,
            tasks,
            letters,
            state: state.clone(),
        };
        mailer.tasks.spawn(test_again_and_again(
            state.clone(),
            Arc::clone(&server),
            times.between_tests,
            mailer.stop.clone(),
        ));
        mailer.tasks.spawn(take_out(
            state.clone(),
            server,
            times,
            mailer.letters.clone(),
            mailer.stop.clone(),
        ));
        mailer.tasks.close();
        Ok(Some(mailer))
    }

    /// Sends what is in the outbox for at most ten seconds, without waiting for another try, and stops. To be called after
    /// the last operation.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.wait().await;
        self.letters.close();
        let all_sent = timeout(GRACE, self.letters.wait()).await;
        if all_sent.is_err() {
            let letters = self.state.engine.outbox().depth();
            tracing::warn!(letters, "stopped before all mail was sent");
        }
    }
}

/// Tests the connection to the mail server until it is stopped.
async fn test_again_and_again(
    state: AppState,
    server: Arc<MailServer>,
    between: Duration,
    stop: CancellationToken,
) {
    while let Some(tested) = stop.run_until_cancelled(server.test()).await {
        let reachable = &state.metrics.mail_server_reachable;
        match tested {
            Ok(()) => reachable.set(1.0),
            Err(error) => {
                let (status, reason) = (error.status(), error.reason());
                tracing::warn!(status, reason, "the mail server cannot be used");
                reachable.set(0.0);
            }
        }
        let _ = stop.run_until_cancelled(sleep(between)).await;
    }
}

async fn take_out(
    state: AppState,
    server: Arc<MailServer>,
    times: Times,
    letters: TaskTracker,
    stop: CancellationToken,
) {
    let send = |outgoing| {
        let (state, server, stop) = (state.clone(), Arc::clone(&server), stop.clone());
        letters.spawn(async move { deliver(&state, &server, times, outgoing, &stop).await });
    };
    let outbox = state.engine.outbox();
    while let Some(Some(outgoing)) = stop.run_until_cancelled(outbox.next()).await {
        send(outgoing);
    }
    while let Some(outgoing) = outbox.next_now() {
        send(outgoing);
    }
}

/// Tries to send a letter until the mail server accepts it or rejects it for good. The log has neither the address nor
/// what the letter says.
async fn deliver(
    state: &AppState,
    server: &MailServer,
    times: Times,
    outgoing: Outgoing,
    stop: &CancellationToken,
) {
    let letter = &outgoing.letter;
    let is_requested = is_requested(&letter.content);
    let count = |counter: &Counter| {
        if !is_requested {
            counter.increment(1);
        }
    };
    if is_requested {
        let _ = stop
            .run_until_cancelled(sleep(delay(times.longest_delay)))
            .await;
    }
    let now = state.engine.clock().now();
    let message = message::build(letter, &state.addresses.public_url, server.from(), now);
    let message = match message {
        Ok(message) => message,
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "an e-mail could not be written");
            count(&state.metrics.mails_failed);
            return;
        }
    };
    let mut waits = times.waits.iter();
    loop {
        let Ok(turn) = outgoing.turn().await else {
            return;
        };
        let sent = server.send(message.clone()).await;
        drop(turn);
        let error = match sent {
            Ok(()) => {
                count(&state.metrics.mails_sent);
                return;
            }
            Err(error) => error,
        };
        let wait = waits
            .next()
            .filter(|_| !error.is_final() && !stop.is_cancelled());
        let (status, reason) = (error.status(), error.reason());
        let Some(wait) = wait else {
            tracing::error!(status, reason, "an e-mail was not sent");
            count(&state.metrics.mails_failed);
            return;
        };
        tracing::warn!(status, reason, "an e-mail was not sent; retrying");
        // When the process ends, the letter is tried once more immediately.
        let _ = stop.run_until_cancelled(sleep(*wait)).await;
    }
}

/// Whether someone can have requested the letter for an address that is not theirs.
pub(crate) const fn is_requested(content: &Content) -> bool {
    matches!(
        content,
        Content::Reset(_) | Content::SignUp(_) | Content::Confirmation(..) | Content::HasAccount
    )
}

/// A random part of the longest delay.
fn delay(longest: Duration) -> Duration {
    // Without randomness, the longest delay is as good.
    match Randomness::System.bytes() {
        Ok([part]) => longest * u32::from(part) / 255,
        Err(_) => longest,
    }
}
