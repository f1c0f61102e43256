//! The decision on a request: a pure function of the loaded records, in the order of design §6.

use crate::{
    convention::{self, BoundTo, Convention},
    domain::{self, DomainPattern, DomainRule, Match, Origin},
    id::{ProjectId, SecretId},
    key::{Environment, Kind},
    outcome::Outcome,
    time::Timestamp,
    usage::domains::Site,
    usage::problem::Problem,
};

use super::{
    answer::{Answer, InvalidReason},
    known_agent::KnownAgent,
    known_key::KnownKey,
    known_org::KnownOrg,
    recorded::Received,
};

/// The agent that a request names.
pub(super) enum Asked<'a> {
    /// The request names no agent.
    Nothing,
    /// The agent was not found.
    Unknown,
    /// The agent.
    Of(&'a KnownAgent),
}

/// The result of a verification and the data to record.
pub(super) struct Decision<'a> {
    pub answer: Answer,
    /// The result of the domain check, if there was one.
    pub site: Option<Site<'a>>,
    pub finding: Option<Problem>,
}

/// Checks whether a key works at all, regardless of the request.
pub(super) fn usable(key: &KnownKey, secret: SecretId, now: Timestamp) -> Result<(), Answer> {
    if key.lifecycle.revoked_at.is_some() {
        return Err(Answer::invalid(InvalidReason::Revoked));
    }
    if key.lifecycle.disabled_at.is_some() {
        return Err(Answer::invalid(InvalidReason::Disabled));
    }
    if !key.has_secret(secret, now) {
        return Err(Answer::invalid(InvalidReason::Superseded));
    }
    if key.lifecycle.expires_at.is_some_and(|at| at <= now) {
        return Err(Answer::of(Outcome::ExpiredApiKey));
    }
    Ok(())
}

/// Decides on a request with a usable key.
pub(super) fn with_key<'a, 'r: 'a>(
    convention: &Convention,
    key: &'a KnownKey,
    org: &KnownOrg,
    asked: Asked<'a>,
    request: &Received<'r>,
) -> Decision<'a> {
    // Browsers do not send empty headers, but API servers that forward headers unconditionally do.
    let from_browser = [request.origin, request.referer]
        .into_iter()
        .flatten()
        .any(|header| !header.is_empty());
    let exposed = key.kind == Kind::Secret
        && from_browser
        && !convention.allows_secret_in_browser(&key.settings.scopes);
    let origin = request.page;
    let mut decision = Decision {
        finding: exposed.then_some(Problem::SecretKeyInBrowser),
        ..Decision::of(Answer::of(Outcome::Valid))
    };
    let agent = match asked {
        Asked::Nothing => None,
        Asked::Unknown => return decision.refuse(Outcome::AgentNotFound),
        Asked::Of(agent) if !is_bound_to(convention, key, agent) => {
            return decision.refuse(Outcome::OrgMismatch);
        }
        Asked::Of(agent) => Some(agent),
    };
    if let Some(outcome) = bound_elsewhere(request, key.environment, key.settings.project) {
        return decision.refuse(outcome);
    }
    if key.kind == Kind::Widget {
        let rule = convention.domain_rule(key.settings.localhost_forbidden);
        decision.site = Some(site(&key.settings.domains, origin, rule));
    }
    if let Some(agent) = agent
        .filter(|agent| !agent.domains.is_empty() && (key.kind == Kind::Widget || from_browser))
    {
        let by_agent = site(&agent.domains, origin, convention.domain_rule(false));
        // For a widget key, count the pattern of the key's own list, unless the agent rejects the origin.
        if by_agent.is_refused() || decision.site.is_none() {
            decision.site = decision.site.filter(Site::is_refused).or(Some(by_agent));
        }
    }
    if decision.site.as_ref().is_some_and(Site::is_refused) {
        return decision.refuse(Outcome::OriginNotAllowed);
    }
    decision.answer.origin_allowed = decision.site.is_some();
    if exposed && !org.secrets_in_browsers {
        return decision.refuse(Outcome::SecretKeyInBrowser);
    }
    // A key that works on one page works on all, unless a list restricts it.
    decision.answer.origin_allowed |= from_browser && origin.is_some();
    let in_a_range = |address| {
        key.settings
            .ip_ranges
            .iter()
            .any(|range| range.contains(address))
    };
    if !key.settings.ip_ranges.is_empty() && !request.ip.is_some_and(in_a_range) {
        return decision.refuse(Outcome::IpNotAllowed);
    }
    if let Err(missing) = convention::satisfies(&key.settings.scopes, request.scopes, convention) {
        decision.answer.missing_scopes = missing;
        return decision.refuse(Outcome::InsufficientScope);
    }
    decision
}

