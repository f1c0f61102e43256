//! The flags of every command, for most settings. No flag takes a secret, since other users of the machine can read the
//! command lines of processes.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use clap::Args;
use url::form_urlencoded;

use crate::settings::{Layers, Settings, SettingsError};

/// The settings file that is read if it exists and `--config` is not set.
const FILE: &str = "latchkey.toml";

/// Settings given as flags, and the path of the settings file.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Settings")]
pub struct Flags {
    /// The settings file [default: latchkey.toml, if it exists].
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The address and port to listen on. Port 0 selects a free port.
    #[arg(long, global = true, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// The public URL of this instance, such as https://keys.example.com.
    #[arg(long, global = true, value_name = "URL")]
    public_url: Option<String>,
    /// The URL of the API that keys are for, which code examples call.
    #[arg(long, global = true, value_name = "URL")]
    api_base_url: Option<String>,
    /// The URL of the script that embeds a widget, for code examples.
    #[arg(long, global = true, value_name = "URL")]
    widget_script_url: Option<String>,
    /// The URL of your documentation.
    #[arg(long, global = true, value_name = "URL")]
    docs_url: Option<String>,
    /// The folder of the SQLite database and the pepper.
    #[arg(long, global = true, value_name = "FOLDER")]
    data_dir: Option<String>,
    /// The database: sqlite:PATH, or postgres://… without a password.
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
    /// How keys look and behave: a convention's name or file.
    #[arg(long, global = true, value_name = "NAME")]
    convention: Option<String>,
    /// Who can sign up: invite, open or closed.
    #[arg(long, global = true, value_name = "POLICY")]
    sign_up: Option<String>,
    /// Further hosts under which browsers reach this instance, separated by commas.
    #[arg(long, global = true, value_name = "HOSTS")]
    hosts: Option<String>,
    /// Reverse proxies whose X-Forwarded-For header is trusted, separated by commas.
    #[arg(long, global = true, value_name = "NETWORKS")]
    trusted_proxies: Option<String>,
    /// The log format: readable or json.
    #[arg(long, global = true, value_name = "FORMAT")]
    log_format: Option<String>,
    /// The log level: error, warn, info, debug or trace.
    #[arg(long, global = true, value_name = "LEVEL")]
    log_level: Option<String>,
    /// The number of seconds between writes of usage.
    #[arg(long, global = true, value_name = "SECONDS")]
    usage_flush_seconds: Option<String>,
    /// The maximum number of keys in memory.
    #[arg(long, global = true, value_name = "NUMBER")]
    cached_keys: Option<String>,
    /// The number of days to keep entries of the audit log.
    #[arg(long, global = true, value_name = "NUMBER")]
    audit_days: Option<String>,
}

impl Flags {
    /// The settings of all layers, and the environment variables that look like settings but are not.
    ///
    /// # Errors
    /// If a setting is invalid, or the file cannot be read.
    pub fn settings(&self) -> Result<(Settings, Vec<String>), SettingsError> {
        let (layers, unknown) = self.layers()?;
        Ok((Settings::from_layers(&layers)?, unknown))
    }

    /// Whether any layer says where the data is.
    ///
    /// # Errors
    /// Like [`settings`](Self::settings).
    pub fn names_database(&self) -> Result<bool, SettingsError> {
        let (layers, _) = self.layers()?;
        Ok(layers.is_given("data_dir") || layers.is_given("database_url"))
    }

    /// The settings of a demo: it sends no mail, and its data is in `folder`, if there is one.
    ///
    /// # Errors
    /// Like [`settings`](Self::settings).
    pub fn demo_settings(
        &self,
        folder: Option<&Path>,
    ) -> Result<(Settings, Vec<String>), SettingsError> {
        let (layers, unknown) = self.layers()?;
        let mut pairs = vec![("smtp_url", ""), ("mail_from", "")];
        let folder = folder.map(|folder| folder.display().to_string());
        if let Some(folder) = &folder {
            pairs.push(("data_dir", folder));
        }
        let layers = layers.with_pairs("the demo", pairs)?;
        Ok((Settings::from_layers(&layers)?, unknown))
    }

