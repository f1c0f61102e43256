//! The filter form of the audit log. It uses GET, so that its results have a URL.

use latchkey::event::Event;
use leptos::prelude::*;

use crate::{
    form::filters::{Choice, Input},
    pages::audit::{
        address::Address,
        wording::{kind_title, title},
    },
};

#[component]
pub fn Filters(
    /// The current filters.
    address: Address,
    /// ID and name of everyone to filter by.
    actors: Vec<(String, String)>,
    /// The names of the invalid filters.
    invalid: Vec<String>,
) -> impl IntoView {
    let problem = move |name: &str, sentence: &'static str| {
        invalid
            .iter()
            .any(|known| known == name)
            .then(|| sentence.to_owned())
    };
    let people = std::iter::once((String::new(), "Anyone".to_owned())).chain(actors);
    let clear = address
        .is_filtered()
        .then(|| view! { <a class="btn quiet" href=address.path()>"Clear"</a> });
    view! {
        <form class="bar filters" role="search" aria-label="Entries" method="get" action=address.path()>
            <Choice name="event" label="Event" options=events() chosen=address.event.clone() problem=problem("event", "Select an event.")/>
            <Choice name="actor" label="Who" options=people.collect() chosen=address.actor.clone() problem=problem("actor", "Select a person.")/>
            <Input name="key" label="Key ID" kind="text" value=address.key.clone() problem=problem("key", "Enter an ID such as key_01…")/>
            <Input name="from" label="First day" kind="date" value=address.from.clone() problem=problem("from", "Enter a date.")/>
            <Input name="to" label="Last day" kind="date" value=address.to.clone() problem=problem("to", "Enter a date that is not before the first day.")/>
            <div class="actions"><button class="btn">"Filter"</button>{clear}</div>
        </form>
    }
}

/// The options of the event filter: any event, then for each kind an option for all of its events, followed by each
/// event.
fn events() -> Vec<(String, String)> {
    let mut options = vec![(String::new(), "Any event".to_owned())];
    let mut kinds: Vec<(&str, Vec<Event>)> = Vec::new();
    for event in Event::ALL.iter().filter(|event| event.is_of_orgs()) {
        let (kind, _) = event.as_str().split_once('.').unwrap_or_default();
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, events)) => events.push(*event),
            None => kinds.push((kind, vec![*event])),
        }
    }
    for (kind, events) in kinds {
        options.push((format!("{kind}.*"), kind_title(kind)));
        let events = events.into_iter();
        options.extend(events.map(|event| (event.to_string(), title(event).to_owned())));
    }
    options
}
