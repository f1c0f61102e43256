//! The form's larger fields: kind, domains, scopes, expiry.

use latchkey::{domain::LocalhostRule, key::Kind};
use leptos::prelude::*;

use super::{
    form::{ErrorTexts, Errors, described_by, domain_errors, invalid, ip_range_errors},
    options::NewKeyOptions,
    text_area::TextArea,
};
use crate::keys::{days::days_text, kind_title};

/// The kind, each with what it means. Nothing to choose where there is one.
#[component]
pub fn Choices(kinds: Vec<Kind>, chosen: String) -> impl IntoView {
    let consequence = |kind: Kind| match kind {
        Kind::Secret => {
            "For your servers. May do everything that its scopes allow, so it must never reach a browser."
        }
        Kind::Widget => {
            "For browsers. Visitors can read it, so it works only on pages of your domains."
        }
    };
    if let [only] = kinds.as_slice() {
        return view! { <input type="hidden" name="kind" value=only.as_str()/> }.into_any();
    }
    let cards = kinds
        .into_iter()
        .map(|kind| {
            let word = kind.as_str();
            view! {
                <label class="choice">
                    <input type="radio" name="kind" value=word checked=word == chosen required/>
                    <span><b>{kind_title(kind)}</b><small>{consequence(kind)}</small></span>
                </label>
            }
        })
        .collect_view();
    view! {
        <fieldset class="field"><legend><span>"Kind"</span></legend><div class="choices">{cards}</div></fieldset>
    }
    .into_any()
}

/// Where a widget key works. The stylesheet hides it while another kind is chosen.
#[component]
pub fn Domains(
    text: String,
    covers_subdomains: bool,
    localhost: LocalhostRule,
    errors: Errors,
) -> impl IntoView {
    let subdomains = if covers_subdomains {
        "A domain covers its subdomains."
    } else {
        "A domain does not cover its subdomains: add *.example.com for those."
    };
    let localhost = match localhost {
        LocalhostRule::Always => " Pages on localhost always work.",
        LocalhostRule::IfListed => " List localhost while you develop.",
        LocalhostRule::Never => "",
    };
    let sentences = errors.of("domains");
    view! {
        <div class="field for-widget">
            <label for="domains">"Allowed domains "<span class="required" aria-hidden="true">"*"</span></label>
            <p class="hint" id="domains-hint">"One on each line, or separated by commas. "{subdomains}{localhost}</p>
            <TextArea
                name="domains" text class="input mono" maxlength=20_000 placeholder="example.com"
                described_by=described_by("domains", true, sentences) invalid=invalid(sentences)
                on_change=move |text: String| errors.set_soon("domains", domain_errors(&text))
            />
            <ErrorTexts field="domains" errors/>
        </div>
    }
}

/// Whether pages on localhost may use a widget key, where the convention leaves that to the key.
#[component]
pub fn Localhost(offered: bool, forbidden: bool) -> impl IntoView {
    offered.then(|| {
        view! {
            <label class="check for-widget">
                <input type="checkbox" name="localhost" value="forbid" checked=forbidden/>
                <span>"Refuse pages on localhost"<small>"For keys that are in use: nobody develops with them."</small></span>
            </label>
        }
    })
}

/// The group of keys that it belongs to: id and name of each.
#[component]
pub fn ProjectField(
    projects: Vec<(String, String)>,
    chosen: String,
    errors: Errors,
) -> impl IntoView {
    let choices = projects
        .into_iter()
        .map(|(id, name)| {
            let selected = id == chosen;
            view! { <option value=id selected=selected>{name}</option> }
        })
        .collect_view();
    view! {
        <div class="field">
            <label for="project">"Project"</label>
            <select class="input" id="project" name="project" aria-describedby=described_by("project", false, errors.of("project"))>{choices}</select>
            <ErrorTexts field="project" errors/>
        </div>
    }
}

