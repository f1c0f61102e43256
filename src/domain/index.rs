//! An index of domain patterns and their owners, which finds whether any pattern covers an origin. A look-up reads only
//! the entries of the origin's host and its parent domains, regardless of the number of patterns.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use super::{DomainPattern, Origin};

/// Patterns by host, each with its owners.
#[derive(Debug)]
pub struct PatternIndex<O> {
    by_host: HashMap<String, BTreeSet<(Arc<DomainPattern>, O)>>,
}

impl<O> Default for PatternIndex<O> {
    fn default() -> Self {
        Self {
            by_host: HashMap::new(),
        }
    }
}

impl<O: Copy + Ord> PatternIndex<O> {
    /// Adds an owner's pattern, unless it exists.
    pub fn insert(&mut self, pattern: &Arc<DomainPattern>, owner: O) {
        let host = self.by_host.entry(pattern.host_text()).or_default();
        host.insert((Arc::clone(pattern), owner));
    }

    /// Removes an owner's pattern.
    pub fn remove(&mut self, pattern: &Arc<DomainPattern>, owner: O) {
        let host = pattern.host_text();
        let Some(patterns) = self.by_host.get_mut(&host) else {
            return;
        };
        patterns.remove(&(Arc::clone(pattern), owner));
        if patterns.is_empty() {
            self.by_host.remove(&host);
        }
    }

    /// Whether a pattern whose owner satisfies `counts` covers the origin.
    pub fn covers(
        &self,
        origin: &Origin<'_>,
        with_subdomains: bool,
        counts: impl Fn(&O) -> bool,
    ) -> bool {
        let host = origin.host_text();
        let mut above = Some(host.as_str());
        while let Some(host) = above {
            let mut patterns = self.by_host.get(host).into_iter().flatten();
            if patterns
                .any(|(pattern, owner)| counts(owner) && pattern.covers(origin, with_subdomains))
            {
                return true;
            }
            above = host.split_once('.').map(|(_, above)| above);
        }
        false
    }
}
