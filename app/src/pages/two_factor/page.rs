//! `/account/two-factor`: set up, new recovery codes and off.

use latchkey::accounts::second_factor::{SecondFactor, SetUp, resume};
use leptos::prelude::*;

use super::{
    data::{RequiringOrg, TwoFactor, two_factor},
    form::{Outcome, TwoFactorForm},
    shown::{CodesView, SetUpCard},
};
use crate::{
    error::AppError,
    form::{
        code_fields::CodeFields,
        errors::{Errors, FormError},
    },
    icons::{Icon, Symbol},
    pages::{
        confirm::{PasswordAgain, Question},
        forms::{fields_and_errors, refused_form, shown},
        frame::{Breadcrumbs, PageHead},
        members::LeaveText,
        page::page,
    },
    request::PageRequest,
    text::{
        number::grouped,
        query::query_of,
        time::{Time, TimeText},
    },
};

/// The page. Which of its forms is open is part of the URL.
#[component]
pub fn TwoFactorPage() -> impl IntoView {
    let refused = refused_form::<TwoFactorForm>().map(|refused| refused.values);
    let outcome = shown::<Outcome>();
    page(
        move |request| load(request, refused, outcome),
        |request, loaded| match loaded {
            Loaded::Codes(codes) => view! { <CodesView codes/> }.into_any(),
            Loaded::SetUp(two_factor, set_up, next) => {
                let host = request.addresses().public_url.clone();
                view! { <SetUpView two_factor set_up next host/> }.into_any()
            }
            Loaded::Current(two_factor) => {
                let wanted = ["codes", "off"];
                let wanted = wanted
                    .into_iter()
                    .find(|name| !request.parameter(name).is_empty());
                let leave = request.parameter("leave");
                let next = request.parameter("next");
                view! { <CurrentView two_factor wanted leave next/> }.into_any()
            }
        },
    )
}

const PATH: &str = "/account/two-factor";

enum Loaded {
    /// The user's second factor as it is.
    Current(TwoFactor),
    /// The app that is being set up, and the page that follows.
    SetUp(TwoFactor, SetUp, String),
    /// New recovery codes.
    Codes(crate::shown_once::CreatedCodes),
}

async fn load(
    request: PageRequest,
    refused: Option<TwoFactorForm>,
    outcome: Option<Outcome>,
) -> Result<Loaded, AppError> {
    let (user_id, session) = (request.user_id().await?, request.session_hash());
    let engine = request.engine().clone();
    let two_factor = two_factor(request).await?;
    let set_up = match outcome {
        Some(Outcome::Codes(codes)) => return Ok(Loaded::Codes(codes)),
        Some(Outcome::SetUp(set_up, next)) => Some((set_up, next)),
        // The code was wrong, and the set-up continues.
        None => refused.and_then(|form| {
            let set_up = resume(&engine, user_id, session, &form.set_up)?;
            Some((set_up, form.next))
        }),
    };
    Ok(match set_up.filter(|_| two_factor.factor.is_none()) {
        Some((set_up, next)) => Loaded::SetUp(two_factor, set_up, next),
        None => Loaded::Current(two_factor),
    })
}

#[component]
fn Head() -> impl IntoView {
    let lead = view! { "When you sign in, you also enter a code from an app on your phone. A stolen password is then not enough." };
    view! {
        <Breadcrumbs above=vec![("/account".to_owned(), "Account".to_owned())] here="Second factor".to_owned()/>
        <PageHead title="Second factor" lead=lead.into_any()/>
    }
}

#[component]
fn SetUpView(two_factor: TwoFactor, set_up: SetUp, next: String, host: String) -> impl IntoView {
    let (_, errors) = fields_and_errors(TwoFactorForm::default);
    let errors = Errors::new(errors);
    view! { <Head/><SetUpCard email=two_factor.email set_up next host errors/> }
}

#[component]
fn CurrentView(
    two_factor: TwoFactor,
    wanted: Option<&'static str>,
    /// The slug of the organization that the user is about to leave.
    leave: String,
    /// The path of the page that required a second factor; empty for none.
    next: String,
) -> impl IntoView {
    let (typed, errors) = fields_and_errors(TwoFactorForm::default);
    let errors = Errors::new(errors);
    let is_open =
        |name: &str| typed.change == name || (typed.change.is_empty() && wanted == Some(name));
    let cards = match two_factor.factor {
        None => {
            let left = if typed.change == "leave" {
                typed.org
            } else {
                leave
            };
            let next = if typed.next.is_empty() {
                next
            } else {
                typed.next
            };
            let required = two_factor.required_by;
            let left = required.iter().find(|org| org.slug == left).cloned();
            match left {
                Some(org) => view! { <LeaveCard org errors/> }.into_any(),
                None => view! { <RequiredBy orgs=required/><OffCard next errors/> }.into_any(),
            }
        }
        Some(factor) => {
            let form = if is_open("codes") {
                Some(view! { <NewCodesCard errors/> }.into_any())
            } else if is_open("off") {
                Some(view! { <TurnOffCard errors/> }.into_any())
            } else {
                // Such as a set-up in another window.
                (!errors.is_empty()).then(|| view! { <FormError errors/> }.into_any())
            };
            view! { {form}<OnCard factor/> }.into_any()
        }
    };
    view! { <Head/><div class="stack">{cards}</div> }
}

