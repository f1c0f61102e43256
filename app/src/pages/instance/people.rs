//! `/instance/people`: everyone who has an account.

use latchkey::{
    id::UserId,
    operators::{
        has_another,
        people::{self, PersonSummary},
    },
    time::Timestamp,
};
use leptos::prelude::*;

use super::{
    head::InstanceHead,
    list_page::{PAGE_SIZE, Pager, Place, SearchBar},
    people_form::{MARK, PeopleForm, UNMARK},
};
use crate::{
    error::AppError,
    form::errors::{Errors, FormError},
    pages::{
        confirm::{PasswordAgain, Question},
        forms::fields_and_errors,
        page::page,
    },
    request::PageRequest,
    text::{
        breakable::Breakable,
        time::{Time, TimeText},
    },
};

struct Changed {
    person: PersonSummary,
    /// Whether nobody else is an operator.
    is_last: bool,
}

struct PeopleList {
    place: Place,
    people: Vec<PersonSummary>,
    next: Option<String>,
    /// The person who is about to be marked as an operator, or no longer.
    changed: Option<Changed>,
    now: Timestamp,
}

async fn load(request: PageRequest, rejected: String) -> Result<PeopleList, AppError> {
    let operator = request.operator().await?;
    let engine = request.engine();
    let place = Place::of(&request);
    let (people, next) = match &place.search {
        Some(search) => {
            let before = place.before.parse().ok();
            people::list(engine, &operator, search, before, PAGE_SIZE).await?
        }
        None => (Vec::new(), None),
    };
    // A rejected form shows the same card again.
    let changed = if rejected.is_empty() {
        request.parameter("operator")
    } else {
        rejected
    };
    let changed = match changed.parse::<UserId>() {
        Ok(id) => people::find(engine, &operator, id).await?,
        Err(_) => None,
    };
    let changed = match changed {
        Some(person) => Some(Changed {
            is_last: person.operator_since.is_some() && !has_another(engine, person.id).await?,
            person,
        }),
        None => None,
    };
    Ok(PeopleList {
        place,
        people,
        next: next.map(|id| id.to_string()),
        changed,
        now: engine.clock().now(),
    })
}

/// The page. Who is about to be marked is part of the URL.
#[component]
pub fn InstancePeoplePage() -> impl IntoView {
    let (form, errors) = fields_and_errors(PeopleForm::default);
    page(
        move |request| load(request, form.person),
        move |request, list| {
            let path = request.path().to_owned();
            view! { <PeopleView path list errors=Errors::new(errors)/> }
        },
    )
}

#[component]
fn PeopleView(path: String, list: PeopleList, errors: Errors) -> impl IntoView {
    let PeopleList {
        place,
        people,
        next,
        changed,
        now,
    } = list;
    let card = changed.map(|changed| view! { <OperatorCard path=path.clone() changed errors/> });
    let table = if people.is_empty() {
        view! { <p class="muted body">"No people found."</p> }.into_any()
    } else {
        let rows = people
            .into_iter()
            .map(|person| view! { <Row path=path.clone() person now/> })
            .collect_view();
        view! {
            <table class="table wide">
                <caption class="visually-hidden">"People"</caption>
                <thead><tr>
                    <th scope="col">"Name"</th><th scope="col">"E-mail"</th><th scope="col">"Organizations"</th>
                    <th scope="col">"Last seen"</th><th scope="col">"Status"</th>
                    <th scope="col"><span class="visually-hidden">"Actions"</span></th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
        }
        .into_any()
    };
    view! {
        <InstanceHead title="People"/>
        <SearchBar place=place.clone() what="people" hint="Name or e-mail"/>
        <div class="stack">
            {card}
            <div class="card">{table}</div>
            <Pager place what="people" next/>
        </div>
    }
}

#[component]
fn Row(path: String, person: PersonSummary, now: Timestamp) -> impl IntoView {
    let names: Vec<String> = person.orgs.iter().map(ToString::to_string).collect();
    let more = person.org_count - i64::try_from(names.len()).unwrap_or(i64::MAX);
    let orgs = match (names.is_empty(), more) {
        (true, _) => "None".to_owned(),
        (false, 1..) => format!("{} and {more} more", names.join(", ")),
        (false, _) => names.join(", "),
    };
    let seen = match person.last_seen_at {
        Some(at) => view! { <Time text=TimeText::relative(at, now)/> }.into_any(),
        None => "Never".into_any(),
    };
    let status = match (person.operator_since, person.disabled_at) {
        (_, Some(_)) => "Disabled",
        (Some(_), None) => "Operator",
        (None, None) => "",
    };
    let action = match person.operator_since {
        Some(_) => "Remove operator",
        None => "Make operator",
    };
    let name = person.name.to_string();
    let href = format!("{path}?operator={}", person.id);
    view! {
        <tr>
            <th scope="row"><span class="name">{name.clone()}</span></th>
            <td class="muted" data-label="E-mail"><Breakable text=person.email.to_string()/></td>
            <td data-label="Organizations">{orgs}</td>
            <td class="muted nowrap" data-label="Last seen">{seen}</td>
            <td data-label="Status">{(!status.is_empty()).then(|| view! { <span class="tag plain">{status}</span> })}</td>
            <td class="end"><a class="btn quiet" href=href>{action}<span class="visually-hidden">": "{name}</span></a></td>
        </tr>
    }
}

#[component]
fn OperatorCard(path: String, changed: Changed, errors: Errors) -> impl IntoView {
    let Changed { person, is_last } = changed;
    let (name, action) = (person.name.to_string(), path.clone());
    let (word, title, text, button, is_danger) = match person.operator_since {
        None => (
            MARK,
            format!("Make “{name}” an operator?"),
            "Operators see all organizations and people, create service tokens for the whole instance, and delete organizations.",
            "Make operator",
            false,
        ),
        Some(_) => (
            UNMARK,
            format!("Remove “{name}” from the operators?"),
            "They lose access to this area immediately. Their organizations and roles do not change.",
            "Remove operator",
            true,
        ),
    };
    if is_last {
        return view! {
            <section class="card" aria-labelledby="operator">
                <header><h2 id="operator">{title}</h2></header>
                <div class="body"><div class="form">
                    <p>"Nobody else is an operator of this instance. Make someone else an operator first: find them in the list below."</p>
                    <div class="actions"><a class="btn" href=path>"Back"</a></div>
                </div></div>
            </section>
        }
        .into_any();
    }
    view! {
        <Question title action cancel=path button is_danger>
            <FormError errors/>
            <p>{text}</p>
            <input type="hidden" name="change" value=word/>
            <input type="hidden" name="person" value=person.id.to_string()/>
            <PasswordAgain errors/>
        </Question>
    }
    .into_any()
}
