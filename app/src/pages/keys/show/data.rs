//! What the page of a key is told, and who may be told it.

use latchkey::{
    Engine,
    access::Membership,
    convention::{KindNames, NoScope, Scope, ScopeSetting},
    effects, findings,
    id::KeyId,
    key::{Environment, Kind, settings::KeySettings},
    keys::{Key, secrets::secrets, show},
    role::Action,
};

use crate::{
    error::AppError,
    operations::key_domains::key_domains,
    pages::{
        audit::{HistoryItem, history_of_key},
        keys::state::KeyState,
        usage::{ReportText, of_key},
    },
    request::PageRequest,
    text::{rate_limits::rate_limits, time::TimeText},
    values::{key_domains::KeyDomains, progress::Progress, usage::Range},
};

/// A key, as everyone in its org may know it.
#[derive(Debug, Clone)]
pub struct KeyView {
    pub id: String,
    pub name: String,
    /// Secret or widget.
    pub kind: Kind,
    /// What people call the kinds here.
    pub kind_names: KindNames,
    /// Live or test.
    pub environment: Environment,
    /// Whether it works.
    pub state: KeyState,
    /// How far its last change has come, where that was made within about a minute.
    pub effect: Option<Progress>,
    /// When it last let a request pass; `None` for never.
    pub last_used: Option<TimeText>,
    /// When it expires; `None` for never.
    pub expires: Option<TimeText>,
    /// Whether the person may disable and enable it.
    pub may_disable: bool,
    /// Whether they may revoke it.
    pub may_revoke: bool,
    /// The rest, for owners and admins.
    pub details: Option<KeyDetails>,
}

/// What owners and admins may know of a key besides.
#[derive(Debug, Clone)]
pub struct KeyDetails {
    /// The front and the last four characters.
    pub display: String,
    /// The org that it works for.
    pub org_id: String,
    /// The group of keys it belongs to.
    pub project: String,
    /// What it may do; none means what `no_scope_means_all` says.
    pub scopes: Vec<ScopeSetting>,
    /// Whether this instance's keys have scopes.
    pub with_scopes: bool,
    /// Whether a key without scopes may do everything.
    pub no_scope_means_all: bool,
    /// Where a widget key works; nothing for a secret key.
    pub domains: Option<KeyDomains>,
    /// What owners set.
    pub settings: KeySettings,
    /// How many requests it may make, by class.
    pub rate_limits: String,
    /// Its secrets, the current one first.
    pub secrets: Vec<SecretText>,
    /// What use of it has shown.
    pub findings: Vec<FindingText>,
    /// Whether the person may change it and its domains, which nobody may once it is revoked.
    pub may_edit: bool,
    /// Whether they may rotate it.
    pub may_rotate: bool,
    pub created: TimeText,
    /// Who created it, while they have an account.
    pub created_by: Option<String>,
    /// When it was disabled, if it is.
    pub disabled: Option<TimeText>,
    /// When it was revoked, if it was.
    pub revoked: Option<TimeText>,
    /// Its requests of the last 30 days.
    pub usage: ReportText,
    /// The newest audit entries on it, where the role may see those.
    pub history: Option<Vec<HistoryItem>>,
}

/// A secret of the key.
#[derive(Debug, Clone)]
pub struct SecretText {
    /// Its front and its last four characters.
    pub display: String,
    pub created: TimeText,
    /// When it ends or ended; nothing for the current one.
    pub ends: Option<TimeText>,
    /// When it last let a request pass; nothing for never.
    pub last_used: Option<TimeText>,
    /// Whether it is an old one that still works.
    pub running: bool,
}

/// A secret key that browsers have sent.
#[derive(Debug, Clone)]
pub struct FindingText {
    /// How often.
    pub count: i64,
    pub last: TimeText,
    /// From where; empty when that could not be read.
    pub origin: String,
}

/// The key in the request's path, for everyone in its org.
pub async fn show_key(request: PageRequest) -> Result<KeyView, AppError> {
    let membership = request.membership().await?;
    // Whoever looks at a key's page is done with the one that shows it.
    request.forget_held_key();
    let engine = request.engine();
    let id: KeyId = request.id("key")?;
    let summary = show::summary(engine, &membership.permit()?, id)
        .await?
        .ok_or(AppError::NotFound)?;
    let role = membership.role();
    let with_details = role.may(Action::SeeKeyDetails) && role.may(Action::SeeUsageDetails);
    let details = if with_details {
        Some(details(engine, &membership, id).await?)
    } else {
        None
    };
    let change = effects::of_key(engine, &membership.permit()?, id).await?;
    let recent = change.filter(|change| change.is_recent);
    let now = engine.clock().now();
    Ok(KeyView {
        effect: recent.map(|change| change.effect.into()),
        state: KeyState::new(&summary, now, details.is_some()),
        id: summary.id.to_string(),
        name: summary.name.to_string(),
        kind: summary.kind,
        kind_names: engine.convention().kind_names.clone(),
        environment: summary.environment,
        last_used: summary.last_used_at.map(|at| TimeText::relative(at, now)),
        expires: summary.lifecycle.expires_at.map(TimeText::full),
        may_disable: role.may(Action::DisableKeys),
        may_revoke: role.may(Action::RevokeKeys),
        details,
    })
}

async fn details(
    engine: &Engine,
    membership: &Membership,
    id: KeyId,
) -> Result<KeyDetails, AppError> {
    let key: Key = show::details(engine, &membership.permit()?, id)
        .await?
        .ok_or(AppError::NotFound)?;
    let usage = of_key(engine, &membership.permit()?, id, Range::Days30).await?;
    let now = engine.clock().now();
    let domains = key_domains(engine, membership, &key).await?;
    let secrets = secrets(engine, &membership.permit()?, id).await?;
    let findings = findings::of_key(engine, &membership.permit()?, id).await?;
    let works = key.summary.lifecycle.revoked_at.is_none();
    let rotated_at = secrets.first().map(|current| current.created_at);
    let may = |action| membership.role().may(action);
    let history = if may(Action::SeeAuditLog) {
        Some(history_of_key(engine, membership, id).await?)
    } else {
        None
    };
    let convention = engine.convention();
    // A scope that the convention no longer has is still what the key was given.
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
    let Key {
        summary,
        settings,
        project_name,
        created_by,
        ..
    } = key;
    Ok(KeyDetails {
        display: summary.display,
        org_id: membership.org().id.to_string(),
        project: project_name.to_string(),
        scopes: settings.scopes.iter().cloned().map(described).collect(),
        with_scopes: !convention.scopes.is_empty(),
        no_scope_means_all: convention.no_scope_means == NoScope::All,
        domains,
        rate_limits: rate_limits(convention),
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
            .into_iter()
            // A rotation since then is what the finding asks for.
            .filter(|found| rotated_at.is_none_or(|at| at <= found.last_at))
            .map(|found| FindingText {
                count: found.count,
                last: TimeText::relative(found.last_at, now),
                origin: found.origin,
            })
            .collect(),
        may_edit: may(Action::EditKeys)
            && may(Action::EditDomains)
            && summary.lifecycle.revoked_at.is_none(),
        may_rotate: may(Action::RotateKeys),
        settings,
        created: TimeText::date(summary.created_at),
        created_by: created_by.map(|(_, name)| name.to_string()),
        disabled: summary.lifecycle.disabled_at.map(TimeText::full),
        revoked: summary.lifecycle.revoked_at.map(TimeText::full),
        usage,
        history,
    })
}
