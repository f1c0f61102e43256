//! The heading of the usage page, with links that switch the range without leaving the page.

use leptos::{ev, prelude::*, task::spawn_local, web_sys};

use super::{
    history::{add_entry, replace_entry},
    live_mark::LiveMark,
    status_region::show_failure,
};
use crate::{
    calls::usage,
    heading::Heading,
    text::{number::counted, words::range_title},
    values::usage::{Range, ShownUsage, range_of},
};

/// The title, the period and links to other ranges. Without JavaScript the links load the page again.
#[island]
pub fn UsageHead(
    /// The organization's slug.
    org: String,
    /// The range that is shown initially.
    range: Range,
    /// The dates of the range.
    period: String,
) -> impl IntoView {
    let stream = format!("/orgs/{org}/usage/live");
    let choice = Choice {
        org: StoredValue::new(org),
        range: RwSignal::new(range),
        period: RwSignal::new(period),
        requested: RwSignal::new(None),
        count: StoredValue::new(0),
        announcement: RwSignal::new(String::new()),
    };
    Effect::new(move |_| {
        let moved = window_event_listener(ev::popstate, move |_| choice.follow_address());
        on_cleanup(move || moved.remove());
    });
    Effect::new(move |_| mark_busy(choice.requested.get().is_some()));
    let lead = view! { "All keys · "{move || choice.period.get()}" · times in UTC" }.into_any();
    let links = Range::ALL.map(|range| link(choice, range)).collect_view();
    let links = view! { <div class="seg" role="group" aria-label="Range">{links}</div> }.into_any();
    let query = Signal::derive(move || choice.range.track());
    let live = view! { <LiveMark path=stream show=show_live query/> }.into_any();
    view! {
        <Heading title="Usage" lead=Some(lead) beside=Some(live) actions=Some(links)/>
        <span class="visually-hidden" role="status">{move || choice.announcement.get()}</span>
    }
}

fn link(choice: Choice, range: Range) -> impl IntoView {
    let is_chosen = move || choice.requested.get().unwrap_or(choice.range.get()) == range;
    let request = move |event: ev::MouseEvent| {
        let elsewhere =
            event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key();
        if event.button() == 0 && !elsewhere {
            event.prevent_default();
            choice.request(range, Why::Link);
        }
    };
    view! {
        <a href=choice.address(range) aria-current=move || is_chosen().then_some("true") on:click=request>{range_title(range)}</a>
    }
}

/// The range that is shown, and the range that was requested.
#[derive(Clone, Copy)]
struct Choice {
    /// The organization's slug.
    org: StoredValue<String>,
    range: RwSignal<Range>,
    /// The dates of the range.
    period: RwSignal<String>,
    /// The range of the request that is in progress.
    requested: RwSignal<Option<Range>>,
    /// The number of requests so far.
    count: StoredValue<u32>,
    /// The text that screen readers announce.
    announcement: RwSignal<String>,
}

/// Why a range is requested.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    /// The user followed its link.
    Link,
    /// The user went back or forward, so the URL already names the range.
    Address,
}

impl Choice {
    /// The URL of the page with a range.
    fn address(self, range: Range) -> String {
        self.org
            .with_value(|org| format!("/orgs/{org}/usage?range={}", range.as_str()))
    }

    /// Shows the range in the URL. The event also fires when the user follows a link to a fragment of the page.
    fn follow_address(self) {
        let query = window().location().search().unwrap_or_default();
        let mut pairs = query.trim_start_matches('?').split('&');
        let word = pairs.find_map(|pair| pair.strip_prefix("range="));
        let range = range_of(word.unwrap_or_default());
        if range != self.range.get_untracked() || self.is_requested() {
            self.request(range, Why::Address);
        }
    }

    fn is_requested(self) -> bool {
        self.requested.with_untracked(Option::is_some)
    }

    /// Requests a range. If requests overlap, only the response to the last one is shown.
    fn request(self, range: Range, why: Why) {
        let number = self.count.get_value() + 1;
        self.count.set_value(number);
        self.requested.set(Some(range));
        spawn_local(async move {
            let answer = usage(self.org.get_value(), range).await;
            if self.count.get_value() != number {
                return;
            }
            self.requested.set(None);
            let before = self.range.get_untracked();
            match answer {
                Ok(shown) => {
                    if why == Why::Link && range != before {
                        add_entry(&self.address(range));
                    }
                    self.show(shown);
                }
                Err(error) => {
                    if why == Why::Address {
                        replace_entry(Some(&self.address(before)));
                    }
                    show_failure(&error);
                }
            }
        });
    }

    fn show(self, shown: ShownUsage) {
        let requests = counted(shown.requests, "request", "requests");
        self.announcement
            .set(format!("{}: {requests}.", shown.period));
        self.range.set(shown.range);
        self.period.set(shown.period);
        replace_report(&shown.html);
    }
}

/// The part of the page below the heading.
fn report() -> Option<web_sys::Element> {
    document().get_element_by_id("usage")
}

/// Replaces the report with the server's HTML, in which every name is escaped. An open table stays open.
fn replace_report(html: &str) {
    let Some(report) = report() else {
        return;
    };
    let is_open = matches!(report.query_selector("details[open]"), Ok(Some(_)));
    report.set_inner_html(html);
    if let (true, Ok(Some(table))) = (is_open, report.query_selector("details")) {
        // If it fails, the user can open the table.
        let _ = table.set_attribute("open", "");
    }
}

/// Shows a report that the server sent, unless another one is loading, or the user reads a value of the chart or has the
/// focus in the report. Returns whether it was shown.
fn show_live(html: &str) -> bool {
    let is_in_use = "#usage[aria-busy=true], #usage .chart:hover, #usage :focus";
    let is_free = matches!(document().query_selector(is_in_use), Ok(None));
    if is_free {
        replace_report(html);
    }
    is_free
}

fn mark_busy(is_busy: bool) {
    if let Some(report) = report() {
        // If it fails, only the busy state is not shown.
        let _ = report.set_attribute("aria-busy", if is_busy { "true" } else { "false" });
    }
}
