//! The page that shows something once: a key, a service token, recovery codes, the link of an invitation.

use leptos::prelude::*;
use leptos_meta::{Meta, Title};

use crate::{
    heading::{Breadcrumbs, Heading},
    islands::{copy_button::CopyButton, leave_guard::LeaveGuard},
    text::query::escaped,
};

/// The frame of such a page.
#[component]
pub fn OncePage(
    title: String,
    /// A sentence below the title.
    lead: String,
    /// The path and the name of the page that lists such things.
    list: (String, &'static str),
    /// What the page is about, in the breadcrumbs.
    here: String,
    children: Children,
) -> impl IntoView {
    let (path, name) = list;
    view! {
        <Title text=title.clone()/>
        // The URL that the browser loads on reload or back: see `history.rs`.
        <Meta name="address" content=path.clone()/>
        <Breadcrumbs above=vec![(path, name.to_owned())] here/>
        <Heading title lead=Some(lead.into_any()) beside=None actions=None/>
        {children()}
    }
}

/// The text to copy, and what leads on. The class makes the browser remove it when the user leaves: see `history.rs`.
#[component]
pub fn OnceCard(
    title: &'static str,
    /// What to do with the text.
    note: AnyView,
    /// The text that is shown once.
    text: String,
    /// What the copy button calls the text: "key".
    copies: &'static str,
    /// What the user is warned about if they leave without having stored it. Without it, they are not warned.
    guards: Option<&'static str>,
    /// The path that the last button leads to.
    path: String,
    /// The text of that button.
    #[prop(default = "Done")]
    done: &'static str,
    /// More about the text, below it.
    #[prop(optional)]
    more: Option<AnyView>,
) -> impl IntoView {
    let is_list = text.contains('\n');
    // A form that sends nothing else drops the query of its action.
    let (action, query) = path.split_once('?').unwrap_or((&path, ""));
    let query = form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| view! { <input type="hidden" name=name.into_owned() value=value.into_owned()/> })
        .collect_view();
    let action = action.to_owned();
    let done = match guards {
        None => view! { <a class="btn end" href=path>{done}</a> }.into_any(),
        Some(_) => view! {
            <form method="get" action=action>
                {query}
                <label class="check">
                    <input type="checkbox" id="stored" required/>{if is_list { "I have stored them" } else { "I have stored it" }}
                </label>
                <button class="btn end">{done}</button>
            </form>
        }
        .into_any(),
    };
    let download = is_list.then(|| {
        let href = format!("data:text/plain;charset=utf-8,{}", escaped(&text));
        view! { <a class="btn" href=href download=format!("latchkey-{copies}.txt")>"Download"</a> }
    });
    let text = match is_list {
        true => view! { <code id="key" class="lines">{text}</code> }.into_any(),
        false => view! { <code id="key">{text}</code> }.into_any(),
    };
    let capitalized = format!("{}{}", copies[..1].to_uppercase(), &copies[1..]);
    view! {
        <section class="once" aria-labelledby="once">
            <header>
                <h2 id="once">{title}</h2>
                {note}
            </header>
            <div class="secret">
                {text}
                <CopyButton of="key".to_owned() class="btn primary".to_owned() text=format!("Copy {copies}")
                    copied=format!("{capitalized} copied") first=true/>
                {download}
            </div>
            {more}
            <footer>{done}</footer>
            {guards.map(|what| view! { <LeaveGuard what=what.to_owned()/> })}
        </section>
    }
}
