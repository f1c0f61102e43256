//! The pages that belong to no organization: those of the user's account.

/// A page, and other words by which it is found.
#[derive(Debug, Clone, Copy)]
pub struct OwnPage {
    pub path: &'static str,
    pub title: &'static str,
    pub also: &'static str,
}

const fn page(path: &'static str, title: &'static str, also: &'static str) -> OwnPage {
    OwnPage { path, title, also }
}

/// The page on which the others are linked.
pub const ACCOUNT: OwnPage = page("/account", "Account", "you sign out");

/// The form for another organization. It is for users who can create one.
pub const NEW_ORG: OwnPage = page("/orgs/new", "Create organization", "new team");

/// The other pages of the account.
pub const OWN_PAGES: [OwnPage; 5] = [
    page(
        "/account/profile",
        "Profile",
        "name e-mail address time zone",
    ),
    page("/account#password", "Password", "change"),
    page("/account/sessions", "Sessions", "devices browsers sign out"),
    page(
        "/account/two-factor",
        "Second factor",
        "two-factor 2fa security authenticator recovery codes",
    ),
    page("/account/delete", "Delete account", ""),
];
