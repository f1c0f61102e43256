//! The operator's settings (design §11). They are read from the default file, the settings file, the environment and
//! flags, in this order.

mod layers;
mod mail;
mod named_url;
mod peppers;
mod public_url;
mod secret;
mod shown;
#[cfg(test)]
mod tests;

use std::{
    fs,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use ipnet::IpNet;
use latchkey::{
    accounts::SignUpPolicy,
    convention::{BUILT_IN_NAMES, Convention},
    db::sqlite_file,
    key::digest::Peppers,
    limits::Limits,
    orgs::OrgPolicy,
    random::Randomness,
    usage::kept::Kept,
};
use url::Host;

use self::peppers::PepperSources;
pub use self::{
    layers::{Layers, SettingsError},
    mail::MailSettings,
    peppers::{PepperError, RotateError, Rotated},
    public_url::PublicUrl,
    secret::Secret,
};

/// The maximum of `audit_days` and of the periods for which usage is kept: a hundred years of days.
const MAX_DAYS: i64 = 36_500;

/// The maximum value of an organization limit.
const MAX_LIMIT: i64 = 100_000_000;

/// All settings, validated.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The address to listen on. Port 0 selects a free port.
    pub listen: SocketAddr,
    /// The folder of the SQLite database and the pepper.
    pub data_dir: PathBuf,
    /// How keys look and behave.
    pub convention: Convention,
    /// Who can create an account.
    pub sign_up: SignUpPolicy,
    /// Who can create further organizations in the pages.
    pub organizations: OrgPolicy,
    /// Whether HSTS includes the subdomains of the public host.
    pub hsts_subdomains: bool,
    /// Further hosts at which browsers reach this instance.
    pub hosts: Vec<String>,
    /// The proxies whose `X-Forwarded-For` header is trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// The format of the log.
    pub log_format: LogFormat,
    /// The log level: `error`, `warn`, `info`, `debug` or `trace`.
    pub log_level: tracing::Level,
    /// The time between two writes of usage.
    pub usage_flush: Duration,
    /// How long usage is kept.
    pub usage_kept: Kept,
    /// The maximum number of keys in memory.
    pub cached_keys: usize,
    /// The limits of one organization.
    pub limits: Limits,
    /// How long audit log entries are kept.
    pub audit_kept_for: Duration,
    /// The URL of the API that keys are for, which examples call.
    pub api_base_url: Option<String>,
    /// The URL of the script that embeds a widget in a page.
    pub widget_script_url: Option<String>,
    /// The URL of the operator's documentation.
    pub docs_url: Option<String>,
    /// How mail is sent, if it is.
    pub mail: Option<MailSettings>,
    public_url: Option<PublicUrl>,
    database_url: Secret,
    database_listen_url: Option<Secret>,
    pepper: Option<Secret>,
    older_peppers: Vec<Secret>,
}

/// The format of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Readable,
    /// One JSON object per line.
    Json,
}

