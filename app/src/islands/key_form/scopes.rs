//! What a key can do: the field of the forms that create and edit a key.

use latchkey::convention::ScopeSetting;
use leptos::prelude::*;

use super::policy_note::note;
use crate::{
    form::errors::{ErrorTexts, Errors, described_by, invalid_text},
    icons::{Icon, Symbol},
    text::scopes::{resource_and_level, what_it_can_do},
    values::{key_form::FULL_ACCESS, key_options::NewKeyOptions},
};

/// The name and the state of each checkbox.
type Boxes = StoredValue<Vec<(String, RwSignal<bool>)>>;

/// Full access, or checkboxes for the key's scopes by resource, and a sentence about what is selected.
#[component]
pub fn ScopeChoice(
    options: NewKeyOptions,
    /// [`FULL_ACCESS`], or anything else for the selected scopes.
    access: String,
    chosen: Vec<String>,
    errors: Errors,
) -> impl IntoView {
    let with_choice = options.no_scope_means_all;
    let offers_full = with_choice && options.offers_full;
    let is_full = offers_full && access == FULL_ACCESS;
    let closed = options
        .admin_scope
        .clone()
        .filter(|_| !options.offers_admin);
    let is_closed = move |scope: &str| {
        closed
            .as_ref()
            .is_some_and(|closed| closed.as_str() == scope)
    };
    let boxes = options.scopes.iter().map(|scope| {
        let name = scope.name.as_str();
        let is_chosen = chosen.iter().any(|chosen| chosen == name) && !is_closed(name);
        (name.to_owned(), RwSignal::new(is_chosen))
    });
    let boxes: Boxes = StoredValue::new(boxes.collect());
    let checked = move || errors.set_soon("scopes", Vec::new());
    let admin = options.admin_scope.map(|admin| admin.to_string());
    let presets = (!options.presets.is_empty()).then(|| {
        let presets = options
            .presets
            .into_iter()
            .map(|preset| {
                let scopes: Vec<String> = preset.scopes.iter().map(ToString::to_string).collect();
                view! { <button type="button" class="btn" on:click=move |_| { tick(boxes, &scopes); checked() }>{preset.name}</button> }
            })
            .collect_view();
        // The presets need a script.
        view! {
            <div class="row needs-script">
                {presets}
                <button type="button" class="btn quiet" on:click=move |_| tick(boxes, &[])>"Clear"</button>
            </div>
        }
    });
    let groups = groups(options.scopes, admin.as_deref())
        .into_iter()
        .map(|(class, scopes)| {
            let closed = scopes.iter().any(|scope| is_closed(scope.name.as_str()));
            view! { <Group class scopes closed boxes errors/> }
        })
        .collect_view();
    let about_admin = admin.clone().map(|admin| {
        view! {
            <div class="notice warn for-admin"><Icon symbol=Symbol::Alert/>
                <p><code>{admin}</code>" includes all other scopes. Select only the scopes that the key needs."</p>
            </div>
        }
    });
    let sentence = move || {
        let chosen: Vec<String> = boxes.with_value(|boxes| {
            let chosen = boxes.iter().filter(|(_, ticked)| ticked.get());
            chosen.map(|(name, _)| name.clone()).collect()
        });
        let chosen: Vec<&str> = chosen.iter().map(String::as_str).collect();
        match chosen.as_slice() {
            [] if with_choice => "Select at least one scope.".to_owned(),
            [] => "Can do only what requires no scope.".to_owned(),
            chosen => what_it_can_do(chosen, admin.as_deref()),
        }
    };
    let choice = with_choice.then(|| view! { <AccessChoice is_full offers_full errors/> });
    let policy = note("scopes-policy", options.scopes_policy);
    let legend = if with_choice {
        "Access".into_any()
    } else {
        view! { "Scopes "<span class="optional">"optional"</span> }.into_any()
    };
    view! {
        <fieldset id="scopes" class="field access" tabindex="-1" aria-describedby=described_by("scopes", true, errors.of("scopes"))>
            <legend><span>{legend}</span></legend>
            {policy}
            {choice}
            // Above the scopes, which can be many: a link to the error leads here.
            <ErrorTexts field="scopes" errors/>
            <div class="notice warn for-widget for-full"><Icon symbol=Symbol::Alert/>
                <p>"Anyone who visits your pages can read this key and would have full access. Select only what visitors are allowed to do."</p>
            </div>
            <div class="for-chosen">
                <p class="hint for-widget">"Anyone who visits your pages can read this key. Select only what visitors are allowed to do."</p>
                {presets}
                <div class="scopes">{groups}</div>
                {about_admin}
            </div>
            <p class="hint for-chosen" id="scopes-hint" role="status">{sentence}</p>
        </fieldset>
    }
}

