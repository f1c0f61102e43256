//! The layout of the page "Profile".

use latchkey::{
    accounts::{self, User, address::pending},
    email::EmailAddress,
    time::{Timestamp, Zone},
};
use leptos::prelude::*;
use leptos_meta::Title;

use super::form::ProfileForm;
use crate::{
    error::AppError,
    form::{
        errors::{ErrorTexts, Errors, FormError, described_by, invalid_text},
        field::Field,
    },
    heading::{Breadcrumbs, Heading},
    icons::{Icon, Symbol},
    islands::browser_zone::BrowserZone,
    pages::{forms::fields_and_errors, page::page},
    request::PageRequest,
    text::time::zone,
};

/// The signed-in user.
struct Profile {
    user: User,
    /// The new address that waits for its confirmation, whether or not it has an account.
    pending: Option<EmailAddress>,
    /// The name of the user's time zone.
    time_zone: String,
    now: Timestamp,
    sends_mail: bool,
}

async fn profile(request: PageRequest) -> Result<Profile, AppError> {
    let engine = request.engine();
    let user_id = request.user_id().await?;
    let user = accounts::find_user(engine, user_id).await?;
    Ok(Profile {
        user: user.ok_or(AppError::SignedOut)?,
        pending: pending(engine, user_id).await?,
        time_zone: zone().to_string(),
        now: engine.clock().now(),
        sends_mail: engine.sends_mail(),
    })
}

#[component]
pub fn ProfilePage() -> impl IntoView {
    page(profile, |_, profile| view! { <ProfileView profile/> })
}

#[component]
fn ProfileView(profile: Profile) -> impl IntoView {
    let Profile {
        user,
        pending,
        time_zone,
        now,
        sends_mail,
    } = profile;
    let (typed, errors) = fields_and_errors(ProfileForm::default);
    // The errors of one form are not shown at the others.
    let of = |change: &str| {
        let errors = if typed.change == change {
            errors.clone()
        } else {
            Vec::new()
        };
        Errors::new(errors)
    };
    let name = match typed.change.as_str() {
        "name" => typed.name.clone(),
        _ => user.name.to_string(),
    };
    let unconfirmed = (!user.email_confirmed && sends_mail)
        .then(|| view! { <Unconfirmed errors=of("confirm")/> });
    let own = user.email.to_string();
    let email = match sends_mail {
        true => {
            view! { <EmailForm own typed=typed.email.clone() errors=of("email")/> }.into_any()
        }
        false => view! {
            <div class="form">
                <FormError errors=of("email")/>
                <p>"You sign in with "<b>{own}</b>"."</p>
                <p>
                "This Latchkey instance sends no mail, so a new address could not be confirmed. Its operator changes addresses with "
                <code>"latchkey user change-email"</code>", on the machine where it runs."
                </p>
            </div>
        }
        .into_any(),
    };
    view! {
        <Title text="Profile"/>
        <Breadcrumbs above=vec![("/account".to_owned(), "Account".to_owned())] here="Profile".to_owned()/>
        <Heading title="Profile".to_owned() lead=None beside=None actions=None/>
        <div class="stack">
            {unconfirmed}
            <section class="card" aria-labelledby="name-title">
                <header><h2 id="name-title">"Name"</h2></header>
                <div class="body">
                    <form novalidate=true class="form" method="post" action="/account/profile">
                        <FormError errors=of("name")/>
                        <input type="hidden" name="change" value="name"/>
                        <Field name="name" label="Your name" autocomplete="name" value=name errors=of("name")/>
                        <div class="actions"><button class="btn primary">"Change name"</button></div>
                    </form>
                </div>
            </section>
            <section class="card" aria-labelledby="zone-title">
                <header><h2 id="zone-title">"Time zone"</h2></header>
                <div class="body"><ZoneForm chosen=time_zone now errors=of("time_zone")/></div>
            </section>
            <section class="card" aria-labelledby="email-title">
                <header><h2 id="email-title">"E-mail"</h2></header>
                <div class="body stack">
                    {pending.map(|email| view! { <Pending email=email.to_string()/> })}
                    {email}
                </div>
            </section>
        </div>
    }
}

