//! The log, on standard error.

mod slow_statements;

use std::{
    any::Any,
    io::{self, Write},
    panic,
};

use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

use self::slow_statements::BoundedStatements;
use crate::settings::{LogFormat, Settings};

/// Starts logging for the process. Our own crates log at the level of the settings, all others warnings alone: at lower
/// levels some write down headers and statements.
pub fn start(settings: &Settings) {
    let level = settings.log_level;
    // tower-sessions warns of every cookie that names no session, which anyone can send. What goes wrong with a session
    // our store logs, once and with the reason; tower-sessions repeats it, without a message.
    let filter = EnvFilter::new(format!(
        "warn,latchkey={level},latchkey_app={level},latchkey_server={level},tower_sessions=off,\
         tower_sessions_core=off"
    ));
    // Without colours: their control characters could not be told from those of a client.
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
    // An error says that a log was started before, by a test.
    let _ = tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .try_init();
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(
            panic = panic_message(panic.payload()),
            place = place.unwrap_or_default(),
            "a panic"
        );
    }));
}

/// A panic's message, when it is a constant. One that was put together may repeat what a client sent, or a secret.
pub fn panic_message(payload: &(dyn Any + Send)) -> &'static str {
    payload
        .downcast_ref::<&'static str>()
        .copied()
        .unwrap_or("see the place")
}

/// Writes each event as one line, whatever is in it: control characters inside are written as escapes.
struct OneLine<W>(W);

impl<W: Write> Write for OneLine<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        self.write_all(event)?;
        Ok(event.len())
    }

    /// Called once for each event, with all of it.
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

/// Whether a terminal or a reader of lines may take the character for more than a character.
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
        assert_eq!(message(made_up), "see the place");
    }
}
