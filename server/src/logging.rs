//! The log on standard error.

mod slow_statements;

use std::{
    any::Any,
    io::{self, Write},
    panic,
};

use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

use self::slow_statements::BoundedStatements;
use crate::settings::{LogFormat, Settings};

/// Starts logging for the process. Latchkey's crates log at the level of the settings. All other crates log only
/// warnings, since some log headers and statements at lower levels.
pub fn start(settings: &Settings) {
    let level = settings.log_level;
    // tower-sessions logs a warning for every cookie that belongs to no session, which anyone can send. Errors of
    // sessions are logged once, with their cause, by the session store; tower-sessions logs them again without a
    // message.
    let filter = EnvFilter::new(format!(
        "warn,latchkey={level},latchkey_app={level},latchkey_server={level},tower_sessions=off,\
         tower_sessions_core=off"
    ));
    // Without colors, because their control characters could not be distinguished from those that a client sent.
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(|| OneLine(io::stderr()))
        .with_ansi(false);
    let format = settings.log_format;
    let lines = match format {
        LogFormat::Readable => lines
            .with_target(false)
            .map_event_format(|inner| BoundedStatements { inner, format })
            .boxed(),
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .map_event_format(|inner| BoundedStatements { inner, format })
            .boxed(),
    };
    // An error means that a test has already started a log.
    let _ = tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .try_init();
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(
            panic = panic_message(panic.payload()),
            place = place.unwrap_or_default(),
            "panic"
        );
    }));
}

/// The message of a panic if it is a constant. A formatted message can contain client input or a secret.
pub fn panic_message(payload: &(dyn Any + Send)) -> &'static str {
    payload
        .downcast_ref::<&'static str>()
        .copied()
        .unwrap_or("message omitted")
}

/// Writes each event as one line. Control characters are escaped.
struct OneLine<W>(W);

impl<W: Write> Write for OneLine<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        self.write_all(event)?;
        Ok(event.len())
    }

    /// Called once for each event, with the whole event.
    fn write_all(&mut self, event: &[u8]) -> io::Result<()> {
        let text = String::from_utf8_lossy(event.strip_suffix(b"\n").unwrap_or(event));
        if !text.chars().any(breaks_a_line) {
            return self.0.write_all(event);
        }
        let mut line = String::with_capacity(event.len() + 16);
        for char in text.chars() {
            if breaks_a_line(char) {
                line.extend(char.escape_default());
            } else {
                line.push(char);
            }
        }
        line.push('\n');
        self.0.write_all(line.as_bytes())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Whether a terminal or a line-based reader can interpret the character as more than a character.
fn breaks_a_line(char: char) -> bool {
    char.is_control() || matches!(char, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line() {
        let mut written = Vec::new();
        let mut log = OneLine(&mut written);
        log.write_all(b"plain \xc3\xa4\n").unwrap();
        log.write_all("two\nlines\x1b[31m\r\t\u{9b}\u{2028}\n".as_bytes())
            .unwrap();
        assert_eq!(
            String::from_utf8(written).unwrap(),
            "plain ä\ntwo\\nlines\\u{1b}[31m\\r\\t\\u{9b}\\u{2028}\n"
        );
    }

    #[test]
    fn a_panics_message_is_ours_or_not_there() {
        let message = |panic: fn()| panic_message(&*panic::catch_unwind(panic).unwrap_err());
        assert_eq!(message(|| panic!("a constant")), "a constant");
        let made_up = || panic!("with {}", String::from("a secret"));
        assert_eq!(message(made_up), "message omitted");
    }
}
