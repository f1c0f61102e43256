//! The table of keys.

use latchkey::{
    findings::{Code, Severity},
    key::{Kind, Status},
};
use leptos::prelude::*;

use crate::{
    icons::{Icon, Symbol},
    islands::pick_all::PickAll,
    pages::keys::{
        finding_text::FindingText,
        list::{
            address::Address,
            bulk::Pick,
            choices::{FindingChoice, SortChoice},
            data::{KeyList, KeyRow},
        },
        state::{RotatingTag, StateTag},
    },
    text::{
        number::grouped,
        time::Time,
        words::{environment_title, severity_title},
    },
};

#[component]
pub fn KeyTable(
    address: Address,
    list: KeyList,
    /// The IDs of the keys that are selected.
    picked: Vec<String>,
) -> impl IntoView {
    let heading_of = |sort: SortChoice, text: AnyView, class: &'static str| {
        let order = (address.sort == sort).then_some(if address.descending {
            "descending"
        } else {
            "ascending"
        });
        view! { <th scope="col" class=class aria-sort=order><a class="sort" href=address.sorted_by(sort)>{text}</a></th> }
    };
    let heading = |sort: SortChoice, text: &'static str, class: &'static str| {
        heading_of(sort, text.into_any(), class)
    };
    let requests = list.with_requests.then(|| {
        let text = view! { <span>"Requests"<span class="period">" 30 days"</span></span> };
        heading_of(SortChoice::Requests, text.into_any(), "num drop-2")
    });
    let may = May {
        disable: list.may_disable,
        revoke: list.may_revoke,
        edit: list.may_edit,
        rotate: list.may_rotate,
        details: list.with_details,
    };
    let headings = view! {
        {may.several().then(|| view! { <th scope="col" class="pick"><PickAll/></th> })}
        {heading(SortChoice::Name, "Name", "")}
        {list.with_details.then(|| heading(SortChoice::Created, "Created", "drop-3"))}
        <th scope="col">"Type"</th>
        {list.with_details.then(|| view! { <th scope="col" class="drop-4">"Project"</th> })}
        {if list.with_details {
            heading(SortChoice::Urgency, "Status", "").into_any()
        } else {
            view! { <th scope="col">"Status"</th> }.into_any()
        }}
        {heading(SortChoice::LastUsed, "Last used", "")}
        {heading(SortChoice::Expires, "Expires", "drop-2")}
        {requests}
        {may.any().then(|| view! { <th scope="col"><span class="visually-hidden">"Actions"</span></th> })}
    };
    let rows = list
        .rows
        .into_iter()
        .map(|row| {
            let kind = list.kind_names.title(row.kind);
            let is_picked = picked.contains(&row.id);
            view! { <Row keys=address.path() list=address.href() row kind may is_picked filter=address.finding/> }
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
    edit: bool,
    rotate: bool,
    details: bool,
}

impl May {
    /// Whether a row has actions beside opening the key, which its name does.
    fn any(self) -> bool {
        self.disable || self.revoke || self.details
    }

    /// Whether the user can run bulk actions.
    fn several(self) -> bool {
        self.disable
    }
}

#[component]
fn Row(
    keys: String,
    list: String,
    row: KeyRow,
    kind: String,
    may: May,
    is_picked: bool,
    /// The filter by findings.
    filter: Option<FindingChoice>,
) -> impl IntoView {
    let href = format!("{keys}/{}", row.id);
    let kind_class = if row.kind == Kind::Widget {
        "tag plain accent"
    } else {
        "tag plain"
    };
    let expires = match (row.state.status, row.expires.clone()) {
        (Status::Revoked, _) => "–".into_any(),
        (_, Some(expires)) => view! { <Time text=expires/> }.into_any(),
        (_, None) => view! { <span class="never">"Never"</span> }.into_any(),
    };
    let last_used = match row.last_used.clone() {
        Some(text) => view! { <Time text/> }.into_any(),
        // The use of a key is its last request that passed.
        None if row.requests.is_some_and(|requests| requests > 0) => "None passed".into_any(),
        None => view! { <span class="never">"Never"</span> }.into_any(),
    };
    let creator = row.creator.clone().map(
        |name| view! { <span class="under clip" title=name.clone()>"by "{name.clone()}</span> },
    );
    let created = row.created.clone().map(|text| {
        view! { <td class="minor muted nowrap drop-3" data-label="Created"><Time text/>{creator}</td> }
    });
    let menu = may.any().then(|| {
        let (href, id, name) = (href.clone(), row.id.clone(), row.name.clone());
        view! { <td><RowMenu href list id name status=row.state.status may/></td> }
    });
    let pick = may
        .several()
        .then(|| view! { <Pick id=row.id.clone() name=row.name.clone() is_picked/> });
    let project = row
        .project
        .clone()
        .map(|project| view! { <td class="minor muted drop-4" data-label="Project"><span class="clip" title=project.clone()>{project.clone()}</span></td> });
    let requests = row.requests.map(|requests| {
        view! { <td class="num drop-2" data-label="Requests, 30 days">{grouped(requests)}</td> }
    });
    view! {
        <tr id=row.id.clone()>
            {pick}
            <th scope="row">
                <a class="name" href=href.clone()>{row.name.clone()}</a>
                {row.is_own.then(|| view! { <span class="tag plain accent">"Yours"</span>" " })}
                {row.display.clone().map(|display| view! { <code class="muted">{display}</code> })}
                <Domains row=row.clone()/>
            </th>
            {created}
            <td data-label="Type"><span class=kind_class>{kind}</span>" "<span class="muted">{environment_title(row.environment)}</span></td>
            {project}
            <td class="states" data-label="Status"><StateTag state=row.state/><RotatingTag status=row.state.status old_ends=row.old_ends/><Badges findings=row.findings filter/></td>
            <td class="used muted nowrap" data-label="Last used">{last_used}</td>
            <td class="muted nowrap drop-2" data-label="Expires">{expires}</td>
            {requests}
            {menu}
        </tr>
    }
}

/// The first allowed domain, and how many more there are.
#[component]
fn Domains(row: KeyRow) -> impl IntoView {
    let more = row.domains.len().saturating_sub(1) + row.more_domains;
    row.domains.first().map(|first| {
        let more = (more > 0).then(|| format!(" +{more}"));
        let mut title = row.domains.join(", ");
        if row.more_domains > 0 {
            title.push_str(&format!(" and {} more", row.more_domains));
        }
        view! { <span class="under cut" title=title><span>{first.clone()}</span>{more}</span> }
    })
}

/// The two most urgent findings that need attention, and how many more there are. The status says when a key expires. If the
/// list shows only keys with a certain finding, it is a badge, too. One of high severity stays a badge when a review keeps the
/// key: someone else can still use it.
#[component]
fn Badges(findings: Vec<FindingText>, filter: Option<FindingChoice>) -> impl IntoView {
    const SHOWN: usize = 2;
    let badges: Vec<FindingText> = findings
        .into_iter()
        .filter(|finding| {
            let is_asked = match filter {
                Some(FindingChoice::Code(code)) => finding.code == code,
                Some(FindingChoice::Severity(severity)) => finding.severity == severity,
                None => false,
            };
            let is_kept = finding.severity == Severity::High && finding.reviewed_until.is_some();
            let is_shown = is_asked || is_kept || finding.needs_attention();
            is_shown && finding.code != Code::ExpiresSoon
        })
        .collect();
    let more = badges.get(SHOWN..).filter(|more| !more.is_empty());
    let more = more.map(|more| {
        let titles: Vec<&str> = more.iter().map(|finding| finding.code.title()).collect();
        let said = format!("{} more: {}", more.len(), titles.join(", "));
        view! { <span class="tag plain" title=said.clone()><span aria-hidden="true">{format!("+{}", more.len())}</span><span class="visually-hidden">{said.clone()}</span></span> }
    });
    let shown = badges
        .iter()
        .take(SHOWN)
        .map(|finding| {
            let severity = format!("{} severity", severity_title(finding.severity));
            let (tag, text, reviewed) = match &finding.reviewed_until {
                Some(date) => (
                    "tag plain",
                    format!("{} · reviewed", finding.code.title()),
                    format!(" Reviewed until {date}."),
                ),
                None => (
                    finding.tag(),
                    finding.code.title().to_owned(),
                    String::new(),
                ),
            };
            let title = format!("{severity}. {}{reviewed}", finding.sentence);
            view! { <span class=tag title=title>{text}<span class="visually-hidden">{format!(", {severity}").to_lowercase()}</span></span> }
        })
        .collect_view();
    view! { {shown}{more} }
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
                <input type="hidden" name="keys" value=id.clone()/>
                <input type="hidden" name="answered" value="yes"/>
                <button name="change" value=change>{text}</button>
            </form></li>
        }
    });
    let link = |is_there: bool, path: &str, text: &'static str| {
        is_there.then(|| view! { <li><a href=format!("{href}{path}")>{text}</a></li> })
    };
    let is_rotatable = matches!(status, Status::Active | Status::Disabled);
    let edit = link(may.edit && status != Status::Revoked, "/edit", "Edit");
    let rotate = link(may.rotate && is_rotatable, "/rotate", "Rotate…");
    let usage = link(may.details, "#requests", "View usage");
    let revoke = (may.revoke && status != Status::Revoked)
        .then(|| view! { <li class="rule"><a class="danger" href=format!("{href}?revoke=1")>"Revoke key…"</a></li> });
    view! {
        <details class="menu" name="menu">
            <summary class="btn square" aria-label=format!("Actions for {name}")><Icon symbol=Symbol::More/></summary>
            <ul>
                <li><a href=href.clone()>"Open"</a></li>
                {edit}
                {rotate}
                {usage}
                <li><button type="button" class="copy-id needs-script" data-copy=id.clone()>"Copy ID"</button></li>
                {switch}
                {revoke}
            </ul>
        </details>
    }
}
