//! The frame of every signed-in page: the navigation and the content. Also the page heading.

use latchkey::role::Action;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::Outlet;

pub use crate::heading::Breadcrumbs;

use super::{
    loading::loading,
    sign_in::SignOutButton,
    tab_title::in_the_tab,
    viewer::{OrgLink, Viewer, viewer},
};
use crate::{
    heading::Heading,
    icons::{Icon, Symbol},
    islands::palette::Palette,
    operations::{
        instance_pages::{INSTANCE, INSTANCE_PAGES, is_of_instance},
        org_pages::org_pages,
    },
    site::Site,
    text::number::{counted, grouped},
};

/// The frame. The page inside loads its own data and shows its own errors.
#[component]
pub fn Frame() -> impl IntoView {
    let viewer = loading(|request| async move {
        let path = request.path().to_owned();
        Ok((viewer(request).await?, path))
    });
    let side = async move {
        let viewer = viewer.await.ok();
        viewer.map(|(viewer, path)| view! { <Side viewer path/> })
    };
    view! {
        <div class="shell">
            <header class="side">
                <a class="brand" href="/"><Icon symbol=Symbol::Key/><span>"Latchkey"</span></a>
                <Suspense>{Suspend::new(side)}</Suspense>
            </header>
            <main class="main" id="content" tabindex="-1"><Outlet/></main>
        </div>
    }
}

#[component]
fn Side(viewer: Viewer, path: String) -> impl IntoView {
    let Viewer {
        name,
        email,
        email_confirmed: _,
        org,
        orgs,
        operator,
        may_create_org,
        secrets,
    } = viewer;
    let docs =
        use_context::<Site>().map_or_else(String::new, |site| site.addresses.docs().to_owned());
    // Its pages belong to no organization.
    let in_instance = operator.is_some() && is_of_instance(&path);
    let is_of_org = |org: &&OrgLink| path.starts_with(&format!("/orgs/{}/", org.slug));
    let of_org = org.as_ref().filter(is_of_org).map(|org| {
        let name = org.name.clone();
        view! { <Title formatter=move |title: String| in_the_tab(&format!("{title} · {name}"))/> }
    });
    let org = org.filter(|_| !in_instance);
    let of_instance = in_instance.then(|| {
        let (orgs, path) = (orgs.clone(), path.clone());
        view! { <InstanceSwitcher orgs may_create_org/><InstanceNav path docs=docs.clone()/> }
    });
    let nav = org.clone().map(|org| {
        let links = org_pages(org.rights)
            .filter_map(|page| {
                let symbol = page.symbol?;
                let href = format!("/orgs/{}/{}", org.slug, page.path);
                // A key's page belongs to the keys.
                let is_here = path == href || path.starts_with(&format!("{href}/"));
                let current = is_here.then_some("page");
                let (number, one, several) = match page.path {
                    "keys" => (org.attention, "key needs attention", "keys need attention"),
                    "review" => (org.asked, "request of a reviewer", "requests of reviewers"),
                    "requests" if org.rights.may(Action::DecideKeyRequests) => {
                        (org.requests, "request waits for a decision", "requests wait for a decision")
                    }
                    "requests" => (org.requests, "key is ready to reveal", "keys are ready to reveal"),
                    _ => (0, "", ""),
                };
                let count = (number > 0).then(|| {
                    let said = counted(number, one, several);
                    view! { <span class="count" title=said.clone()><span aria-hidden="true">{grouped(number)}</span><span class="visually-hidden">{format!(", {said}")}</span></span> }
                });
                Some(view! { <li><a href=href aria-current=current><Icon symbol/>{page.title}{count}</a></li> })
            })
            .collect_view();
        view! {
            <Palette org=org.slug secrets/>
            <nav class="nav" aria-label="Main"><ul>
                {links}
                <li><a href=docs><Icon symbol=Symbol::Docs/>"Docs"</a></li>
            </ul></nav>
        }
    });
    view! {
        {of_org}
        {of_instance}
        {org.map(|org| view! { <OrgSwitcher org orgs may_create_org/> })}
        {nav}
        <details class="menu up person" name="menu">
            <summary>
                <Avatar of=name is_round=true/>
                <span><span class="visually-hidden">"Your account: "</span>{email}</span>
                <Icon symbol=Symbol::UpDown/>
            </summary>
            <ul>
                <li><a href="/account">"Account"</a></li>
                {operator.map(|_| view! { <li><a href="/instance">"Instance"</a></li> })}
                <li class="rule"><SignOutButton/></li>
            </ul>
        </details>
    }
}

