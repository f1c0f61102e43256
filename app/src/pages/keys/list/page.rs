//! `/orgs/{org}/keys`: the list of keys, with search, filters, sorting and paging. All of them are in the URL, so that
//! every step is a link or a form that works without JavaScript and can be shared.

use leptos::{either::Either, prelude::*};

use super::{
    address::Address,
    bulk::{BulkForm, BulkResult, is_asking, picked},
    data::{KeyList, list_keys},
    filters::Filters,
    table::KeyTable,
};
use crate::{
    icons::{Icon, Symbol},
    pages::{
        frame::PageHead,
        key_requests::ask_path,
        keys::first_steps::{FirstStepsPanel, Steps, steps},
        not_in_list::NotFoundInAddress,
        page::page,
    },
    request::PageRequest,
    text::number::{counted, grouped},
};

#[component]
pub fn KeysPage() -> impl IntoView {
    let load = async |request: PageRequest| {
        let steps = steps(&request).await?;
        Ok((list_keys(request).await?, steps))
    };
    page(load, |request, (list, steps)| {
        let address = Address::read(request.org().to_owned(), request.query());
        let address = match list.with_details {
            true => address,
            false => address.without_details(),
        };
        let dropped = !request.parameter(DROPPED).is_empty();
        view! { <KeysView address list steps dropped/> }
    })
}

/// The query parameter of the page after a search that was dropped because its text could be a secret.
pub const DROPPED: &str = "dropped";

#[component]
fn KeysView(
    address: Address,
    list: KeyList,
    steps: Option<Steps>,
    /// Whether a search was dropped.
    dropped: bool,
) -> impl IntoView {
    let count = counted(list.matching, "key", "keys");
    let once = list
        .may_create
        .then_some(" You can view a key only when you create it.");
    // An empty list says so itself.
    let lead = match (list.matching, address.filtered()) {
        (0, _) => None,
        (_, true) => Some(view! { {count}" found." }.into_any()),
        (_, false) => Some(view! { {count}"."{once} }.into_any()),
    };
    let new = format!("{}/new", address.path());
    let may_create = list.may_create;
    let nothing = list.matching == 0 && !address.filtered();
    let import = may_create
        .then(|| view! { <a class="btn" href=format!("{}/import", address.path())>"Import"</a> });
    let find =
        view! { <a class="btn" href=format!("{}/find", address.path())>"Find by secret"</a> };
    let export = (list.with_details && list.matching > 0)
        .then(|| view! { <a class="btn" href=address.export_href() download="">"Export CSV"</a> });
    let dropped = dropped.then(|| view! { <DroppedSearch keys=address.path()/> });
    let unknown = address.unknown.clone();
    let ask = ask_path(&address.org);
    // An empty list has the link in its place.
    let make = (!nothing).then(|| match may_create {
        true => view! { <a class="btn primary" href=new.clone()><Icon symbol=Symbol::Plus/>"Create key"</a> }.into_any(),
        false => view! { <a class="btn primary" href=ask.clone()>"Ask for a key"</a> }.into_any(),
    });
    view! {
        <PageHead title="Keys" lead>{export}{find}{import}{make}</PageHead>
        {dropped}
        <NotFoundInAddress unknown/>
        <BulkResult href=address.href()/>
        {if nothing {
            Either::Left(view! { <NoKeys new=may_create.then_some(new) ask/> })
        } else {
            Either::Right(view! {
                {steps.map(|steps| view! { <FirstStepsPanel steps/> })}
                <Filters address=address.clone() choices=list.choices.clone() secrets=list.secrets.clone()/>
                <div class="stack"><Found address list/></div>
            })
        }}
    }
}

/// Says why a search did not run.
#[component]
fn DroppedSearch(keys: String) -> impl IntoView {
    let way_on =
        view! { <a class="link" href=format!("{keys}/find")>"Use Find by secret"</a>" instead." };
    view! {
        <div class="notice warn" role="status" tabindex="-1" autofocus>
            <Icon symbol=Symbol::Alert/>
            <p>"That search looked like a key, so it was not run: searches are in URLs, which browsers and proxies store. "{way_on}</p>
        </div>
    }
}

#[component]
fn Found(address: Address, list: KeyList) -> impl IntoView {
    if list.rows.is_empty() {
        return Either::Left(view! { <NoMatch address with_details=list.with_details/> });
    }
    let may_change = list.may_disable && !is_asking();
    let may_revoke = list.may_revoke;
    let (shown, matching) = (list.rows.len(), list.matching);
    let bulk =
        may_change.then(|| view! { <BulkForm href=address.href() shown matching may_revoke/> });
    let pager = view! { <Pager address=address.clone() before=list.before shown matching previous=list.previous.clone() next=list.next.clone()/> };
    Either::Right(view! {
        <div class="card"><KeyTable address list picked=picked()/>{bulk}</div>
        {pager}
    })
}

#[component]
fn NoKeys(
    /// The path of the form that creates a key, if the user is allowed to.
    new: Option<String>,
    /// The path of the form that asks for a key.
    ask: String,
) -> impl IntoView {
    let (href, text) = match new {
        Some(new) => (new, "Create key"),
        None => (ask, "Ask for a key"),
    };
    let way_on = view! { <div class="actions"><a class="btn primary" href=href>{text}</a></div> };
    view! {
        <div class="card"><div class="empty">
            <Icon symbol=Symbol::Key/>
            <h2>"No keys yet"</h2>
            <p>"API requests are authenticated with a key. Create one per application so that you can monitor, limit and revoke each independently."</p>
            {way_on}
        </div></div>
    }
}

#[component]
fn NoMatch(address: Address, with_details: bool) -> impl IntoView {
    let title = match address.search.as_str() {
        "" => address.nothing_found(),
        search if address.narrows() => format!("No key matches “{search}” and the filters"),
        search => format!("No key matches “{search}”"),
    };
    let hint = (!address.search.is_empty()).then_some(match with_details {
        true => "Search matches names, IDs, prefixes, the last four characters, allowed domains and notes.",
        false => "Search matches names and IDs.",
    });
    view! {
        <div class="card"><div class="empty">
            <Icon symbol=Symbol::Search/>
            <h2>{title}</h2>
            {hint.map(|hint| view! { <p>{hint}</p> })}
            <div class="actions"><a class="btn" href=address.path()>"Show all keys"</a></div>
        </div></div>
    }
}

#[component]
fn Pager(
    address: Address,
    /// The number of keys on the pages before this one.
    before: i64,
    shown: usize,
    matching: i64,
    previous: Option<String>,
    next: Option<String>,
) -> impl IntoView {
    let link = |place: Option<String>,
                rel: &'static str,
                text: &'static str,
                to: fn(&Address, String) -> String| match place {
        Some(place) => {
            Either::Left(view! { <a class="btn" rel=rel href=to(&address, place)>{text}</a> })
        }
        None => Either::Right(view! { <a class="btn" role="link" aria-disabled="true">{text}</a> }),
    };
    (previous.is_some() || next.is_some()).then(|| {
        let (first, last) = (grouped(before + 1), grouped(before + shown as i64));
        let range = format!("{first}–{last} of {}", grouped(matching));
        view! {
            <nav class="pager" aria-label="Pages of keys">
                <span>{range}</span>
                {link(previous, "prev", "Previous", Address::ending_before)}
                {link(next, "next", "Next", Address::starting_after)}
            </nav>
        }
    })
}
