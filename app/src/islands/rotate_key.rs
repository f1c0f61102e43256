//! The form that rotates a key.

use leptos::{ev, prelude::*, task::spawn_local, wasm_bindgen::JsCast, web_sys};

use super::{
    shown_once::{focus_alert, show_once},
    status_region::show_failure,
};
use crate::{
    calls::rotate_key,
    form::{
        choice_group::ChoiceGroup,
        errors::{ErrorTexts, Errors, FieldError, FormError},
    },
    icons::{Icon, Symbol},
    text::time::{Time, TimeText},
    values::rotation::{MEMBER, OVERLAPS, RotateKeyForm},
};

/// The form. With JavaScript, the new secret is shown in place of the form, and the history entry points to the key's
/// page.
#[island]
pub fn RotateKeyFormView(
    /// The organization's slug.
    org: String,
    /// The key's ID.
    key: String,
    /// The idempotency token of the form: submitting it twice rotates the key once.
    token: String,
    /// The entity tag of the key as rendered.
    base: String,
    /// When a request last passed with the key's secret.
    last_used: Option<TimeText>,
    /// When the old secret expires, if it still works and the new one has not been used. The form then replaces the new
    /// secret.
    old_ends: Option<TimeText>,
    /// When the key expires, if that is before the end of the longest overlap.
    expires: Option<TimeText>,
    /// The member who asked for the key and can reveal the new secret in place of the user.
    member: Option<String>,
    /// Whether there is a sign that others can have the current secret.
    urgent: bool,
    /// The overlap that is selected initially.
    chosen: String,
    /// Who gets the new secret initially.
    gets: String,
    /// The errors of the submitted form.
    errors: Vec<FieldError>,
) -> impl IntoView {
    let errors = Errors::new(errors);
    // The notice above the form belongs to a submit, so it is rendered again after each response.
    let answers = RwSignal::new(0_u32);
    let busy = RwSignal::new(false);
    let path = format!("/orgs/{org}/keys/{key}");
    let sent = StoredValue::new((org, key, token.clone(), base.clone()));
    let rotate = move || {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        spawn_local(async move {
            let (org, key, rotation_token, base) = sent.get_value();
            let form = RotateKeyForm {
                overlap: chosen_overlap(),
                gets: String::new(),
                rotation_token,
                base,
            };
            let answer = rotate_key(org, key, form).await;
            busy.set(false);
            match answer {
                Ok(answer) => {
                    let refused = show_once(answer);
                    errors.replace(refused);
                    answers.update(|answers| *answers += 1);
                    focus_alert();
                }
                Err(error) => show_failure(&error),
            }
        });
    };
    let label = if old_ends.is_some() {
        "Replace new secret"
    } else {
        "Rotate key"
    };
    let expires = expires.map(|text| {
        view! {
            <div class="notice warn"><Icon symbol=Symbol::Alert/>
                <p>"This key expires on "<Time text/>". After that, neither secret works, however long you let the old one work."</p>
            </div>
        }
    });
    let who = member.map(|name| view! { <WhoGetsIt name urgent gets errors/> });
    let question = match old_ends {
        Some(ends) => view! {
            <p>"The new secret has not been used. If it was lost, replace it: the key gets another new secret, which is shown once. The old secret keeps working until "<Time text=ends/>"."</p>
            <input type="hidden" name="overlap" value="0"/>
            <ErrorTexts field="overlap" errors/>
        }
        .into_any(),
        None => view! {
            <p>"The key gets a new secret, which is shown once. Its settings, limits and history do not change. "{used(last_used)}</p>
            <ChoiceGroup field="overlap" legend="How long the old secret keeps working" hint=true errors>
                <p class="hint" id="overlap-hint">"Allow enough time to update everything that uses it. You can end it early."</p>
                <div class="seg">{choices(&chosen)}</div>
            </ChoiceGroup>
        }
        .into_any(),
    };
    view! {
        {move || { answers.track(); view! { <FormError errors/> } }}
        <form novalidate=true class="form" method="post" action=format!("{path}/rotate")
            on:submit=move |event: ev::SubmitEvent| {
                // The response to an offer is another page.
                if !is_for_member() {
                    event.prevent_default();
                    rotate();
                }
            }>
            <input type="hidden" name="rotation_token" value=token/>
            <input type="hidden" name="base" value=base/>
            {question}
            {who}
            {expires}
            <div class="actions">
                <button class="btn primary" aria-busy=move || busy.get().then_some("true")>{label}</button>
                <a class="btn" href=path.clone()>"Cancel"</a>
            </div>
        </form>
    }
}

/// The choice between the user and the member who asked for the key.
#[component]
fn WhoGetsIt(
    /// The member's name.
    name: String,
    urgent: bool,
    /// What is selected initially.
    gets: String,
    errors: Errors,
) -> impl IntoView {
    let leaked = urgent.then(|| format!(" The leaked secret works until {name} reveals it."));
    let is_member = gets == MEMBER;
    view! {
        <ChoiceGroup field="gets" legend="Who gets the new secret" errors>
            <div class="choices">
            <label class="choice">
                <input type="radio" name="gets" value="you" checked=!is_member required/>
                <span><b>"You"</b><small>"It is shown to you once. "{name.clone()}" asked for this key: give it to them where only they can read it."</small></span>
            </label>
            <label class="choice">
                <input type="radio" name="gets" value=MEMBER checked=is_member required/>
                <span><b>{name.clone()}</b><small>"They reveal it themselves within seven days, and nobody else sees it. Until then, nothing changes and the current secret works; how long you let it work counts from then."{leaked}</small></span>
            </label>
            </div>
        </ChoiceGroup>
    }
}

fn choices(chosen: &str) -> impl IntoView + use<> {
    OVERLAPS
        .iter()
        .map(|(seconds, text)| {
            let value = seconds.to_string();
            let checked = value == chosen;
            view! {
                <label>
                    <input class="visually-hidden" type="radio" name="overlap" value=value checked=checked required/>
                    {*text}
                </label>
            }
        })
        .collect_view()
}

fn used(last_used: Option<TimeText>) -> impl IntoView {
    match last_used {
        Some(text) => view! { "It was last used "<Time text/>"." }.into_any(),
        None => "It has not been used yet.".into_any(),
    }
}

/// Whether the member is selected to get the new secret.
fn is_for_member() -> bool {
    let selected = format!("input[name=gets][value={MEMBER}]:checked");
    document()
        .query_selector(&selected)
        .is_ok_and(|selected| selected.is_some())
}

/// The selected overlap, read from the page: the browser restores a selection when the user goes back.
fn chosen_overlap() -> String {
    document()
        .query_selector("input[name=overlap]:checked, input[name=overlap][type=hidden]")
        .ok()
        .flatten()
        .and_then(|chosen| chosen.dyn_into::<web_sys::HtmlInputElement>().ok())
        .map_or_else(String::new, |chosen| chosen.value())
}
