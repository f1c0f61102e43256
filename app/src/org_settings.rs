//! `/orgs/{org}/settings`: what owners decide for all of an org.

use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_params_map;
use serde::{Deserialize, Serialize};

use crate::{
    error::AppError,
    form::{Field, FormError, refusal_of},
    layout::PageHead,
    not_found::ErrorView,
};

/// An org's settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The org's name.
    pub name: String,
    /// Whether secret keys are let through when a browser made the request.
    pub secrets_in_browsers: bool,
}

/// The settings, for owners. `refused` says that the form comes back because of what was entered.
#[server(prefix = "/api", endpoint = "settings/show")]
pub async fn show_settings(org: String, refused: bool) -> Result<Settings, AppError> {
    crate::error::answer(on_the_server::show(&org, refused).await)
}

/// Changes the settings.
#[server(prefix = "/api", endpoint = "settings/change")]
pub async fn change_settings(
    org: String,
    name: String,
    secrets_in_browsers: String,
) -> Result<(), AppError> {
    crate::error::answer(on_the_server::change(&org, &name, &secrets_in_browsers).await)
}

#[cfg(feature = "ssr")]
mod on_the_server {
    use latchkey::{
        access::{Permit, to},
        orgs::settings::{self, OrgSettings},
    };

    use super::Settings;
    use crate::{done::Done, error::AppError, form::FormReader, session, typed::Typed};

    pub async fn show(org: &str, refused: bool) -> Result<Settings, AppError> {
        let permit: Permit<to::EditOrg> = session::membership(org).await?.permit()?;
        let settings = settings::read(&*session::engine()?, &permit).await?;
        let name = if refused {
            Typed::received().of("name")
        } else {
            settings.name.to_string()
        };
        Ok(Settings {
            name,
            secrets_in_browsers: settings.secrets_in_browsers,
        })
    }

    pub async fn change(org: &str, name: &str, secrets_in_browsers: &str) -> Result<(), AppError> {
        let permit: Permit<to::EditOrg> = session::membership(org).await?.permit()?;
        let mut form = FormReader::default();
        let Some(parsed) = form.read("name", name) else {
            Typed::send(&[("name", name)]);
            return Err(form.refusal());
        };
        let settings = OrgSettings {
            name: parsed,
            // Anything but the word itself is the safe choice.
            secrets_in_browsers: secrets_in_browsers == "allow",
        };
        settings::change(&*session::engine()?, &permit, &settings).await?;
        leptos_axum::redirect(&format!("/orgs/{org}/settings"));
        Done::SettingsSaved.send();
        Ok(())
    }
}

/// The page.
#[component]
pub fn OrgSettingsPage() -> impl IntoView {
    let params = use_params_map();
    let org = Memo::new(move |_| params.with(|params| params.get("org").unwrap_or_default()));
    let refused = refusal_of::<ChangeSettings>().is_some();
    let settings = Resource::new(move || org.get(), move |org| show_settings(org, refused));
    view! {
        <Transition>
            {move || Suspend::new(async move {
                match settings.await {
                    Ok(settings) => view! { <SettingsView org=org.get_untracked() settings/> }.into_any(),
                    Err(error) => view! { <ErrorView error/> }.into_any(),
                }
            })}
        </Transition>
    }
}

#[component]
fn SettingsView(org: String, settings: Settings) -> impl IntoView {
    let error = refusal_of::<ChangeSettings>();
    let choice = |word: &'static str, title: &'static str, text: &'static str, chosen: bool| {
        view! {
            <label class="choice">
                <input type="radio" name="secrets_in_browsers" value=word checked=chosen required/>
                <span><b>{title}</b><small>{text}</small></span>
            </label>
        }
    };
    let allowed = settings.secrets_in_browsers;
    view! {
        <PageHead title="Settings"/>
            <div class="card"><div class="body">
                <form method="post" action=ChangeSettings::PATH class="form">
                    <FormError error=error.clone()/>
                    <input type="hidden" name="org" value=org.clone()/>
                    <Field name="name" label="Organization name" autocomplete="organization" maxlength=80 value=settings.name error=error/>
                    <p class="hint">"The URL does not change: "<code>{org}</code>"."</p>
                    <fieldset class="field">
                        <legend><span>"Secret keys in browsers"</span></legend>
                        <p class="hint">"A request with an Origin or Referer header comes from a browser, where every visitor can read the key. Latchkey shows these requests on the key’s page in either case."</p>
                        <div class="choices">
                            {choice("refuse", "Reject", "Recommended. A secret key that is used in a page stops working there.", !allowed)}
                            {choice("allow", "Allow", "Use this only while you move pages to widget keys.", allowed)}
                        </div>
                    </fieldset>
                    <div class="actions"><button class="btn primary">"Save"</button></div>
                </form>
            </div></div>
    }
}
