//! The frame of every signed-in page: the ways in on the side, and the page. Also what pages begin with.

use latchkey::role::{Action, Role};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::{components::Outlet, hooks::use_location};
use serde::{Deserialize, Serialize};

use crate::{
    error::AppError,
    icons::{Icon, Symbol},
    sign_in::SignOutButton,
};

/// Who looks at a page, and at which org.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Viewer {
    /// The person's name.
    pub name: String,
    /// Their address.
    pub email: String,
    /// The org of the page; where the page is no org's, their first one.
    pub org: Option<OrgLink>,
    /// Every org they are in, by name.
    pub orgs: Vec<OrgLink>,
}

/// An org, as one who is in it sees it on the side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrgLink {
    /// Its name in addresses.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// The person's role in it.
    pub role: Role,
}

/// Who is signed in, and the orgs they are in. `org` is the slug of the page's org.
#[server(prefix = "/api", endpoint = "viewer")]
pub async fn find_viewer(org: Option<String>) -> Result<Viewer, AppError> {
    crate::error::answer(on_the_server::viewer(org).await)
}

#[cfg(feature = "ssr")]
mod on_the_server {
    use latchkey::{accounts, orgs};

    use super::{OrgLink, Viewer};
    use crate::{error::AppError, session};

    pub async fn viewer(slug: Option<String>) -> Result<Viewer, AppError> {
        let user_id = session::user_id().await?;
        let engine = session::engine()?;
        let user = accounts::find_user(&engine, user_id)
            .await?
            .ok_or(AppError::SignedOut)?;
        let orgs: Vec<OrgLink> = orgs::of_user(&engine, user_id)
            .await?
            .into_iter()
            .map(|(org, role)| OrgLink {
                slug: org.slug.to_string(),
                name: org.name.to_string(),
                role,
            })
            .collect();
        let org = match slug {
            Some(slug) => Some(
                orgs.iter()
                    .find(|org| org.slug == slug)
                    .cloned()
                    .ok_or(AppError::NotFound)?,
            ),
            None => orgs.first().cloned(),
        };
        Ok(Viewer {
            name: user.name.to_string(),
            email: user.email.to_string(),
            org,
            orgs,
        })
    }
}

/// Who is signed in, once it is known. The frame provides it to the page inside.
pub type ViewerResource = Resource<Result<Viewer, AppError>>;

/// The frame. The page inside asks for its own data and says itself when it may not be seen.
#[component]
pub fn Layout() -> impl IntoView {
    let path = use_location().pathname;
    let org = Memo::new(move |_| path.with(|path| org_of(path).map(str::to_owned)));
    let viewer: ViewerResource = Resource::new(move || org.get(), viewer_or_their_own);
    provide_context(viewer);
    view! {
        <div class="shell">
            <header class="side">
                <a class="brand" href="/"><Icon symbol=Symbol::Key/><span>"Latchkey"</span></a>
                <Transition>
                    {move || Suspend::new(async move { viewer.await.ok().map(|viewer| view! { <Side viewer path/> }) })}
                </Transition>
            </header>
            <main class="main" id="content" tabindex="-1"><Outlet/></main>
        </div>
    }
}

/// Whoever asks for the page of an org that they are not in is told so in the page, and led back by their own org.
async fn viewer_or_their_own(org: Option<String>) -> Result<Viewer, AppError> {
    match find_viewer(org).await {
        Err(AppError::NotFound) => find_viewer(None).await,
        answer => answer,
    }
}

/// The slug in a path such as `/orgs/acme/keys`.
fn org_of(path: &str) -> Option<&str> {
    path.strip_prefix("/orgs/")?.split('/').next()
}

