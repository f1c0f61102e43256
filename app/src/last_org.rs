//! The organization whose pages the browser showed last. Pages that belong to none keep it in the navigation, and signing in
//! leads to it. The server reads it from a cookie and writes it to one.

use std::sync::Arc;

use latchkey::name::Slug;

/// The organization of the last page, as the browser says: users see only their own.
#[derive(Debug, Clone, Default)]
pub struct LastOrg(Option<Arc<Slug>>);

impl LastOrg {
    /// Creates it with what the browser sent.
    pub fn new(sent: Option<&str>) -> Self {
        Self(sent.and_then(|slug| slug.parse().ok()).map(Arc::new))
    }

    /// Of these organizations the one that was shown last, or the first.
    pub fn or_first<'o, O>(&self, orgs: &'o [O], slug: impl Fn(&O) -> &str) -> Option<&'o O> {
        let last = self.0.as_ref();
        let last = last.and_then(|last| orgs.iter().find(|org| slug(org) == last.as_str()));
        last.or(orgs.first())
    }
}
