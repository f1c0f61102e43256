//! A letter as a message with a text and an HTML part.

use std::time::{Duration, SystemTime};

use latchkey::{email::EmailAddress, mail::Letter, time::Timestamp};
use lettre::{
    Message,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
};
use url::Url;

use super::words::{Words, words};

/// Why a message could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("the address is invalid")]
    Address(#[from] lettre::address::AddressError),
    #[error("the message is invalid")]
    Message(#[from] lettre::error::Error),
}

/// Builds the message of a letter. Its links begin with `public_url`.
pub fn build(
    letter: &Letter,
    public_url: &str,
    from: &Mailbox,
    now: Timestamp,
) -> Result<Message, BuildError> {
    let to = Mailbox::new(None, letter.to.as_str().parse()?);
    written(
        &words(&letter.content, public_url),
        to,
        public_url,
        from,
        now,
    )
}

/// Builds the message of `latchkey check --mail-to`.
pub fn test(
    to: &EmailAddress,
    public_url: &str,
    from: &Mailbox,
    now: Timestamp,
) -> Result<Message, BuildError> {
    let words = Words {
        subject: "Test".to_owned(),
        paragraphs: vec!["This Latchkey instance can send mail.".to_owned()],
        link: None,
        closing: None,
    };
    let to = Mailbox::new(None, to.as_str().parse()?);
    written(&words, to, public_url, from, now)
}

fn written(
    words: &Words,
    to: Mailbox,
    public_url: &str,
    from: &Mailbox,
    now: Timestamp,
) -> Result<Message, BuildError> {
    let host = Url::parse(public_url).ok();
    let host = host.and_then(|url| url.host_str().map(str::to_owned));
    let host = host.unwrap_or_default();
    let millis = u64::try_from(now.as_millis()).unwrap_or_default();
    // Tells out-of-office replies that nobody reads them (RFC 3834).
    let auto = HeaderValue::new(
        HeaderName::new_from_ascii_str("Auto-Submitted"),
        "auto-generated".to_owned(),
    );
    let message = Message::builder()
        .from(from.clone())
        .to(to)
        .subject(format!("{} ({host})", words.subject))
        .date(SystemTime::UNIX_EPOCH + Duration::from_millis(millis))
        .raw_header(auto);
    let parts = MultiPart::alternative_plain_html(text(words, &host), html(words, &host));
    Ok(message.multipart(parts)?)
}

fn text(words: &Words, host: &str) -> String {
    let mut parts = words.paragraphs.clone();
    parts.extend(words.link.iter().map(|link| link.url.clone()));
    parts.extend(words.closing.iter().map(|closing| (*closing).to_owned()));
    parts.push(format!("-- \nLatchkey at {host}"));
    parts.join("\n\n") + "\n"
}

fn html(words: &Words, host: &str) -> String {
    let paragraph = |text: &str| format!("<p>{}</p>\n", escaped(text));
    let mut body: String = words
        .paragraphs
        .iter()
        .map(|text| paragraph(text))
        .collect();
    if let Some(link) = &words.link {
        let (url, label) = (escaped(&link.url), link.label);
        body += &format!("<p><a href=\"{url}\">{label}</a></p>\n");
    }
    body += &words.closing.map(paragraph).unwrap_or_default();
    body += &format!(
        "<p style=\"color:#666\">Latchkey at {}</p>\n",
        escaped(host)
    );
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{}</title></head>\n\
         <body style=\"font-family:sans-serif;max-width:36em\">\n{body}</body></html>\n",
        escaped(&words.subject)
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use latchkey::mail::Content;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_new_address_can_be_mailed(text in "[a-z.+'_-]{1,12}@[a-z0-9.-]{1,12}") {
            if let Ok(address) = text.parse::<EmailAddress>() {
                prop_assert!(address.as_str().parse::<lettre::Address>().is_ok(), "{address}");
            }
        }
    }

    #[test]
    fn a_letter_has_both_parts_and_names_cannot_become_markup() {
        let letter = Letter {
            to: "kim@example.com".parse().unwrap(),
            content: Content::Invitation {
                org: "<b>Nordwind\" & Co</b>".parse().unwrap(),
                inviter: Some("Dana".parse().unwrap()),
                role: latchkey::role::Role::Admin,
                token: "lk_inv_000000000000000000000000000XX1s6".parse().unwrap(),
                expires_at: Timestamp::from_millis(1_795_867_200_000),
            },
        };
        let from: Mailbox = "Keys <keys@example.com>".parse().unwrap();
        let now = Timestamp::from_millis(1_795_262_400_000);
        let message = build(&letter, "https://keys.example.com", &from, now).unwrap();
        let text = String::from_utf8(message.formatted()).unwrap();
        for part in [
            "From: Keys <keys@example.com>",
            "To: kim@example.com",
            "Date: Sat, 21 Nov 2026 12:00:00 +0000",
            "Auto-Submitted: auto-generated",
            "Dana invited you to join <b>Nordwind\" & Co</b> as an admin.",
            "https://keys.example.com/invitations/lk_inv_000000000000000000000000000XX1s6",
            "&lt;b&gt;Nordwind&quot; &amp; Co&lt;/b&gt;",
            "Latchkey at keys.example.com",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
