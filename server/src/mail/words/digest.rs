//! The letter about keys of an organization that need attention.

use latchkey::{
    alerts::{Alert, Reminder, ReminderAbout, rule::Measure},
    name::{DisplayName, Slug},
};
use latchkey_app::grouped;

use super::{
    Link, Words,
    text::{day, minute, unlinked},
};

/// Keys have far more requests than usual, or need attention for another reason.
pub fn digest(
    org: &DisplayName,
    slug: &Slug,
    alerts: &[Alert],
    more_alerts: usize,
    reminders: &[Reminder],
    more_reminders: usize,
    public_url: &str,
) -> Words {
    let org = unlinked(org.as_str());
    let keys = |number: usize| match number {
        1 => "A key".to_owned(),
        several => format!("{several} keys"),
    };
    let mut paragraphs = Vec::new();
    if !alerts.is_empty() {
        paragraphs.push(format!(
            "In the last day, these keys of {org} had far more requests than they usually have:"
        ));
        paragraphs.extend(alerts.iter().map(alert));
        paragraphs.extend(and_more(more_alerts));
    }
    if !reminders.is_empty() {
        paragraphs.push(format!("These keys of {org} need attention:"));
        paragraphs.extend(reminders.iter().map(reminder));
        paragraphs.extend(and_more(more_reminders));
    }
    let is_asked = |reminder: &Reminder| {
        matches!(
            reminder.about,
            ReminderAbout::Asked(..) | ReminderAbout::Promise(..)
        )
    };
    let (page, label) = match reminders.iter().all(is_asked) {
        true => ("review/asked", "View what is asked"),
        false => ("keys", "View keys"),
    };
    let (subject, page, label) = if alerts.is_empty() {
        let what = match reminders.len() + more_reminders {
            1 => "A reminder about a key".to_owned(),
            several => format!("{several} reminders about keys"),
        };
        (format!("{what} in {org}"), page, label)
    } else {
        let keys = keys(alerts.len() + more_alerts);
        (
            format!("{keys} with unusual requests in {org}"),
            "usage",
            "View usage",
        )
    };
    Words {
        subject,
        paragraphs,
        link: Some(Link {
            url: format!("{public_url}/orgs/{slug}/{page}"),
            label,
        }),
        closing: Some(
            "You get this e-mail at most once a day. Owners change in the settings when a key is unusual, when it is due for rotation, and what is mailed.",
        ),
    }
}

/// "Storefront: 12,400 rejected or rate-limited requests in 24 hours, usually at most 20 a day. Noticed on 2026-11-28
/// 12:00 UTC."
fn alert(alert: &Alert) -> String {
    let what = match alert.measure {
        Measure::Requests => "requests",
        Measure::Rejected => "rejected or rate-limited requests",
    };
    let usual = match alert.usual {
        0 => "usually none".to_owned(),
        usual => format!("usually at most {} a day", grouped(usual)),
    };
    format!(
        "{}: {} {what} in 24 hours, {usual}. Noticed on {}.",
        unlinked(alert.key_name.as_str()),
        grouped(alert.count),
        minute(alert.noticed_at)
    )
}

/// "Storefront: expires on Jan 31, 2027, 23:59 UTC."
fn reminder(reminder: &Reminder) -> String {
    let what = match reminder.about {
        ReminderAbout::Expiry(at) => format!("expires on {}.", minute(at)),
        ReminderAbout::CreatorLeft => {
            "the user who created it is no longer a member. If they can have a copy, rotate it."
                .to_owned()
        }
        ReminderAbout::Rotation(at) => format!("due for rotation since {}.", day(at)),
        ReminderAbout::Asked(at, what) => format!(
            "on {}, a reviewer asked the owners to {what}. No owner has answered or done it yet.",
            day(at)
        ),
        ReminderAbout::Promise(at, what) => format!(
            "on {}, an owner promised to {what}, as a reviewer asked. This is not done yet.",
            day(at)
        ),
    };
    format!("{}: {what}", unlinked(reminder.key_name.as_str()))
}

fn and_more(more: usize) -> Option<String> {
    (more > 0).then(|| format!("And {more} more."))
}

#[cfg(test)]
mod tests {
    use latchkey::time::Timestamp;

    use super::*;

    #[test]
    fn a_reminder_says_what_is_asked_or_promised() {
        let said = |about| {
            reminder(&Reminder {
                key_id: "key_00000000000000000000000000000000".parse().unwrap(),
                key_name: "Shop".parse().unwrap(),
                about,
            })
        };
        let at = Timestamp::from_millis(1_795_867_200_000);
        assert_eq!(
            said(ReminderAbout::Asked(at, "restrict scopes")),
            "Shop: on Nov 28, 2026 (UTC), a reviewer asked the owners to restrict scopes. No owner has answered or done it yet."
        );
        assert_eq!(
            said(ReminderAbout::Expiry(at)),
            "Shop: expires on Nov 28, 2026, 12:00 UTC."
        );
        assert_eq!(
            said(ReminderAbout::Promise(at, "rotate")),
            "Shop: on Nov 28, 2026 (UTC), an owner promised to rotate, as a reviewer asked. This is not done yet."
        );
    }
}
