//! The head of the usage page, where another range is chosen without leaving the page.

use leptos::{ev, prelude::*, task::spawn_local, web_sys};

use super::{
    history::{add_entry, replace_entry},
    status_region::show_failure,
};
use crate::{
    calls::usage,
    heading::Heading,
    text::{number::counted, words::range_title},
    values::usage::{Range, ShownUsage, range_of},
};

/// The title, the period and links to other ranges: to the same page, where no script runs.
#[island]
pub fn UsageHead(
    /// The org's slug.
    org: String,
    /// The range that is shown at first.
    range: Range,
    /// From when to when it is.
    period: String,
) -> impl IntoView {
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
    view! {
        <Heading title="Usage" lead=Some(lead) beside=None actions=Some(links)/>
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

/// Which range is shown, and which was requested for.
#[derive(Clone, Copy)]
struct Choice {
    /// The org's slug.
    org: StoredValue<String>,
    /// The range that is shown.
    range: RwSignal<Range>,
    /// From when to when it is.
    period: RwSignal<String>,
    /// The range that the server was requested for and has not answered yet.
    requested: RwSignal<Option<Range>>,
    /// How often it was requested.
    count: StoredValue<u32>,
    /// What screen readers announce.
    announcement: RwSignal<String>,
}

/// Why a range is requested for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    /// Its link was followed.
    Link,
    /// Someone went back or forward, so that the address names it.
    Address,
}

impl Choice {
    /// The page with a range.
    fn address(self, range: Range) -> String {
        self.org
            .with_value(|org| format!("/orgs/{org}/usage?range={}", range.as_str()))
    }

    /// Shows the range that the address names. It also changes when one jumps within the page.
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

    /// Asks for a range. Of several that were requested for, the last one is shown.
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

/// What the page shows below its head.
fn report() -> Option<web_sys::Element> {
    document().get_element_by_id("usage")
}

/// Shows what the server wrote, with every name in it escaped as in the page. A table that is open stays open.
fn replace_report(html: &str) {
    let Some(report) = report() else {
        return;
    };
    let is_open = matches!(report.query_selector("details[open]"), Ok(Some(_)));
    report.set_inner_html(html);
    if let (true, Ok(Some(table))) = (is_open, report.query_selector("details")) {
        // A table that cannot be opened can still be opened by hand.
        let _ = table.set_attribute("open", "");
    }
}

fn mark_busy(is_busy: bool) {
    if let Some(report) = report() {
        // Only a mark.
        let _ = report.set_attribute("aria-busy", if is_busy { "true" } else { "false" });
    }
}
