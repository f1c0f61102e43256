//! `/orgs/{org}/settings/policies`: what an organization requires of its keys. Owners change it, and who reviews keys reads it.

use latchkey::{
    access::{Permit, to},
    convention::Convention,
    event::{Event, Target},
    key::Kind,
    orgs::policies::{self, ChangePoliciesError},
    policy::KeyPolicy,
    revision::{Known, Revision},
    role::Action,
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{
    answer::FormAnswer,
    conflict::{Change, Conflict},
    done::Done,
    forms::fields_and_errors,
    frame::{Breadcrumbs, PageHead},
    owners::AskOwner,
    page::page,
};
use crate::{
    error::AppError,
    form::{
        choice_group::ChoiceGroup,
        errors::{ErrorTexts, Errors, FieldError, FormError, described_by, invalid_text},
        sent_back::{MAX_BASE, MAX_NAME, sent_back},
    },
    request::PageRequest,
    text::days::days_text,
};

/// The values that require something or forbid it. Any other value does not.
const REQUIRED: &str = "required";
const FORBIDDEN: &str = "forbid";

/// The fields as submitted. An empty period is turned off.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct PoliciesForm {
    rotation_days: String,
    longest_life_days: String,
    scopes: String,
    ip_ranges: String,
    localhost: String,
    /// The revision that the form was rendered with.
    base: String,
}

impl PoliciesForm {
    fn of(policy: &KeyPolicy) -> Self {
        let days = |days: Option<u32>| days.map_or_else(String::new, |days| days.to_string());
        let word = |is_it: bool, yes: &str, no: &str| if is_it { yes } else { no }.to_owned();
        Self {
            rotation_days: days(policy.rotation_days),
            longest_life_days: days(policy.longest_life_days),
            scopes: word(policy.scopes_required, REQUIRED, "optional"),
            ip_ranges: word(policy.ip_ranges_required, REQUIRED, "optional"),
            localhost: word(policy.localhost_forbidden, FORBIDDEN, "allow"),
            base: policies::revision(policy).to_string(),
        }
    }

    fn sent_back(&self) -> Self {
        let back = |text: &String| sent_back(text, MAX_NAME);
        Self {
            rotation_days: back(&self.rotation_days),
            longest_life_days: back(&self.longest_life_days),
            scopes: back(&self.scopes),
            ip_ranges: back(&self.ip_ranges),
            localhost: back(&self.localhost),
            base: sent_back(&self.base, MAX_BASE),
        }
    }

    /// The policies as submitted, or an error for each invalid field. A choice that the form did not have is no choice.
    fn read(&self, stored: &KeyPolicy) -> Result<KeyPolicy, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut days = |field: &str, text: &str| {
            let days = days(text);
            if days.is_err() {
                let sentence = "Enter a number of days from 1 to 3,650, or nothing to turn it off.";
                errors.push(FieldError::new(field, sentence));
            }
            days.unwrap_or_default()
        };
        let chosen = |text: &str, yes: &str, stored: bool| match text {
            "" => stored,
            word => word == yes,
        };
        let policy = KeyPolicy {
            rotation_days: days("rotation_days", &self.rotation_days),
            longest_life_days: days("longest_life_days", &self.longest_life_days),
            scopes_required: chosen(&self.scopes, REQUIRED, stored.scopes_required),
            ip_ranges_required: chosen(&self.ip_ranges, REQUIRED, stored.ip_ranges_required),
            localhost_forbidden: chosen(&self.localhost, FORBIDDEN, stored.localhost_forbidden),
        };
        match errors.is_empty() {
            true => Ok(policy),
            false => Err(errors),
        }
    }
}

/// Parses a period; `Ok(None)` if it is turned off.
fn days(text: &str) -> Result<Option<u32>, ()> {
    match text.trim().replace([',', ' '], "").as_str() {
        "" => Ok(None),
        digits => match digits.parse() {
            Ok(days) if KeyPolicy::DAYS.contains(&days) => Ok(Some(days)),
            _ => Err(()),
        },
    }
}

/// The policies, and whether the user can change them.
async fn load(request: PageRequest) -> Result<(KeyPolicy, bool), AppError> {
    let membership = request.membership().await?;
    let permit: Permit<to::ReviewKeys> = membership.permit()?;
    let policy = policies::read(request.engine(), &permit).await?;
    Ok((policy, membership.may(Action::EditOrg)))
}