/// Decides on a request with an agent's public ID instead of a key.
pub(super) fn with_agent_alone<'a, 'r: 'a>(
    convention: &Convention,
    agent: &'a KnownAgent,
    request: &Received<'r>,
) -> Decision<'a> {
    let mut decision = Decision::of(Answer::of(Outcome::Valid));
    if !agent.public_embedding {
        return decision.refuse(Outcome::MissingApiKey);
    }
    // A public ID in a page's source is used in production.
    let (environment, project) = (Environment::Live, Some(agent.project_id));
    if let Some(outcome) = bound_elsewhere(request, environment, project) {
        return decision.refuse(outcome);
    }
    let origin = request.page;
    // Without a list, nothing would restrict access, so even localhost is rejected.
    decision.site = Some(if agent.domains.is_empty() {
        Site::Refused(origin)
    } else {
        site(&agent.domains, origin, convention.domain_rule(false))
    });
    if decision.site.as_ref().is_some_and(Site::is_refused) {
        return decision.refuse(Outcome::OriginNotAllowed);
    }
    decision.answer.origin_allowed = true;
    let granted = &convention.public_agent_scopes;
    if let Some(missing) = missing(granted, request) {
        decision.answer.missing_scopes = missing;
        return decision.refuse(Outcome::InsufficientScope);
    }
    decision
}

/// Returns the required scopes that are not granted. Unlike for keys, an empty grant means no scopes, because anyone
/// can send a public ID.
fn missing(
    granted: &[convention::Scope],
    request: &Received<'_>,
) -> Option<Vec<convention::Scope>> {
    let missing: Vec<_> = request
        .scopes
        .iter()
        .filter(|scope| !granted.contains(scope))
        .cloned()
        .collect();
    (!missing.is_empty()).then_some(missing)
}

fn is_bound_to(convention: &Convention, key: &KnownKey, agent: &KnownAgent) -> bool {
    key.org_id == agent.org_id
        && match convention.bound_to {
            BoundTo::Org => true,
            BoundTo::Project => key.settings.project == Some(agent.project_id),
        }
}

/// The outcome for a request that requires another environment or project than the key's.
fn bound_elsewhere(
    request: &Received<'_>,
    environment: Environment,
    project: Option<ProjectId>,
) -> Option<Outcome> {
    if request
        .environment
        .is_some_and(|bound| bound != environment)
    {
        Some(Outcome::WrongEnvironment)
    } else if request.project.is_some() && request.project != project {
        Some(Outcome::WrongProject)
    } else {
        None
    }
}

fn site<'a>(
    patterns: &'a [DomainPattern],
    origin: Option<Origin<'a>>,
    rule: DomainRule,
) -> Site<'a> {
    match origin.and_then(|origin| domain::matching(patterns, &origin, rule)) {
        Some(Match::Pattern(pattern)) => Site::Listed(pattern),
        Some(Match::Localhost) => Site::Localhost,
        None => Site::Refused(origin),
    }
}

impl Decision<'_> {
    /// A decision without data to record.
    pub(super) fn of(answer: Answer) -> Self {
        Self {
            answer,
            site: None,
            finding: None,
        }
    }

    fn refuse(mut self, outcome: Outcome) -> Self {
        self.answer.outcome = outcome;
        self
    }
}

#[cfg(test)]
mod tests;
