//! The table of keys.

use latchkey::key::{Kind, Status};
use leptos::prelude::*;

use crate::{
    icons::{Icon, Symbol},
    islands::pick_all::PickAll,
    pages::keys::{
        list::{
            address::{Address, SortChoice},
            bulk::Pick,
            data::{KeyList, KeyRow},
        },
        state::StateTag,
    },
    text::{number::grouped, time::Time},
};

#[component]
pub fn KeyTable(address: Address, list: KeyList) -> impl IntoView {
    let heading = |sort: SortChoice, text: &'static str| {
        let order = (address.sort == sort).then_some(if address.descending {
            "descending"
        } else {
            "ascending"
        });
        view! { <th scope="col" aria-sort=order><a class="sort" href=address.sorted_by(sort)>{text}</a></th> }
    };
    let may = May {
        disable: list.may_disable,
        revoke: list.may_revoke,
    };
    let headings = view! {
        {may.both().then(|| view! { <th scope="col" class="pick"><PickAll/></th> })}
        {heading(SortChoice::Name, "Name")}
        <th scope="col">"Type"</th>
        <th scope="col">"Environment"</th>
        <th scope="col">"Status"</th>
        {heading(SortChoice::LastUsed, "Last used")}
        {heading(SortChoice::Expires, "Expires")}
        {list.with_requests.then(|| view! { <th scope="col" class="num">"Requests, 30 days"</th> })}
        {may.any().then(|| view! { <th scope="col"><span class="visually-hidden">"Actions"</span></th> })}
    };
    let rows = list
        .rows
        .into_iter()
        .map(|row| {
            let kind = list.kind_names.title(row.kind);
            view! { <Row keys=address.path() list=address.href() row kind may/> }
        })
        .collect_view();
    view! {
        <table class="table wide brief">
            <caption class="visually-hidden">"Keys"</caption>
            <thead><tr>{headings}</tr></thead>
            <tbody>{rows}</tbody>
        </table>
    }
}

#[derive(Debug, Clone, Copy)]
struct May {
    disable: bool,
    revoke: bool,
}

impl May {
    /// Whether a row has actions beside opening the key, which its name does.
    fn any(self) -> bool {
        self.disable || self.revoke
    }

    /// Whether the user can run bulk actions.
    fn both(self) -> bool {
        self.disable && self.revoke
    }
}

#[component]
fn Row(keys: String, list: String, row: KeyRow, kind: String, may: May) -> impl IntoView {
    let href = format!("{keys}/{}", row.id);
    let kind_class = if row.kind == Kind::Widget {
        "tag plain accent"
    } else {
        "tag plain"
    };
    let expires = match (row.state.status, row.expires) {
        (Status::Revoked, _) => "–".into_any(),
        (_, Some(expires)) => view! { <Time text=expires/> }.into_any(),
        (_, None) => "Never".into_any(),
    };
    let last_used = row.last_used.map_or_else(
        || "Never".into_any(),
        |text| view! { <Time text/> }.into_any(),
    );
    let more = row.domains.len().saturating_sub(1) + row.more_domains;
    let domains = row.domains.first().map(|first| {
        let more = (more > 0).then(|| format!(" +{more}"));
        let mut title = row.domains.join(", ");
        if row.more_domains > 0 {
            title.push_str(&format!(" and {} more", row.more_domains));
        }
        view! { <span class="under cut" title=title><span>{first.clone()}</span>{more}</span> }
    });
    let created = row
        .created
        .map(|text| view! { <span class="under">"Created "<Time text/></span> });
    let menu = may.any().then(|| {
        let (href, id, name) = (href.clone(), row.id.clone(), row.name.clone());
        view! { <td><RowMenu href list id name status=row.state.status may/></td> }
    });
    let pick = may
        .both()
        .then(|| view! { <Pick id=row.id.clone() name=row.name.clone()/> });
    let requests = row.requests.map(
        |requests| view! { <td class="minor num" data-label="Requests">{grouped(requests)}</td> },
    );
    view! {
        <tr id=row.id.clone()>
            {pick}
            <th scope="row">
                <a class="name" href=href.clone()>{row.name.clone()}</a>
                {row.display.map(|display| view! { <code class="muted">{display}</code> })}
                {domains}
            </th>
            <td data-label="Type"><span class=kind_class>{kind}</span></td>
            <td class="muted" data-label="Environment">{row.environment.as_str()}</td>
            <td data-label="Status"><StateTag state=row.state/></td>
            <td class="used muted nowrap" data-label="Last used">{last_used}</td>
            <td class="minor muted nowrap" data-label="Expires">{expires}{created}</td>
            {requests}
            {menu}
        </tr>
    }
}

#[component]
fn RowMenu(
    href: String,
    /// The URL of the current list.
    list: String,
    id: String,
    name: String,
    status: Status,
    may: May,
) -> impl IntoView {
    let switch = match status {
        Status::Active => Some(("disable", "Disable")),
        Status::Disabled => Some(("enable", "Enable")),
        Status::Expired | Status::Revoked => None,
    };
    let switch = switch.filter(|_| may.disable).map(|(change, text)| {
        view! {
            <li><form method="post" action=list>
                <input type="hidden" name="keys" value=id/>
                <input type="hidden" name="answered" value="yes"/>
                <button name="change" value=change>{text}</button>
            </form></li>
        }
    });
    let revoke = (may.revoke && status != Status::Revoked)
        .then(|| view! { <li class="rule"><a class="danger" href=format!("{href}?revoke=1")>"Revoke key…"</a></li> });
    view! {
        <details class="menu" name="menu">
            <summary class="btn square" aria-label=format!("Actions for {name}")><Icon symbol=Symbol::More/></summary>
            <ul>
                <li><a href=href>"Open"</a></li>
                {switch}
                {revoke}
            </ul>
        </details>
    }
}
