//! Searches an organization's keys, agents, projects and pages, and the user's organizations.

use latchkey::{
    access::{Membership, Operator, to},
    agents::show::{Place, summaries},
    key::secret_text::SecretPrefixes,
    keys::{
        list::{KeyQuery, list},
        project::choices,
    },
    orgs::{self, create_own::may_create},
    role::Action,
    search::Search,
};

use super::{
    instance_pages::INSTANCE_PAGES,
    org_pages::{ASKED, org_pages},
    own_pages::{ACCOUNT, NEW_ORG, OWN_PAGES, OwnPage},
};
use crate::{
    error::AppError,
    request::PageRequest,
    values::found::{Found, FoundKind},
};

/// The most results of each kind. Users who need more open the list.
const MAX_OF_A_KIND: usize = 6;
/// The most agents that are searched, in order of name.
const MAX_AGENTS: u16 = 1_000;

/// Searches the organization with the slug `org` for what the user can see: everything with `text` in its name, and
/// keys also by their visible characters; the user's organizations by name; and pages also by other words for them. An empty
/// text finds the organization's pages.
///
/// # Errors
/// If the user is not signed in or not a member of the organization, or the text is longer than a search can be.
pub async fn find(request: PageRequest, org: &str, text: &str) -> Result<Vec<Found>, AppError> {
    let membership = request.membership_of(org).await?;
    let search: Search = text.parse().map_err(|_| AppError::Unreadable)?;
    let mut found = pages(&request, &membership, &search).await?;
    // The browser does not send secrets here. A text that can be one is looked up only by the form that is made for it.
    let is_secret = SecretPrefixes::of(request.engine().convention()).can_be_in(text);
    if !search.as_str().is_empty() && !is_secret {
        found.extend(keys(&request, &membership, search.clone()).await?);
        found.extend(agents(&request, &membership, &search).await?);
        found.extend(projects_of(&request, &membership, &search).await?);
        found.extend(orgs_of(&request, &search).await?);
    }
    Ok(found)
}

/// The pages that match, the best matches first. An empty text finds those that are one step away.
async fn pages(
    request: &PageRequest,
    membership: &Membership,
    search: &Search,
) -> Result<Vec<Found>, AppError> {
    let rights = membership.rights();
    let of_org = org_pages(rights).map(|page| {
        let href = format!("/orgs/{}/{}", membership.org().slug, page.path);
        // Owners are those who are asked.
        let title = match page.path {
            ASKED if rights.may(Action::EditKeys) => "Asked of you",
            _ => page.title,
        };
        (title, page.also, href)
    });
    let mut all: Vec<_> = of_org.collect();
    let own = |page: OwnPage| (page.title, page.also, page.path.to_owned());
    all.push(own(ACCOUNT));
    all.push(("Docs", "help", request.addresses().docs().to_owned()));
    if search.as_str().is_empty() {
        let all = all.into_iter();
        return Ok(all.map(|(title, _, href)| page(title, href)).collect());
    }
    all.extend(OWN_PAGES.map(own));
    let operator = Operator::signed_in(request.engine(), request.person().await?).await?;
    if may_create(request.engine(), operator.as_ref()) {
        all.push(own(NEW_ORG));
    }
    if operator.is_some() {
        let of_instance = INSTANCE_PAGES.map(|page| (page.title, "instance", page.path.to_owned()));
        all.extend(of_instance);
    }
    let matched = all.into_iter().filter_map(|(title, also, href)| {
        let begins = title.split(' ').any(|word| search.begins(word)) || search.begins(title);
        let rank = match begins {
            true => 0,
            false if search.is_in(title) => 1,
            false if search.is_in(also) => 2,
            false => return None,
        };
        Some((rank, page(title, href)))
    });
    let mut matched: Vec<_> = matched.collect();
    matched.sort_by_key(|(rank, _)| *rank);
    let matched = matched.into_iter().take(MAX_OF_A_KIND);
    Ok(matched.map(|(_, page)| page).collect())
}

fn page(title: &str, href: String) -> Found {
    Found {
        kind: FoundKind::Page,
        name: title.to_owned(),
        detail: String::new(),
        href,
    }
}

async fn keys(
    request: &PageRequest,
    membership: &Membership,
    search: Search,
) -> Result<Vec<Found>, AppError> {
    let details = membership.permit_if_allowed::<to::SeeKeyDetails>();
    let query = KeyQuery {
        search,
        names_only: details.is_none(),
        page_size: MAX_OF_A_KIND as u16,
        ..KeyQuery::default()
    };
    let page = list(request.engine(), &membership.permit()?, &query).await?;
    let found = page.keys.into_iter().map(|key| Found {
        kind: FoundKind::Key,
        name: key.name.to_string(),
        detail: details.as_ref().map_or(String::new(), |_| key.display),
        href: format!("/orgs/{}/keys/{}", membership.org().slug, key.id),
    });
    Ok(found.collect())
}

async fn agents(
    request: &PageRequest,
    membership: &Membership,
    search: &Search,
) -> Result<Vec<Found>, AppError> {
    let all = summaries(
        request.engine(),
        &membership.permit()?,
        Place::Start,
        MAX_AGENTS,
    )
    .await?;
    let found = all
        .into_iter()
        .map(|agent| (agent.name.to_string(), agent.public_id.to_string()))
        .filter(|(name, public_id)| search.is_in(name) || public_id == search.as_str())
        .take(MAX_OF_A_KIND)
        .map(|(name, public_id)| Found {
            kind: FoundKind::Agent,
            name,
            href: format!("/orgs/{}/agents/{public_id}", membership.org().slug),
            detail: public_id,
        });
    Ok(found.collect())
}

async fn projects_of(
    request: &PageRequest,
    membership: &Membership,
    search: &Search,
) -> Result<Vec<Found>, AppError> {
    let Some(permit) = membership.permit_if_allowed::<to::SeeKeyDetails>() else {
        return Ok(Vec::new());
    };
    let all = choices(request.engine(), &permit).await?;
    let found = all
        .into_iter()
        .filter(|project| search.is_in(project.name.as_str()))
        .take(MAX_OF_A_KIND)
        .map(|project| Found {
            kind: FoundKind::Project,
            name: project.name.to_string(),
            detail: String::new(),
            href: format!(
                "/orgs/{}/keys?project={}",
                membership.org().slug,
                project.id
            ),
        });
    Ok(found.collect())
}

async fn orgs_of(request: &PageRequest, search: &Search) -> Result<Vec<Found>, AppError> {
    let all = orgs::of_user(request.engine(), request.user_id().await?).await?;
    let found = all
        .into_iter()
        .filter(|(org, _)| search.is_in(org.name.as_str()))
        .take(MAX_OF_A_KIND)
        .map(|(org, _)| Found {
            kind: FoundKind::Organization,
            name: org.name.to_string(),
            detail: org.slug.to_string(),
            href: format!("/orgs/{}/keys", org.slug),
        });
    Ok(found.collect())
}