#[component]
fn Side(viewer: Viewer, path: Memo<String>) -> impl IntoView {
    let Viewer {
        name,
        email,
        org,
        orgs,
    } = viewer;
    let nav = org.clone().map(|org| {
        let role = org.role;
        let may = move |action| role.may(action);
        let link = move |page: &'static str, symbol: Symbol, text: &'static str| {
            let href = format!("/orgs/{}/{page}", org.slug);
            let current = {
                let href = href.clone();
                // A key's page is one of the keys' pages.
                move || {
                    path.with(|path| path == &href || path.starts_with(&format!("{href}/")))
                        .then_some("page")
                }
            };
            view! { <li><a href=href aria-current=current><Icon symbol=symbol/>{text}</a></li> }
        };
        view! {
            <nav class="nav" aria-label="Main"><ul>
                {link("keys", Symbol::Key, "Keys")}
                {link("agents", Symbol::Agents, "Agents")}
                {may(Action::SeeKeyDetails).then(|| link("projects", Symbol::Projects, "Projects"))}
                {link("usage", Symbol::Usage, "Usage")}
                {link("members", Symbol::Members, "Members")}
                {may(Action::SeeAuditLog).then(|| link("audit", Symbol::Audit, "Audit log"))}
                {may(Action::EditOrg).then(|| link("settings", Symbol::Settings, "Settings"))}
            </ul></nav>
        }
    });
    view! {
        {org.map(|org| view! { <OrgSwitcher org orgs/> })}
        {nav}
        <details class="menu up person" name="menu">
            <summary aria-label=format!("Your account: {email}")>
                <span class="avatar round" aria-hidden="true">{initials(&name)}</span>
                <span>{email.clone()}</span>
                <Icon symbol=Symbol::UpDown/>
            </summary>
            <ul>
                <li><a href="/account">"Account"</a></li>
                <li class="rule"><SignOutButton/></li>
            </ul>
        </details>
    }
}

/// The org that the page is about; a menu of all when there are several.
#[component]
fn OrgSwitcher(org: OrgLink, orgs: Vec<OrgLink>) -> impl IntoView {
    let keys_of = |org: &OrgLink| format!("/orgs/{}/keys", org.slug);
    let label = view! {
        <span class="avatar" aria-hidden="true">{initials(&org.name)}</span>
        <span><b>{org.name.clone()}</b><small>{org.role.title()}</small></span>
    };
    if orgs.len() < 2 {
        return view! { <a class="org" href=keys_of(&org)>{label}</a> }.into_any();
    }
    view! {
        <details class="menu switcher" name="menu">
            <summary class="org" aria-label=format!("Organization: {}", org.name)>{label}<Icon symbol=Symbol::UpDown/></summary>
            <ul>
                {orgs.into_iter().map(|other| {
                    let current = (other.slug == org.slug).then_some("true");
                    let href = keys_of(&other);
                    view! { <li><a href=href aria-current=current>{other.name}</a></li> }
                }).collect_view()}
            </ul>
        </details>
    }
    .into_any()
}

/// The first letters of the first and the last word.
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

/// What a page begins with: its title, in the tab and as its heading, a sentence, and what can be done.
#[component]
pub fn PageHead(
    /// The title.
    #[prop(into)]
    title: String,
    /// A sentence below it.
    #[prop(optional, into)]
    lead: Option<AnyView>,
    /// Beside the title, such as a tag.
    #[prop(optional, into)]
    beside: Option<AnyView>,
    /// What can be done on the page: links and buttons.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <Title text=title.clone()/>
        <div class="head">
            <div><h1>{title}" "{beside}</h1>{lead.map(|lead| view! { <p>{lead}</p> })}</div>
            {children.map(|children| view! { <div class="actions">{children()}</div> })}
        </div>
    }
}

/// Where a page lies: links to the pages above it, then its own name.
#[component]
pub fn Breadcrumbs(
    /// Address and name of each page above, outermost first.
    above: Vec<(String, String)>,
    /// The page's own name.
    #[prop(into)]
    here: String,
) -> impl IntoView {
    view! {
        <nav class="crumbs" aria-label="Breadcrumb"><ol>
            {above.into_iter().map(|(href, name)| view! { <li><a href=href>{name}</a></li> }).collect_view()}
            <li aria-current="page">{here}</li>
        </ol></nav>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_org_is_read_from_the_path() {
        assert_eq!(org_of("/orgs/acme/keys/new"), Some("acme"));
        assert_eq!(org_of("/account"), None);
    }

    #[test]
    fn initials_are_of_the_first_and_the_last_word() {
        assert_eq!(initials("Dana van Reyes"), "DR");
        assert_eq!(initials("étoile"), "É");
        assert_eq!(initials(" "), "");
    }
}
