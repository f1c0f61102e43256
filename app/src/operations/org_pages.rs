//! The pages of an organization.

use latchkey::role::{Action, Rights};

use crate::{icons::Symbol, pages::refusals::TITLE};

#[derive(Debug, Clone, Copy)]
pub struct OrgPage {
    /// The last part of the path: `keys`.
    pub path: &'static str,
    pub title: &'static str,
    /// The icon in the navigation, for main pages.
    pub symbol: Option<Symbol>,
    /// Other words by which it is found.
    pub also: &'static str,
    needs: Action,
}

const fn main(path: &'static str, title: &'static str, symbol: Symbol, needs: Action) -> OrgPage {
    OrgPage {
        path,
        title,
        symbol: Some(symbol),
        also: "",
        needs,
    }
}

const fn other(path: &'static str, title: &'static str, needs: Action) -> OrgPage {
    OrgPage {
        path,
        title,
        symbol: None,
        also: "",
        needs,
    }
}

impl OrgPage {
    const fn or(self, also: &'static str) -> Self {
        Self { also, ..self }
    }
}

const PAGES: [OrgPage; 22] = [
    main("keys", "Keys", Symbol::Key, Action::SeeKeys),
    main(
        "requests",
        "Key requests",
        Symbol::Inbox,
        Action::RequestKeys,
    ),
    main("agents", "Agents", Symbol::Agents, Action::SeeKeys),
    main(
        "projects",
        "Projects",
        Symbol::Projects,
        Action::SeeKeyDetails,
    ),
    main("review", "Review", Symbol::Review, Action::ReviewKeys),
    main("usage", "Usage", Symbol::Usage, Action::SeeUsageTotals),
    main("members", "Members", Symbol::Members, Action::SeeMembers).or("invite people roles leave"),
    main("audit", "Audit log", Symbol::Audit, Action::SeeAuditLog).or("changes events"),
    main(
        "tokens",
        "Service tokens",
        Symbol::Token,
        Action::ManageTokens,
    ),
    main("settings", "Settings", Symbol::Settings, Action::EditOrg).or("organization name"),
    other("usage/refusals", TITLE, Action::SeeUsageDetails).or("rejected rate limited requests"),
    other(ASKED, "Asked of owners", Action::ReviewKeys),
    other("review/history", "History of reviews", Action::ReviewKeys),
    other("settings/security", "Security settings", Action::EditOrg).or("require second factor"),
    other("settings/policies", "Key policies", Action::ReviewKeys),
    other("settings/alerts", "Alerts", Action::EditOrg).or("letters digest unusual"),
    other("delete", "Delete organization", Action::DeleteOrg),
    other("keys/new", "Create key", Action::CreateKeys).or("new"),
    other(ASK, "Ask for a key", Action::RequestKeys),
    other("keys/find", "Find key by secret", Action::SeeOwnKeys),
    other("keys/import", "Import keys", Action::CreateKeys),
    other("agents/new", "Create agent", Action::EditAgents).or("new"),
];

/// The form that asks for a key. It is for members who cannot create keys.
const ASK: &str = "requests/new";

/// The page of what reviewers ask. Owners see there what is asked of them.
pub const ASKED: &str = "review/asked";

/// The pages that a member can open, in the order of the navigation.
pub fn org_pages(rights: Rights) -> impl Iterator<Item = OrgPage> {
    let is_for = move |page: &OrgPage| page.path != ASK || !rights.may(Action::CreateKeys);
    PAGES
        .into_iter()
        .filter(move |page| rights.may(page.needs) && is_for(page))
}
