//! The log line for a slow statement. sqlx logs the whole statement, which can have thousands of placeholders.

use std::fmt;

use serde_json::json;
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::Writer,
        time::{FormatTime as _, SystemTime},
    },
    registry::LookupSpan,
};

use crate::settings::LogFormat;

/// The target of sqlx's events about statements.
const TARGET: &str = "sqlx::query";
/// The maximum length of a statement in the log: enough to recognize it.
const MAX_STATEMENT: usize = 200;
const MESSAGE: &str = "slow statement";

/// Formats events like `inner`, except for sqlx's events about slow statements.
pub struct BoundedStatements<F> {
    pub inner: F,
    pub format: LogFormat,
}

impl<S, N, F> FormatEvent<S, N> for BoundedStatements<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        if event.metadata().target() != TARGET {
            return self.inner.format_event(context, writer, event);
        }
        let mut slow = SlowStatement::default();
        event.record(&mut slow);
        let mut timestamp = String::new();
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        let level = event.metadata().level();
        let (statement, seconds) = (slow.text(), slow.seconds);
        match self.format {
            LogFormat::Readable => writeln!(
                writer,
                "{timestamp} {level:>5} {MESSAGE} statement={statement:?} elapsed_secs={seconds}"
            ),
            LogFormat::Json => {
                let line = json!({
                    "timestamp": timestamp,
                    "level": level.as_str(),
                    "message": MESSAGE,
                    "statement": statement,
                    "elapsed_secs": seconds,
                    "target": TARGET,
                });
                writeln!(writer, "{line}")
            }
        }
    }
}

/// The fields of sqlx's event that are logged.
#[derive(Default)]
struct SlowStatement {
    /// The first words of the statement. They are the whole statement if `statement` is empty.
    summary: String,
    statement: String,
    seconds: f64,
}

impl SlowStatement {
    /// The beginning of the statement, with white space collapsed.
    fn text(&self) -> String {
        let whole = if self.statement.is_empty() {
            &self.summary
        } else {
            &self.statement
        };
        let words: Vec<&str> = whole.split_ascii_whitespace().collect();
        let mut text = words.join(" ");
        if text.len() > MAX_STATEMENT {
            text.truncate(text.floor_char_boundary(MAX_STATEMENT));
            text.push('…');
        }
        text
    }
}

impl Visit for SlowStatement {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => value.clone_into(&mut self.summary),
            "db.statement" => value.clone_into(&mut self.statement),
            _ => {}
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if field.name() == "elapsed_secs" {
            self.seconds = value;
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use tracing::subscriber::with_default;
    use tracing_subscriber::{Layer as _, fmt::layer, layer::SubscriberExt as _};

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The log lines for an event of sqlx about `sql`, and for one of Latchkey.
    fn lines(format: LogFormat, sql: &str) -> Vec<String> {
        let written = Written::default();
        let writer = written.clone();
        let lines = layer().with_writer(move || writer.clone()).with_ansi(false);
        let lines = match format {
            LogFormat::Readable => lines
                .with_target(false)
                .map_event_format(|inner| BoundedStatements { inner, format })
                .boxed(),
            LogFormat::Json => lines
                .json()
                .flatten_event(true)
                .map_event_format(|inner| BoundedStatements { inner, format })
                .boxed(),
        };
        with_default(tracing_subscriber::registry().with(lines), || {
            tracing::warn!(
                target: "sqlx::query",
                summary = "SELECT name FROM keys …",
                db.statement = format!("\n\n{sql}\n"),
                rows_affected = 0,
                elapsed_secs = 1.25,
                "slow statement: execution time exceeded alert threshold"
            );
            tracing::warn!("ours");
        });
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_slow_statement_is_one_line_that_begins_as_the_statement_does() {
        let sql = format!(
            "SELECT name\n  FROM keys WHERE id IN ({})",
            "$1, ".repeat(10_000)
        );
        let readable = lines(LogFormat::Readable, &sql);
        assert_eq!(readable.len(), 2, "{readable:?}");
        let begins =
            "  WARN slow statement statement=\"SELECT name FROM keys WHERE id IN ($1, $1, ";
        assert!(readable[0].contains(begins), "{readable:?}");
        assert!(
            readable[0].ends_with("…\" elapsed_secs=1.25"),
            "{readable:?}"
        );
        assert!(
            readable[0].len() < 350 && readable[1].ends_with("  WARN ours"),
            "{readable:?}"
        );

        let json = lines(LogFormat::Json, &sql);
        assert_eq!(json.len(), 2, "{json:?}");
        let line: serde_json::Value = serde_json::from_str(&json[0]).unwrap();
        assert_eq!(
            (&line["level"], &line["elapsed_secs"]),
            (&json!("WARN"), &json!(1.25))
        );
        assert!(
            line["statement"]
                .as_str()
                .unwrap()
                .starts_with("SELECT name FROM keys WHERE")
        );
        assert!(json[0].len() < 450, "{json:?}");
    }
}
