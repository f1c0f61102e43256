//! The choices of the form that creates a key, from the convention.

use latchkey::{
    Engine,
    access::{Membership, Permit, to},
    convention::NoScope,
    key::{Environment, Kind},
    keys::{create::new_creation_token, project::choices},
    orgs::policies,
    policy::KeyPolicy,
};

use crate::{
    error::AppError, pages::keys::policy_notes::of_new, request::PageRequest, text::time::in_days,
    values::key_options::NewKeyOptions,
};

/// Loads the choices of the form, for users who can create keys.
pub async fn options(request: PageRequest) -> Result<NewKeyOptions, AppError> {
    let membership = request.membership().await?;
    let permit: Permit<to::CreateKeys> = membership.permit()?;
    let policy = policies::read(request.engine(), &permit).await?;
    offer(request.engine(), &membership, &policy).await
}

/// Loads the choices of the forms that create and edit keys, and ask for one. Members do not see projects.
pub async fn offer(
    engine: &Engine,
    membership: &Membership,
    policy: &KeyPolicy,
) -> Result<NewKeyOptions, AppError> {
    let projects = match membership.permit_if_allowed() {
        Some(permit) => choices(engine, &permit).await?,
        None => Vec::new(),
    };
    let (convention, now) = (engine.convention(), engine.clock().now());
    let offered = |kind: Option<Kind>, environment: Option<Environment>| {
        convention.prefixes().any(|(_, of, of_environment)| {
            kind.is_none_or(|kind| kind == of)
                && environment.is_none_or(|environment| environment == of_environment)
        })
    };
    let longest = policy.longest_life_days;
    let mut days: Vec<u32> = convention
        .expiry
        .offered_days
        .iter()
        .map(|days| days.get())
        .filter(|days| longest.is_none_or(|longest| *days <= longest))
        .collect();
    days.extend(longest.filter(|longest| !days.contains(longest)));
    let mut options = NewKeyOptions {
        creation_token: new_creation_token(engine)?,
        kinds: Kind::ALL
            .iter()
            .copied()
            .filter(|kind| offered(Some(*kind), None))
            .collect(),
        environments: Environment::ALL
            .iter()
            .copied()
            .filter(|environment| offered(None, Some(*environment)))
            .collect(),
        scopes: convention.scopes.clone(),
        kind_names: convention.kind_names.clone(),
        browser_scopes: convention.browser_scopes.clone(),
        public_agents: convention.public_agent_embedding,
        admin_scope: convention.admin_scope.clone(),
        presets: convention
            .scope_presets
            .iter()
            .filter(|preset| !policy.scopes_required || !convention.is_full_access(&preset.scopes))
            .cloned()
            .collect(),
        no_scope_means_all: convention.no_scope_means == NoScope::All,
        days: days
            .into_iter()
            .map(|days| (days, in_days(days, now)))
            .collect(),
        default_days: policy.default_days(convention),
        never: convention.expiry.never && longest.is_none(),
        latest: policy
            .latest_expiry(now)
            .map_or_else(|| "9999-12-31".to_owned(), |at| at.utc().date().to_string()),
        offers_full: !policy.scopes_required,
        offers_admin: !policy.scopes_required,
        scopes_policy: String::new(),
        expires_policy: String::new(),
        ip_ranges_policy: String::new(),
        localhost_policy: String::new(),
        covers_subdomains: convention.domains.covers_subdomains,
        localhost: convention.domains.localhost,
        localhost_switch: convention.domains.localhost_switch,
        projects: projects
            .into_iter()
            .map(|project| (project.id.to_string(), project.name.to_string()))
            .collect(),
        today: now.utc().date().to_string(),
    };
    of_new(policy, convention).put_into(&mut options);
    Ok(options)
}
