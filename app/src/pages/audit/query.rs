//! Converts the URL's filters into the engine's query.

use latchkey::{
    audit::AuditQuery,
    event::Target,
    time::{Zone, parse_day},
};

use crate::pages::audit::address::Address;

/// Returns the engine's query, with days of a zone, or the names of the invalid filters.
pub fn query(address: &Address, limit: u16, zone: &Zone) -> Result<AuditQuery, Vec<String>> {
    let mut invalid = Vec::new();
    let query = AuditQuery {
        event: read(&mut invalid, "event", &address.event, |text| {
            text.parse().ok()
        }),
        target: read(&mut invalid, "key", &address.key, |text| {
            let key = text.parse().ok().map(Target::Key);
            let request = || text.parse().ok().map(Target::KeyRequest);
            let agent = || text.parse().ok().map(Target::Agent);
            key.or_else(request).or_else(agent)
        }),
        actor: read(&mut invalid, "actor", &address.actor, |text| {
            is_actor(text).then(|| text.to_owned())
        }),
        from: read(&mut invalid, "from", &address.from, |text| {
            parse_day(text).map(|day| zone.midnight(day))
        }),
        // Users expect the last day to be included, and the engine's end is exclusive.
        to: read(&mut invalid, "to", &address.to, |text| {
            parse_day(text).map(|day| zone.midnight_after(day))
        }),
        before: address.before,
        limit,
    };
    if let (Some(from), Some(to)) = (query.from, query.to)
        && from >= to
    {
        invalid.push("to".to_owned());
    }
    if invalid.is_empty() {
        Ok(query)
    } else {
        Err(invalid)
    }
}

/// Parses a filter if it is set. If it is invalid, its name is added to `invalid`.
fn read<T>(
    invalid: &mut Vec<String>,
    name: &str,
    text: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Option<T> {
    if text.is_empty() {
        return None;
    }
    let parsed = parse(text);
    if parsed.is_none() {
        invalid.push(name.to_owned());
    }
    parsed
}

fn is_actor(id: &str) -> bool {
    matches!(Target::parse(id), Some(Target::User(_) | Target::Token(_)))
}

#[cfg(test)]
mod tests {
    use latchkey::time::Timestamp;

    use super::*;

    fn read(text: &str) -> Result<AuditQuery, Vec<String>> {
        query(&Address::read("acme".to_owned(), text), 50, &Zone::UTC)
    }

    #[test]
    fn the_last_day_is_included() {
        let query = read("from=2026-11-21&to=2026-11-21").unwrap();
        let day = |from: Option<Timestamp>| from.unwrap().as_millis() / latchkey::time::DAY;
        assert_eq!(day(query.to), day(query.from) + 1);
        assert!(read("").unwrap().from.is_none());
        let last = read("from=9999-12-31&to=9999-12-31").unwrap();
        assert_eq!(last.to, Some(Timestamp::LAST.plus(1)));
    }

    #[test]
    fn days_are_those_of_the_zone() {
        let address = Address::read("acme".to_owned(), "from=2026-11-21&to=2026-11-21");
        let query = query(&address, 50, &"America/Los_Angeles".parse().unwrap()).unwrap();
        let text = |at: Option<Timestamp>| at.unwrap().rfc3339().to_string();
        assert_eq!(text(query.from), "2026-11-21T08:00:00.000Z");
        assert_eq!(text(query.to), "2026-11-22T08:00:00.000Z");
    }

    #[test]
    fn each_invalid_filter_is_named() {
        let invalid = read("event=key.eaten&actor=key_1&key=Production&from=21.11.&to=10000-01-01");
        assert_eq!(
            invalid.unwrap_err(),
            ["event", "key", "actor", "from", "to"]
        );
    }
}
