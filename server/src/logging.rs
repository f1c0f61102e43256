//! The log, on standard error.

use std::io::{self, IsTerminal};

use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

use crate::settings::{LogFormat, Settings};

/// Starts logging for the process. Our own crates log at the level of the settings, all others warnings alone: at lower
/// levels some write down headers and statements.
pub fn start(settings: &Settings) {
    let level = settings.log_level;
    let filter = EnvFilter::new(format!(
        "warn,latchkey={level},latchkey_app={level},latchkey_server={level}"
    ));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    let lines = match settings.log_format {
        LogFormat::Readable => lines.with_target(false).boxed(),
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .boxed(),
    };
    // An error says that a log was started before, by a test.
    let _ = tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .try_init();
}
