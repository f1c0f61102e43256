//! The list of the user's sessions.

use leptos::prelude::*;

use super::data::{SessionRow, sessions};
use crate::{
    pages::{
        frame::{Breadcrumbs, PageHead},
        page::page,
        sign_in::SignOutButton,
    },
    text::time::Time,
};

#[component]
pub fn SessionsPage() -> impl IntoView {
    page(sessions, |_, rows| view! { <SessionsView rows/> })
}

#[component]
fn SessionsView(rows: Vec<SessionRow>) -> impl IntoView {
    let has_others = rows.iter().any(|row| !row.is_current);
    let rows = rows
        .into_iter()
        .map(|row| view! { <Row row/> })
        .collect_view();
    let end_others = has_others.then(|| {
        view! {
            <form method="post" action="/account/sessions">
                <input type="hidden" name="change" value="end-others"/>
                <button class="btn">"End all other sessions"</button>
            </form>
        }
    });
    let lead = view! { "Where you are signed in. Sessions end after 12 hours of inactivity, or 7 days after you sign in." };
    view! {
        <Breadcrumbs above=vec![("/account".to_owned(), "Account".to_owned())] here="Sessions".to_owned()/>
        <PageHead title="Sessions" lead=lead.into_any()>{end_others}</PageHead>
        <div class="card">
            <table class="table wide">
                <caption class="visually-hidden">"Sessions"</caption>
                <thead><tr>
                    <th scope="col">"Device"</th><th scope="col">"Network"</th><th scope="col">"Signed in"</th>
                    <th scope="col">"Last used"</th><th scope="col"><span class="visually-hidden">"Actions"</span></th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}

#[component]
fn Row(row: SessionRow) -> impl IntoView {
    let action = if row.is_current {
        view! { <SignOutButton class="btn quiet"/> }.into_any()
    } else {
        let about = format!(" session of {}, signed in {}", row.device, row.started.full);
        view! {
            <form method="post" action="/account/sessions">
                <input type="hidden" name="change" value="end"/>
                <input type="hidden" name="session" value=row.id/>
                <button class="btn quiet">"End"<span class="visually-hidden">{about}</span></button>
            </form>
        }
        .into_any()
    };
    let here = row
        .is_current
        .then(|| view! { <span class="tag ok">"This session"</span> });
    let used = match row.is_current {
        true => "Now".into_any(),
        false => view! { <Time text=row.used/> }.into_any(),
    };
    view! {
        <tr>
            <th scope="row"><span class="name">{row.device}</span>" "{here}</th>
            <td class="muted" data-label="Network">{row.network}</td>
            <td class="muted nowrap" data-label="Signed in"><Time text=row.started/></td>
            <td class="muted nowrap" data-label="Last used">{used}</td>
            <td class="end"><div class="row">{action}</div></td>
        </tr>
    }
}