/// The initials of a name. They are decoration: the style sheet shows them, and the name is beside them.
#[component]
fn Avatar(of: String, #[prop(optional)] is_round: bool) -> impl IntoView {
    let class = if is_round { "avatar round" } else { "avatar" };
    view! { <span class=class data-initials=initials(&of)></span> }
}

/// The current organization, as a menu if the user has several or can create one.
#[component]
fn OrgSwitcher(org: OrgLink, orgs: Vec<OrgLink>, may_create_org: bool) -> impl IntoView {
    let label = view! {
        <Avatar of=org.name.clone()/>
        <span><span class="visually-hidden">"Organization: "</span><b>{org.name.clone()}</b><small>{org.rights.role.title()}</small></span>
    };
    if orgs.len() < 2 && !may_create_org {
        return view! { <a class="org" href=keys_of(&org.slug)>{label}</a> }.into_any();
    }
    view! {
        <details class="menu switcher" name="menu">
            <summary class="org">{label}<Icon symbol=Symbol::UpDown/></summary>
            <Orgs orgs here=org.slug may_create_org/>
        </details>
    }
    .into_any()
}

/// In place of the organization, in the Instance area: the way back to an organization.
#[component]
fn InstanceSwitcher(orgs: Vec<OrgLink>, may_create_org: bool) -> impl IntoView {
    view! {
        <details class="menu switcher" name="menu">
            <summary class="org">
                <span class="avatar" aria-hidden="true"><Icon symbol=Symbol::Settings/></span>
                <span><span class="visually-hidden">"Organizations: "</span><b>"Instance"</b><small>"Operator"</small></span>
                <Icon symbol=Symbol::UpDown/>
            </summary>
            <Orgs orgs here=String::new() may_create_org/>
        </details>
    }
}

#[component]
fn Orgs(
    orgs: Vec<OrgLink>,
    /// The slug of the current organization.
    here: String,
    may_create_org: bool,
) -> impl IntoView {
    let links = orgs
        .into_iter()
        .map(|org| {
            let current = (org.slug == here).then_some("true");
            view! { <li><a href=keys_of(&org.slug) aria-current=current>{org.name}</a></li> }
        })
        .collect_view();
    view! {
        <ul>
            {links}
            {may_create_org.then(|| view! { <li class="rule"><a href="/orgs/new"><Icon symbol=Symbol::Plus/>"Create organization"</a></li> })}
        </ul>
    }
}

fn keys_of(org: &str) -> String {
    format!("/orgs/{org}/keys")
}

#[component]
fn InstanceNav(
    path: String,
    /// The URL of the documentation.
    docs: String,
) -> impl IntoView {
    let links = INSTANCE_PAGES
        .map(|page| {
            // The page of an organization belongs to the list.
            let below = page.path != INSTANCE && path.starts_with(&format!("{}/", page.path));
            let current = (path == page.path || below).then_some("page");
            view! { <li><a href=page.path aria-current=current><Icon symbol=page.symbol/>{page.title}</a></li> }
        })
        .collect_view();
    view! {
        <nav class="nav" aria-label="Instance"><ul>
            {links}
            <li><a href=docs><Icon symbol=Symbol::Docs/>"Docs"</a></li>
        </ul></nav>
    }
}

/// The initials of the first and the last word.
fn initials(name: &str) -> String {
    let first = |word: &str| {
        word.chars()
            .next()
            .into_iter()
            .flat_map(char::to_uppercase)
            .collect::<String>()
    };
    let mut words = name.split_whitespace();
    let start = words.next().map(first).unwrap_or_default();
    start + &words.next_back().map(first).unwrap_or_default()
}

/// The heading of a page: its title, also in the browser tab, a sentence and actions.
#[component]
pub fn PageHead(
    #[prop(into)] title: String,
    /// A sentence below the title.
    #[prop(optional_no_strip, into)]
    lead: Option<AnyView>,
    /// An element beside the title, such as a tag.
    #[prop(optional, into)]
    beside: Option<AnyView>,
    /// Links and buttons.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let actions = children.map(|children| children().into_any());
    view! {
        <Title text=title.clone()/>
        <Heading title lead beside actions/>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_of_the_first_and_the_last_word() {
        assert_eq!(initials("Dana van Reyes"), "DR");
        assert_eq!(initials("étoile"), "É");
        assert_eq!(initials(" "), "");
    }
}