impl Settings {
    /// Validates the values of the layers.
    ///
    /// # Errors
    /// If a setting is invalid: the first one, with its source and the reason.
    pub fn from_layers(layers: &Layers) -> Result<Self, SettingsError> {
        let data_dir = layers.text("data_dir", |text| match text {
            "" => Err("must be a folder".to_owned()),
            text => Ok(PathBuf::from(text)),
        })?;
        Ok(Self {
            listen: layers.text("listen", |text| {
                text.parse()
                    .map_err(|_| "must be an address and a port, such as 127.0.0.1:3000".to_owned())
            })?,
            convention: layers.text("convention", read_convention)?,
            sign_up: layers.text("sign_up", |text| match text {
                "invite" => Ok(SignUpPolicy::Invite),
                "open" => Ok(SignUpPolicy::Open),
                "closed" => Ok(SignUpPolicy::Closed),
                _ => Err("must be `invite`, `open` or `closed`".to_owned()),
            })?,
            organizations: layers.text("organizations", |text| match text {
                "operators" => Ok(OrgPolicy::Operators),
                "everyone" => Ok(OrgPolicy::Everyone),
                _ => Err("must be `operators` or `everyone`".to_owned()),
            })?,
            hsts_subdomains: layers.text("hsts_subdomains", |text| match text {
                "all" => Ok(true),
                "none" => Ok(false),
                _ => Err("must be `all` or `none`".to_owned()),
            })?,
            hosts: layers.list("hosts", |text| {
                let host = Host::parse(text).map_err(|_| format!("`{text}` is not a host name"))?;
                Ok(host.to_string())
            })?,
            trusted_proxies: layers.list("trusted_proxies", |text| {
                let address = text.parse::<IpAddr>().map(IpNet::from);
                text.parse::<IpNet>()
                    .or(address)
                    .map_err(|_| format!("`{text}` is not an IP address or network"))
            })?,
            log_format: layers.text("log_format", |text| match text {
                "readable" => Ok(LogFormat::Readable),
                "json" => Ok(LogFormat::Json),
                _ => Err("must be `readable` or `json`".to_owned()),
            })?,
            log_level: layers.text("log_level", |text| match text {
                "error" => Ok(tracing::Level::ERROR),
                "warn" => Ok(tracing::Level::WARN),
                "info" => Ok(tracing::Level::INFO),
                "debug" => Ok(tracing::Level::DEBUG),
                "trace" => Ok(tracing::Level::TRACE),
                _ => Err("must be `error`, `warn`, `info`, `debug` or `trace`".to_owned()),
            })?,
            usage_flush: Duration::from_secs(layers.number("usage_flush_seconds", 1, 3_600)?),
            usage_kept: Kept {
                minutes_for_hours: read_kept(
                    layers,
                    "usage_minute_hours",
                    Kept::MIN.minutes_for_hours,
                )?,
                hours_for_days: read_kept(layers, "usage_hour_days", Kept::MIN.hours_for_days)?,
                days_for_days: read_kept(layers, "usage_day_days", Kept::MIN.days_for_days)?,
            },
            cached_keys: usize::try_from(layers.number("cached_keys", 1, 100_000_000)?)
                .unwrap_or(usize::MAX),
            limits: Limits {
                keys: read_limit(layers, "keys_per_org")?,
                agents: read_limit(layers, "agents_per_org")?,
                projects: read_limit(layers, "projects_per_org")?,
                members: read_limit(layers, "members_per_org")?,
                domains: read_limit(layers, "domains_per_org")?,
            },
            audit_kept_for: Duration::from_secs(
                layers.number("audit_days", 1, MAX_DAYS)? * 24 * 3_600,
            ),
            api_base_url: layers
                .text("api_base_url", |text| unless_empty(text, named_url::base))?,
            widget_script_url: layers.text("widget_script_url", |text| {
                unless_empty(text, named_url::page)
            })?,
            docs_url: layers.text("docs_url", |text| unless_empty(text, named_url::page))?,
            mail: MailSettings::read(layers)?,
            public_url: layers.text("public_url", |text| unless_empty(text, PublicUrl::parse))?,
            database_url: layers.text("database_url", |text| read_database_url(text, &data_dir))?,
            database_listen_url: layers.text("database_listen_url", |text| {
                unless_empty(text, |text| Ok(Secret::new(text)))
            })?,
            pepper: layers.text("pepper", |text| unless_empty(text, read_pepper))?,
            older_peppers: layers.list("older_peppers", read_pepper)?,
            data_dir,
        })
    }

    /// The URL at which browsers reach this instance if it listens on `port`.
    pub fn public_url(&self, port: u16) -> PublicUrl {
        self.public_url
            .clone()
            .unwrap_or_else(|| PublicUrl::localhost(port))
    }

    /// Whether the settings contain `public_url`.
    pub fn names_public_url(&self) -> bool {
        self.public_url.is_some()
    }

