//! `/orgs/{org}/settings`: the settings of an organization, for owners.

use latchkey::{
    access::{Permit, to},
    convention::Convention,
    event::{Event, Target},
    key::Kind,
    orgs::settings::{self, ChangeSettingsError, OrgSettings},
    revision::{Known, Revision},
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{
    answer::FormAnswer,
    conflict::{Change, Conflict},
    delete_org::DeleteOrgCard,
    done::Done,
    forms::fields_and_errors,
    frame::PageHead,
    page::page,
};
use crate::{
    error::AppError,
    form::{
        choice_group::ChoiceGroup,
        errors::{Errors, FormError},
        field::Field,
        name::read_name,
        sent_back::{MAX_BASE, MAX_NAME, sent_back},
    },
    request::PageRequest,
};

/// The value that allows secret keys in requests from browsers. Any other value rejects them.
const ALLOW: &str = "allow";

/// The fields as submitted.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct SettingsForm {
    name: String,
    secrets_in_browsers: String,
    /// The revision that the form was rendered with.
    #[serde(default)]
    base: String,
}

impl SettingsForm {
    fn of(settings: &OrgSettings) -> Self {
        let word = if settings.secrets_in_browsers {
            ALLOW
        } else {
            "refuse"
        };
        Self {
            name: settings.name.to_string(),
            secrets_in_browsers: word.to_owned(),
            base: settings.revision().to_string(),
        }
    }

    fn sent_back(&self) -> Self {
        Self {
            name: sent_back(&self.name, MAX_NAME),
            secrets_in_browsers: sent_back(&self.secrets_in_browsers, MAX_NAME),
            base: sent_back(&self.base, MAX_BASE),
        }
    }
}

async fn read(request: PageRequest) -> Result<OrgSettings, AppError> {
    let permit: Permit<to::EditOrg> = request.permit().await?;
    Ok(settings::read(request.engine(), &permit).await?)
}

pub async fn submit(
    request: PageRequest,
    form: SettingsForm,
) -> Result<FormAnswer<SettingsForm>, AppError> {
    let permit: Permit<to::EditOrg> = request.permit().await?;
    let name = match read_name(&form.name, "an organization name") {
        Ok(name) => name,
        Err(error) => return Ok(FormAnswer::refused(form.sent_back(), "name", error)),
    };
    let settings = OrgSettings {
        name,
        secrets_in_browsers: form.secrets_in_browsers == ALLOW,
    };
    let base = Revision::from(form.base.as_str());
    let sent = settings.revision();
    let known = Known::Revision(base.clone());
    match settings::change(request.engine(), &permit, settings, &known).await {
        Ok(()) => Ok(FormAnswer::done(request.path(), Done::SettingsUpdated)),
        Err(ChangeSettingsError::Storage(error)) => Err(error.into()),
        Err(ChangeSettingsError::ChangedMeanwhile) => {
            let stored = settings::read(request.engine(), &permit).await?;
            let changes =
                Change::latest(&request, Event::OrgUpdated, Target::Org(permit.org_id())).await?;
            let conflict = Conflict {
                sent,
                base,
                stored: stored.revision(),
                changes,
            };
            Ok(conflicting(
                &conflict,
                &form.sent_back(),
                &SettingsForm::of(&stored),
            ))
        }
    }
}

/// Responds with the form and what someone else changed since it was rendered.
fn conflicting(
    conflict: &Conflict,
    typed: &SettingsForm,
    stored: &SettingsForm,
) -> FormAnswer<SettingsForm> {
    let browsers = match stored.secrets_in_browsers.as_str() {
        ALLOW => "Allow",
        _ => "Reject",
    };
    let errors = conflict.errors(
        "these settings",
        &[
            ("name", "name", &stored.name),
            ("secrets_in_browsers", "secrets_in_browsers", browsers),
        ],
    );
    let values = SettingsForm {
        name: conflict.resolve("name", &typed.name, &stored.name).clone(),
        secrets_in_browsers: conflict
            .resolve(
                "secrets_in_browsers",
                &typed.secrets_in_browsers,
                &stored.secrets_in_browsers,
            )
            .clone(),
        base: stored.base.clone(),
    };
    FormAnswer::Conflict { values, errors }
}

#[component]
pub fn OrgSettingsPage() -> impl IntoView {
    page(read, |request, settings| {
        let (org, path) = (request.org().to_owned(), request.path().to_owned());
        let kinds = KindWords::of(request.engine().convention());
        view! { <SettingsView org path settings kinds/> }
    })
}

/// What the convention calls the keys that the page is about.
struct KindWords {
    /// Such as "Secret keys".
    secret: String,
    /// What replaces secret keys in browsers.
    instead: String,
}

impl KindWords {
    fn of(convention: &Convention) -> Self {
        let names = &convention.kind_names;
        Self {
            secret: format!("{} keys", names.title(Kind::Secret)),
            instead: match convention.prefixes.widget_live {
                Some(_) => format!(
                    "Use this only while you move pages to {} keys.",
                    names.name(Kind::Widget)
                ),
                None => format!(
                    "Use this only while your pages still contain {} keys.",
                    names.name(Kind::Secret)
                ),
            },
        }
    }
}

#[component]
fn SettingsView(
    org: String,
    path: String,
    settings: OrgSettings,
    kinds: KindWords,
) -> impl IntoView {
    let (values, errors) = fields_and_errors(|| SettingsForm::of(&settings));
    let errors = Errors::new(errors);
    let choice = |word: &'static str, title: &'static str, text: String, chosen: bool| {
        view! {
            <label class="choice">
                <input type="radio" name="secrets_in_browsers" value=word checked=chosen required/>
                <span><b>{title}</b><small>{text}</small></span>
            </label>
        }
    };
    let allowed = values.secrets_in_browsers == ALLOW;
    let security = format!("{path}/security");
    let alerts = format!("{path}/alerts");
    let policies = format!("{path}/policies");
    view! {
        <PageHead title="Settings"><a class="btn" href=policies>"Key policies"</a><a class="btn" href=alerts>"Alerts"</a><a class="btn" href=security>"Security"</a></PageHead>
        <div class="stack">
            <div class="card"><div class="body">
                <form novalidate=true method="post" action=path class="form">
                    <FormError errors/>
                    <input type="hidden" name="base" value=values.base/>
                    <Field name="name" label="Organization name" autocomplete="organization" maxlength=80 value=values.name errors/>
                    <p class="hint">"The URL does not change: "<code>{org.clone()}</code>"."</p>
                    <ChoiceGroup field="secrets_in_browsers" legend=format!("{} in browsers", kinds.secret) hint=true errors>
                        <p class="hint" id="secrets_in_browsers-hint">"A request with an Origin or Referer header comes from a browser, where every visitor can read the key. Latchkey shows these requests on the key’s page in either case."</p>
                        <div class="choices">
                            {choice("refuse", "Reject", format!("Recommended. {} that are used in a page stop working there.", kinds.secret), !allowed)}
                            {choice(ALLOW, "Allow", kinds.instead, allowed)}
                        </div>
                    </ChoiceGroup>
                    <div class="actions"><button class="btn primary">"Save"</button></div>
                </form>
            </div></div>
            <DeleteOrgCard org/>
        </div>
    }
}
