//! Tests an origin against the allowed domains of an agent.

use latchkey::domain::{DomainPattern, DomainRule};
use leptos::prelude::*;

use super::key_domains::OriginTester;

/// The tester of the page of a key, for an agent as it is saved.
#[island]
pub fn AgentTester(
    /// The path of the agent's page.
    path: String,
    domains: Vec<String>,
    /// How the domains are matched.
    rule: DomainRule,
    /// The origin to test initially.
    tried: String,
) -> impl IntoView {
    let patterns = domains
        .iter()
        .filter_map(|domain| DomainPattern::parse_stored(domain).ok());
    let patterns = Signal::stored(patterns.collect::<Vec<_>>());
    view! {
        <OriginTester patterns rule=Signal::stored(rule) path anchor="#check" tried editor=None with_switch=false may_allow_localhost=true/>
    }
}