#[component]
fn OffCard(next: String, errors: Errors) -> impl IntoView {
    view! {
        <section class="card" aria-labelledby="set-up">
            <header><h2 id="set-up">"Set up an authenticator app"</h2></header>
            <div class="body">
                <form novalidate=true method="post" action="/account/two-factor" class="form">
                    <FormError errors/>
                    <p>"You need an app on your phone or computer that shows codes, such as the password manager that you use."</p>
                    <input type="hidden" name="change" value="begin"/>
                    <input type="hidden" name="next" value=next/>
                    <PasswordAgain errors/>
                    <div class="actions"><button class="btn primary">"Set up"</button></div>
                </form>
            </div>
        </section>
    }
}

/// What is closed to the user until they have a second factor. They can leave instead.
#[component]
fn RequiredBy(orgs: Vec<RequiringOrg>) -> impl IntoView {
    let rows = orgs.iter().map(|RequiringOrg { slug, name, .. }| {
        let href = format!("/account/two-factor{}", query_of(&[("leave", slug)]));
        view! {
            <div class="notice warn">
                <Icon symbol=Symbol::Alert/>
                <p>{name.clone()}" requires a second factor. Set one up to open it."</p>
                <a class="btn quiet" href=href>"Leave…"<span class="visually-hidden">" "{name.clone()}</span></a>
            </div>
        }
    });
    rows.collect_view()
}

/// The question before the user leaves an organization that requires a second factor.
#[component]
fn LeaveCard(org: RequiringOrg, errors: Errors) -> impl IntoView {
    let RequiringOrg {
        slug,
        name,
        waiting,
    } = org;
    let title = format!("Leave “{name}”?");
    view! {
        <Question title action=PATH.to_owned() cancel=PATH.to_owned() button="Leave organization">
            <FormError errors/>
            <LeaveText waiting/>
            <input type="hidden" name="change" value="leave"/>
            <input type="hidden" name="org" value=slug/>
        </Question>
    }
}

#[component]
fn OnCard(factor: SecondFactor) -> impl IntoView {
    let left = grouped(factor.recovery_codes);
    let few = (factor.recovery_codes < 3).then(|| {
        view! { <p class="muted small">"Create new ones before you have none left: without your phone, you could not sign in."</p> }
    });
    view! {
        <section class="card" aria-labelledby="factor">
            <header><h2 id="factor">"Authenticator app"</h2><span class="tag ok">"On"</span></header>
            <dl class="facts body">
                <dt>"Since"</dt><dd><Time text=TimeText::date(factor.since)/></dd>
                <dt>"Recovery codes"</dt><dd>{left}" left"{few}</dd>
            </dl>
            <p class="body muted small"><a class="link" href="/account/sessions">"View your sessions"</a></p>
            <div class="body row">
                <a class="btn" href="/account/two-factor?codes=1">"Create new recovery codes"</a>
                <a class="btn" href="/account/two-factor?off=1">"Turn off"</a>
            </div>
        </section>
    }
}

#[component]
fn NewCodesCard(errors: Errors) -> impl IntoView {
    view! {
        <Question title="Create new recovery codes?" action=PATH.to_owned() cancel=PATH.to_owned() button="Create new recovery codes" is_danger=false>
            <FormError errors/>
            <p>"The old ones stop working immediately."</p>
            <input type="hidden" name="change" value="codes"/>
            <PasswordAgain errors/>
            <CodeFields errors/>
        </Question>
    }
}

#[component]
fn TurnOffCard(errors: Errors) -> impl IntoView {
    view! {
        <Question title="Turn off the second factor?" action=PATH.to_owned() cancel=PATH.to_owned() button="Turn off">
            <FormError errors/>
            <p>"Your password alone then opens your account. Organizations that require a second factor are closed to you until you set one up again."</p>
            <input type="hidden" name="change" value="off"/>
            <PasswordAgain errors/>
            <CodeFields errors/>
        </Question>
    }
}
