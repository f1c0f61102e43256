//! The settings that operators see in the pages. Without secrets: of a URL that can contain a password, only whether it is
//! set.

use latchkey::{accounts::SignUpPolicy, limits::Limits, orgs::OrgPolicy};
use latchkey_app::ShownSettings;

use super::{LogFormat, PublicUrl, Settings};

/// What is shown instead of a secret.
const SET: &str = "set";

impl Settings {
    /// Returns name and value of each setting, in the order of the settings file.
    pub fn shown(&self, public_url: &PublicUrl) -> ShownSettings {
        let optional = |value: &Option<String>| value.clone().unwrap_or_default();
        let secret = |is_set: bool| {
            if is_set {
                SET.to_owned()
            } else {
                String::new()
            }
        };
        let Limits {
            keys,
            agents,
            projects,
            members,
            domains,
        } = self.limits;
        let database = match self.sqlite_file() {
            Some(file) => format!("sqlite:{}", file.display()),
            None => "postgres, with the URL from the settings".to_owned(),
        };
        let proxies: Vec<String> = self
            .trusted_proxies
            .iter()
            .map(ToString::to_string)
            .collect();
        let values = vec![
            ("listen", self.listen.to_string()),
            ("public_url", public_url.origin().to_owned()),
            ("api_base_url", optional(&self.api_base_url)),
            ("widget_script_url", optional(&self.widget_script_url)),
            (
                "docs_url",
                self.docs_url.clone().unwrap_or_else(|| "/docs".to_owned()),
            ),
            (
                "hsts_subdomains",
                if self.hsts_subdomains { "all" } else { "none" }.to_owned(),
            ),
            ("hosts", self.hosts.join(", ")),
            ("data_dir", self.data_dir.display().to_string()),
            ("database_url", database),
            (
                "database_listen_url",
                secret(self.database_listen_url().is_some()),
            ),
            ("convention", self.convention.name.clone()),
            ("sign_up", sign_up(self.sign_up).to_owned()),
            (
                "organizations",
                organizations(self.organizations).to_owned(),
            ),
            (
                "pepper",
                if self.names_pepper() {
                    SET.to_owned()
                } else {
                    "in the data folder, created on the first start".to_owned()
                },
            ),
            ("older_peppers", secret(!self.older_peppers.is_empty())),
            ("trusted_proxies", proxies.join(", ")),
            (
                "log_format",
                match self.log_format {
                    LogFormat::Readable => "readable",
                    LogFormat::Json => "json",
                }
                .to_owned(),
            ),
            ("log_level", self.log_level.to_string().to_lowercase()),
            (
                "usage_flush_seconds",
                self.usage_flush.as_secs().to_string(),
            ),
            (
                "usage_minute_hours",
                self.usage_kept.minutes_for_hours.to_string(),
            ),
            (
                "usage_hour_days",
                self.usage_kept.hours_for_days.to_string(),
            ),
            ("usage_day_days", self.usage_kept.days_for_days.to_string()),
            ("cached_keys", self.cached_keys.to_string()),
            ("keys_per_org", keys.to_string()),
            ("agents_per_org", agents.to_string()),
            ("projects_per_org", projects.to_string()),
            ("members_per_org", members.to_string()),
            ("domains_per_org", domains.to_string()),
            (
                "audit_days",
                (self.audit_kept_for.as_secs() / (24 * 3_600)).to_string(),
            ),
            ("smtp_url", secret(self.mail.is_some())),
            (
                "mail_from",
                self.mail
                    .as_ref()
                    .map_or_else(String::new, |mail| mail.from.to_string()),
            ),
        ];
        ShownSettings {
            version: env!("CARGO_PKG_VERSION"),
            mail: self
                .mail
                .as_ref()
                .map(|mail| format!("over {}, from {}", mail.server, mail.from)),
            values,
        }
    }
}

const fn sign_up(policy: SignUpPolicy) -> &'static str {
    match policy {
        SignUpPolicy::Invite => "invite",
        SignUpPolicy::Open => "open",
        SignUpPolicy::Closed => "closed",
    }
}

const fn organizations(policy: OrgPolicy) -> &'static str {
    match policy {
        OrgPolicy::Operators => "operators",
        OrgPolicy::Everyone => "everyone",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::settings::Layers;

    #[test]
    fn every_setting_is_shown_and_no_secret_is() {
        let pepper = "0123456789abcdef0123456789abcdef";
        let layers = Layers::defaults()
            .with_pairs(
                "the test",
                [
                    ("database_url", "postgres://latchkey:hunter2@db/latchkey"),
                    (
                        "database_listen_url",
                        "postgres://latchkey:hunter2@direct/latchkey",
                    ),
                    ("pepper", pepper),
                ],
            )
            .unwrap();
        let settings = Settings::from_layers(&layers).unwrap();
        let shown = settings.shown(&settings.public_url(3000));
        let text = format!("{shown:?}");
        assert!(
            !text.contains("hunter2") && !text.contains(pepper),
            "{text}"
        );
        let names: BTreeSet<&str> = shown.values.iter().map(|(name, _)| *name).collect();
        let defaults = include_str!("../../latchkey.default.toml").lines();
        let all = defaults.filter_map(|line| Some(line.split_once(" = ")?.0));
        let all: BTreeSet<&str> = all.filter(|name| !name.starts_with('#')).collect();
        assert_eq!(names, all);
    }
}
