//! A text field of a form.

use leptos::prelude::*;

use super::errors::{ErrorTexts, Errors, described_by, invalid_text};

/// A labelled text field with its hint and error. A password has a button that shows it: see `shown_passwords.rs`.
#[component]
pub fn Field(
    /// The `name` and `id` of the input.
    name: &'static str,
    label: &'static str,
    /// Help text below the label, if the label is not enough.
    #[prop(optional)]
    hint: Option<&'static str>,
    /// The `type` of the input.
    #[prop(default = "text")]
    kind: &'static str,
    /// The `autocomplete` value for browsers and password managers.
    autocomplete: &'static str,
    #[prop(default = 80)] maxlength: usize,
    #[prop(optional)] minlength: Option<usize>,
    /// The initial value.
    #[prop(optional, into)]
    value: String,
    /// Whether the field has the focus when the page opens.
    #[prop(optional)]
    focused: bool,
    errors: Errors,
) -> impl IntoView {
    let sentences = errors.of(name);
    let input = view! {
        <input
            class="input" id=name name=name type=kind value=value required autocomplete=autocomplete
            maxlength=maxlength minlength=minlength autofocus=focused
            aria-invalid=invalid_text(sentences)
            aria-describedby=described_by(name, hint.is_some(), sentences)
        />
    };
    let control = if kind == "password" {
        view! {
            <div class="input-row">
                {input}
                <button type="button" class="btn needs-script" data-shows=name aria-pressed="false">"Show"<span class="visually-hidden">" password"</span></button>
            </div>
        }
        .into_any()
    } else {
        input.into_any()
    };
    view! {
        <div class="field">
            <label for=name>{label}</label>
            {hint.map(|hint| view! { <p class="hint" id=format!("{name}-hint")>{hint}</p> })}
            {control}
            <ErrorTexts field=name errors/>
        </div>
    }
}

/// The field of a new password.
#[component]
pub fn NewPasswordField(name: &'static str, label: &'static str, errors: Errors) -> impl IntoView {
    view! {
        <Field name label hint="At least 8 characters. Try a few words in a row." kind="password" autocomplete="new-password"
            minlength=8 maxlength=128 errors/>
    }
}

#[cfg(test)]
#[cfg(feature = "ssr")]
mod tests {
    use super::*;
    use crate::form::errors::FieldError;

    fn name_field(value: &str, errors: Vec<FieldError>) -> String {
        Owner::new().with(|| {
            let errors = Errors::new(errors);
            view! { <Field name="name" label="Your name" autocomplete="name" value=value errors/> }
                .to_html()
        })
    }

    #[test]
    fn a_field_is_labelled_and_what_it_holds_is_escaped() {
        let html = name_field("\"><script>alert(1)</script>", Vec::new());
        assert!(
            html.contains(r#"<label for="name">"#) && html.contains(r#"id="name""#),
            "{html}"
        );
        assert!(
            !html.contains("<script>") && !html.contains("aria-invalid"),
            "{html}"
        );
    }

    #[test]
    fn a_field_points_to_what_is_wrong_with_it() {
        let of = |field| name_field("", vec![FieldError::new(field, "Enter a name.")]);
        let html = of("name");
        assert!(
            html.contains(r#"aria-invalid="true""#)
                && html.contains(r#"aria-describedby="name-error""#),
            "{html}"
        );
        assert!(
            html.contains(r#"id="name-error""#) && html.contains("Enter a name."),
            "{html}"
        );
        assert!(!of("email").contains("aria-invalid"));
    }
}
