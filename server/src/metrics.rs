//! The metrics at `/metrics`, in Prometheus's text format. Each app has its own recorder, so that tests can create
//! several.
//!
//! Everyone can read them. So they count no letters that someone can request for the address of another: these are sent only
//! to addresses with an account, or only to those without.

use axum::http::StatusCode;
use latchkey::{Engine, outcome::Outcome, verify::InvalidReason};
use metrics::{Counter, Gauge, Key, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

/// The counters. Counting costs one atomic addition.
pub struct Metrics {
    handle: PrometheusHandle,
    /// By outcome, in the order of [`Outcome::ALL`].
    verifications: Vec<Counter>,
    /// By reason, in the order of [`InvalidReason::ALL`].
    invalid_keys: Vec<Counter>,
    /// By the first digit of the status.
    responses: [Counter; 5],
    /// Failed writes of usage, which are retried.
    pub failed_flushes: Counter,
    /// Verifications without a decision because the database was unavailable.
    pub undecided_verifications: Counter,
    /// Letters that the mail server accepted, without requested ones.
    pub mails_sent: Counter,
    /// Letters that the mail server rejected, or that could not be sent in several tries, without requested ones.
    pub mails_failed: Counter,
    /// 1 if the mail server accepted the last test connection.
    pub mail_server_reachable: Gauge,
    /// Reports that were computed for usage pages that update themselves.
    pub live_reports: Counter,
    mails_dropped: Counter,
    mails_waiting: Gauge,
    usage_waiting: Gauge,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

static METADATA: Metadata<'static> = Metadata::new("latchkey", Level::INFO, None);

impl Metrics {
    /// Creates the counters, which start at zero.
    pub fn new() -> Self {
        let recorder = PrometheusBuilder::new().build_recorder();
        let counter = |name: &'static str, labels: Vec<Label>| {
            recorder.register_counter(&Key::from_parts(name, labels), &METADATA)
        };
        let describe = |name: &'static str, text: &'static str| {
            recorder.describe_counter(name.into(), None, text.into());
        };
        describe(
            "latchkey_verifications_total",
            "Verifications by outcome code.",
        );
        describe(
            "latchkey_invalid_keys_total",
            "Verifications rejected because the key is invalid, by reason.",
        );
        describe(
            "latchkey_undecided_verifications_total",
            "Verifications rejected because the database was unavailable.",
        );
        describe(
            "latchkey_http_responses_total",
            "HTTP responses by status class.",
        );
        describe(
            "latchkey_failed_usage_flushes_total",
            "Failed writes of usage that are retried.",
        );
        describe(
            "latchkey_live_reports_total",
            "Reports computed for usage pages that update themselves.",
        );
        describe(
            "latchkey_mails_total",
            "Mails by result, except for links that were requested by e-mail address. Dropped mails exceeded their sender's share of the queue.",
        );
        recorder.describe_gauge(
            "latchkey_mails_waiting".into(),
            None,
            "Mails of organizations and users that are queued or being sent.".into(),
        );
        recorder.describe_gauge(
            "latchkey_mail_server_reachable".into(),
            None,
            "1 if the mail server accepted a connection in the last test, once a minute; otherwise, and without mail, 0."
                .into(),
        );
        recorder.describe_gauge(
            "latchkey_usage_waiting".into(),
            None,
            "Counts of requests in memory that are not stored yet.".into(),
        );
        let mails = |result: &'static str| {
            counter("latchkey_mails_total", vec![Label::new("result", result)])
        };
        let waiting = Key::from_static_name("latchkey_mails_waiting");
        let reachable = Key::from_static_name("latchkey_mail_server_reachable");
        let usage = Key::from_static_name("latchkey_usage_waiting");
        let verifications = Outcome::ALL
            .iter()
            .map(|outcome| {
                counter(
                    "latchkey_verifications_total",
                    vec![Label::new("code", outcome.code())],
                )
            })
            .collect();
        let invalid_keys = InvalidReason::ALL
            .iter()
            .map(|reason| {
                counter(
                    "latchkey_invalid_keys_total",
                    vec![Label::new("reason", reason.as_str())],
                )
            })
            .collect();
        let responses = ["1xx", "2xx", "3xx", "4xx", "5xx"].map(|class| {
            counter(
                "latchkey_http_responses_total",
                vec![Label::new("status", class)],
            )
        });
        Self {
            verifications,
            invalid_keys,
            responses,
            failed_flushes: counter("latchkey_failed_usage_flushes_total", Vec::new()),
            undecided_verifications: counter("latchkey_undecided_verifications_total", Vec::new()),
            live_reports: counter("latchkey_live_reports_total", Vec::new()),
            mails_sent: mails("sent"),
            mails_failed: mails("failed"),
            mails_dropped: mails("dropped"),
            mails_waiting: recorder.register_gauge(&waiting, &METADATA),
            mail_server_reachable: recorder.register_gauge(&reachable, &METADATA),
            usage_waiting: recorder.register_gauge(&usage, &METADATA),
            handle: recorder.handle(),
        }
    }

    /// The text at `/metrics`, including the counters of the engine.
    pub fn render(&self, engine: &Engine) -> String {
        let (verifications, outbox) = (engine.verifications(), engine.outbox());
        self.mails_dropped.absolute(outbox.dropped());
        self.mails_waiting
            .set(outbox.depth_without_strangers() as f64);
        self.usage_waiting.set(engine.usage_waiting() as f64);
        let by_outcome = self.verifications.iter().zip(verifications.by_outcome());
        for (counter, (_, count)) in by_outcome {
            counter.absolute(count);
        }
        let by_reason = self.invalid_keys.iter().zip(verifications.by_reason());
        for (counter, (_, count)) in by_reason {
            counter.absolute(count);
        }
        self.handle.render()
    }

    pub fn count_response(&self, status: StatusCode) {
        if let Some(counter) = self
            .responses
            .get(usize::from(status.as_u16() / 100).saturating_sub(1))
        {
            counter.increment(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_shown_and_two_apps_do_not_share() {
        let (one, other) = (Metrics::new(), Metrics::new());
        one.count_response(StatusCode::NOT_FOUND);
        let text = one.handle.render();
        assert!(
            text.contains("latchkey_http_responses_total{status=\"4xx\"} 1"),
            "{text}"
        );
        assert!(
            other
                .handle
                .render()
                .contains("latchkey_http_responses_total{status=\"4xx\"} 0")
        );
    }
}
