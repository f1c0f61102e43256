//! `/orgs/{org}/settings/alerts`: when a key is unusual, and who gets letters about keys, for owners.

use latchkey::{
    access::{Permit, to},
    alerts::{
        rule::Thresholds,
        settings::{self, AlertSettings, RemindersTo},
    },
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{
    answer::FormAnswer,
    done::Done,
    field_reader::FieldReader,
    forms::fields_and_errors,
    frame::{Breadcrumbs, PageHead},
    page::page,
};
use crate::{
    error::AppError,
    form::{
        choice_group::ChoiceGroup,
        errors::{Errors, FieldError, FormError},
        field::Field,
        sent_back::{MAX_NAME, sent_back},
    },
    request::PageRequest,
};

/// The value that sends mail. Any other value does not.
const MAIL: &str = "mail";

/// The fields as submitted. Those with `was` are the settings that the form was rendered with.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct AlertsForm {
    by: String,
    factor: String,
    min_requests: String,
    min_rejected: String,
    /// Who gets reminders: a word of [`RemindersTo`].
    #[serde(default)]
    reminders: String,
    #[serde(default)]
    was_by: String,
    #[serde(default)]
    was_factor: String,
    #[serde(default)]
    was_min_requests: String,
    #[serde(default)]
    was_min_rejected: String,
    #[serde(default)]
    was_reminders: String,
}

impl AlertsForm {
    fn of(settings: &AlertSettings) -> Self {
        let by = if settings.by_mail { MAIL } else { "page" };
        let Thresholds {
            factor,
            min_requests,
            min_rejected,
        } = settings.thresholds;
        let numbers = [factor, min_requests, min_rejected].map(|number| number.to_string());
        let [factor, min_requests, min_rejected] = numbers;
        Self {
            by: by.to_owned(),
            was_by: by.to_owned(),
            was_factor: factor.clone(),
            factor,
            was_min_requests: min_requests.clone(),
            min_requests,
            was_min_rejected: min_rejected.clone(),
            min_rejected,
            reminders: settings.reminders.to_string(),
            was_reminders: settings.reminders.to_string(),
        }
    }

    fn sent_back(&self) -> Self {
        let back = |text: &String| sent_back(text, MAX_NAME);
        Self {
            by: back(&self.by),
            factor: back(&self.factor),
            min_requests: back(&self.min_requests),
            min_rejected: back(&self.min_rejected),
            was_by: back(&self.was_by),
            was_factor: back(&self.was_factor),
            was_min_requests: back(&self.was_min_requests),
            was_min_rejected: back(&self.was_min_rejected),
            reminders: back(&self.reminders),
            was_reminders: back(&self.was_reminders),
        }
    }

    /// The settings as submitted, or an error for each invalid field.
    fn read(&self, stored: &AlertSettings) -> Result<AlertSettings, Vec<FieldError>> {
        let mut fields = FieldReader::default();
        let too_few = "Enter a number from 10 to 1,000,000,000.";
        let factor = number(&self.factor).filter(|number| Thresholds::FACTOR.contains(number));
        let factor = fields.take("factor", factor.ok_or("Enter a number from 2 to 100."));
        let mut minimum = |field: &str, text: &str| {
            let number = number(text).filter(|number| Thresholds::MINIMUM.contains(number));
            fields.take(field, number.ok_or(too_few))
        };
        let min_requests = minimum("min_requests", &self.min_requests);
        let min_rejected = minimum("min_rejected", &self.min_rejected);
        // A form without the field changes nothing.
        let reminders = match self.reminders.as_str() {
            "" => self.was_reminders.as_str(),
            word => word,
        };
        let reminders = match reminders {
            "" => Ok(stored.reminders),
            word => word.parse().map_err(|_| "Choose who gets reminders."),
        };
        let reminders = fields.take("reminders", reminders);
        match (factor, min_requests, min_rejected, reminders) {
            (Some(factor), Some(min_requests), Some(min_rejected), Some(reminders)) => {
                Ok(AlertSettings {
                    by_mail: self.by == MAIL,
                    thresholds: Thresholds {
                        factor,
                        min_requests,
                        min_rejected,
                    },
                    reminders,
                })
            }
            _ => Err(fields.errors),
        }
    }

    /// The settings that the form was rendered with; those of `stored` where it does not say.
    fn base(&self, stored: &AlertSettings) -> AlertSettings {
        let was = stored.thresholds;
        AlertSettings {
            by_mail: match self.was_by.as_str() {
                "" => stored.by_mail,
                word => word == MAIL,
            },
            thresholds: Thresholds {
                factor: number(&self.was_factor).unwrap_or(was.factor),
                min_requests: number(&self.was_min_requests).unwrap_or(was.min_requests),
                min_rejected: number(&self.was_min_rejected).unwrap_or(was.min_rejected),
            },
            reminders: self.was_reminders.parse().unwrap_or(stored.reminders),
        }
    }
}

fn number(text: &str) -> Option<u32> {
    text.trim().replace([',', ' '], "").parse().ok()
}