    /// The warning if the public URL is https, which requires a proxy, but no proxy is trusted.
    pub fn undeclared_proxy(&self) -> Option<&'static str> {
        let is_https = self.public_url.as_ref().is_some_and(PublicUrl::is_https);
        (is_https && self.trusted_proxies.is_empty()).then_some(
            "public_url is https, but trusted_proxies is not set: all users share the limits of the reverse proxy's \
             address. Set LATCHKEY_TRUSTED_PROXIES to the address or network of the proxy",
        )
    }

    /// The warnings about mail: if it is sent to another machine without encryption, and if its links lead nowhere.
    pub fn mail_warnings(&self) -> impl Iterator<Item = &'static str> {
        let is_open = self.mail.as_ref().is_some_and(|mail| !mail.is_protected);
        let has_no_url = self.mail.is_some() && self.public_url.is_none();
        let unprotected = is_open.then_some(
            "smtp_url does not require encryption: anyone on the way to the mail server can read the links in mail. Use \
             smtps://, or smtp:// with ?tls=required",
        );
        let local = has_no_url.then_some(
            "smtp_url is set, but public_url is not: links in mail lead to localhost. Set LATCHKEY_PUBLIC_URL",
        );
        unprotected.into_iter().chain(local)
    }

    /// The URL of the database. It can contain a password.
    pub fn database_url(&self) -> &Secret {
        &self.database_url
    }

    /// The address at which to listen for changes, if it differs from the database's.
    pub fn database_listen_url(&self) -> Option<&str> {
        self.database_listen_url.as_ref().map(Secret::expose)
    }

    /// The path of the SQLite database; `None` with Postgres.
    pub fn sqlite_file(&self) -> Option<PathBuf> {
        sqlite_file::path(self.database_url.expose())
    }

    /// Whether the settings contain the pepper. Otherwise, it is in its file.
    pub fn names_pepper(&self) -> bool {
        self.pepper.is_some()
    }

    /// The file that contains SQLite's pepper if the settings do not.
    pub fn pepper_file(&self) -> PathBuf {
        self.data_dir.join("pepper")
    }

    /// The peppers for key digests. With SQLite, the pepper is created in the data folder if the settings do not
    /// contain one and it does not exist.
    ///
    /// # Errors
    /// If Postgres is used without a pepper in the settings, or a file cannot be read or created.
    pub fn peppers(&self, is_used: bool, random: &Randomness) -> Result<Peppers, PepperError> {
        self.pepper_sources().read_or_create(is_used, random)
    }

    /// The existing peppers; `None` if SQLite's pepper has not been created yet.
    ///
    /// # Errors
    /// If Postgres is used without a pepper in the settings, or a file cannot be read.
    pub fn existing_peppers(&self) -> Result<Option<Peppers>, PepperError> {
        self.pepper_sources().read()
    }

    /// Replaces the pepper in SQLite's file with a new one with the number `next`.
    ///
    /// # Errors
    /// If the files cannot be written, or another process is rotating the pepper.
    pub fn rotate_pepper(&self, next: i32, random: &Randomness) -> Result<Rotated, RotateError> {
        self.pepper_sources().rotate(next, random)
    }

    /// The new values for the settings after a rotation: a new pepper with the number `next`, and all older ones.
    ///
    /// # Errors
    /// If the system provides no randomness.
    pub fn rotated_settings(
        &self,
        next: i32,
        random: &Randomness,
    ) -> Result<(String, Vec<String>), PepperError> {
        self.pepper_sources().rotated_settings(next, random)
    }

    fn pepper_sources(&self) -> PepperSources<'_> {
        PepperSources {
            in_settings: self.pepper.as_ref(),
            older: &self.older_peppers,
            is_postgres: !self.database_url.expose().starts_with("sqlite:"),
            file: self.pepper_file(),
        }
    }
}

fn read_limit(layers: &Layers, name: &str) -> Result<u32, SettingsError> {
    let limit = layers.number(name, 1, MAX_LIMIT)?;
    Ok(u32::try_from(limit).unwrap_or(u32::MAX))
}

fn read_kept(layers: &Layers, name: &str, min: u32) -> Result<u32, SettingsError> {
    let kept = layers.number(name, i64::from(min), MAX_DAYS)?;
    Ok(u32::try_from(kept).unwrap_or(u32::MAX))
}

fn unless_empty<T>(
    text: &str,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<Option<T>, String> {
    if text.is_empty() {
        Ok(None)
    } else {
        parse(text).map(Some)
    }
}

fn read_pepper(text: &str) -> Result<Secret, String> {
    peppers::parse(text).map(|_| Secret::new(text))
}

fn read_convention(text: &str) -> Result<Convention, String> {
    if let Some(convention) = Convention::built_in(text) {
        return Ok(convention);
    }
    let file = fs::read_to_string(text).map_err(|error| {
        format!(
            "`{text}` is not one of {}, and not a readable file ({error})",
            BUILT_IN_NAMES.join(", ")
        )
    })?;
    Convention::from_toml(&file).map_err(|error| format!("{text}, {error}"))
}

fn read_database_url(text: &str, data_dir: &Path) -> Result<Secret, String> {
    if text.is_empty() {
        let folder = data_dir
            .to_str()
            .ok_or("is required if the name of the data folder is not UTF-8")?;
        // These characters have a meaning in a URL.
        let folder = folder
            .replace('%', "%25")
            .replace('?', "%3F")
            .replace('#', "%23");
        return Ok(Secret::new(format!("sqlite:{folder}/latchkey.db")));
    }
    let known = ["sqlite:", "postgres:", "postgresql:"]
        .iter()
        .any(|scheme| text.starts_with(scheme));
    if known {
        Ok(Secret::new(text))
    } else {
        Err("must begin with `sqlite:` or `postgres://`".to_owned())
    }
}
