//! What each letter says.

use latchkey::{
    alerts::{Alert, Reminder, ReminderAbout, rule::Measure},
    mail::Content,
    name::DisplayName,
    time::Timestamp,
};
use latchkey_app::{grouped, role_noun};

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

const IGNORE: &str = "If you did not request this, ignore this e-mail. Nothing has changed.";
const NOT_YOU: &str = "If this was not you, ask the operator of this Latchkey instance or an owner of your organization for help.";

const NOT_EXPECTED: &str = "If you did not expect this, ask the operator of this Latchkey instance or another owner of your organization.";

const RIGHTS_LOST: &str = "If you did not expect this, ask an owner of the organization or the operator of this Latchkey instance.";

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
                Some(inviter) => format!("{} invited you", unlinked(inviter.as_str())),
                None => "You were invited".to_owned(),
            };
            Words {
                subject: format!("Join {}", unlinked(org.as_str())),
                paragraphs: vec![
                    format!("{by} to join {} as {}.", unlinked(org.as_str()), role_noun(*role)),
                    format!("The link works once, until {}.", day(*expires_at)),
                ],
                link: link("invitations", token.expose(), "Accept the invitation"),
                closing: Some("If you did not expect this, ignore this e-mail."),
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
                    "Confirm that this address belongs to the account of {}. After that, they sign in with it.",
                    unlinked(name.as_str())
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
            "Your account has a second factor now. From now on, signing in requires a code of the authenticator app.",
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
        Content::RecoveryCodesReplaced => told(
            "Your recovery codes were replaced",
            "New recovery codes were created for your account. The old ones no longer work.",
        ),
        Content::AccountDeleted => told(
            "Your account was deleted",
            "Your account was deleted. This address no longer signs in.",
        ),
        Content::OwnerAdded { org, slug, by } => {
            let org = unlinked(org.as_str());
            Words {
                subject: format!("You are an owner of {org}"),
                paragraphs: vec![format!(
                    "{} an owner of {org}. Owners can do everything in it: create and revoke keys, change roles, and delete it.",
                    made_you(by.as_ref())
                )],
                link: Some(Link {
                    url: format!("{public_url}/orgs/{slug}/members"),
                    label: "View the members",
                }),
                closing: Some(NOT_EXPECTED),
            }
        }
        Content::RoleLowered {
            org,
            slug,
            role,
            by,
        } => {
            let org = unlinked(org.as_str());
            let role = role_noun(*role);
            Words {
                subject: format!("You are {role} of {org} now"),
                paragraphs: vec![format!(
                    "{} {role} of {org}. You can do less in it than before.",
                    made_you(by.as_ref())
                )],
                link: Some(Link {
                    url: format!("{public_url}/orgs/{slug}/keys"),
                    label: "View the keys",
                }),
                closing: Some(RIGHTS_LOST),
            }
        }
        Content::MemberRemoved { org, by } => {
            let org = unlinked(org.as_str());
            Words {
                subject: format!("You were removed from {org}"),
                paragraphs: vec![match by {
                    Some(by) => format!("{} removed you from {org}.", unlinked(by.as_str())),
                    None => format!("You are no longer a member of {org}."),
                }],
                link: None,
                closing: Some(RIGHTS_LOST),
            }
        }
        Content::OperatorRemoved { by } => Words {
            subject: "You are no longer an operator".to_owned(),
            paragraphs: vec![match by {
                Some(by) => format!(
                    "{} removed you as an operator of this Latchkey instance.",
                    unlinked(by.as_str())
                ),
                None => "You are no longer an operator of this Latchkey instance.".to_owned(),
            }],
            link: None,
            closing: Some("If you did not expect this, ask another operator of this Latchkey instance."),
        },
        Content::OperatorAdded { by } => Words {
            subject: "You are an operator".to_owned(),
            paragraphs: vec![format!(
                "{} an operator of this Latchkey instance. Operators see all organizations and people, create service tokens for \
                 the whole instance, and delete organizations.",
                made_you(by.as_ref())
            )],
            link: Some(Link {
                url: format!("{public_url}/instance"),
                label: "View the instance",
            }),
            closing: Some(NOT_EXPECTED),
        },
        Content::FactorRequired { org } => {
            let org = unlinked(org.as_str());
            Words {
                subject: format!("{org} requires a second factor"),
                paragraphs: vec![format!(
                    "{org} requires a second factor now, and your account has none. Set one up to open the organization again. \
                     You need an app on your phone or computer that shows codes."
                )],
                link: Some(Link {
                    url: format!("{public_url}/account/two-factor"),
                    label: "Set up a second factor",
                }),
                closing: None,
            }
        }
        Content::Digest {
            org,
            slug,
            alerts,
            more_alerts,
            reminders,
            more_reminders,
        } => {
            let org = unlinked(org.as_str());
            let keys = |number: usize| match number {
                1 => "A key".to_owned(),
                several => format!("{several} keys"),
            };
            let mut paragraphs = Vec::new();
            if !alerts.is_empty() {
                paragraphs.push(format!(
                    "In the last day, these keys of {org} had far more requests than they usually have:"
                ));
                paragraphs.extend(alerts.iter().map(alert));
                paragraphs.extend(and_more(*more_alerts));
            }
            if !reminders.is_empty() {
                paragraphs.push(format!("These keys of {org} need attention:"));
                paragraphs.extend(reminders.iter().map(reminder));
                paragraphs.extend(and_more(*more_reminders));
            }
            let is_asked = |reminder: &Reminder| matches!(reminder.about, ReminderAbout::Asked(..) | ReminderAbout::Promise(..));
            let (page, label) = match reminders.iter().all(is_asked) {
                true => ("review/asked", "View what is asked"),
                false => ("keys", "View keys"),
            };
            let (subject, page, label) = if alerts.is_empty() {
                let what = match reminders.len() + more_reminders {
                    1 => "A reminder about a key".to_owned(),
                    several => format!("{several} reminders about keys"),
                };
                (format!("{what} in {org}"), page, label)
            } else {
                let keys = keys(alerts.len() + more_alerts);
                (format!("{keys} with unusual requests in {org}"), "usage", "View usage")
            };
            Words {
                subject,
                paragraphs,
                link: Some(Link {
                    url: format!("{public_url}/orgs/{slug}/{page}"),
                    label,
                }),
                closing: Some("You get this e-mail at most once a day. Owners change in the settings when a key is unusual, when it is due for rotation, and what is mailed."),
            }
        }
        Content::KeyRequested {
            org,
            slug,
            requester,
            key,
            request,
        } => {
            let (org, requester) = (unlinked(org.as_str()), unlinked(requester.as_str()));
            Words {
                subject: format!("{requester} asks for a key in {org}"),
                paragraphs: vec![format!(
                    "{requester} asks for the key “{}” in {org}. See what it is for and what it would allow, and approve or decline it.",
                    unlinked(key.as_str())
                )],
                link: Some(Link {
                    url: format!("{public_url}/orgs/{slug}/requests/{request}"),
                    label: "View the request",
                }),
                closing: Some("You get this letter as an owner of the organization."),
            }
        }
        Content::KeyRequestDecided {
            org,
            slug,
            owner,
            key,
            request,
            until,
        } => {
            let (org, owner, key) = (
                unlinked(org.as_str()),
                unlinked(owner.as_str()),
                unlinked(key.as_str()),
            );
            let (decided, then, label) = match until {
                Some(until) => (
                    "approved",
                    format!("Reveal the key before {}. It is created then, and shown once.", minute(*until)),
                    "Reveal the key",
                ),
                None => ("declined", "The page says why.".to_owned(), "View the request"),
            };
            Words {
                subject: format!("Your request for a key was {decided}"),
                paragraphs: vec![format!("{owner} {decided} your request for the key “{key}” in {org}. {then}")],
                link: Some(Link {
                    url: format!("{public_url}/orgs/{slug}/requests/{request}"),
                    label,
                }),
                closing: None,
            }
        }
        Content::EmailChanged => told(
            "Your e-mail address was changed",
            "Your account has another e-mail address now. This one no longer signs in.",
        ),
    }
}

