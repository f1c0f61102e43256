//! The data of a key's page.

use latchkey::{
    Engine,
    access::{Membership, Permit, to},
    convention::{KindNames, NoScope, Scope, ScopeSetting},
    effects,
    event::{Event, Target},
    findings::of_keys,
    id::KeyId,
    key::{Environment, Kind, settings::KeySettings},
    keys::{Key, secrets::secrets, show},
    members,
    orgs::policies,
    reviews,
    role::{Action, Role},
    usage::latest::last_refused,
};

use super::super::find::FOUND;
use super::{
    ask::Asking,
    extend_form,
    found_secret::FoundSecret,
    new_secret::NewSecret,
    seen::{SeenGroup, seen},
    state_form::is_in_use,
};
use crate::{
    error::AppError,
    operations::key_domains::key_domains,
    pages::{
        audit::{HistoryItem, history_of_key, origin},
        examples::{Example, Snippet, examples},
        keys::{finding_text::FindingText, policy_notes::of_key as notes_of_key, state::KeyState},
        review::{KeyReviews, ShownReview, of_key as reviews_of_key},
        usage::{SubjectUsage, of_key},
    },
    request::PageRequest,
    shown_once::KeyTerms,
    text::{rate_limits::rate_limits, time::TimeText},
    values::{key_domains::KeyDomains, progress::Progress},
};

/// A key as every member of its organization can see it.
#[derive(Debug, Clone)]
pub struct KeyView {
    pub id: String,
    pub name: String,
    pub kind: Kind,
    /// The convention's names for the kinds of key.
    pub kind_names: KindNames,
    pub environment: Environment,
    pub state: KeyState,
    /// The progress of the last change, if it was made within about a minute.
    pub effect: Option<Progress>,
    /// When a request last passed with the key; `None` for never.
    pub last_used: Option<TimeText>,
    /// The expiry date; `None` for never.
    pub expires: Option<TimeText>,
    /// Whether a request passed with the key in the last 24 hours.
    pub is_in_use: bool,
    /// Whether the user can disable and enable the key.
    pub may_disable: bool,
    /// Whether the user can revoke the key.
    pub may_revoke: bool,
    /// The names of the owners, for those who found the key by its secret but cannot revoke it.
    pub owners: Vec<String>,
    /// The allowed domains, for members where the convention says so.
    pub domains_for_members: Vec<String>,
    /// Only for owners and admins.
    pub details: Option<KeyDetails>,
    /// Only for others, if they have created the key.
    pub own: Option<OwnDetails>,
    /// What the user can ask of the owners.
    pub asking: Option<Asking>,
    /// A new secret that waits for the member who asked for the key.
    pub new_secret: Option<NewSecret>,
}

/// What members see of a key that they have created.
#[derive(Debug, Clone)]
pub struct OwnDetails {
    /// The prefix and the last four characters.
    pub display: String,
    /// The scopes in words.
    pub scopes: Option<String>,
    /// The URL of the request for which it was created.
    pub request: Option<String>,
    /// Whether they have just found it by its secret.
    pub is_found: bool,
    /// What they reported, newest first.
    pub reports: Vec<ShownReview>,
}

/// The details of a key that only owners and admins see.
#[derive(Debug, Clone)]
pub struct KeyDetails {
    /// The prefix and the last four characters.
    pub display: String,
    /// The organization's ID.
    pub org_id: String,
    /// The project's name.
    pub project: String,
    /// The key's scopes; if empty, `no_scope_means_all` decides.
    pub scopes: Vec<ScopeSetting>,
    /// The scope that includes all others.
    pub admin_scope: Option<String>,
    /// Whether the convention has scopes.
    pub with_scopes: bool,
    /// Whether a key without scopes has full access.
    pub no_scope_means_all: bool,
    /// The allowed domains of a widget key; `None` for a secret key.
    pub domains: Option<KeyDomains>,
    /// What the organization requires of localhost.
    pub localhost_policy: Option<String>,
    pub settings: KeySettings,
    /// The rate limit of each class.
    pub rate_limits: String,
    /// The key's secrets, the current one first.
    pub secrets: Vec<SecretText>,
    /// The secret by which the user found the key.
    pub found: Option<FoundSecret>,
    /// Until when an old secret works, if one does.
    pub old_ends: Option<TimeText>,
    pub findings: Vec<FindingText>,
    /// Whether the user can edit the key and its domains. Nobody can once the key is revoked.
    pub may_edit: bool,
    /// Whether the user can rotate the key.
    pub may_rotate: bool,
    /// Whether the user can create service tokens.
    pub may_manage_tokens: bool,
    pub created: TimeText,
    /// By whom and how the key was created: " by Dana in the dashboard".
    pub created_by: Option<String>,
    /// The owner who approved the request for the key, if it was created that way.
    pub approved_by: Option<String>,
    /// When the key was disabled, if it is, and by whom.
    pub disabled: Option<(TimeText, Option<String>)>,
    /// When the key was revoked, if it was, and by whom.
    pub revoked: Option<(TimeText, Option<String>)>,
    /// When a request with the key was last rejected, if none was ever let through.
    pub last_refused: Option<TimeText>,
    /// The fingerprint of the key's settings.
    pub tag: String,
    /// The text of the button that extends a key with an expiry date, if it can be extended.
    pub extend: Option<String>,
    /// The examples, without the key's text.
    pub examples: Vec<Snippet>,
    /// The environment variable from which they read the key.
    pub variable: String,
    /// Its requests.
    pub usage: SubjectUsage,
    /// What the requests came with.
    pub seen: Vec<SeenGroup>,
    /// The newest audit log entries about the key, if the user's role can see them.
    pub history: Option<Vec<HistoryItem>>,
    pub reviews: KeyReviews,
}

