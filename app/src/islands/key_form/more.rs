//! The settings that most keys do not have, folded until one of them has a value or an error.

use latchkey::key::settings::rules::{MAX_EXTERNAL_ID, external_id, wrong_external_id};
use leptos::{html, prelude::*};

use super::ip_range_errors;
use crate::{
    form::{
        errors::{ErrorTexts, Errors, described_by, invalid, invalid_text},
        text_area::TextArea,
    },
    values::key_form::SettingsForm,
};

/// The names of the fields.
const FIELDS: [&str; 4] = ["ip_ranges", "external_id", "notes", "metadata"];

/// The fields, folded while none has a value or an error.
#[component]
pub fn MoreOptions(
    /// What the organization requires of IP ranges; empty for nothing.
    ip_policy: String,
    values: SettingsForm,
    errors: Errors,
) -> impl IntoView {
    let SettingsForm {
        ip_ranges,
        external_id,
        notes,
        metadata,
        ..
    } = values;
    let has_value = [&ip_ranges, &external_id, &notes, &metadata]
        .iter()
        .any(|text| !text.is_empty());
    let has_error = move || {
        let mut fields = FIELDS.into_iter();
        fields.any(|field| !errors.of(field).with(Vec::is_empty))
    };
    let is_open = has_value || !ip_policy.is_empty() || untrack(has_error);
    let fold = NodeRef::<html::Details>::new();
    // Only opens it: correcting an error must not fold the field that the user is in.
    Effect::new(move |_| {
        if let Some(fold) = fold.get().filter(|_| has_error()) {
            fold.set_open(true);
        }
    });
    view! {
        <details class="fold options" node_ref=fold open=is_open>
            <summary>"More options "<span class="hint">"IP ranges, external ID, notes, metadata"</span></summary>
            <div class="form">
                <IpRanges text=ip_ranges policy=ip_policy errors/>
                <ExternalIdField value=external_id errors/>
                <NotesField text=notes errors/>
                <MetadataField text=metadata errors/>
            </div>
        </details>
    }
}

/// The IP ranges that can use the key.
#[component]
fn IpRanges(text: String, policy: String, errors: Errors) -> impl IntoView {
    let sentences = errors.of("ip_ranges");
    let required = !policy.is_empty();
    let empty = match required {
        true => policy,
        false => "Leave empty to allow any address.".to_owned(),
    };
    view! {
        <div class="field">
            <label for="ip_ranges">"IP ranges "{(!required).then(|| view! { <span class="optional">"optional"</span> })}</label>
            <p class="hint" id="ip_ranges-hint">"Addresses that can use the key, such as 192.0.2.10 or 10.0.0.0/8. Enter one per line, or separate them with commas. "{empty}</p>
            <TextArea
                name="ip_ranges" text class="input mono" maxlength=20_000
                described_by=described_by("ip_ranges", true, sentences) invalid=invalid(sentences)
                on_change=move |text: String| errors.set_soon("ip_ranges", ip_range_errors(&text))
            />
            <ErrorTexts field="ip_ranges" errors/>
        </div>
    }
}

/// The field for the external ID.
#[component]
fn ExternalIdField(value: String, errors: Errors) -> impl IntoView {
    let sentences = errors.of("external_id");
    let check = move |id: String| {
        let wrong = external_id(&id).and_then(|id| wrong_external_id(&id));
        errors.set_soon(
            "external_id",
            wrong.iter().map(ToString::to_string).collect(),
        );
    };
    view! {
        <div class="field">
            <label for="external_id">"External ID "<span class="optional">"optional"</span></label>
            <p class="hint" id="external_id-hint">"The ID of the user or object that the key is for, in your own system. Each verification returns it."</p>
            <input
                class="input mono" id="external_id" name="external_id" value=value autocomplete="off" maxlength=MAX_EXTERNAL_ID
                aria-describedby=described_by("external_id", true, sentences) aria-invalid=invalid_text(sentences)
                on:change:target=move |event| check(event.target().value())
            />
            <ErrorTexts field="external_id" errors/>
        </div>
    }
}

#[component]
fn NotesField(text: String, errors: Errors) -> impl IntoView {
    let sentences = errors.of("notes");
    view! {
        <div class="field">
            <label for="notes">"Notes "<span class="optional">"optional"</span></label>
            <TextArea name="notes" text maxlength=2_000
                described_by=described_by("notes", false, sentences) invalid=invalid(sentences)/>
            <ErrorTexts field="notes" errors/>
        </div>
    }
}

#[component]
fn MetadataField(text: String, errors: Errors) -> impl IntoView {
    let sentences = errors.of("metadata");
    view! {
        <div class="field">
            <label for="metadata">"Metadata "<span class="optional">"optional"</span></label>
            <p class="hint" id="metadata-hint">"A JSON object that each verification returns to your API server, such as "<code>"{\"plan\": \"pro\"}"</code>"."</p>
            <TextArea name="metadata" text class="input mono" maxlength=20_000
                described_by=described_by("metadata", true, sentences) invalid=invalid(sentences)/>
            <ErrorTexts field="metadata" errors/>
        </div>
    }
}
