//! Parses and validates the fields of a record.

use std::{collections::HashMap, str::FromStr};

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use sha2::{Digest as _, Sha256};

use super::{
    expiry::expiry,
    file::Record,
    prefix::{Stated, display, stated_by_prefix},
    report::{Becomes, EntryReport, Listed, Problem},
};
use crate::{
    clip::clip,
    convention::Convention,
    id::ProjectId,
    key::{
        Environment, Kind,
        settings::{InvalidKeyField, KeySettings, READ, Written, rules::Before},
    },
    policy::KeyPolicy,
    time::Timestamp,
};

/// A key to be stored.
#[derive(Debug)]
pub struct Entry {
    /// The SHA-256 of the plaintext key.
    pub sha256: [u8; 32],
    /// The display form.
    pub display: String,
    pub kind: Kind,
    pub environment: Environment,
    pub settings: KeySettings,
}

impl Entry {
    /// The number of allowed domains.
    pub fn domains(&self) -> usize {
        self.settings.domains.len()
    }
}

/// Parses a record. Returns an entry if, and only if, there are no errors.
pub fn check(
    rules @ (convention, _): (&Convention, &KeyPolicy),
    projects: &HashMap<String, ProjectId>,
    record: &Record,
    now: Timestamp,
    listed: &mut Listed,
) -> (Option<Entry>, EntryReport) {
    let name = record.fields.get("name").map_or("", String::as_str);
    let mut reader = Reader {
        record,
        report: EntryReport {
            line: record.line,
            name: clip(name),
            display: String::new(),
            is_malformed: record.lacks_required || !record.misshapen.is_empty(),
            becomes: None,
            problems: Vec::new(),
            more_problems: 0,
        },
        listed,
    };
    for (field, wanted) in &record.misshapen {
        reader.refuse(field, format!("Must be {wanted}."));
    }
    let digest = record.fields.get("sha256").map(|text| sha256_of(text));
    let is_key = |text: &str| {
        let of_text: [u8; 32] = Sha256::digest(text).into();
        matches!(digest, Some(Ok(of_key)) if of_key == of_text)
    };
    let display = display(record, convention, is_key)
        .map_err(|(field, sentence)| reader.refuse(field, sentence.to_owned()))
        .ok();
    let entry = reader.entry(rules, projects, display.clone(), now);
    let mut report = reader.report;
    report.display = display.unwrap_or_default();
    let entry = entry.filter(|_| report.is_good());
    let text = |field: &str| record.fields.get(field).map_or("", String::as_str);
    let has_prefix = stated_by_prefix(convention, text("prefix")).is_some();
    report.becomes = entry.as_ref().map(|entry| Becomes {
        kind: entry.kind,
        environment: entry.environment,
        expires_at: entry.settings.expires_at,
        scopes: entry.settings.scopes.clone(),
        domains: entry.settings.domains.len(),
        is_assumed: !has_prefix && text("kind").is_empty() && text("environment").is_empty(),
    });
    (entry, report)
}

/// Parses the fields of one record and collects the errors.
struct Reader<'a> {
    record: &'a Record,
    report: EntryReport,
    listed: &'a mut Listed,
}