/// A secret of the key.
#[derive(Debug, Clone)]
pub struct SecretText {
    /// The prefix and the last four characters.
    pub display: String,
    pub created: TimeText,
    /// When the secret expires or expired; `None` for the current one.
    pub ends: Option<TimeText>,
    /// When a request last passed with the secret; `None` for never.
    pub last_used: Option<TimeText>,
    /// Whether this is an old secret that still works.
    pub running: bool,
}

/// Loads the key in the request's path. Every member can see it.
pub async fn show_key(request: PageRequest) -> Result<KeyView, AppError> {
    let membership = request.membership().await?;
    // A user who opens the key's page has left the page that shows the key once.
    request.forget_held_key();
    let engine = request.engine();
    let id: KeyId = request.id("key")?;
    let summary = show::summary(engine, &membership.permit()?, id)
        .await?
        .ok_or(AppError::NotFound)?;
    let rights = membership.rights();
    let with_details = rights.may(Action::SeeKeyDetails) && rights.may(Action::SeeUsageDetails);
    let details = if with_details {
        Some(details(&request, &membership, id).await?)
    } else {
        None
    };
    let own = match with_details {
        true => None,
        false => own(&request, &membership, id).await?,
    };
    let asks_owners = !request.parameter(FOUND).is_empty() && !rights.may(Action::RevokeKeys);
    let owners = if asks_owners {
        owners(engine, &membership).await?
    } else {
        Vec::new()
    };
    let mut domains_for_members = Vec::new();
    if !with_details {
        let domains = show::domains_for_members(engine, &membership.permit()?, &[id]).await?;
        domains_for_members.extend(
            domains
                .into_values()
                .flatten()
                .map(|domain| domain.to_string()),
        );
    }
    let change = effects::of_key(engine, &membership.permit()?, id).await?;
    let recent = change.filter(|change| change.is_recent);
    let now = engine.clock().now();
    let new_secret = NewSecret::of(&request, &membership, id).await?;
    Ok(KeyView {
        new_secret,
        is_in_use: is_in_use(summary.lifecycle, summary.last_used_at, now),
        effect: recent.map(|change| change.effect.into()),
        state: KeyState::new(&summary, now, details.is_some()),
        id: summary.id.to_string(),
        name: summary.name.to_string(),
        kind: summary.kind,
        kind_names: engine.convention().kind_names.clone(),
        environment: summary.environment,
        last_used: summary.last_used_at.map(|at| TimeText::relative(at, now)),
        expires: summary.lifecycle.expires_at.map(TimeText::full),
        may_disable: rights.may(Action::DisableKeys),
        may_revoke: rights.may(Action::RevokeKeys),
        owners,
        domains_for_members,
        asking: Asking::of(
            &request,
            &membership,
            summary.lifecycle.status(now),
            own.is_some(),
        )?,
        own,
        details,
    })
}

/// What the user sees of the key as the one who created it.
async fn own(
    request: &PageRequest,
    membership: &Membership,
    id: KeyId,
) -> Result<Option<OwnDetails>, AppError> {
    let (engine, now) = (request.engine(), request.engine().clock().now());
    let found = show::own_of(engine, &membership.permit()?, &[id])
        .await?
        .pop();
    let Some(key) = found else {
        return Ok(None);
    };
    let convention = engine.convention();
    let names: Vec<&str> = key.scopes.iter().map(Scope::as_str).collect();
    let scopes = match (names.is_empty(), convention.no_scope_means) {
        (false, _) => names.join(", "),
        (true, NoScope::All) => "Full access".to_owned(),
        (true, _) => "None".to_owned(),
    };
    let reports = reviews::reported(engine, &membership.permit()?, id).await?;
    let requests = format!("/orgs/{}/requests", request.org());
    Ok(Some(OwnDetails {
        display: key.display,
        scopes: convention.has_scopes().then_some(scopes),
        request: key.request.map(|id| format!("{requests}/{id}")),
        is_found: !request.parameter(FOUND).is_empty(),
        reports: reports
            .iter()
            .map(|review| ShownReview::of(review, now))
            .collect(),
    }))
}

async fn owners(engine: &Engine, membership: &Membership) -> Result<Vec<String>, AppError> {
    let members = members::list(engine, &membership.permit()?).await?;
    let owners = members.iter().filter(|member| member.role == Role::Owner);
    Ok(owners.map(|owner| owner.name.to_string()).collect())
}

