//! The allowed domains of an agent, validated while the user types.

use leptos::prelude::*;

use super::domain_check::check;
use crate::form::{
    errors::{ErrorTexts, Errors, FieldError, described_by, invalid},
    text_area::TextArea,
};

/// The field for the domains whose pages can use the agent.
#[island]
pub fn AgentDomains(
    /// The initial value.
    text: String,
    errors: Vec<FieldError>,
    /// Whether a domain includes its subdomains.
    covers_subdomains: bool,
) -> impl IntoView {
    let subdomains = if covers_subdomains {
        "A domain includes its subdomains."
    } else {
        "A domain does not include its subdomains. To allow them, add *.example.com."
    };
    let errors = Errors::new(errors);
    let sentences = errors.of("domains");
    view! {
        <div class="field">
            <label for="domains">"Allowed domains "<span class="optional unless-embedded">"optional; leave empty for no restriction"</span></label>
            <p class="hint" id="domains-hint">"Browser requests for this agent must come from these domains. Enter one per line, or separate them with commas. "{subdomains}</p>
            <TextArea
                name="domains" text class="input mono" maxlength=20_000 placeholder="example.com"
                described_by=described_by("domains", true, sentences) invalid=invalid(sentences)
                on_change=move |text: String| check(errors, "domains", text)
            />
            <ErrorTexts field="domains" errors/>
        </div>
    }
}
