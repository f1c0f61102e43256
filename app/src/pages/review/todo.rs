//! What owners have to do for what a review asks: one sentence that says what and where.

use latchkey::{
    policy::KeyPolicy,
    reviews::{Aspect, Review, Verdict},
    time::Timestamp,
};

use crate::text::{
    days::days_text,
    time::{TimeText, date},
};

/// What to do, on the page of the key or in its form. `policy` says which expiry dates can be chosen.
pub fn todo(review: &Review, policy: &KeyPolicy, now: Timestamp) -> String {
    if let Some(until) = review.leaked_until(now) {
        let until = TimeText::full(until).short;
        return format!(
            "End the old secret on the page of the key. It leaked, and works until {until}."
        );
    }
    match (review.verdict, review.aspect) {
        (Verdict::Narrow, Some(Aspect::Expiry)) => {
            expiry(review.key.lifecycle.expires_at, policy, now)
        }
        (Verdict::Extend, _) => extend(review.key.lifecycle.expires_at, policy, now),
        (verdict, aspect) => other(verdict, aspect).to_owned(),
    }
}

/// "Edit the key, and set a date after Dec 1, 2026 under “Expires”. Or create another key, and replace this one by then."
fn extend(expires_at: Option<Timestamp>, policy: &KeyPolicy, now: Timestamp) -> String {
    let replace = "create another key, replace this one wherever it is used, and revoke it.";
    let Some(at) = expires_at else {
        return String::new();
    };
    let is_allowed = policy.latest_expiry(now).is_none_or(|latest| latest > at);
    let limit = limit(policy, now);
    match is_allowed {
        true => format!(
            "Edit the key, and set a date after {} under “Expires”{limit}. Or {replace}",
            date(at)
        ),
        false => format!("Before {}, {replace}", date(at)),
    }
}

const fn other(verdict: Verdict, aspect: Option<Aspect>) -> &'static str {
    match (verdict, aspect) {
        (Verdict::Rotate, Some(Aspect::Leaked)) => {
            "Rotate the key without an overlap, so that the secret which leaked ends at once, and replace it wherever it is used."
        }
        (Verdict::Rotate, _) => {
            "Rotate the key, and replace the secret wherever it is used before the old one ends."
        }
        (Verdict::Narrow, Some(Aspect::Scopes)) => {
            "Edit the key, and select only the scopes that its application requires."
        }
        (Verdict::Narrow, Some(Aspect::IpRanges)) => {
            "Edit the key, and enter the addresses of the servers that use it under “IP ranges”."
        }
        (Verdict::Narrow, Some(Aspect::Domains)) => {
            "On the page of the key, remove the domains that do not use it."
        }
        (Verdict::Narrow, Some(Aspect::Localhost)) => {
            "On the page of the key, block localhost or remove it from the domains."
        }
        (Verdict::Narrow, _) => {
            "Edit the key, and let it do less: fewer scopes, domains or addresses, or an earlier expiry date."
        }
        (Verdict::Revoke, Some(Aspect::Leaked)) => {
            "Revoke the key, or disable it until you know what uses it. Requests with it are rejected immediately."
        }
        (Verdict::Revoke, _) => {
            "Revoke the key once nothing that you need uses it. Requests with it are rejected from then on."
        }
        (Verdict::AllowDomains, _) => {
            "On the page of the key, allow the domains that are yours and whose requests are rejected."
        }
        (Verdict::Keep | Verdict::Extend, _) => "",
    }
}

/// "Edit the key, and set an expiry date under “Expires”, at most 90 days from now (Feb 19, 2027)."
fn expiry(expires_at: Option<Timestamp>, policy: &KeyPolicy, now: Timestamp) -> String {
    let is_too_late = |at: Timestamp| policy.latest_expiry(now).is_some_and(|latest| at > latest);
    let limit = match expires_at.is_none_or(is_too_late) {
        true => limit(policy, now),
        false => String::new(),
    };
    match expires_at {
        None => format!("Edit the key, and set an expiry date under “Expires”{limit}."),
        Some(at) => format!(
            "Edit the key, and set a date before {} under “Expires”{limit}.",
            date(at)
        ),
    }
}

/// ", at most 90 days from now (Feb 19, 2027)": the latest date that can be chosen.
fn limit(policy: &KeyPolicy, now: Timestamp) -> String {
    match (policy.longest_life_days, policy.latest_expiry(now)) {
        (Some(days), Some(latest)) => {
            format!(", at most {} from now ({})", days_text(days), date(latest))
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use latchkey::time::DAY;

    use super::*;

    #[test]
    fn a_date_is_within_the_policy_and_before_the_present_one() {
        let now = Timestamp::from_millis(1_795_262_400_000); // 2026-11-21, 12:00 UTC
        let limited = KeyPolicy {
            longest_life_days: Some(90),
            ..KeyPolicy::default()
        };
        let said = |expires_at: Option<i64>, policy: &KeyPolicy| {
            expiry(expires_at.map(|days| now.plus(days * DAY)), policy, now)
        };
        let free = KeyPolicy::default();
        assert_eq!(
            said(None, &free),
            "Edit the key, and set an expiry date under “Expires”."
        );
        assert_eq!(
            said(None, &limited),
            "Edit the key, and set an expiry date under “Expires”, at most 90 days from now (Feb 19, 2027)."
        );
        assert_eq!(
            said(Some(365), &limited),
            "Edit the key, and set a date before Nov 21, 2027 under “Expires”, at most 90 days from now (Feb 19, 2027)."
        );
        assert_eq!(
            said(Some(30), &limited),
            "Edit the key, and set a date before Dec 21, 2026 under “Expires”."
        );
        let said = |days: i64, policy: &KeyPolicy| extend(Some(now.plus(days * DAY)), policy, now);
        let replace = "create another key, replace this one wherever it is used, and revoke it.";
        assert_eq!(
            said(10, &limited),
            format!(
                "Edit the key, and set a date after Dec 1, 2026 under “Expires”, at most 90 days from now (Feb 19, 2027). Or {replace}"
            )
        );
        assert_eq!(
            said(91, &limited),
            format!("Before Feb 20, 2027, {replace}")
        );
    }
}
