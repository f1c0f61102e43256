//! From a record to a key: what each field may say.

use std::{collections::HashMap, str::FromStr};

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use jiff::{civil::Date, tz::TimeZone};

use super::{EntryReport, Listed, Problem, file::Record};
use crate::{
    convention::{Convention, MAX_SCOPES, Scope},
    domain::{self, DomainPattern, TOO_MANY_PATTERNS},
    id::ProjectId,
    ip_range::{self, IpRange, TOO_MANY_RANGES},
    key::{Environment, Kind, text::MASK},
    keys::rules::{self, MAX_METADATA, Metadata, UnfitField},
    list::ParsedList,
    name::KeyName,
    time::{DAY, Timestamp},
};

/// A key as it is to be stored.
#[derive(Debug)]
pub struct Entry {
    /// The SHA-256 of the key's text.
    pub sha256: [u8; 32],
    /// What may be shown of it.
    pub display: String,
    pub name: KeyName,
    pub kind: Kind,
    pub environment: Environment,
    /// `None` for the org's first.
    pub project: Option<ProjectId>,
    pub scopes: Vec<Scope>,
    pub domains: Vec<DomainPattern>,
    pub ip_ranges: Vec<IpRange>,
    pub expires_at: Option<Timestamp>,
    pub notes: String,
    /// JSON.
    pub metadata: String,
}

/// The most characters of a key's front that are shown: more may be told than is meant.
const LONGEST_PREFIX: usize = 24;
/// The most characters of a name that the report repeats.
const MAX_SHOWN_NAME: usize = 80;
const LONGEST_LIFE_DAYS: i64 = 36_500;

/// Reads a record. There is an entry exactly when nothing is wrong with it.
pub fn check(
    convention: &Convention,
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
            name: name.chars().take(MAX_SHOWN_NAME).collect(),
            display: String::new(),
            problems: Vec::new(),
            more_problems: 0,
        },
        listed,
    };
    for (field, wanted) in &record.misshapen {
        reader.refuse(field, format!("Write {wanted} here."));
    }
    let display = reader.take("last_four", display(record));
    let entry = reader.entry(convention, projects, display.clone(), now);
    let mut report = reader.report;
    report.display = display.unwrap_or_default();
    (entry.filter(|_| report.is_good()), report)
}

/// Reads the fields of one record and notes what is wrong with them.
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

    /// The items of a list. Between two of them stands a comma, a semicolon or white space.
    fn items(&self, field: &str) -> String {
        let separated = |c: char| c == ';' || c.is_whitespace();
        self.text(field).replace(separated, ",")
    }

    fn unfit<T>(&mut self, result: Result<T, UnfitField>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.refuse(error.field(), error.to_string());
                None
            }
        }
    }

    fn entry(
        &mut self,
        convention: &Convention,
        projects: &HashMap<String, ProjectId>,
        display: Option<String>,
        now: Timestamp,
    ) -> Option<Entry> {
        let name = self.parse::<KeyName>("name");
        let sha256 = sha256_of(self.text("sha256"));
        let sha256 = self.take("sha256", sha256);
        let stated = stated_by_prefix(convention, self.text("prefix"));
        let kind = self.kind(convention, stated);
        let environment = self.environment(stated);
        let scopes = self.scopes(convention);
        let domains = self.domains();
        let domains = match kind {
            Some(kind) => self.unfit(rules::check_domains(kind, domains)),
            None => None,
        };
        let ip_ranges = self.ip_ranges();
        let ip_ranges = self.unfit(rules::check_ip_ranges(ip_ranges));
        let expires_at = expiry(self.text("expires_at"), self.text("expires_in_days"), now);
        let expires_at = self.take("expires_at", expires_at);
        if let Some(expires_at) = expires_at {
            self.unfit(rules::check_not_expired(expires_at, now));
        }
        let notes = rules::check_notes(self.text("notes"));
        let notes = self.unfit(notes);
        let metadata = self.metadata();
        let project = match self.text("project") {
            "" => Some(None),
            name => {
                let found = projects.get(name).copied().ok_or(UnfitField::NoSuchProject);
                self.unfit(found).map(Some)
            }
        };
        Some(Entry {
            sha256: sha256?,
            display: display?,
            name: name?,
            kind: kind?,
            environment: environment?,
            project: project?,
            scopes: scopes?,
            domains: domains?,
            ip_ranges: ip_ranges?,
            expires_at: expires_at?,
            notes: notes?,
            metadata: metadata?,
        })
    }

    /// What the entry says, which the prefix has to bear out, else what the prefix says, else secret.
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
        self.refuse("kind", format!("This instance has no {kind} keys."));
        None
    }

    /// What the entry says, which the prefix has to bear out, else what the prefix says, else live.
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

    fn scopes(&mut self, convention: &Convention) -> Option<Vec<Scope>> {
        let items = self.items("scopes");
        let items = items.split(',').filter(|item| !item.is_empty());
        let scopes: Result<Vec<Scope>, _> = items.take(MAX_SCOPES + 1).map(str::parse).collect();
        let scopes = self.take("scopes", scopes)?;
        self.unfit(rules::check_scopes(convention, scopes))
    }

    fn domains(&mut self) -> Vec<DomainPattern> {
        let list = domain::parse_list(&self.items("domains"));
        self.list("domains", list, TOO_MANY_PATTERNS)
    }

    fn ip_ranges(&mut self) -> Vec<IpRange> {
        let list = ip_range::parse_list(&self.items("ip_ranges"));
        self.list("ip_ranges", list, TOO_MANY_RANGES)
    }

    fn list<T, E: std::fmt::Display>(
        &mut self,
        field: &'static str,
        list: ParsedList<T, E>,
        too_many: &str,
    ) -> Vec<T> {
        for sentence in list.sentences(too_many, |_| true) {
            self.refuse(field, sentence);
        }
        list.items
    }

    fn metadata(&mut self) -> Option<String> {
        let metadata: Metadata = match self.text("metadata") {
            "" => Metadata::new(),
            text if text.len() > MAX_METADATA => {
                return self.unfit(Err(UnfitField::MetadataTooLarge));
            }
            text => {
                let read = serde_json::from_str(text).map_err(|_| "Write a JSON object here.");
                self.take("metadata", read)?
            }
        };
        self.unfit(rules::check_metadata(&metadata))
    }
}