#[component]
fn ZoneForm(
    chosen: String,
    /// Offsets are those of this time.
    now: Timestamp,
    errors: Errors,
) -> impl IntoView {
    let mut names = Zone::names();
    // One that is no longer offered is kept until another is chosen.
    if !names.contains(&chosen) {
        names.insert(0, chosen.clone());
    }
    let mut areas: Vec<(String, Vec<AnyView>)> = Vec::new();
    for name in names {
        let (area, place) = name.split_once('/').unwrap_or(("", name.as_str()));
        let selected = name == chosen;
        let zone = name.parse::<Zone>().unwrap_or_default();
        let text = match area {
            "" => place.to_owned(),
            _ => format!("{} ({})", place.replace('_', " "), zone.offset_at(now)),
        };
        let option = view! { <option value=name.clone() selected=selected>{text}</option> };
        match areas.last_mut().filter(|(last, _)| last == area) {
            Some((_, options)) => options.push(option.into_any()),
            None => areas.push((area.to_owned(), vec![option.into_any()])),
        }
    }
    // UTC is in no area, and comes first.
    areas.sort_by(|(a, _), (b, _)| a.cmp(b));
    let options = areas
        .into_iter()
        .map(|(area, options)| match area.as_str() {
            "" => options.into_any(),
            _ => view! { <optgroup label=area>{options}</optgroup> }.into_any(),
        })
        .collect_view();
    let mut same = vec![chosen.clone()];
    if let Ok(zone) = chosen.parse::<Zone>() {
        same.extend(zone.older_names().map(str::to_owned));
    }
    view! {
        <form class="form" method="post" action="/account/profile">
            <FormError errors/>
            <input type="hidden" name="change" value="time_zone"/>
            <div class="field">
                <label for="time_zone">"Your time zone"</label>
                <p class="hint" id="time_zone-hint">"Pages show times in it, and days on the usage pages begin at midnight there. Files, e-mails and the API are in UTC, and so is the last day of a key."</p>
                <select class="input" id="time_zone" name="time_zone" aria-invalid=invalid_text(errors.of("time_zone"))
                    aria-describedby=described_by("time_zone", true, errors.of("time_zone"))>{options}</select>
                <ErrorTexts field="time_zone" errors/>
            </div>
            <div class="actions"><button class="btn primary">"Change time zone"</button></div>
        </form>
        <BrowserZone same/>
    }
}

#[component]
fn EmailForm(own: String, typed: String, errors: Errors) -> impl IntoView {
    view! {
        <form novalidate=true class="form" method="post" action="/account/profile">
            <FormError errors consequence="Your address was not changed."/>
            <input type="hidden" name="change" value="email"/>
            <p>"You sign in with "<b>{own.clone()}</b>"."</p>
            // Tells password managers which account the password belongs to.
            <input hidden type="text" autocomplete="username" value=own/>
            <Field name="email" label="New e-mail address" hint="You get a link at this address. It becomes yours when you open the link and confirm it."
                kind="email" autocomplete="email" maxlength=254 value=typed errors/>
            <Field name="current_password" label="Current password" kind="password" autocomplete="current-password" maxlength=1024 errors/>
            <div class="actions"><button class="btn primary">"Send link"</button></div>
        </form>
    }
}

/// A change that waits for its confirmation. It looks the same whether or not the address has an account.
#[component]
fn Pending(email: String) -> impl IntoView {
    view! {
        <div class="notice">
            <Icon symbol=Symbol::Info/>
            <p>"We have sent an e-mail to "<b>{email}</b>". Your address changes when its link is opened and confirmed, within a day."</p>
            <form method="post" action="/account/profile">
                <button class="btn" name="change" value="cancel">"Cancel change"</button>
            </form>
        </div>
    }
}

/// Asks for the confirmation of an address that nobody has shown to be theirs.
#[component]
fn Unconfirmed(errors: Errors) -> impl IntoView {
    view! {
        <div class="notice warn">
            <Icon symbol=Symbol::Alert/>
            <div>
                <p>"Your e-mail address is not confirmed. Confirm it to accept invitations of other organizations."</p>
                <FormError errors/>
            </div>
            <form method="post" action="/account/profile">
                <button class="btn" name="change" value="confirm">"Send confirmation link"</button>
            </form>
        </div>
    }
}