async fn details(
    request: &PageRequest,
    membership: &Membership,
    id: KeyId,
) -> Result<KeyDetails, AppError> {
    let (engine, addresses) = (request.engine(), request.addresses());
    let key: Key = show::details(engine, &membership.permit()?, id)
        .await?
        .ok_or(AppError::NotFound)?;
    let seen = seen(engine, &membership.permit()?, id).await?;
    let usage = of_key(request, membership, id).await?;
    let now = engine.clock().now();
    let domains = key_domains(engine, membership, &key).await?;
    let reviews = reviews_of_key(request, membership, id).await?;
    let secrets = secrets(engine, &membership.permit()?, id).await?;
    let findings = of_keys(engine, &membership.permit()?, &membership.permit()?, &[id]).await?;
    let works = key.summary.lifecycle.revoked_at.is_none();
    let found = request.parameter(FOUND).parse().ok();
    let found = found.and_then(|id| FoundSecret::of(id, &secrets, now));
    let may = |action| membership.may(action);
    let history = if may(Action::SeeAuditLog) {
        Some(history_of_key(engine, membership, id).await?)
    } else {
        None
    };
    let convention = engine.convention();
    // The key keeps a scope that the convention no longer has.
    let described = |name: Scope| {
        let known = convention
            .scopes
            .iter()
            .find(|scope| scope.name == name)
            .cloned();
        known.unwrap_or(ScopeSetting {
            name,
            description: String::new(),
        })
    };
    let tag = key.tag();
    let is_import = origin(engine, membership, Target::Key(id), Event::KeyImported).await?;
    let created = match is_import {
        Some(import) => Some(import),
        None => origin(engine, membership, Target::Key(id), Event::KeyCreated).await?,
    };
    let lifecycle = &key.summary.lifecycle;
    let permit: Permit<to::SeeKeyDetails> = membership.permit()?;
    let policy = policies::read(engine, &permit).await?;
    let extend = lifecycle
        .expires_at
        .and_then(|at| extend_form::button(at, &policy, now));
    let localhost_policy = notes_of_key(&policy, convention, &key).localhost;
    let disabled = match lifecycle.disabled_at {
        Some(at) => Some((
            TimeText::full(at),
            origin(engine, membership, Target::Key(id), Event::KeyDisabled).await?,
        )),
        None => None,
    };
    let revoked = match lifecycle.revoked_at {
        Some(at) => Some((
            TimeText::full(at),
            origin(engine, membership, Target::Key(id), Event::KeyRevoked).await?,
        )),
        None => None,
    };
    let refused = match key.summary.last_used_at {
        Some(_) => None,
        None => last_refused(engine, &membership.permit()?, id).await?,
    };
    let Key {
        summary,
        settings,
        project_name,
        created_by,
        approved_by,
        ..
    } = key;
    let texts: Vec<String> = settings.domains.iter().map(ToString::to_string).collect();
    let terms = KeyTerms::of(
        convention,
        summary.kind,
        summary.environment,
        &settings.scopes,
    );
    let examples = examples(Example {
        key: None,
        kind: summary.kind,
        domains: &texts,
        ip_ranges: &settings.ip_ranges,
        terms: &terms,
        addresses,
    });
    Ok(KeyDetails {
        display: summary.display,
        org_id: membership.org().id.to_string(),
        project: project_name.to_string(),
        scopes: settings.scopes.iter().cloned().map(described).collect(),
        admin_scope: convention.admin_scope.as_ref().map(ToString::to_string),
        with_scopes: !convention.scopes.is_empty(),
        no_scope_means_all: convention.no_scope_means == NoScope::All,
        domains,
        localhost_policy,
        rate_limits: rate_limits(convention),
        found,
        old_ends: secrets
            .iter()
            .find(|secret| secret.is_running_out(now) && works)
            .and_then(|secret| secret.ends_at)
            .map(TimeText::date),
        secrets: secrets
            .into_iter()
            .map(|secret| SecretText {
                running: secret.is_running_out(now) && works,
                display: secret.display,
                created: TimeText::date(secret.created_at),
                ends: secret.ends_at.map(TimeText::full),
                last_used: secret.last_used_at.map(|at| TimeText::relative(at, now)),
            })
            .collect(),
        findings: findings
            .iter()
            .flat_map(|key| key.findings.iter().map(FindingText::of))
            .collect(),
        may_edit: may(Action::EditKeys)
            && may(Action::EditDomains)
            && summary.lifecycle.revoked_at.is_none(),
        may_rotate: may(Action::RotateKeys),
        may_manage_tokens: may(Action::ManageTokens),
        settings,
        created: TimeText::date(summary.created_at),
        // The audit log keeps its entries for a limited time only.
        created_by: created.or_else(|| created_by.map(|(_, name)| format!(" by {name}"))),
        approved_by: approved_by.map(|(_, name)| name.to_string()),
        disabled,
        revoked,
        last_refused: refused.map(|at| TimeText::relative(at, now)),
        tag,
        extend,
        examples,
        variable: terms.variable,
        usage,
        seen,
        history,
        reviews,
    })
}
