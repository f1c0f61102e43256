//! Describes the changes of an audit log entry.

use std::{
    collections::{HashMap, HashSet},
    str::FromStr,
};

use latchkey::{
    audit::Entry,
    event::Event,
    reviews::{Aspect, Verdict},
    role::Action,
    time::Timestamp,
};
use serde_json::Value;

use crate::{
    pages::audit::{
        changes::ChangeText,
        names::PEOPLE,
        wording::{capitalized, field_title},
    },
    text::{days::days_text, time::TimeText, words::reason_title},
};

/// If the two lists together are longer than this, only the added and removed items are shown: long lists side by side
/// are hard to compare.
const LONGEST_LISTS: usize = 6;
/// The most items of a list that are named. The API shows the entry with all of them.
const MOST_NAMED: usize = 20;
/// The most bytes of the named items of a list. The first item is always named.
const MOST_BYTES: usize = 1_000;

/// The fields with what a review asks for, and the one with the part of the key that it is about.
const VERDICTS: [&str; 2] = ["verdict", "asked"];
const ASPECT: &str = "aspect";

/// Describes the changes of an entry. `names` maps the IDs of projects and people to their names.
pub fn changes(entry: &Entry, names: &HashMap<String, String>) -> Vec<ChangeText> {
    let is_first = is_beginning(entry.event);
    // What a review asks for is read together with what it is about.
    let value = |field: &str, change: &Value, side: &str| {
        let aspect = entry.changes.get(ASPECT).map(|aspect| &aspect[side]);
        match (change[side].as_str(), aspect.and_then(Value::as_str)) {
            (Some(verdict), Some(aspect)) if VERDICTS.contains(&field) => {
                Value::String(format!("{verdict}.{aspect}"))
            }
            _ => change[side].clone(),
        }
    };
    let has_verdict = VERDICTS
        .iter()
        .any(|field| entry.changes.contains_key(*field));
    let text = |(field, change): (&String, &Value)| {
        let (from, to) = (value(field, change, "from"), value(field, change, "to"));
        let text = change_text(field, &from, &to, names);
        ChangeText {
            // What begins had nothing before.
            from: text.from.filter(|_| !is_first),
            ..text
        }
    };
    let shown = entry.changes.iter();
    let shown = shown.filter(|(field, _)| *field != ASPECT || !has_verdict);
    shown.map(text).collect()
}

/// Whether the target of the event did not exist before.
const fn is_beginning(event: Event) -> bool {
    matches!(
        event,
        Event::KeyCreated
            | Event::KeyImported
            | Event::KeyRequested
            | Event::AgentCreated
            | Event::ProjectCreated
            | Event::OrgCreated
            | Event::TokenCreated
            | Event::MemberInvited
            | Event::MemberJoined
    )
}

/// Describes a changed field with both values, also if there was none before.
pub fn both_values(
    field: &str,
    change: &Value,
    names: &HashMap<String, String>,
) -> (String, String, String) {
    let text = |value| value_text(field, value, names);
    (
        field_title(field),
        text(&change["from"]),
        text(&change["to"]),
    )
}

fn change_text(
    field: &str,
    from: &Value,
    to: &Value,
    names: &HashMap<String, String>,
) -> ChangeText {
    // Entries of earlier versions say which request was answered as a decision that ended.
    if field == "verdict" && to.is_null() {
        return change_text("asked", to, from, names);
    }
    let title = field_title(field);
    if let (Value::Array(was), Value::Array(is)) = (from, to)
        && was.len() + is.len() > LONGEST_LISTS
    {
        return ChangeText {
            field: title,
            from: None,
            to: difference(was, is),
            href: None,
        };
    }
    let text = |value| value_text(field, value, names);
    // A missing old value is shown only for the expiry date, where it means never.
    let from = (!from.is_null() || field == "expires_at").then(|| text(from));
    ChangeText {
        field: title,
        from,
        to: text(to),
        href: None,
    }
}

fn value_text(field: &str, value: &Value, names: &HashMap<String, String>) -> String {
    match value {
        Value::Null if field == "expires_at" => "never".to_owned(),
        Value::Null => "none".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(millis) if field.ends_with("_at") => {
            let at = millis.as_i64().unwrap_or_default();
            TimeText::full(Timestamp::from_millis(at)).full
        }
        Value::String(id) if field == "project" => names
            .get(id)
            .map_or_else(|| "Deleted project".to_owned(), Clone::clone),
        Value::String(id) if PEOPLE.contains(&field) => names.get(id).unwrap_or(id).clone(),
        Value::String(_) if field == "action" => serde_json::from_value(value.clone())
            .map_or_else(|_| plain(value), |action: Action| action.text().to_owned()),
        Value::String(word) if field == "reason" => word.parse().map_or_else(
            |_| word.replace('_', " "),
            |reason| reason_title(reason).to_owned(),
        ),
        Value::String(word) if field == "file" => word.replace('_', " "),
        Value::String(word) if matches!(field, "kind" | "environment") => capitalized(word),
        Value::String(word) if field == "verdict" => match verdict_of(word) {
            Ok(Verdict::Keep) => "Keep".to_owned(),
            Ok(_) => format!("Ask to {}", asked(word)),
            Err(_) => plain(value),
        },
        Value::String(word) if field == "asked" => asked(word),
        Value::String(word) if field == "aspect" => word
            .parse()
            .map_or_else(|_| plain(value), |aspect| aspect_title(aspect).to_owned()),
        Value::Number(days) if field == "expires_in_days" => {
            let days = days.as_u64().and_then(|days| u32::try_from(days).ok());
            let days = days.map_or_else(|| plain(value), days_text);
            format!("{days} after it is revealed")
        }
        Value::Array(items) if field == "done_as_asked" => {
            let words: Vec<String> = items.iter().map(|item| asked(&plain(item))).collect();
            words.join(", ")
        }
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => joined(items),
        other => plain(other),
    }
}

