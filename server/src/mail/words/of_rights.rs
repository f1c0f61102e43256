//! Letters about what someone can do: in an organization, or as an operator of the instance.

use latchkey::{
    invitations::InvitationToken,
    name::{DisplayName, Slug},
    role::Role,
    time::Timestamp,
};
use latchkey_app::{role_can, role_noun};

use super::{
    Link, Words,
    text::{minute, unlinked},
};

const NOT_EXPECTED: &str = "If you did not expect this, ask the operator of this Latchkey instance or another owner of your organization.";

/// Who does what no user does: with a service token of the instance.
const OPERATOR: &str = "The operator of this Latchkey instance";

/// Whom to ask about rights that someone took away.
const fn rights_lost(by: Option<&DisplayName>) -> &'static str {
    match by {
        Some(_) => {
            "If you did not expect this, ask them, another owner of the organization or the operator of this Latchkey instance."
        }
        None => {
            "If you did not expect this, ask an owner of the organization or the operator of this Latchkey instance."
        }
    }
}

pub fn invitation(
    org: &DisplayName,
    inviter: Option<&DisplayName>,
    role: Role,
    token: &InvitationToken,
    expires_at: Timestamp,
    public_url: &str,
) -> Words {
    let by = match inviter {
        Some(inviter) => format!("{} invited you", unlinked(inviter.as_str())),
        None => format!("{OPERATOR} invited you"),
    };
    Words {
        subject: format!("Join {}", unlinked(org.as_str())),
        paragraphs: vec![
            format!(
                "{by} to join {} as {}.",
                unlinked(org.as_str()),
                role_noun(role)
            ),
            format!("The link works once, until {}.", minute(expires_at)),
        ],
        link: Some(Link {
            url: format!("{public_url}/invitations/{}", token.expose()),
            label: "Accept the invitation",
        }),
        closing: Some("If you did not expect this, ignore this e-mail."),
    }
}

pub fn owner_added(
    org: &DisplayName,
    slug: &Slug,
    by: Option<&DisplayName>,
    public_url: &str,
) -> Words {
    let org = unlinked(org.as_str());
    Words {
        subject: format!("You are an owner of {org}"),
        paragraphs: vec![format!(
            "{} an owner of {org}. Owners can do everything in it: create and revoke keys, change roles, and delete it.",
            made_you(by)
        )],
        link: Some(Link {
            url: format!("{public_url}/orgs/{slug}/members"),
            label: "View the members",
        }),
        closing: Some(NOT_EXPECTED),
    }
}

pub fn role_lowered(
    org: &DisplayName,
    slug: &Slug,
    role: Role,
    by: Option<&DisplayName>,
    public_url: &str,
) -> Words {
    let org = unlinked(org.as_str());
    let noun = role_noun(role);
    Words {
        subject: format!("You are {noun} of {org} now"),
        paragraphs: vec![format!(
            "{} {noun} of {org}. You can do less in it than before. {}",
            made_you(by),
            role_can(role, None)
        )],
        link: Some(Link {
            url: format!("{public_url}/orgs/{slug}/keys"),
            label: "View the keys",
        }),
        closing: Some(rights_lost(by)),
    }
}

pub fn member_removed(org: &DisplayName, by: Option<&DisplayName>) -> Words {
    let org = unlinked(org.as_str());
    Words {
        subject: format!("You were removed from {org}"),
        paragraphs: vec![format!(
            "{} removed you from {org}. You can no longer open the organization or see its keys and usage. Keys that you \
             created keep working, and remain there.",
            whoever(by)
        )],
        link: None,
        closing: Some(rights_lost(by)),
    }
}

/// To a member who has no second factor.
pub fn factor_required(org: &DisplayName, public_url: &str) -> Words {
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
        closing: Some("If you have questions, ask an owner of the organization."),
    }
}

pub fn operator_added(by: Option<&DisplayName>, public_url: &str) -> Words {
    Words {
        subject: "You are an operator".to_owned(),
        paragraphs: vec![format!(
            "{} an operator of this Latchkey instance. Operators see all organizations and people, create service tokens for \
             the whole instance, and delete organizations.",
            made_you(by)
        )],
        link: Some(Link {
            url: format!("{public_url}/instance"),
            label: "View the instance",
        }),
        closing: Some(NOT_EXPECTED),
    }
}

pub fn operator_removed(by: Option<&DisplayName>) -> Words {
    Words {
        subject: "You are no longer an operator".to_owned(),
        paragraphs: vec![format!(
            "{} You no longer see all organizations and people, and cannot create service tokens for the whole instance. \
             Your own organizations remain.",
            match by {
                Some(by) => format!(
                    "{} removed you as an operator of this Latchkey instance.",
                    unlinked(by.as_str())
                ),
                None => "You are no longer an operator of this Latchkey instance.".to_owned(),
            }
        )],
        link: None,
        closing: Some(
            "If you did not expect this, ask another operator of this Latchkey instance.",
        ),
    }
}

/// "Dana made you".
fn made_you(by: Option<&DisplayName>) -> String {
    format!("{} made you", whoever(by))
}

/// The name of the user who did it, or that of the role in which it was done.
fn whoever(by: Option<&DisplayName>) -> String {
    by.map_or_else(|| OPERATOR.to_owned(), |by| unlinked(by.as_str()))
}
