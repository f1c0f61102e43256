//! The allowed domains of a widget key, with their usage.

use latchkey::{
    Engine,
    access::Membership,
    domain::LOCALHOST,
    key::Kind,
    keys::Key,
    time::{DAY, Timestamp},
    usage::domains::by_domain,
};

use crate::{error::AppError, values::key_domains::KeyDomains};

/// The most rejected hosts that are shown.
const REFUSED_SHOWN: usize = 5;

/// Returns the allowed domains of a widget key with their requests of the last 7 days; `None` for a secret key.
///
/// # Errors
/// If the user is not allowed to see usage or the database cannot be reached.
pub async fn key_domains(
    engine: &Engine,
    membership: &Membership,
    key: &Key,
) -> Result<Option<KeyDomains>, AppError> {
    if key.summary.kind != Kind::Widget {
        return Ok(None);
    }
    let since: Timestamp = engine.clock().now().plus(-7 * DAY);
    let used = by_domain(engine, &membership.permit()?, key.summary.id, since).await?;
    let passed = |domain: &str| {
        let found = used
            .iter()
            .find(|used| used.passed && used.domain == domain);
        found.map_or(0, |used| used.count)
    };
    let settings = &key.settings;
    let listed: Vec<(String, i64)> = settings
        .domains
        .iter()
        .map(|domain| domain.to_string())
        .map(|domain| (passed(&domain), domain))
        .map(|(count, domain)| (domain, count))
        .collect();
    let by_rule = !listed.iter().any(|(domain, _)| domain == LOCALHOST);
    let domains = engine.convention().domains;
    Ok(Some(KeyDomains {
        localhost: if by_rule { passed(LOCALHOST) } else { 0 },
        listed,
        rule: engine
            .convention()
            .domain_rule(settings.localhost_forbidden),
        localhost_forbidden: domains
            .localhost_switch
            .then_some(settings.localhost_forbidden),
        refused: used
            .into_iter()
            .filter(|used| !used.passed)
            .take(REFUSED_SHOWN)
            .map(|used| (used.domain, used.count))
            .collect(),
    }))
}
