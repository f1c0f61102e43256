//! Letters to the holder of an address or an account.

use latchkey::{accounts::links::AccountToken, name::DisplayName};

use super::{Link, Words, text::unlinked};

const IGNORE: &str = "If you did not request this, ignore this e-mail. Nothing has changed.";
const NOT_YOU: &str = "If this was not you, ask the operator of this Latchkey instance or an owner of your organization for help.";

/// A link that sets a new password.
pub fn reset(token: &AccountToken, public_url: &str) -> Words {
    Words {
        subject: "Reset your password".to_owned(),
        paragraphs: vec![
            "Choose a new password with this link. It works once, for one hour.".to_owned(),
        ],
        link: link(public_url, "reset-password", token, "Reset your password"),
        closing: Some(IGNORE),
    }
}

/// A link that confirms the address for the account of a person with this name.
pub fn confirmation(token: &AccountToken, name: &DisplayName, public_url: &str) -> Words {
    Words {
        subject: "Confirm your e-mail address".to_owned(),
        paragraphs: vec![
            format!(
                "Confirm that this address belongs to the account of {}. After that, they sign in with it.",
                unlinked(name.as_str())
            ),
            "The link works once, for one day.".to_owned(),
        ],
        link: link(public_url, "confirm-email", token, "Confirm this address"),
        closing: Some(IGNORE),
    }
}

/// A link with which someone new signs up.
pub fn sign_up(token: &AccountToken, public_url: &str) -> Words {
    Words {
        subject: "Sign up".to_owned(),
        paragraphs: vec![
            "Create your account with this link. It works once, for one day.".to_owned(),
        ],
        link: link(public_url, "sign-up", token, "Create your account"),
        closing: Some(IGNORE),
    }
}

/// The address has an account already.
pub fn has_account(public_url: &str) -> Words {
    Words {
        subject: "You have an account".to_owned(),
        paragraphs: vec![
            "Someone entered this address to sign up or for another account, but it has an account already. Sign in \
             with your password. If you have forgotten it, you can reset it there."
                .to_owned(),
        ],
        link: Some(Link {
            url: format!("{public_url}/sign-in"),
            label: "Sign in",
        }),
        closing: Some(IGNORE),
    }
}

pub fn password_changed() -> Words {
    told(
        "Your password was changed",
        "The password of your account was changed, and all other sessions have ended.",
    )
}

/// To the former address.
pub fn email_changed() -> Words {
    told(
        "Your e-mail address was changed",
        "Your account has another e-mail address now. This one no longer signs in.",
    )
}

pub fn second_factor_on() -> Words {
    told(
        "A second factor was turned on",
        "Your account has a second factor now. From now on, signing in requires a code of the authenticator app.",
    )
}

pub fn second_factor_off() -> Words {
    told(
        "Your second factor was turned off",
        "Your account no longer has a second factor: its password alone signs in.",
    )
}

/// `left` is the number of codes that are left.
pub fn recovery_code_used(left: i64) -> Words {
    let paragraph = match left {
        0 => "A recovery code of your account was used, and none is left. Create new ones on the page of your account.".to_owned(),
        1 => "A recovery code of your account was used. One is left.".to_owned(),
        _ => format!("A recovery code of your account was used. {left} are left."),
    };
    told("A recovery code was used", paragraph)
}

pub fn recovery_codes_replaced() -> Words {
    told(
        "Your recovery codes were replaced",
        "New recovery codes were created for your account. The old ones no longer work.",
    )
}

pub fn account_deleted() -> Words {
    told(
        "Your account was deleted",
        "Your account was deleted. This address no longer signs in.",
    )
}

fn link(public_url: &str, path: &str, token: &AccountToken, label: &'static str) -> Option<Link> {
    let url = format!("{public_url}/{path}/{}", token.expose());
    Some(Link { url, label })
}

/// A letter about something that was done to an account.
fn told(subject: &str, paragraph: impl Into<String>) -> Words {
    Words {
        subject: subject.to_owned(),
        paragraphs: vec![paragraph.into()],
        link: None,
        closing: Some(NOT_YOU),
    }
}
