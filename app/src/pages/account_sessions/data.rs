//! The data of the page "Sessions".

use latchkey::{
    accounts::session_list::{self, Session},
    caller::{Client, System},
    time::Timestamp,
};

use crate::{error::AppError, request::PageRequest, text::time::TimeText};

/// A session of the user.
#[derive(Debug, Clone)]
pub struct SessionRow {
    pub id: String,
    /// The browser and the system: "Firefox on Windows".
    pub device: String,
    /// The network of its address.
    pub network: String,
    pub started: TimeText,
    pub used: TimeText,
    pub is_current: bool,
}

/// Loads the user's sessions.
pub async fn sessions(request: PageRequest) -> Result<Vec<SessionRow>, AppError> {
    let user_id = request.user_id().await?;
    let engine = request.engine();
    let now = engine.clock().now();
    let sessions = session_list::list(engine, user_id, request.session_hash()).await?;
    Ok(sessions
        .into_iter()
        .map(|session| row(session, now))
        .collect())
}

fn row(session: Session, now: Timestamp) -> SessionRow {
    SessionRow {
        device: device(session.client, session.system),
        id: session.id,
        network: session.network.unwrap_or_else(|| "Unknown".to_owned()),
        started: TimeText::full(session.started_at),
        used: TimeText::relative(session.used_at, now),
        is_current: session.is_current,
    }
}

fn device(client: Option<Client>, system: Option<System>) -> String {
    let client = match client {
        Some(Client::Firefox) => "Firefox",
        Some(Client::Edge) => "Edge",
        Some(Client::Chrome) => "Chrome",
        Some(Client::Safari) => "Safari",
        Some(Client::Curl) => "curl",
        Some(Client::Other) | None => "Unknown browser",
    };
    let system = match system {
        Some(System::Windows) => "Windows",
        Some(System::Ios) => "iOS",
        Some(System::Macos) => "macOS",
        Some(System::Android) => "Android",
        Some(System::ChromeOs) => "ChromeOS",
        Some(System::Linux) => "Linux",
        None => return client.to_owned(),
    };
    format!("{client} on {system}")
}
