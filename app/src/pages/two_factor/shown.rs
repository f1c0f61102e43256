//! What the page shows once: the secret for the app, and recovery codes.

use latchkey::accounts::second_factor::SetUp;
use leptos::prelude::*;
use leptos_meta::{Meta, Title};

use super::qr_code::Qr;
use crate::{
    form::{
        code_fields::CodeField,
        errors::{Errors, FormError},
    },
    heading::{Breadcrumbs, Heading},
    islands::{copy_button::CopyButton, leave_guard::LeaveGuard},
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
pub fn SetUpCard(email: String, set_up: SetUp, host: String, errors: Errors) -> impl IntoView {
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
                <CodeField errors/>
                <div class="actions"><button class="btn primary">"Turn on"</button><a class="btn" href="/account/two-factor">"Cancel"</a></div>
            </form>
        </section>
    }
}

/// The page that shows recovery codes once.
#[component]
pub fn CodesView(codes: CreatedCodes) -> impl IntoView {
    let lead = "Each signs you in once if you do not have your authenticator app.";
    let lines = codes
        .codes
        .iter()
        .map(|code| code.expose())
        .collect::<Vec<_>>();
    view! {
        <Title text="Recovery codes"/>
        // The URL that the browser loads on reload or back: see `history.rs`.
        <Meta name="address" content=codes.path.clone()/>
        <Breadcrumbs above=vec![(codes.path.clone(), "Second factor".to_owned())] here="Recovery codes".to_owned()/>
        <Heading title="Recovery codes".to_owned() lead=Some(lead.into_any()) beside=None actions=None/>
        <section class="once" aria-labelledby="once">
            <header>
                <h2 id="once">"Store them now. They will not be shown again."</h2>
                <p class="muted small">"Keep them where you can reach them without your phone: printed, or in a password manager. They are for "{codes.email}"."</p>
            </header>
            <div class="secret">
                <code id="key" class="lines">{lines.join("\n")}</code>
                <CopyButton of="key".to_owned() class="btn primary".to_owned() text="Copy codes".to_owned() copied="Codes copied".to_owned() first=true/>
            </div>
            <footer>
                <form method="get" action=codes.path>
                    <label class="check"><input type="checkbox" id="stored" required/>"I have stored them"</label>
                    <button class="btn end">"Done"</button>
                </form>
            </footer>
            <LeaveGuard what="recovery codes".to_owned()/>
        </section>
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