/// Says beside the button that no scope is selected. The stylesheet shows it only then.
#[component]
pub fn NothingSelected() -> impl IntoView {
    view! { <p class="hint for-none">"No scopes are selected yet. "<a class="link" href="#scopes">"Select what the key can do"</a></p> }
}

#[component]
fn AccessChoice(is_full: bool, offers_full: bool, errors: Errors) -> impl IntoView {
    let card = |value: &'static str, title: &'static str, meaning: &'static str| {
        let is_this = is_full == (value == FULL_ACCESS);
        let disabled = value == FULL_ACCESS && !offers_full;
        view! {
            <label class="choice">
                <input
                    type="radio" name="access" value=value checked=is_this disabled=disabled aria-describedby=disabled.then_some("scopes-policy")
                    on:change=move |_| errors.set_soon("scopes", Vec::new())
                />
                <span><b>{title}</b><small>{meaning}</small></span>
            </label>
        }
    };
    view! {
        <div class="choices" role="radiogroup" aria-label="Access" aria-invalid=invalid_text(errors.of("scopes"))
            aria-describedby=described_by("scopes", false, errors.of("scopes"))>
            {card("chosen", "Only these", "Only the scopes that you select.")}
            {card(FULL_ACCESS, "Full access", "Everything, including scopes that are added later.")}
        </div>
    }
}

/// The scopes of a resource.
#[component]
fn Group(
    class: &'static str,
    scopes: Vec<ScopeSetting>,
    /// Whether a policy forbids it. It is the scope that includes all others, in a group of its own.
    closed: bool,
    boxes: Boxes,
    errors: Errors,
) -> impl IntoView {
    let sentences = errors.of("scopes");
    let described = described_by("scopes", false, sentences);
    let checks = scopes
        .into_iter()
        .map(|ScopeSetting { name, description }| {
            let name = name.to_string();
            let ticked = boxes.with_value(|boxes| {
                let found = boxes.iter().find(|(of, _)| *of == name);
                found.map(|(_, ticked)| *ticked)
            });
            let ticked = ticked.unwrap_or_default();
            view! {
                <label class="check">
                    <input
                        type="checkbox" name="scopes" value=name.clone() checked=ticked.get_untracked() disabled=closed
                        aria-invalid=invalid_text(sentences)
                        aria-describedby=move || match closed {
                            true => Some("scopes-policy".to_owned()),
                            false => described.get(),
                        }
                        prop:checked=move || ticked.get()
                        on:change:target=move |event| {
                            ticked.set(event.target().checked());
                            errors.set_soon("scopes", Vec::new());
                        }
                    />
                    <span>{name}<small>{description}</small></span>
                </label>
            }
        })
        .collect_view();
    view! { <div class=class>{checks}</div> }
}

/// Selects exactly these scopes.
fn tick(boxes: Boxes, scopes: &[String]) {
    boxes.with_value(|boxes| {
        for (name, ticked) in boxes {
            ticked.set(scopes.contains(name));
        }
    });
}

/// The scopes by resource, each group with its CSS class. The scope that includes all others comes last.
fn groups(
    scopes: Vec<ScopeSetting>,
    admin: Option<&str>,
) -> Vec<(&'static str, Vec<ScopeSetting>)> {
    let mut groups: Vec<(&'static str, Vec<ScopeSetting>)> = Vec::new();
    let (last, others): (Vec<_>, Vec<_>) = scopes
        .into_iter()
        .partition(|scope| Some(scope.name.as_str()) == admin);
    for scope in others {
        let resource = |scope: &ScopeSetting| {
            let levels = resource_and_level(scope.name.as_str());
            levels.map(|(resource, _)| resource.to_owned())
        };
        let own = resource(&scope);
        match groups
            .iter_mut()
            .find(|(_, group)| own.is_some() && group.first().and_then(resource) == own)
        {
            Some((_, group)) => group.push(scope),
            None => groups.push(("scope", vec![scope])),
        }
    }
    groups.extend(last.into_iter().map(|scope| ("scope admin", vec![scope])));
    groups
}
