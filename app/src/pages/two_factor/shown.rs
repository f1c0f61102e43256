//! What the page shows once: the secret for the app, and recovery codes.

use latchkey::accounts::second_factor::{RecoveryCode, SetUp};
use leptos::prelude::*;

use super::qr_code::Qr;
use crate::{
    form::{
        code_fields::CodeField,
        errors::{Errors, FormError},
    },
    pages::once::{OnceCard, OncePage},
    shown_once::CreatedCodes,
    text::query::escaped,
};

/// The address that apps read from the QR code. They list the account under the issuer.
fn address(email: &str, secret: &str, public_url: &str) -> String {
    let (_, host) = public_url.split_once("://").unwrap_or(("", public_url));
    let (issuer, email) = (escaped(&format!("Latchkey {host}")), escaped(email));
    format!("otpauth://totp/{issuer}:{email}?secret={secret}&issuer={issuer}")
}

/// The form that finishes the set-up.
#[component]
pub fn SetUpCard(
    email: String,
    set_up: SetUp,
    /// The path of the page that required a second factor; empty for none.
    next: String,
    host: String,
    errors: Errors,
) -> impl IntoView {
    let secret = set_up.secret.expose();
    let address = address(&email, &secret, &host);
    let letters: Vec<char> = secret.chars().collect();
    let groups: Vec<String> = letters
        .chunks(4)
        .map(|group| group.iter().collect())
        .collect();
    view! {
        // The class makes the browser remove it when the user leaves: see `history.rs`.
        <section class="once" aria-labelledby="scan">
            <header><h2 id="scan">"Add Latchkey to your app"</h2></header>
            <form novalidate=true method="post" action="/account/two-factor" class="form">
                <FormError errors consequence="The second factor is not on yet."/>
                <p>"Scan this code with the app. If you cannot, enter the key below in it."</p>
                <Qr text=address label="QR code for your authenticator app"/>
                <p class="hint">"Key: "<code id="key">{groups.join(" ")}</code></p>
                <input type="hidden" name="change" value="finish"/>
                <input type="hidden" name="set_up" value=set_up.form/>
                <input type="hidden" name="next" value=next/>
                <CodeField errors/>
                <div class="actions"><button class="btn primary">"Turn on"</button><a class="btn" href="/account/two-factor">"Cancel"</a></div>
            </form>
        </section>
    }
}

/// The page that shows recovery codes once.
#[component]
pub fn CodesView(codes: CreatedCodes) -> impl IntoView {
    let lead = "Each signs you in once if you do not have your authenticator app.".to_owned();
    let CreatedCodes {
        codes,
        email,
        path,
        next,
        ends_others,
    } = codes;
    let (on, label) = match next {
        Some(next) => (next, "Continue"),
        None => (path.clone(), "Done"),
    };
    let ended = ends_others.then(|| {
        view! { <p class="muted small">"Your other sessions were ended, since they were started without a code."</p> }
    });
    let lines: Vec<String> = codes.iter().map(RecoveryCode::expose).collect();
    let note = view! {
        <p class="muted small">"Keep them where you can reach them without your phone: printed, or in a password manager. They are for "{email}"."</p>
        {ended}
    }
    .into_any();
    view! {
        <OncePage title="Recovery codes".to_owned() lead list=(path.clone(), "Second factor") here="Recovery codes".to_owned()>
            <OnceCard title="Store them now. They will not be shown again." note text=lines.join("\n") copies="codes"
                guards=Some("recovery codes") path=on done=label/>
        </OncePage>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_names_the_instance_and_the_account() {
        assert_eq!(
            address(
                "dana+x@northwind.example",
                "ABC",
                "https://keys.example:8443"
            ),
            "otpauth://totp/Latchkey%20keys.example%3A8443:dana%2Bx%40northwind.example?secret=ABC&issuer=Latchkey%20keys.example%3A8443"
        );
    }
}