/// What `rotate` or `narrow.scopes` asks of the owners.
/// The verdict in a text such as `rotate` or `narrow.scopes`.
fn verdict_of(word: &str) -> Result<Verdict, <Verdict as FromStr>::Err> {
    word.split('.').next().unwrap_or_default().parse()
}

fn asked(word: &str) -> String {
    let (verdict, aspect) = word.split_once('.').unwrap_or((word, ""));
    verdict.parse().map_or_else(
        |_| word.to_owned(),
        |verdict: Verdict| verdict.asks(aspect.parse().ok()).to_owned(),
    )
}

const fn aspect_title(aspect: Aspect) -> &'static str {
    match aspect {
        Aspect::Scopes => "Scopes",
        Aspect::Expiry => "Expiry date",
        Aspect::IpRanges => "IP ranges",
        Aspect::Domains => "Domains",
        Aspect::Localhost => "Localhost",
        Aspect::Leaked => "Leaked",
    }
}

fn difference(was: &[Value], is: &[Value]) -> String {
    let texts = |items: &[Value]| items.iter().map(plain).collect::<HashSet<String>>();
    let only_in = |these: &[Value], others: &[Value]| {
        let others = texts(others);
        let only = these.iter().filter(|item| !others.contains(&plain(item)));
        only.cloned().collect::<Vec<_>>()
    };
    let parts = [("added", only_in(is, was)), ("removed", only_in(was, is))];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(_, items)| !items.is_empty())
        .map(|(word, items)| format!("{word} {}", joined(&items)))
        .collect();
    if parts.is_empty() {
        "reordered".to_owned()
    } else {
        parts.join("; ")
    }
}

fn joined(items: &[Value]) -> String {
    let mut bytes = 0;
    let named = items.iter().take(MOST_NAMED).map(plain);
    let named = named.take_while(|item| {
        let is_first = bytes == 0;
        bytes += item.len();
        is_first || bytes <= MOST_BYTES
    });
    let named: Vec<String> = named.collect();
    let text = named.join(", ");
    match items.len() - named.len() {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(field: &str, from: Value, to: Value) -> String {
        let projects = HashMap::from([("prj_1".to_owned(), "Shop".to_owned())]);
        change_text(field, &from, &to, &projects).to_string()
    }

    #[test]
    fn changes_are_read_without_the_code() {
        assert_eq!(text("name", json!("A"), json!("B")), "Name: A → B");
        assert_eq!(
            text("reason", Value::Null, json!("unused")),
            "Reason: Unused"
        );
        assert_eq!(
            text("reason", Value::Null, json!("left-team")),
            "Reason: Left the team"
        );
        assert_eq!(
            text("reason", Value::Null, json!("wrong_password")),
            "Reason: wrong password"
        );
        for (field, to, said) in [
            ("kind", json!("secret"), "Type: Secret"),
            ("verdict", json!("keep"), "Decision: Keep"),
            ("verdict", json!("rotate"), "Decision: Ask to rotate"),
            (
                "verdict",
                json!("narrow.expiry"),
                "Decision: Ask to make the key expire earlier",
            ),
            ("asked", json!("allow_domains"), "Asked to: allow domains"),
            ("aspect", json!("ip_ranges"), "About: IP ranges"),
            (
                "expires_in_days",
                json!(365),
                "Expires: 1 year after it is revealed",
            ),
            (
                "done_as_asked",
                json!(["narrow.scopes", "rotate"]),
                "Done as a reviewer asked: restrict scopes, rotate",
            ),
        ] {
            assert_eq!(text(field, Value::Null, to), said);
        }
        assert_eq!(
            text("verdict", json!("rotate"), Value::Null),
            "Asked to: rotate"
        );
        assert_eq!(
            text("expires_at", Value::Null, json!(1_800_000_000_000_i64)),
            "Expiry: never → Jan 15, 2027, 08:00 UTC"
        );
        assert_eq!(
            text("project", json!("prj_1"), json!("prj_2")),
            "Project: Shop → Deleted project"
        );
        assert_eq!(
            text("scopes", json!([]), json!(["a", "b"])),
            "Scopes: none → a, b"
        );
        assert_eq!(
            text("public_embedding", json!(false), json!(true)),
            "Embedding by public ID: no → yes"
        );
    }

    #[test]
    fn long_lists_are_told_by_their_difference() {
        let is = text(
            "domains",
            json!(["a", "b", "c", "d"]),
            json!(["b", "c", "d", "e"]),
        );
        assert_eq!(is, "Domains: added e; removed a");
        let is = text(
            "domains",
            json!(["a", "b", "c", "d"]),
            json!(["d", "c", "b", "a"]),
        );
        assert_eq!(is, "Domains: reordered");
    }

    #[test]
    fn of_hundreds_of_items_twenty_are_named() {
        let is: Vec<String> = (0..490).map(|number| format!("{number}.example")).collect();
        let text = text("domains", json!([]), json!(is));
        assert!(
            text.starts_with("Domains: added 0.example, 1.example, ")
                && text.ends_with(", 19.example and 470 more"),
            "{text}"
        );
        let long: Vec<String> = (0..9)
            .map(|number| format!("{number}{}", "a".repeat(299)))
            .collect();
        let text = joined(&long.iter().map(|item| json!(item)).collect::<Vec<_>>());
        assert!(
            text.len() < 1_000 && text.ends_with(" and 6 more"),
            "{text}"
        );
        let longest = joined(&[json!("a".repeat(2_000)), json!("b")]);
        assert!(longest.ends_with("a and 1 more"), "{longest}");
    }
}