pub async fn submit(
    request: PageRequest,
    form: PoliciesForm,
) -> Result<FormAnswer<PoliciesForm>, AppError> {
    let permit: Permit<to::EditOrg> = request.permit().await?;
    let engine = request.engine();
    let stored = policies::read(engine, &permit).await?;
    let policy = match form.read(&stored) {
        Ok(policy) => policy,
        Err(errors) => return Ok(FormAnswer::refused_fields(form.sent_back(), errors)),
    };
    let base = Revision::from(form.base.as_str());
    let known = Known::Revision(base.clone());
    match policies::change(engine, &permit, policy, &known).await {
        Ok(_) => Ok(FormAnswer::done(request.path(), Done::SettingsUpdated)),
        Err(ChangePoliciesError::Storage(error)) => Err(error.into()),
        Err(error @ ChangePoliciesError::InvalidPeriod) => Ok(FormAnswer::refused(
            form.sent_back(),
            "rotation_days",
            error,
        )),
        Err(ChangePoliciesError::ChangedMeanwhile) => {
            let stored = policies::read(engine, &permit).await?;
            let changes =
                Change::latest(&request, Event::OrgUpdated, Target::Org(permit.org_id())).await?;
            let conflict = Conflict {
                sent: policies::revision(&policy),
                base,
                stored: policies::revision(&stored),
                changes,
            };
            let stored = PoliciesForm::of(&stored);
            Ok(conflicting(&conflict, form.sent_back(), stored))
        }
    }
}

/// Responds with the form and what someone else changed since it was rendered.
fn conflicting(
    conflict: &Conflict,
    typed: PoliciesForm,
    stored: PoliciesForm,
) -> FormAnswer<PoliciesForm> {
    let words = |word: &String, yes: &str| if word == yes { "Required" } else { "Optional" };
    let localhost = match stored.localhost.as_str() {
        FORBIDDEN => "Forbidden",
        _ => "Allowed",
    };
    let errors = conflict.errors(
        "these policies",
        &[
            ("rotation_days", "rotation_days", &stored.rotation_days),
            (
                "longest_life_days",
                "longest_life_days",
                &stored.longest_life_days,
            ),
            ("scopes_required", "scopes", words(&stored.scopes, REQUIRED)),
            (
                "ip_ranges_required",
                "ip_ranges",
                words(&stored.ip_ranges, REQUIRED),
            ),
            ("localhost_forbidden", "localhost", localhost),
        ],
    );
    let values = PoliciesForm {
        rotation_days: conflict.resolve("rotation_days", typed.rotation_days, stored.rotation_days),
        longest_life_days: conflict.resolve(
            "longest_life_days",
            typed.longest_life_days,
            stored.longest_life_days,
        ),
        scopes: conflict.resolve("scopes_required", typed.scopes, stored.scopes),
        ip_ranges: conflict.resolve("ip_ranges_required", typed.ip_ranges, stored.ip_ranges),
        localhost: conflict.resolve("localhost_forbidden", typed.localhost, stored.localhost),
        base: stored.base,
    };
    FormAnswer::Conflict { values, errors }
}

#[component]
pub fn PoliciesPage() -> impl IntoView {
    page(load, |request, (policy, may_edit)| {
        let path = request.path().to_owned();
        let above = format!("/orgs/{}/settings", request.org());
        let offered = Offered::of(request.engine().convention());
        match may_edit {
            true => view! { <PoliciesView path above policy offered/> }.into_any(),
            false => view! { <PoliciesToRead policy offered/> }.into_any(),
        }
    })
}

/// What the convention has a use for.
struct Offered {
    scopes: bool,
    localhost: bool,
    /// What the convention calls the keys: "secret keys" and "widget keys".
    secret: String,
    widget: String,
}

impl Offered {
    fn of(convention: &Convention) -> Self {
        let keys = |kind| format!("{} keys", convention.kind_names.name(kind));
        Self {
            scopes: convention.has_scopes(),
            localhost: convention.can_block_localhost(),
            secret: keys(Kind::Secret),
            widget: keys(Kind::Widget),
        }
    }
}