    fn layers(&self) -> Result<(Layers, Vec<String>), SettingsError> {
        let mut layers = Layers::defaults();
        if let Some(file) = self.file() {
            let text = fs::read_to_string(file).map_err(|error| SettingsError {
                setting: "the file".to_owned(),
                source_name: file.display().to_string(),
                reason: format!("cannot be read: {error}"),
            })?;
            layers = layers.with_file(&file.display().to_string(), &text)?;
        }
        // Values that are not UTF-8 cannot be settings.
        let environment = env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        let (mut layers, unknown) = layers.with_environment(environment)?;
        if self.database_url.as_deref().is_some_and(has_password) {
            return Err(SettingsError {
                setting: "database_url".to_owned(),
                source_name: "--database-url".to_owned(),
                reason: "must not contain a password: other users of this machine could read it from the list of \
                         processes. Set LATCHKEY_DATABASE_URL, or database_url in latchkey.toml"
                    .to_owned(),
            });
        }
        for (name, value) in self.given() {
            layers =
                layers.with_pairs(&format!("--{}", name.replace('_', "-")), [(name, value)])?;
        }
        Ok((layers, unknown))
    }

    fn file(&self) -> Option<&Path> {
        self.config
            .as_deref()
            .or_else(|| Some(Path::new(FILE)).filter(|file| file.exists()))
    }

    fn given(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("listen", &self.listen),
            ("public_url", &self.public_url),
            ("api_base_url", &self.api_base_url),
            ("widget_script_url", &self.widget_script_url),
            ("docs_url", &self.docs_url),
            ("data_dir", &self.data_dir),
            ("database_url", &self.database_url),
            ("convention", &self.convention),
            ("sign_up", &self.sign_up),
            ("hosts", &self.hosts),
            ("trusted_proxies", &self.trusted_proxies),
            ("log_format", &self.log_format),
            ("log_level", &self.log_level),
            ("usage_flush_seconds", &self.usage_flush_seconds),
            ("cached_keys", &self.cached_keys),
            ("audit_days", &self.audit_days),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_deref()?)))
    }
}

/// Whether a database URL contains a password, before its host or in its parameters.
fn has_password(url: &str) -> bool {
    let (_, rest) = url.split_once("://").unwrap_or(("", url));
    let of_user = rest
        .rsplit_once('@')
        .is_some_and(|(user, _)| user.contains(':'));
    let parameters = rest
        .split_once('?')
        .map_or("", |(_, parameters)| parameters);
    of_user
        || form_urlencoded::parse(parameters.as_bytes())
            .any(|(name, _)| name.eq_ignore_ascii_case("password"))
}

/// Parses a number of days: at most a hundred years.
pub fn days(text: &str) -> Result<u32, &'static str> {
    let days = text.parse().ok().filter(|days| (1..=36_500).contains(days));
    days.ok_or("Must be a whole number from 1 to 36500.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_found_wherever_a_url_can_have_one() {
        for url in [
            "postgres://latchkey:s3cret@db/latchkey",
            "postgresql://latchkey:s3/cr@t@db:5432/latchkey",
            "postgres://:s3cret@db/latchkey",
            "postgres://a:s3cret@b:port/c",
            "postgres://db/latchkey?user=a&password=s3cret",
            "postgres://db/latchkey?%70assword=s3cret",
        ] {
            assert!(has_password(url), "{url}");
        }
        for url in [
            "postgres://latchkey@db:5432/latchkey",
            "postgres://db/latchkey?sslmode=require",
            "postgres:///latchkey?host=/run/postgresql",
            "sqlite:./data/latchkey.db",
            "sqlite:./data/latchkey.db?mode=ro",
        ] {
            assert!(!has_password(url), "{url}");
        }
    }
}
