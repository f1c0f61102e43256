//! The form of a requested key, filled in with what was asked for before.

use latchkey::{access::Membership, key::Environment, key_requests::Wanted, policy::KeyPolicy};

use crate::{
    error::AppError,
    pages::keys::new::offer,
    request::PageRequest,
    text::days::days_text,
    values::{key_form::SettingsForm, key_options::NewKeyOptions},
};

/// The choices of the form. Periods are named by their length: they count from the time when the key is revealed.
///
/// # Errors
/// If the database cannot be reached.
pub async fn choices(
    request: &PageRequest,
    membership: &Membership,
    policy: &KeyPolicy,
) -> Result<NewKeyOptions, AppError> {
    let mut options = offer(request.engine(), membership, policy).await?;
    for (days, text) in &mut options.days {
        *text = after_reveal(*days);
    }
    Ok(options)
}

fn after_reveal(days: u32) -> String {
    format!("{} after it is revealed", days_text(days))
}

/// The initial values of the form for a key that was asked for before. Where the key has what can no longer be chosen, the form
/// has its default.
pub fn values_of(wanted: &Wanted, policy: &KeyPolicy, options: &mut NewKeyOptions) -> SettingsForm {
    let settings = &wanted.settings;
    let domains: Vec<String> = settings.domains.iter().map(ToString::to_string).collect();
    let days = wanted.expires_in_days.map(u32::from);
    let days = days.filter(|days| {
        policy
            .longest_life_days
            .is_none_or(|longest| *days <= longest)
    });
    if let Some(days) = days
        && !options.days.iter().any(|(offered, _)| *offered == days)
    {
        options.days.push((days, after_reveal(days)));
    }
    let on = settings.expires_at.map(|at| at.utc().date().to_string());
    let on = on.filter(|on| (&options.today..=&options.latest).contains(&on));
    let (expires, expires_on) = match (days, on) {
        (Some(days), _) => (days.to_string(), String::new()),
        (None, Some(on)) => ("date".to_owned(), on),
        (None, None) if wanted.never_expires() && options.never => {
            ("never".to_owned(), String::new())
        }
        (None, None) => (options.blank().expires, String::new()),
    };
    let blocked = match settings.localhost_forbidden {
        true => "forbid".to_owned(),
        false => String::new(),
    };
    // The choice that was not shown to the requester has its default.
    let blank = options.blank();
    let (localhost, localhost_live) = match wanted.environment {
        Environment::Live => (blank.localhost, blocked),
        Environment::Test => (blocked, blank.localhost_live),
    };
    SettingsForm {
        kind: wanted.kind.as_str().to_owned(),
        environment: wanted.environment.as_str().to_owned(),
        domains: domains.join("\n"),
        localhost,
        localhost_live,
        expires,
        expires_on,
        ..SettingsForm::of(settings)
    }
}