/// The settings, and whether this instance sends mail.
async fn load(request: PageRequest) -> Result<(AlertSettings, bool), AppError> {
    let permit: Permit<to::EditOrg> = request.permit().await?;
    let engine = request.engine();
    Ok((settings::read(engine, &permit).await?, engine.sends_mail()))
}

pub async fn submit(
    request: PageRequest,
    form: AlertsForm,
) -> Result<FormAnswer<AlertsForm>, AppError> {
    let permit: Permit<to::EditOrg> = request.permit().await?;
    let stored = settings::read(request.engine(), &permit).await?;
    let new = match form.read(&stored) {
        Ok(new) => new,
        Err(errors) => return Ok(FormAnswer::refused_fields(form.sent_back(), errors)),
    };
    settings::change(request.engine(), &permit, form.base(&stored), new).await?;
    Ok(FormAnswer::done(request.path(), Done::SettingsUpdated))
}

#[component]
pub fn AlertSettingsPage() -> impl IntoView {
    page(load, |request, (settings, sends_mail)| {
        let path = request.path().to_owned();
        let above = format!("/orgs/{}/settings", request.org());
        view! { <AlertSettingsView path above settings sends_mail/> }
    })
}

#[component]
fn AlertSettingsView(
    path: String,
    /// The path of the settings.
    above: String,
    settings: AlertSettings,
    sends_mail: bool,
) -> impl IntoView {
    let (values, errors) = fields_and_errors(|| AlertsForm::of(&settings));
    let errors = Errors::new(errors);
    let by_mail = values.by == MAIL;
    let no_mail = (!sends_mail).then(|| {
        view! { <p class="hint">"This Latchkey instance sends no mail. Its operator can set it up."</p> }
    });
    let lead = "A key is unusual if it has far more requests in 24 hours than it usually has. “Usually at most 100 a day” means that nine of ten of its last 28 days had at most 100.".into_any();
    let chosen = values.reminders.parse().unwrap_or(settings.reminders);
    let reminders = [
        (
            RemindersTo::Owners,
            "To owners",
            "At most one letter a day, together with unusual keys.",
        ),
        (
            RemindersTo::Admins,
            "To owners and admins",
            "Admins ask an owner, unless they can manage keys.",
        ),
        (
            RemindersTo::Nobody,
            "To nobody",
            "They are only on the pages of keys.",
        ),
    ];
    let reminders = reminders.map(|(to, title, text)| {
        view! {
            <label class="choice">
                <input type="radio" name="reminders" value=to.to_string() checked=to == chosen required/>
                <span><b>{title}</b><small>{text}</small></span>
            </label>
        }
    });
    let choice = |value: &'static str, title: &'static str, text: &'static str, chosen: bool| {
        view! {
            <label class="choice">
                <input type="radio" name="by" value=value checked=chosen required/>
                <span><b>{title}</b><small>{text}</small></span>
            </label>
        }
    };
    view! {
        <Breadcrumbs above=vec![(above.clone(), "Settings".to_owned())] here="Alerts".to_owned()/>
        <PageHead title="Alerts" lead/>
        <div class="card"><div class="body">
            <form novalidate=true method="post" action=path class="form">
                <FormError errors/>
                <input type="hidden" name="was_by" value=values.was_by/>
                <input type="hidden" name="was_factor" value=values.was_factor/>
                <input type="hidden" name="was_min_requests" value=values.was_min_requests/>
                <input type="hidden" name="was_min_rejected" value=values.was_min_rejected/>
                <input type="hidden" name="was_reminders" value=values.was_reminders/>
                <Field name="factor" label="How many times as much as usual" autocomplete="off" maxlength=3 value=values.factor errors/>
                <Field name="min_requests" label="At least this many requests" autocomplete="off" maxlength=13 value=values.min_requests errors/>
                <Field name="min_rejected" label="At least this many rejected or rate-limited requests" autocomplete="off" maxlength=13 value=values.min_rejected errors/>
                <p class="hint">"These are compared separately, also with what is usual for the key."</p>
                <ChoiceGroup field="by" legend="Unusual keys are shown" errors>
                    {no_mail}
                    <div class="choices">
                        {choice(MAIL, "On the usage page and by e-mail", "Owners and admins get an e-mail, at most once a day.", by_mail)}
                        {choice("page", "On the usage page", "Nobody gets an e-mail.", !by_mail)}
                    </div>
                </ChoiceGroup>
                <ChoiceGroup field="reminders" legend="Reminders about keys are mailed" hint=true errors>
                    <p class="hint" id="reminders-hint">"14, 3 and 1 days before a key expires, when a secret is due for rotation and every 30 days from then on, and when the user who created a key is no longer a member."</p>
                    <div class="choices">{reminders.collect_view()}</div>
                </ChoiceGroup>
                <div class="actions"><button class="btn primary">"Save"</button><a class="btn" href=above>"Cancel"</a></div>
            </form>
        </div></div>
    }
}
