//! What each letter says.

use latchkey::{mail::Content, time::Timestamp};
use latchkey_app::role_noun;

/// The parts of a letter.
pub struct Words {
    pub subject: String,
    pub paragraphs: Vec<String>,
    /// Where the letter leads.
    pub link: Option<Link>,
    /// What to do if the letter was not expected.
    pub closing: Option<&'static str>,
}

/// A link, and its text in HTML.
pub struct Link {
    pub url: String,
    pub label: &'static str,
}

const IGNORE: &str = "If you did not request this, ignore this letter. Nothing has changed.";
const NOT_YOU: &str = "If this was not you, ask the operator of this Latchkey instance or an owner of your organization for help.";

/// The words of a letter whose links begin with `public_url`.
pub fn words(content: &Content, public_url: &str) -> Words {
    let link = |path: &str, token: &str, label| {
        let url = format!("{public_url}/{path}/{token}");
        Some(Link { url, label })
    };
    match content {
        Content::Invitation {
            org,
            inviter,
            role,
            token,
            expires_at,
        } => {
            let by = match inviter {
                Some(inviter) => format!("{inviter} invited you"),
                None => "You were invited".to_owned(),
            };
            Words {
                subject: format!("Join {org}"),
                paragraphs: vec![
                    format!("{by} to join {org} as {}.", role_noun(*role)),
                    format!("The link works once, until {}.", day(*expires_at)),
                ],
                link: link("invitations", token.expose(), "Accept the invitation"),
                closing: Some("If you did not expect this, ignore this letter."),
            }
        }
        Content::Reset(token) => Words {
            subject: "Reset your password".to_owned(),
            paragraphs: vec![
                "Choose a new password with this link. It works once, for one hour.".to_owned(),
            ],
            link: link("reset-password", token.expose(), "Reset your password"),
            closing: Some(IGNORE),
        },
        Content::Confirmation(token, name) => Words {
            subject: "Confirm your e-mail address".to_owned(),
            paragraphs: vec![
                format!(
                    "Confirm that this address belongs to the account of {name}. From then on, they sign in with it."
                ),
                "The link works once, for one day.".to_owned(),
            ],
            link: link("confirm-email", token.expose(), "Confirm this address"),
            closing: Some(IGNORE),
        },
        Content::SignUp(token) => Words {
            subject: "Sign up".to_owned(),
            paragraphs: vec![
                "Create your account with this link. It works once, for one day.".to_owned(),
            ],
            link: link("sign-up", token.expose(), "Create your account"),
            closing: Some(IGNORE),
        },
        Content::HasAccount => Words {
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
        },
        Content::PasswordChanged => told(
            "Your password was changed",
            "The password of your account was changed, and all other sessions have ended.",
        ),
        Content::SecondFactorOn => told(
            "A second factor was turned on",
            "Your account has a second factor now. From then on, signing in requires a code of the authenticator app.",
        ),
        Content::SecondFactorOff => told(
            "Your second factor was turned off",
            "Your account no longer has a second factor: its password alone signs in.",
        ),
        Content::RecoveryCodeUsed(left) => told(
            "A recovery code was used",
            match left {
                0 => "A recovery code of your account was used, and none is left. Create new ones on the page of your account.".to_owned(),
                1 => "A recovery code of your account was used. One is left.".to_owned(),
                _ => format!("A recovery code of your account was used. {left} are left."),
            },
        ),
        Content::AccountDeleted => told(
            "Your account was deleted",
            "Your account was deleted. This address no longer signs in.",
        ),
        Content::EmailChanged => told(
            "Your e-mail address was changed",
            "Your account has another e-mail address now. This one no longer signs in.",
        ),
    }
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

/// The day of a timestamp, in UTC.
fn day(at: Timestamp) -> String {
    at.rfc3339().to_string().chars().take(10).collect()
}
