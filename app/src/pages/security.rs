//! `/orgs/{org}/settings/security`: what an organization requires of its members, and what admins can do, for owners.

use latchkey::{
    access::{Permit, to},
    accounts::second_factor,
    orgs::security::{self, ChangeSecurityError, OrgSecurity},
    role::AdminRights,
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{
    answer::FormAnswer,
    confirm::{PasswordAgain, confirm, missing_password},
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
        errors::{Errors, FormError},
        sent_back::{MAX_NAME, sent_back},
    },
    request::PageRequest,
};

/// The value that requires a second factor. Any other value does not.
const REQUIRE: &str = "require";

/// The fields as submitted. Those with `was` are the settings that the form was rendered with.
#[derive(Clone, Default, Deserialize)]
pub struct SecurityForm {
    second_factor: String,
    admins: String,
    #[serde(default)]
    was_second_factor: String,
    #[serde(default)]
    was_admins: String,
    #[serde(default)]
    password: String,
}

impl SecurityForm {
    fn of(security: OrgSecurity) -> Self {
        let second_factor = if security.second_factor_required {
            REQUIRE
        } else {
            "optional"
        };
        let admins = security.admin_rights.as_str();
        Self {
            second_factor: second_factor.to_owned(),
            admins: admins.to_owned(),
            was_second_factor: second_factor.to_owned(),
            was_admins: admins.to_owned(),
            password: String::new(),
        }
    }

    /// The form to render again. Never contains the password.
    fn sent_back(&self) -> Self {
        Self {
            second_factor: sent_back(&self.second_factor, MAX_NAME),
            admins: sent_back(&self.admins, MAX_NAME),
            was_second_factor: sent_back(&self.was_second_factor, MAX_NAME),
            was_admins: sent_back(&self.was_admins, MAX_NAME),
            password: String::new(),
        }
    }
}

/// The settings, and whether the user has a second factor.
async fn load(request: PageRequest) -> Result<(OrgSecurity, bool), AppError> {
    let permit: Permit<to::EditOrg> = request.permit().await?;
    let engine = request.engine();
    let factor = second_factor::of_user(engine, request.user_id().await?).await?;
    Ok((security::read(engine, &permit).await?, factor.is_some()))
}

pub async fn submit(
    request: PageRequest,
    form: SecurityForm,
) -> Result<FormAnswer<SecurityForm>, AppError> {
    let permit: Permit<to::EditOrg> = request.permit().await?;
    let mut fields = FieldReader::default();
    let admins = form.admins.parse::<AdminRights>();
    let admins = fields.take("admins", admins.map_err(|_| "Choose what admins can do."));
    let Some(admin_rights) = admins else {
        fields.errors.extend(missing_password(&form.password));
        return Ok(FormAnswer::refused_fields(form.sent_back(), fields.errors));
    };
    let new = OrgSecurity {
        second_factor_required: form.second_factor == REQUIRE,
        admin_rights,
    };
    let stored = security::read(request.engine(), &permit).await?;
    let base = OrgSecurity {
        second_factor_required: match form.was_second_factor.as_str() {
            "" => stored.second_factor_required,
            word => word == REQUIRE,
        },
        admin_rights: form.was_admins.parse().unwrap_or(stored.admin_rights),
    };
    let confirmed = match confirm(&request, &form.password, || form.sent_back()).await {
        Ok(confirmed) => confirmed,
        Err(answer) => return answer,
    };
    let permit = permit.confirmed(&confirmed);
    match security::change(request.engine(), &permit, base, new).await {
        Ok(()) => Ok(FormAnswer::done(request.path(), Done::SettingsUpdated)),
        Err(ChangeSecurityError::Fault(fault)) => Err(fault.into()),
        Err(error @ ChangeSecurityError::NoSecondFactor) => Ok(FormAnswer::refused(
            form.sent_back(),
            "second_factor",
            error,
        )),
        Err(error @ ChangeSecurityError::PasswordNeeded(_)) => {
            Ok(FormAnswer::refused(form.sent_back(), "password", error))
        }
    }
}

#[component]
pub fn SecurityPage() -> impl IntoView {
    page(load, |request, (security, has_factor)| {
        let (path, settings) = (
            request.path().to_owned(),
            format!("/orgs/{}/settings", request.org()),
        );
        view! { <SecurityView path settings security has_factor/> }
    })
}

#[component]
fn Choice(
    name: &'static str,
    value: &'static str,
    title: &'static str,
    text: &'static str,
    chosen: bool,
) -> impl IntoView {
    view! {
        <label class="choice">
            <input type="radio" name=name value=value checked=chosen required/>
            <span><b>{title}</b><small>{text}</small></span>
        </label>
    }
}

#[component]
fn SecurityView(
    path: String,
    /// The path of the settings.
    settings: String,
    security: OrgSecurity,
    /// Whether the user has a second factor.
    has_factor: bool,
) -> impl IntoView {
    let (values, errors) = fields_and_errors(|| SecurityForm::of(security));
    let errors = Errors::new(errors);
    let required = values.second_factor == REQUIRE;
    let own = (!has_factor).then(|| {
        view! { <p class="hint">"You have none yet. "<a class="link" href="/account/two-factor">"Set one up"</a>" before you require it."</p> }
    });
    let admins = AdminRights::ALL.map(|rights| {
        let (title, text) = match rights {
            AdminRights::Review => ("Review keys", "Admins see everything, review keys, and ask owners to change them. Only owners change keys."),
            AdminRights::DisableKeys => ("Disable keys", "Admins can also disable and enable keys, such as in an emergency."),
            AdminRights::ManageKeys => ("Manage keys", "Admins can also create, edit, rotate and revoke keys, and edit domains, agents and projects."),
        };
        let chosen = values.admins == rights.as_str();
        view! { <Choice name="admins" value=rights.as_str() title text chosen/> }
    });
    view! {
        <Breadcrumbs above=vec![(settings.clone(), "Settings".to_owned())] here="Security".to_owned()/>
        <PageHead title="Security"/>
        <div class="card"><div class="body">
            <form novalidate=true method="post" action=path class="form">
                <FormError errors/>
                <input type="hidden" name="was_second_factor" value=values.was_second_factor/>
                <input type="hidden" name="was_admins" value=values.was_admins/>
                <ChoiceGroup field="second_factor" legend="Second factor" hint=true errors>
                    <p class="hint" id="second_factor-hint">"The list of members shows who has one."</p>
                    {own}
                    <div class="choices">
                        <Choice name="second_factor" value="optional" title="Optional" text="Each member decides." chosen=!required/>
                        <Choice name="second_factor" value=REQUIRE title="Required" text="Members without one cannot open this organization until they set one up." chosen=required/>
                    </div>
                </ChoiceGroup>
                <ChoiceGroup field="admins" legend="What admins can do" errors>
                    <div class="choices">{admins.collect_view()}</div>
                </ChoiceGroup>
                <PasswordAgain errors/>
                <div class="actions"><button class="btn primary">"Save"</button><a class="btn" href=settings>"Cancel"</a></div>
            </form>
        </div></div>
    }
}