/// Where the key's users come from.
#[component]
pub fn IpRanges(text: String, errors: Errors) -> impl IntoView {
    let sentences = errors.of("ip_ranges");
    view! {
        <div class="field">
            <label for="ip_ranges">"IP ranges "<span class="optional">"optional"</span></label>
            <p class="hint" id="ip_ranges-hint">"Addresses that requests may come from, such as 192.0.2.10 or 10.0.0.0/8. One on each line, or separated by commas. None means any."</p>
            <TextArea
                name="ip_ranges" text class="input mono" maxlength=20_000
                described_by=described_by("ip_ranges", true, sentences) invalid=invalid(sentences)
                on_change=move |text: String| errors.set_soon("ip_ranges", ip_range_errors(&text))
            />
            <ErrorTexts field="ip_ranges" errors/>
        </div>
    }
}

/// What the key may do.
#[component]
pub fn ScopeChoice(options: NewKeyOptions, chosen: Vec<String>, errors: Errors) -> impl IntoView {
    let boxes: Vec<(String, RwSignal<bool>)> = options
        .scopes
        .iter()
        .map(|scope| {
            (
                scope.name.to_string(),
                RwSignal::new(chosen.iter().any(|chosen| chosen == scope.name.as_str())),
            )
        })
        .collect();
    let checks = options
        .scopes
        .iter()
        .zip(&boxes)
        .map(|(scope, (name, ticked))| {
            let ticked = *ticked;
            view! {
                <label class="check">
                    <input
                        type="checkbox" name="scopes" value=name.clone() checked=ticked.get_untracked()
                        prop:checked=move || ticked.get()
                        on:change:target=move |event| ticked.set(event.target().checked())
                    />
                    <span>{name.clone()}<small>{scope.description.clone()}</small></span>
                </label>
            }
        })
        .collect_view();
    let boxes = StoredValue::new(boxes);
    let tick = move |scopes: &[String]| {
        boxes.with_value(|boxes| {
            boxes
                .iter()
                .for_each(|(name, ticked)| ticked.set(scopes.contains(name)));
        });
    };
    let with_presets = !options.presets.is_empty();
    let presets = options
        .presets
        .into_iter()
        .map(|preset| {
            let scopes: Vec<String> = preset.scopes.iter().map(ToString::to_string).collect();
            view! { <button type="button" class="btn" on:click=move |_| tick(&scopes)>{preset.name}</button> }
        })
        .collect_view();
    // Ticking several boxes at once takes a script.
    let preset_row = with_presets.then(|| {
        view! {
            <div class="row needs-script">
                {presets}
                <button type="button" class="btn quiet" on:click=move |_| tick(&[])>"None"</button>
            </div>
        }
    });
    let none_means = if options.no_scope_means_all {
        "none chosen means all"
    } else {
        "none chosen means none"
    };
    view! {
        <fieldset class="field" aria-describedby=described_by("scopes", false, errors.of("scopes"))>
            <legend><span>"Scopes "<span class="optional">{none_means}</span></span></legend>
            {preset_row}
            <div class="checks">{checks}</div>
            <ErrorTexts field="scopes" errors/>
        </fieldset>
    }
}

/// When the key ends. The stylesheet shows the day while "on a date" is chosen.
#[component]
pub fn Expiry(
    options: NewKeyOptions,
    /// When the key expires now; empty for a new key.
    kept: String,
    chosen: String,
    day: String,
    errors: Errors,
) -> impl IntoView {
    let option = |value: String, text: String| {
        let selected = value == chosen;
        view! { <option value=value selected=selected>{text}</option> }
    };
    let keep = (!kept.is_empty()).then(|| option("keep".to_owned(), format!("As it is: {kept}")));
    let lengths = options
        .days
        .iter()
        .map(|days| option(days.to_string(), format!("In {}", days_text(*days))))
        .collect_view();
    let date = option("date".to_owned(), "On a date…".to_owned());
    let never = options
        .never
        .then(|| option("never".to_owned(), "Never".to_owned()));
    let (today, last) = options.date_bounds;
    view! {
        <div class="field">
            <div class="fields">
                <div class="field">
                    <label for="expires">"Expires"</label>
                    <select class="input" id="expires" name="expires" aria-describedby=described_by("expires", false, errors.of("expires"))>
                        {keep}{lengths}{date}{never}
                    </select>
                </div>
                <div class="field for-date">
                    <label for="expires_on">"Last day, in UTC"</label>
                    <input class="input" id="expires_on" name="expires_on" type="date" value=day min=today max=last/>
                </div>
            </div>
            <ErrorTexts field="expires" errors/>
        </div>
    }
}
