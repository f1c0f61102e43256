//! Letters about requests for keys.

use latchkey::{
    id::{KeyId, KeyRequestId},
    name::{DisplayName, KeyName, Slug},
    time::Timestamp,
};

use super::{
    Link, Words,
    text::{minute, unlinked},
};

/// To an owner.
pub fn key_requested(
    org: &DisplayName,
    slug: &Slug,
    requester: &DisplayName,
    key: &KeyName,
    request: KeyRequestId,
    public_url: &str,
) -> Words {
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

/// To the requester. An approved key can be revealed before `until`; without it, the request was declined.
pub fn key_request_decided(
    org: &DisplayName,
    slug: &Slug,
    owner: &DisplayName,
    key: &KeyName,
    request: KeyRequestId,
    until: Option<Timestamp>,
    public_url: &str,
) -> Words {
    let (org, owner, key) = (
        unlinked(org.as_str()),
        unlinked(owner.as_str()),
        unlinked(key.as_str()),
    );
    let (decided, then, label) = match until {
        Some(until) => (
            "approved",
            format!(
                "Reveal the key before {}. It is created then, and shown once.",
                minute(until)
            ),
            "Reveal the key",
        ),
        None => (
            "declined",
            "The page says why.".to_owned(),
            "View the request",
        ),
    };
    Words {
        subject: format!("Your request for a key was {decided}"),
        paragraphs: vec![format!(
            "{owner} {decided} your request for the key “{key}” in {org}. {then}"
        )],
        link: Some(Link {
            url: format!("{public_url}/orgs/{slug}/requests/{request}"),
            label,
        }),
        closing: None,
    }
}

/// To the member who asked for the key, who can reveal its new secret before `until`.
pub fn new_secret_offered(
    org: &DisplayName,
    slug: &Slug,
    owner: &DisplayName,
    key: &KeyName,
    key_id: KeyId,
    until: Timestamp,
    public_url: &str,
) -> Words {
    let (org, owner, key) = (
        unlinked(org.as_str()),
        unlinked(owner.as_str()),
        unlinked(key.as_str()),
    );
    Words {
        subject: format!("Your key “{key}” gets a new secret"),
        paragraphs: vec![format!(
            "{owner} lets you reveal a new secret of the key “{key}” in {org}. Reveal it before {}. It is created then, and shown \
             once. Until then, the current secret works.",
            minute(until)
        )],
        link: Some(Link {
            url: format!("{public_url}/orgs/{slug}/keys/{key_id}"),
            label: "View the key",
        }),
        closing: None,
    }
}
