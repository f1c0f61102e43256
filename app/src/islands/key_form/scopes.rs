//! The scope field of the forms that create and edit a key.

use leptos::prelude::*;

use crate::{
    form::errors::{ErrorTexts, Errors, described_by},
    values::key_options::NewKeyOptions,
};

/// Checkboxes for the key's scopes, and buttons that select a preset.
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
    let unrestricted = if options.no_scope_means_all {
        "Full access"
    } else {
        "None"
    };
    // The presets need a script.
    let preset_row = with_presets.then(|| {
        view! {
            <div class="row needs-script">
                {presets}
                <button type="button" class="btn" on:click=move |_| tick(&[])>{unrestricted}</button>
            </div>
        }
    });
    let none_means = if options.no_scope_means_all {
        "If you select none, the key has full access, including scopes added later."
    } else {
        "If you select none, the key can do only what requires no scope."
    };
    view! {
        <fieldset class="field" aria-describedby=described_by("scopes", true, errors.of("scopes"))>
            <legend><span>"Scopes "<span class="optional">"optional"</span></span></legend>
            <p class="hint" id="scopes-hint">{none_means}</p>
            <p class="hint for-widget">"Anyone who visits your pages can read this key. Select only what visitors are allowed to do."</p>
            {preset_row}
            <div class="checks">{checks}</div>
            <ErrorTexts field="scopes" errors/>
        </fieldset>
    }
}
