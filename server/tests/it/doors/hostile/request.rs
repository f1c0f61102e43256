//! What a hostile request has instead of what a valid one has.

use proptest::{prelude::*, sample::Index};
use serde_json::Value;
use url::form_urlencoded;

use crate::doors::hostile_values::{any_json, any_text};

/// The change to a route's valid request.
#[derive(Debug, Clone)]
pub struct Hostile {
    pub fields: Vec<(Index, String, String)>,
    /// Replaces a part of the path.
    pub part: Option<(Index, String)>,
    /// Replaces the whole body or query.
    pub whole: Option<String>,
    pub repeats: bool,
}

pub fn hostile() -> impl Strategy<Value = Hostile> {
    let fields = prop::collection::vec((any::<Index>(), any_text(), any_json()), 0..4);
    let part = prop::option::weighted(0.15, (any::<Index>(), any_text()));
    let whole = prop::option::weighted(0.1, prop_oneof![any_json(), any_text()]);
    (fields, part, whole, prop::bool::weighted(0.1)).prop_map(|(fields, part, whole, repeats)| {
        Hostile {
            fields,
            part,
            whole,
            repeats,
        }
    })
}

pub fn json_of(body: &[(String, Value)], is_list: bool, hostile: &Hostile) -> String {
    if let Some(whole) = &hostile.whole {
        return whole.clone();
    }
    let usual = body.iter().filter(|(_, value)| !value.is_null());
    let mut fields: Vec<(String, String)> = usual
        .map(|(name, value)| (name.clone(), value.to_string()))
        .collect();
    for (place, _, json) in &hostile.fields {
        let (name, _) = place.get(body);
        if !hostile.repeats {
            fields.retain(|(other, _)| other != name);
        }
        fields.push((name.clone(), json.clone()));
    }
    let fields: Vec<String> = fields
        .iter()
        .map(|(name, json)| format!("{}:{json}", Value::from(name.as_str())))
        .collect();
    let object = format!("{{{}}}", fields.join(","));
    if is_list {
        format!("[{object}]")
    } else {
        object
    }
}

pub fn query_of(names: &[String], hostile: &Hostile) -> String {
    if names.is_empty() || hostile.fields.is_empty() {
        return String::new();
    }
    let whole = hostile.whole.iter().map(|whole| ("q", whole.as_str()));
    let fields = hostile
        .fields
        .iter()
        .map(|(place, text, _)| (place.get(names).as_str(), text.as_str()));
    let query = encoded(fields.chain(whole), hostile.repeats);
    // The maximum URL length of the HTTP server.
    format!(
        "?{}",
        query
            .get(..8_000)
            .unwrap_or(&query)
            .trim_end_matches(|c: char| c == '%' || c.is_ascii_hexdigit())
    )
}

pub fn form_of(usual: &str, names: &[String], hostile: &Hostile) -> String {
    if let Some(whole) = &hostile.whole {
        return whole.clone();
    }
    let usual: Vec<(String, String)> = form_urlencoded::parse(usual.as_bytes())
        .into_owned()
        .collect();
    let changed = |name: &str| {
        hostile
            .fields
            .iter()
            .any(|(place, ..)| place.get(names) == name)
    };
    let kept = usual
        .iter()
        .filter(|(name, _)| hostile.repeats || !changed(name));
    let fields = hostile
        .fields
        .iter()
        .map(|(place, text, _)| (place.get(names).as_str(), text.as_str()));
    encoded(
        kept.map(|(name, value)| (name.as_str(), value.as_str()))
            .chain(fields),
        hostile.repeats,
    )
}

/// Encodes a form, with invalid UTF-8 at its end if `is_broken`.
pub fn encoded<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>, is_broken: bool) -> String {
    let form = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    if is_broken {
        format!("{form}&q=%FF%ed%a0%80")
    } else {
        form
    }
}

pub fn with_part(path: &str, part: &Option<(Index, String)>) -> String {
    let Some((place, text)) = part else {
        return path.to_owned();
    };
    let mut parts: Vec<&str> = path.split('/').collect();
    let encoded: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let encoded = encoded.replace('+', "%20");
    let encoded = encoded
        .get(..2_000)
        .unwrap_or(&encoded)
        .trim_end_matches('%');
    // The part before the first slash is empty.
    let place = 1 + place.index(parts.len() - 1);
    parts[place] = encoded;
    parts.join("/")
}