impl Reader<'_> {
    fn text(&self, field: &str) -> &str {
        self.record.fields.get(field).map_or("", String::as_str)
    }

    fn refuse(&mut self, field: &'static str, sentence: String) {
        self.report.refuse(self.listed, Problem { field, sentence });
    }

    fn take<T, E: std::fmt::Display>(
        &mut self,
        field: &'static str,
        result: Result<T, E>,
    ) -> Option<T> {
        result
            .map_err(|error| self.refuse(field, error.to_string()))
            .ok()
    }

    fn parse<T: FromStr<Err: std::fmt::Display>>(&mut self, field: &'static str) -> Option<T> {
        let parsed = self.text(field).parse();
        self.take(field, parsed)
    }

    fn entry(
        &mut self,
        (convention, policy): (&Convention, &KeyPolicy),
        projects: &HashMap<String, ProjectId>,
        display: Option<String>,
        now: Timestamp,
    ) -> Option<Entry> {
        let sha256 = sha256_of(self.text("sha256"));
        let sha256 = self.take("sha256", sha256);
        let stated = stated_by_prefix(convention, self.text("prefix"));
        let kind = self.kind(convention, stated);
        let environment = self.environment(stated);
        let project = match self.text("project") {
            "" => Ok(None),
            name => {
                let found = projects.get(name).copied();
                found.map(Some).ok_or(InvalidKeyField::NoSuchProject)
            }
        };
        let project = self.take("project", project);
        let expires_at = expiry(self.text("expires_at"), self.text("expires_in_days"), now);
        let expires_at = self.take("expires_at", expires_at);
        let mut settings = self.settings()?;
        settings.project = project.unwrap_or_default();
        settings.expires_at = expires_at.unwrap_or_default();
        let kind = kind?;
        let known: Vec<&str> = self
            .report
            .problems
            .iter()
            .map(|problem| problem.field)
            .collect();
        let mut all = settings.check(kind, convention, Before::Elsewhere, now);
        if let Some(environment) = environment {
            let of = (kind, environment);
            all.extend(policy.broken_by(&settings, of, convention, Before::Elsewhere, now));
        }
        for wrong in all {
            // A field that could not be parsed is missing from the settings. Do not report it as missing too.
            if !known.contains(&wrong.field()) {
                self.refuse(wrong.field(), wrong.to_string());
            }
        }
        Some(Entry {
            sha256: sha256?,
            display: display?,
            kind,
            environment: environment?,
            settings,
        })
    }

    /// The settings except project and expiry. List items are separated by commas, semicolons or white space.
    fn settings(&mut self) -> Option<KeySettings> {
        let lists = READ
            .into_iter()
            .filter(|(_, written)| *written == Written::List);
        let is_list = |field| lists.clone().any(|(list, _)| list == field);
        let record = self.record;
        let text = |field| {
            let text = record.fields.get(field).map_or("", String::as_str);
            if is_list(field) {
                text.replace(|c: char| c == ';' || c.is_whitespace(), ",")
            } else {
                text.to_owned()
            }
        };
        KeySettings::read(text, |field, sentence| self.refuse(field, sentence))
    }

    /// The kind given by the entry, which must agree with the prefix. Defaults to the prefix's kind, then to secret.
    fn kind(&mut self, convention: &Convention, stated: Option<Stated<'_>>) -> Option<Kind> {
        let of_prefix = stated.map(|stated| stated.kind);
        let kind = match self.text("kind") {
            "" => of_prefix.unwrap_or(Kind::Secret),
            _ => self.parse("kind")?,
        };
        if let Some(stated) = stated.filter(|stated| stated.kind != kind) {
            self.refuse("kind", stated.contradicts(kind));
            return None;
        }
        if convention.prefixes().any(|(_, of, _)| of == kind) {
            return Some(kind);
        }
        self.refuse("kind", format!("This instance does not offer {kind} keys."));
        None
    }

    /// The environment given by the entry, which must agree with the prefix. Defaults to the prefix's environment, then
    /// to live.
    fn environment(&mut self, stated: Option<Stated<'_>>) -> Option<Environment> {
        let of_prefix = stated.map(|stated| stated.environment);
        let environment = match self.text("environment") {
            "" => of_prefix.unwrap_or(Environment::Live),
            _ => self.parse("environment")?,
        };
        if let Some(stated) = stated.filter(|stated| stated.environment != environment) {
            self.refuse("environment", stated.contradicts(environment));
            return None;
        }
        Some(environment)
    }
}

/// Parses a SHA-256 digest in hexadecimal, base64 or base64url.
pub(in crate::keys) fn sha256_of(text: &str) -> Result<[u8; 32], &'static str> {
    const WRONG: &str =
        "Must be the SHA-256 digest of the key: 64 hexadecimal digits, or 43 characters of base64.";
    const EITHER_PADDING: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    const BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, EITHER_PADDING);
    if text.len() > 64 {
        return Err(WRONG);
    }
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let mut bytes = [0; 32];
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(digits).map_err(|_| WRONG)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| WRONG)?;
        }
        return Ok(bytes);
    }
    let standard = text.replace('-', "+").replace('_', "/");
    let bytes = BASE64.decode(standard).map_err(|_| WRONG)?;
    bytes.try_into().map_err(|_| WRONG)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sha256_is_read_in_every_writing() {
        let bytes: Vec<u8> = (200..232).collect();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let base64 = "yMnKy8zNzs/Q0dLT1NXW19jZ2tvc3d7f4OHi4+Tl5uc=";
        let writings = [
            hex.clone(),
            hex.to_uppercase(),
            base64.to_owned(),
            base64.trim_end_matches('=').to_owned(),
            base64.replace('/', "_").replace('+', "-"),
        ];
        for text in writings {
            assert_eq!(sha256_of(&text).unwrap()[..], bytes[..], "{text}");
        }
        for text in ["", "abc", &hex[1..], &format!("{hex}0"), "é", &base64[1..]] {
            sha256_of(text).unwrap_err();
        }
    }
}