/// The policies for those who review keys and cannot change them.
#[component]
fn PoliciesToRead(policy: KeyPolicy, offered: Offered) -> impl IntoView {
    let after = |days: Option<u32>| match days {
        Some(days) => days_text(days),
        None => "No limit".to_owned(),
    };
    let rotated = match policy.rotation_days {
        Some(days) => format!("Every {}", days_text(days)),
        None => "Not required".to_owned(),
    };
    let required = |is_required: bool| if is_required { "Required" } else { "Optional" };
    let scopes = offered
        .scopes
        .then(|| view! { <dt>"Scopes"</dt><dd>{required(policy.scopes_required)}</dd> });
    let localhost = offered.localhost.then(|| {
        let allowed = match policy.localhost_forbidden {
            true => "Forbidden",
            false => "Allowed",
        };
        view! { <dt>{format!("Pages on localhost with live {}", offered.widget)}</dt><dd>{allowed}</dd> }
    });
    let lead = view! { "What the organization requires of its keys. Keys that do not comply keep working, and have a finding. "<AskOwner to="change the policies"/> }.into_any();
    view! {
        <PageHead title="Key policies" lead/>
        <section class="card" aria-label="Key policies">
            <dl class="facts body">
                <dt>"Rotation of secrets"</dt><dd>{rotated}</dd>
                <dt>"Longest life of a key"</dt><dd>{after(policy.longest_life_days)}</dd>
                {scopes}
                <dt>{format!("IP ranges of live {}", offered.secret)}</dt><dd>{required(policy.ip_ranges_required)}</dd>
                {localhost}
            </dl>
        </section>
    }
}

/// A period in days, which can be empty.
#[component]
fn Period(
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    value: String,
    errors: Errors,
) -> impl IntoView {
    let sentences = errors.of(name);
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <p class="hint" id=format!("{name}-hint")>{hint}</p>
            <input class="input" id=name name=name value=value inputmode="numeric" autocomplete="off" maxlength=7
                aria-invalid=invalid_text(sentences) aria-describedby=described_by(name, true, sentences)/>
            <ErrorTexts field=name errors/>
        </div>
    }
}

/// Two choices: what is not required, and what is.
#[component]
fn Choice(
    name: &'static str,
    legend: String,
    /// The value, the title and the meaning of each.
    choices: [(&'static str, &'static str, &'static str); 2],
    chosen: String,
    errors: Errors,
) -> impl IntoView {
    let choices = choices.map(|(value, title, text)| {
        view! {
            <label class="choice">
                <input type="radio" name=name value=value checked=value == chosen required/>
                <span><b>{title}</b><small>{text}</small></span>
            </label>
        }
    });
    view! {
        <ChoiceGroup field=name legend errors><div class="choices">{choices.collect_view()}</div></ChoiceGroup>
    }
}

#[component]
fn PoliciesView(
    path: String,
    /// The path of the settings.
    above: String,
    policy: KeyPolicy,
    offered: Offered,
) -> impl IntoView {
    let (values, errors) = fields_and_errors(|| PoliciesForm::of(&policy));
    let errors = Errors::new(errors);
    let lead = "Policies apply to keys that are created, edited or imported from now on, in the dashboard, with the API and on the command line. Keys that do not comply keep working, and have a finding.".into_any();
    let scopes = offered.scopes.then(|| {
        let choices = [
            ("optional", "Optional", "A key can have full access."),
            (REQUIRED, "Required", "No key has full access: each has only the scopes that are selected for it."),
        ];
        view! { <Choice name="scopes" legend="Scopes".to_owned() choices chosen=values.scopes errors/> }
    });
    let ranges = [
        (
            "optional",
            "Optional",
            "A key without IP ranges can be used from any address.",
        ),
        (
            REQUIRED,
            "Required",
            "Each key can be used only from the addresses of your servers.",
        ),
    ];
    let localhost = offered.localhost.then(|| {
        let choices = [
            (
                "allow",
                "Allowed",
                "Developers can test pages with live keys.",
            ),
            (
                FORBIDDEN,
                "Forbidden",
                "Developers use test keys. Loopback addresses, such as 127.0.0.1, are forbidden, too.",
            ),
        ];
        let legend = format!("Pages on localhost with live {}", offered.widget);
        view! { <Choice name="localhost" legend choices chosen=values.localhost errors/> }
    });
    view! {
        <Breadcrumbs above=vec![(above.clone(), "Settings".to_owned())] here="Key policies".to_owned()/>
        <PageHead title="Key policies" lead/>
        <div class="card"><div class="body">
            <form novalidate=true method="post" action=path class="form">
                <FormError errors/>
                <input type="hidden" name="base" value=values.base/>
                <Period name="rotation_days" label="Rotate secrets after this many days" hint="From then on, the key has a finding, and there are reminders. Leave empty to turn them off." value=values.rotation_days errors/>
                <Period name="longest_life_days" label="Longest life of a key in days" hint="A key must expire within this many days after it was created or extended. Leave empty to allow any expiry." value=values.longest_life_days errors/>
                {scopes}
                <Choice name="ip_ranges" legend=format!("IP ranges of live {}", offered.secret) choices=ranges chosen=values.ip_ranges errors/>
                {localhost}
                <div class="actions"><button class="btn primary">"Save"</button><a class="btn" href=above>"Cancel"</a></div>
            </form>
        </div></div>
    }
}
