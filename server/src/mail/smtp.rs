//! The connection to the mail server.

use std::time::Duration;

use latchkey::{email::EmailAddress, time::Timestamp};
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor, message::Mailbox, transport::smtp,
};

use super::message::{self, BuildError};
use crate::settings::MailSettings;

/// How long one step of a conversation with the mail server can take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The mail server. Each letter has its own connection.
#[derive(Debug)]
pub struct MailServer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// The settings of the mail server cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("smtp_url cannot be used")]
pub struct MailServerError(#[source] smtp::Error);

/// Why a letter was not sent. The server's own words can contain the address, so they are not logged.
#[derive(Debug, thiserror::Error)]
#[error("the mail server did not accept the e-mail")]
pub struct SendError(#[source] smtp::Error);

impl MailServer {
    /// Reads the settings. Connects to nothing.
    ///
    /// # Errors
    /// If the URL cannot be used.
    pub fn new(settings: &MailSettings) -> Result<Self, MailServerError> {
        let url = settings.smtp_url.expose();
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url);
        let builder = builder.map_err(MailServerError)?;
        Ok(Self {
            transport: builder.timeout(Some(PATIENCE)).build(),
            from: settings.from.clone(),
        })
    }

    /// The sender of every letter.
    pub fn from(&self) -> &Mailbox {
        &self.from
    }

    /// A test mail.
    ///
    /// # Errors
    /// If the address cannot be used.
    pub fn test_message(
        &self,
        to: &EmailAddress,
        public_url: &str,
        now: Timestamp,
    ) -> Result<Message, BuildError> {
        message::test(to, public_url, &self.from, now)
    }

    /// Hands a letter to the server.
    ///
    /// # Errors
    /// If the server cannot be reached or does not accept it.
    pub async fn send(&self, message: Message) -> Result<(), SendError> {
        self.transport.send(message).await.map_err(SendError)?;
        Ok(())
    }

    /// Connects, and signs in if the URL has a password.
    ///
    /// # Errors
    /// If the server cannot be reached or does not accept the password.
    pub async fn test(&self) -> Result<(), SendError> {
        self.transport.test_connection().await.map_err(SendError)?;
        Ok(())
    }
}

impl SendError {
    /// Whether the server would not accept the letter later either.
    pub fn is_final(&self) -> bool {
        self.0.is_permanent()
    }

    /// The status with which the server responded.
    pub fn status(&self) -> Option<u16> {
        self.0.status().map(u16::from)
    }

    /// What went wrong, in a word.
    pub fn reason(&self) -> &'static str {
        match &self.0 {
            error if error.is_permanent() => "rejected",
            error if error.is_transient() => "rejected for now",
            error if error.is_timeout() => "timeout",
            error if error.is_tls() => "encryption",
            error if error.is_response() => "unreadable response",
            error if error.is_client() => "not supported by the server",
            _ => "connection",
        }
    }
}