/// "Dana made you", or "You were made".
fn made_you(by: Option<&DisplayName>) -> String {
    match by {
        Some(name) => format!("{} made you", unlinked(name.as_str())),
        None => "You were made".to_owned(),
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

/// A name chosen by a stranger, as text that mail programs do not turn into a link: `evil.example/login` would stand in a
/// letter from us like a link of ours. The invisible spaces leave names such as "Node.js team" as they look.
fn unlinked(name: &str) -> String {
    /// What makes a word a host, a URL or an address; also the dots of other scripts, which browsers read as dots.
    const SEPARATORS: [char; 8] = [
        '.', ':', '@', '\u{3002}', '\u{ff0e}', '\u{ff61}', '\u{2024}', '\u{fe52}',
    ];
    const ZERO_WIDTH_SPACE: char = '\u{200b}';
    let mut text = String::new();
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        text.push(c);
        let next = chars.peek();
        let goes_on = next.is_some_and(|next| !next.is_whitespace());
        let begins_host = c == '/' && next == Some(&'/');
        if (SEPARATORS.contains(&c) && goes_on) || begins_host {
            text.push(ZERO_WIDTH_SPACE);
        }
    }
    text
}

/// "Storefront: 12,400 rejected or rate-limited requests in 24 hours, up to 20 on a usual busy day."
fn alert(alert: &Alert) -> String {
    let what = match alert.measure {
        Measure::Requests => "requests",
        Measure::Rejected => "rejected or rate-limited requests",
    };
    format!(
        "{}: {} {what} in 24 hours, up to {} on a usual busy day.",
        unlinked(alert.key_name.as_str()),
        grouped(alert.count),
        grouped(alert.usual)
    )
}

/// "Storefront: expires on 2027-01-31."
fn reminder(reminder: &Reminder) -> String {
    let what = match reminder.about {
        ReminderAbout::Expiry(at) => format!("expires on {}.", day(at)),
        ReminderAbout::CreatorLeft => {
            "the user who created it is no longer a member. If they can have a copy, rotate it."
                .to_owned()
        }
        ReminderAbout::Rotation(at) => format!("due for rotation since {}.", day(at)),
        ReminderAbout::Asked(at, what) => format!(
            "on {}, a reviewer asked the owners to {what}. No owner has answered or done it yet.",
            day(at)
        ),
        ReminderAbout::Promise(at, what) => format!(
            "on {}, an owner promised to {what}, as a reviewer asked. This is not done yet.",
            day(at)
        ),
    };
    format!("{}: {what}", unlinked(reminder.key_name.as_str()))
}

fn and_more(more: usize) -> Option<String> {
    (more > 0).then(|| format!("And {more} more."))
}

/// The day of a timestamp, in UTC.
fn day(at: Timestamp) -> String {
    at.rfc3339().to_string().chars().take(10).collect()
}

/// The minute of a timestamp: "2026-11-28 12:00 UTC".
fn minute(at: Timestamp) -> String {
    let text: String = at.rfc3339().to_string().chars().take(16).collect();
    format!("{} UTC", text.replace('T', " "))
}

#[cfg(test)]
mod tests {
    use latchkey::role::Role;
    use rstest::rstest;

    use super::*;

    /// What no mail program leaves without a link: a scheme, or a host with a top-level domain, in one word.
    fn links(text: &str) -> Vec<&str> {
        const DOTS: [char; 7] = [
            '.', '@', '\u{3002}', '\u{ff0e}', '\u{ff61}', '\u{2024}', '\u{fe52}',
        ];
        let words = text.split(|c: char| c.is_whitespace() || c == '\u{200b}');
        let words = words.filter(|word| {
            let host = word.split(['/', '?']).next().unwrap_or_default();
            word.contains("//") || host.trim_end_matches(DOTS).contains(DOTS)
        });
        words.collect()
    }

    #[rstest]
    #[case("evil.example/login")]
    #[case("https://evil.example/login")]
    #[case("HTTPS://EVIL.EXAMPLE")]
    #[case("Sign in at www.evil.example now")]
    #[case("help@evil.example")]
    #[case("evil。example")]
    #[case("evil﹒example")]
    #[case("//evil/login")]
    fn a_name_does_not_become_a_link(#[case] text: &str) {
        assert_ne!(
            links(text),
            [""; 0],
            "the check finds the link of the name itself"
        );
        let name: DisplayName = text.parse().unwrap();
        let invitation = Content::Invitation {
            org: name.clone(),
            inviter: Some(name.clone()),
            role: Role::Member,
            token: "lk_inv_000000000000000000000000000XX1s6".parse().unwrap(),
            expires_at: Timestamp::from_millis(1_795_867_200_000),
        };
        let token = "lk_acc_000000000000000000000000002zawlF".parse().unwrap();
        let role = Content::OwnerAdded {
            org: name.clone(),
            slug: "northwind".parse().unwrap(),
            by: Some(name.clone()),
        };
        let lowered = Content::RoleLowered {
            org: name.clone(),
            slug: "northwind".parse().unwrap(),
            role: Role::Member,
            by: Some(name.clone()),
        };
        let removed = Content::MemberRemoved {
            org: name.clone(),
            by: Some(name.clone()),
        };
        let required = Content::FactorRequired { org: name.clone() };
        for content in [
            invitation,
            Content::Confirmation(token, name),
            role,
            lowered,
            removed,
            required,
        ] {
            let words = words(&content, "https://keys.example.com");
            for paragraph in words.paragraphs.iter().chain([&words.subject]) {
                let plain = paragraph.replace('\u{200b}', "");
                assert_eq!(links(paragraph), [""; 0], "{plain}");
            }
            assert!(
                words.paragraphs[0].replace('\u{200b}', "").contains(text),
                "it reads as it was chosen"
            );
        }
    }

    #[test]
    fn a_reminder_says_what_is_asked_or_promised() {
        let said = |about| {
            reminder(&Reminder {
                key_id: "key_00000000000000000000000000000000".parse().unwrap(),
                key_name: "Shop".parse().unwrap(),
                about,
            })
        };
        let at = Timestamp::from_millis(1_795_867_200_000);
        assert_eq!(
            said(ReminderAbout::Asked(at, "restrict scopes")),
            "Shop: on 2026-11-28, a reviewer asked the owners to restrict scopes. No owner has answered or done it yet."
        );
        assert_eq!(
            said(ReminderAbout::Promise(at, "rotate")),
            "Shop: on 2026-11-28, an owner promised to rotate, as a reviewer asked. This is not done yet."
        );
    }

    #[test]
    fn names_with_dots_and_abbreviations_look_the_same() {
        let shown = |text: &str| unlinked(text);
        assert_eq!(shown("Acme, Inc. Team"), "Acme, Inc. Team");
        assert_eq!(shown("Node.js team"), "Node.\u{200b}js team");
        assert_eq!(shown("R/D."), "R/D.");
    }
}
