//! Converts the engine's audit log entries into rows of the page.

use latchkey::{
    audit::{Actor, Entry},
    event::Event,
    time::Timestamp,
};

use crate::{
    pages::audit::{
        change_text::changes,
        changes::ChangeText,
        names::{Names, REQUEST},
        rows::{EntryRow, HistoryItem, TargetText},
        wording::{Wording, brief, capitalized, field_title},
    },
    text::time::TimeText,
};

/// An entry as a row of the table.
pub fn row(entry: &Entry, names: &Names) -> EntryRow {
    let is_own = entry
        .target
        .as_ref()
        .is_some_and(|target| target.id.is_some() && target.id == entry.actor.id);
    let is_of_org = entry
        .target
        .as_ref()
        .is_some_and(|target| target.kind == "org");
    let wording = Wording::of(entry.event, is_own, is_of_org);
    let target = entry
        .target
        .as_ref()
        .filter(|target| wording.names_target && is_known(target, names))
        .map(|target| target_text(target, names));
    // Without a target, wording such as "invited" would be an incomplete sentence.
    let mut before = match target {
        Some(_) => wording.before.to_owned(),
        None if !wording.names_target => wording.before.to_owned(),
        None => entry.event.sentence().to_owned(),
    };
    if wording.names_target && is_report(entry) {
        "reported a leak of the key".clone_into(&mut before);
    }
    let mut changes = linked_changes(entry, names);
    let is_summary = entry.changes.contains_key("more");
    if let Some(more) = entry.changes.get("more") {
        let count = more["to"].as_u64().unwrap_or_default();
        let times = if count == 1 { "time" } else { "times" };
        before = format!("{before} {count} more {times} in the same hour");
        changes.clear();
    }
    EntryRow {
        at: TimeText::exact(entry.at),
        actor: match entry.actor.kind.as_str() {
            "unknown" if !is_summary => "Not signed in".to_owned(),
            _ => actor_name(&entry.actor),
        },
        actor_id: entry.actor.id.clone(),
        before: capitalized(&before),
        after: target.as_ref().map_or("", |_| wording.after).to_owned(),
        target,
        changes,
        address: entry.address.clone(),
        via: via(entry),
    }
}

/// Whether a review was a report that the key leaked, and no decision about its findings.
fn is_report(entry: &Entry) -> bool {
    let aspect = entry.changes.get("aspect").map(|change| &change["to"]);
    entry.event == Event::KeyReviewed && aspect.is_some_and(|to| to == "leaked")
}

/// Whether the entry can name its target. The log has no addresses, so an invitation is named only as long as it is open,
/// and only to users who can see it.
fn is_known(target: &Actor, names: &Names) -> bool {
    let id = target.id.as_deref().unwrap_or_default();
    target.kind != "invitation" || names.invitations.contains_key(id)
}

/// An entry in the history of its target.
pub fn history_item(entry: &Entry, names: &Names, now: Timestamp) -> HistoryItem {
    HistoryItem {
        what: match is_report(entry) {
            true => "Reported as leaked".to_owned(),
            false => brief(entry.event),
        },
        actor: actor_name(&entry.actor),
        at: TimeText::relative(entry.at, now),
        changes: linked_changes(entry, names),
    }
}

/// The changes, with a link to the request that a key was created for.
fn linked_changes(entry: &Entry, names: &Names) -> Vec<ChangeText> {
    let mut changes = changes(entry, &names.referred);
    for change in &mut changes {
        if change.field == field_title(REQUEST) && names.requests.contains(&change.to) {
            change.href = Some(format!("/orgs/{}/requests/{}", names.org, change.to));
        }
    }
    changes
}

/// The display name of an actor.
pub fn actor_name(actor: &Actor) -> String {
    match (actor.kind.as_str(), &actor.name) {
        (_, Some(name)) => name.clone(),
        ("command_line", _) => "Command line".to_owned(),
        ("user", _) => "Deleted user".to_owned(),
        ("token", _) => "Deleted service token".to_owned(),
        ("unknown", _) => "Multiple users".to_owned(),
        (other, _) => capitalized(other),
    }
}

/// The display name and link of a target. Deleted users are not shown by ID; other deleted targets are, to identify
/// them.
fn target_text(target: &Actor, names: &Names) -> TargetText {
    let id = target.id.as_deref().unwrap_or_default();
    let org = &names.org;
    let href = match (target.kind.as_str(), &target.name) {
        ("key", Some(_)) => Some(format!("/orgs/{org}/keys/{id}")),
        // Whoever does not decide on requests opens only their own.
        ("key_request", Some(_)) => names
            .requests
            .contains(id)
            .then(|| format!("/orgs/{org}/requests/{id}")),
        ("agent", Some(_)) => names
            .agents
            .get(id)
            .map(|public_id| format!("/orgs/{org}/agents/{public_id}")),
        _ => None,
    };
    let invited = names.invitations.get(id);
    let is_id = target.name.is_none() && invited.is_none() && target.kind != "user";
    TargetText {
        name: match invited {
            Some(email) => email.clone(),
            None if is_id => id.to_owned(),
            None => actor_name(target),
        },
        href,
        is_id,
    }
}

/// The interface and client: "Dashboard, Firefox".
fn via(entry: &Entry) -> String {
    let via = match entry.via.as_str() {
        "page" => "Dashboard",
        "api" => "API",
        "cli" => "Command line",
        other => other,
    };
    match entry.client.as_deref() {
        Some("other") | None => via.to_owned(),
        Some("curl") => format!("{via}, curl"),
        Some(browser) => format!("{via}, {}", capitalized(browser)),
    }
}