/// The bytes of a SHA-256 that is written in hexadecimal, base64 or base64url.
fn sha256_of(text: &str) -> Result<[u8; 32], &'static str> {
    const WRONG: &str =
        "Write the SHA-256 of the key's text: 64 hexadecimal digits, or 43 characters of base64.";
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

/// What may be shown of the key.
fn display(record: &Record) -> Result<String, &'static str> {
    let text = |field: &str| record.fields.get(field).map_or("", String::as_str);
    let (prefix, last_four) = (text("prefix"), text("last_four"));
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    if prefix.len() > LONGEST_PREFIX || !plain(prefix) {
        return Err("A prefix has at most 24 characters of ASCII: only what is not secret.");
    }
    if !(last_four.is_empty() || last_four.len() == 4) || !plain(last_four) {
        return Err("Write the key's last four characters, or leave this out.");
    }
    Ok(format!("{prefix}{MASK}{last_four}"))
}

/// What a prefix of the convention says of every key behind it.
#[derive(Debug, Clone, Copy)]
struct Stated<'a> {
    prefix: &'a str,
    kind: Kind,
    environment: Environment,
}

impl Stated<'_> {
    /// What is said of an entry that says something else.
    fn contradicts(&self, said: impl std::fmt::Display) -> String {
        let Self {
            prefix,
            kind,
            environment,
        } = self;
        format!(
            "Keys that begin with `{prefix}` are {environment} {kind} keys, and this one is said to be {said}. \
             Leave {said} out, or mend the prefix."
        )
    }
}

/// What the longest prefix of the convention, its own or a legacy one, says of a key that begins with `text`.
fn stated_by_prefix<'a>(convention: &'a Convention, text: &str) -> Option<Stated<'a>> {
    convention
        .legacy_prefixes()
        .chain(convention.prefixes())
        .filter(|(known, ..)| !known.is_empty() && text.starts_with(known))
        .max_by_key(|(known, ..)| known.len())
        .map(|(prefix, kind, environment)| Stated {
            prefix,
            kind,
            environment,
        })
}

/// When the key ends; `Ok(None)` for never, which is what a key means that does not say.
fn expiry(at: &str, in_days: &str, now: Timestamp) -> Result<Option<Timestamp>, &'static str> {
    match (at, in_days) {
        ("", "") => Ok(None),
        ("", days) => match days.parse::<i64>() {
            Ok(days @ 1..=LONGEST_LIFE_DAYS) => Ok(Some(now.plus(days * DAY))),
            _ => Err("Write expires_in_days as a number from 1 to 36500."),
        },
        (at, "") => instant(at)
            .map(Some)
            .ok_or("Write expires_at as 2027-01-31, the last day, or as 2027-01-31T12:00:00Z."),
        _ => Err("Write either expires_at or expires_in_days, not both."),
    }
}

/// An instant in RFC 3339, or the last millisecond of a day in UTC.
fn instant(text: &str) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Some(Timestamp::from_millis(at.as_millisecond()));
    }
    // A date with a time and no zone is neither.
    let day = text
        .parse::<Date>()
        .ok()
        .filter(|_| text.len() == "2027-01-31".len())?;
    let midnight = day.to_zoned(TimeZone::UTC).ok()?;
    Some(Timestamp::from_millis(
        midnight.timestamp().as_millisecond() + DAY - 1,
    ))
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

    #[test]
    fn an_expiry_is_a_day_an_instant_or_a_length() {
        let now = Timestamp::from_millis(1_795_262_400_000);
        let at = |at, days| expiry(at, days, now).map(|at| at.map(Timestamp::as_millis));
        assert_eq!(at("", ""), Ok(None));
        assert_eq!(at("", "2"), Ok(Some(1_795_262_400_000 + 2 * DAY)));
        assert_eq!(at("1970-01-01", ""), Ok(Some(DAY - 1)));
        assert_eq!(at("1970-01-01T00:00:01+00:00", ""), Ok(Some(1_000)));
        for (text, days) in [
            ("1970-01-01T00:00", ""),
            ("soon", ""),
            ("", "0"),
            ("", "-1"),
            ("1970-01-01", "2"),
        ] {
            at(text, days).unwrap_err();
        }
    }
}
