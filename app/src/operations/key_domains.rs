//! Where a widget key works.

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

/// How many of the hosts that were rejected are shown.
const REFUSED_SHOWN: usize = 5;

/// Where a widget key works, and how often it was used there in the last 7 days; nothing for a secret key.
///
/// # Errors
/// When the person may not see usage, or the database does not answer.
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
