//! Schemas of strings that are enumerations or follow a rule. Each is defined once in the document and referenced by
//! fields. The types exist only for this purpose.

use std::{borrow::Cow, collections::BTreeSet};

use latchkey::{
    alerts::rule::Measure,
    event::Event,
    findings,
    key::{Environment, Kind, RevokeReason, Status},
    name::{NOT_FIRST, NOWHERE},
    outcome::Outcome,
    reviews::{Aspect, Verdict},
    role::Role,
    usage::{
        Range,
        question::{Credential, Dimension, StepLength},
    },
    verify::InvalidReason,
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Object, RefOr, Type,
        schema::{Schema, SchemaType},
    },
};

use crate::{
    problem::code::Code,
    rest::sort::{self, Order, Sort},
};

macro_rules! schemas {
    ($($(#[doc = $doc:literal])* $name:ident = $schema:expr;)*) => {$(
        $(#[doc = $doc])*
        pub struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let mut object: Object = $schema;
                object.description = Some(concat!($($doc),*).trim().to_owned());
                RefOr::T(Schema::Object(object))
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )*};
}

schemas! {
    /// `secret` keys are for servers. `widget` keys are for browsers and work only on their allowed domains.
    KeyKind = words(Kind::ALL.iter().map(|kind| kind.as_str()));
    /// `live` is for production, `test` for everything else.
    KeyEnvironment = words(Environment::ALL.iter().map(|environment| environment.as_str()));
    /// The status of a key. Only `active` keys work.
    KeyStatus = words(Status::ALL.iter().map(|status| status.as_str()));
    /// The field by which a list of keys is sorted.
    KeySort = words(Sort::ALL.iter().map(|sort| sort.as_str()));
    /// The field by which a list of agents is sorted.
    AgentSort = words(sort::AgentSort::ALL.iter().map(|sort| sort.as_str()));
    /// Ascending or descending.
    SortOrder = words(Order::ALL.iter().map(|order| order.as_str()));
    /// What was found about a key.
    FindingCode = words(findings::Code::ALL.iter().map(|code| code.as_str()));
    /// The position of a finding in a list.
    FindingCursor = pattern(&finding_cursor());
    /// How urgent a finding is.
    FindingSeverity = words(findings::Severity::ALL.iter().map(|severity| severity.as_str()));
    /// A policy that a key breaks.
    FindingPolicy = words(findings::BrokenPolicy::NAMES.into_iter());
    /// What a review of a key concludes.
    ReviewVerdict = words(Verdict::ALL.iter().map(|verdict| verdict.as_str()));
    /// What a review asks the owners to narrow.
    ReviewAspect = words(Aspect::ALL.iter().map(|aspect| aspect.as_str()));
    /// What became of what a review asks of the owners.
    ReviewRequestState = words(["open", "done", "answered", "superseded", "withdrawn", "expired"].into_iter());
    /// Why the key was revoked.
    KeyRevokeReason = words(RevokeReason::ALL.iter().map(|reason| reason.as_str()));
    /// The result of a verification. See `/docs/errors`.
    Decision = words(Outcome::ALL.iter().map(|outcome| outcome.code()));
    /// The reason why a key is invalid.
    WhyInvalid = words(InvalidReason::ALL.iter().map(|reason| reason.as_str()));
    /// The error code. See `/docs/errors`.
    ProblemCode = words(Code::ALL.iter().map(|code| code.as_str()));
    /// The period: 24 hours, 7 or 30 days, or 12 calendar months.
    UsageRange = words(Range::ALL.iter().map(|range| range.as_str()));
    /// The length of a step of a usage report.
    UsageStepLength = words(StepLength::ALL.iter().map(|step| step.as_str()));
    /// What the total of a usage report is divided by.
    UsageDimension = words(Dimension::ALL.iter().map(|dimension| dimension.as_str()));
    /// What a request was authenticated with: a kind of key, or the public ID of an agent.
    UsageCredential = words(Credential::ALL.iter().map(|credential| credential.as_str()));
    /// What is compared with the days before.
    UsageMeasure = words(Measure::ALL.into_iter().map(<&str>::from));
    /// What a service token can be used for.
    TokenScope = words(["verify", "manage"].into_iter());
    /// The status of a service token. Only `active` tokens work.
    TokenStatus = words(["active", "expired", "revoked"].into_iter());
    /// What a member can do: an `owner` everything, an `admin` can see and review everything, a `member` can see the list
    /// of keys and usage totals.
    MemberRole = words(Role::ALL.iter().map(|role| role.as_str()));
    /// The event.
    AuditEvent = words(Event::ALL.iter().map(|event| event.as_str()));
    /// An event, or `*` in place of what happened for all events of a type.
    AuditEventFilter = words(event_filters().iter().map(String::as_str));
    /// A whole number from 1 to 36,500, which can be a string.
    NumberOfDays = number_or_digits();
    /// An IPv4 or IPv6 address, with or without a port. Can be blank.
    ClientIp = pattern(&client_ip());
    /// 1 to 64 characters: `a` to `z`, digits, `:` and `-`.
    ScopeName = pattern("^[a-z0-9:-]{1,64}$");
    /// A permission of a key.
    OfferedScope = Object::with_type(Type::String);
    /// The endpoint class, which determines the rate limit that a request counts against.
    EndpointClass = Object::with_type(Type::String);
    /// 1 to 50 characters after trimming, without control or invisible characters.
    KeyName = name(50);
    /// 1 to 80 characters after trimming, without control or invisible characters.
    Name = name(80);
}

fn event_filters() -> BTreeSet<String> {
    let events = Event::ALL.iter().map(|event| event.as_str());
    let groups = events.clone().filter_map(|event| event.split_once('.'));
    let groups = groups.map(|(group, _)| format!("{group}.*"));
    groups.chain(events.map(str::to_owned)).collect()
}

fn finding_cursor() -> String {
    let codes: Vec<&str> = findings::Code::ALL
        .iter()
        .map(|code| code.as_str())
        .collect();
    format!(r"^key_[0-9a-f]{{32}}\.({})$", codes.join("|"))
}

/// A string enumeration.
fn words<'a>(words: impl Iterator<Item = &'a str>) -> Object {
    let mut object = Object::with_type(Type::String);
    object.enum_values = Some(words.map(serde_json::Value::from).collect());
    object
}

fn number_or_digits() -> Object {
    let mut object = pattern("^[ \\t]*[0-9]*[ \\t]*$");
    object.schema_type = SchemaType::from_iter([Type::Integer, Type::String]);
    object
}

/// The addresses that `client_address::parse` accepts, except for IPv6 addresses with an embedded IPv4 address.
fn client_ip() -> String {
    const OCTET: &str = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
    const PORT: &str =
        "([0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])";
    const GROUP: &str = "[0-9a-fA-F]{1,4}";
    // The number of groups before `::` limits the number of groups after it.
    let shortened = (1..7).map(|before| {
        let after = 7 - before;
        format!("({GROUP}:){{1,{before}}}(:{GROUP}){{1,{after}}}")
    });
    let v6 = [
        format!("({GROUP}:){{7}}{GROUP}"),
        format!("({GROUP}:){{1,7}}:"),
        format!(":((:{GROUP}){{1,7}}|:)"),
    ];
    let v6: Vec<String> = v6.into_iter().chain(shortened).collect();
    let v6 = v6.join("|");
    format!(r"^[ \t]*(({OCTET}\.){{3}}{OCTET}(:{PORT})?|{v6}|\[({v6})\](:{PORT})?)?[ \t]*$")
}

fn pattern(pattern: &str) -> Object {
    let mut object = Object::with_type(Type::String);
    object.pattern = Some(pattern.to_owned());
    object
}

/// A string that has 1 to `most` characters after trimming. Only a pattern can express the trimming.
fn name(most: usize) -> Object {
    let between = most - 2;
    let (nowhere, not_first) = (set(NOWHERE), set(NOT_FIRST));
    let mut object = Object::with_type(Type::String);
    object.pattern = Some(format!(
        r"^\s*[^\s{nowhere}{not_first}]([^{nowhere}]{{0,{between}}}[^\s{nowhere}])?\s*$"
    ));
    object
}

/// Ranges of characters for a character class in a regular expression. Characters beyond U+FFFF are omitted, because no
/// notation for them works in all programs.
fn set(ranges: &[(char, char)]) -> String {
    let ranges = ranges.iter().filter(|(_, last)| *last <= '\u{ffff}');
    let written = ranges
        .map(|(first, last)| format!(r"\u{:04x}-\u{:04x}", u32::from(*first), u32::from(*last)));
    written.collect()
}
