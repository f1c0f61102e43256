//! The settings of mail.

use lettre::message::Mailbox;
use url::{Host, Url};

use super::{
    layers::{Layers, SettingsError},
    secret::Secret,
};

/// How mail is sent.
#[derive(Debug, Clone)]
pub struct MailSettings {
    /// The URL of the mail server. It can contain a password.
    pub smtp_url: Secret,
    /// The mail server, without the password: `smtp.example.com:587`.
    pub server: String,
    /// The sender.
    pub from: Mailbox,
    /// Whether mail is always encrypted on its way to the server, or the server is this machine.
    pub is_protected: bool,
}

impl MailSettings {
    /// Reads the settings; `None` if no mail is sent.
    ///
    /// # Errors
    /// If a setting is invalid, or one is missing.
    pub(super) fn read(layers: &Layers) -> Result<Option<Self>, SettingsError> {
        let server = layers.text("smtp_url", |text| match text {
            "" => Ok(None),
            text => read_server(text).map(Some),
        })?;
        let from = layers.text("mail_from", |text| match text {
            "" => Ok(None),
            text => read_sender(text).map(Some),
        })?;
        match (server, from) {
            (None, _) => Ok(None),
            (Some(_), None) => Err(layers.missing(
                "mail_from",
                "is required with smtp_url: the address that mail is sent from, such as keys@example.com",
            )),
            (Some((smtp_url, server, is_protected)), Some(from)) => Ok(Some(Self {
                smtp_url,
                server,
                from,
                is_protected,
            })),
        }
    }
}

fn read_server(text: &str) -> Result<(Secret, String, bool), String> {
    let url = Url::parse(text)
        .map_err(|error| format!("is not a URL ({error}); write smtps://USER:PASSWORD@HOST"))?;
    let tls = url.query_pairs().find(|(name, _)| name == "tls");
    let tls = tls.map(|(_, value)| value.into_owned());
    if url.query_pairs().any(|(name, _)| name != "tls") {
        return Err("can have only the parameter `tls`".to_owned());
    }
    let (is_encrypted, port) = match (url.scheme(), tls.as_deref()) {
        ("smtps", None) => (true, 465),
        ("smtp", None) => (false, 25),
        ("smtp", Some("required")) => (true, 587),
        ("smtp", Some("opportunistic")) => (false, 587),
        ("smtp", Some(_)) => {
            return Err("has a `tls` other than `required` and `opportunistic`".to_owned());
        }
        _ => return Err("must begin with `smtps://` or `smtp://`".to_owned()),
    };
    let Some(host) = url.host_str().filter(|host| !host.is_empty()) else {
        return Err("has no host".to_owned());
    };
    // The URL parser reads hosts of other schemes than http as opaque text.
    let is_local = match Host::parse(host) {
        Ok(Host::Domain(name)) => name == "localhost",
        Ok(Host::Ipv4(address)) => address.is_loopback(),
        Ok(Host::Ipv6(address)) => address.is_loopback(),
        Err(_) => return Err("has an invalid host".to_owned()),
    };
    if url.password().is_some() && !is_encrypted && !is_local {
        return Err(
            "would send the password unencrypted; write smtps://, or smtp:// with ?tls=required"
                .to_owned(),
        );
    }
    let server = format!("{host}:{}", url.port().unwrap_or(port));
    Ok((Secret::new(text), server, is_encrypted || is_local))
}

fn read_sender(text: &str) -> Result<Mailbox, String> {
    text.parse().map_err(|_| {
        "must be an address such as keys@example.com, or Example Keys <keys@example.com>".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(smtp_url: &str, mail_from: &str) -> Result<Option<MailSettings>, SettingsError> {
        let pairs = [("smtp_url", smtp_url), ("mail_from", mail_from)];
        MailSettings::read(&Layers::defaults().with_pairs("the test", pairs).unwrap())
    }

    #[test]
    fn servers_are_read_and_their_passwords_are_not_shown() {
        let from = "Example Keys <keys@example.com>";
        assert!(read("", from).unwrap().is_none());
        for (url, server, is_protected) in [
            (
                "smtps://u:p%40ss@mail.example.com",
                "mail.example.com:465",
                true,
            ),
            (
                "smtp://u:p@mail.example.com?tls=required",
                "mail.example.com:587",
                true,
            ),
            (
                "smtp://mail.example.com:2525",
                "mail.example.com:2525",
                false,
            ),
            (
                "smtp://mail.example.com?tls=opportunistic",
                "mail.example.com:587",
                false,
            ),
            ("smtp://u:p@127.0.0.1:1025", "127.0.0.1:1025", true),
            ("smtp://localhost", "localhost:25", true),
        ] {
            let read = read(url, from).unwrap().unwrap();
            assert_eq!(
                (read.server.as_str(), read.is_protected),
                (server, is_protected),
                "{url}"
            );
            assert_eq!(read.from.email.to_string(), "keys@example.com");
            assert!(!format!("{read:?}").contains("p%40ss"));
        }
    }

    #[test]
    fn what_would_not_work_is_an_error_that_says_what_to_do() {
        for (url, from, part) in [
            ("smtp://localhost", "", "mail_from"),
            (
                "mail.example.com",
                "a@example.com",
                "smtps://USER:PASSWORD@HOST",
            ),
            (
                "http://mail.example.com",
                "a@example.com",
                "must begin with `smtps://`",
            ),
            (
                "smtp://u:secret@mail.example.com",
                "a@example.com",
                "would send the password unencrypted",
            ),
            (
                "smtp://u:secret@mail.example.com?tls=opportunistic",
                "a@example.com",
                "unencrypted",
            ),
            (
                "smtp://mail.example.com?tls=maybe",
                "a@example.com",
                "`opportunistic`",
            ),
            (
                "smtp://mail.example.com?starttls=1",
                "a@example.com",
                "only the parameter `tls`",
            ),
            ("smtp://localhost", "nobody", "keys@example.com"),
        ] {
            let error = read(url, from).unwrap_err().to_string();
            assert!(
                error.contains(part) && !error.contains("secret"),
                "{url} {from}: {error}"
            );
        }
    }
}
