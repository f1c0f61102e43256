//! Many patterns at once, each with who lists it, asked whether any of them covers an origin. What is looked at are the
//! origin's host and the hosts above it, however many patterns there are.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use super::{DomainPattern, Origin};

/// Patterns by host, each with its owner.
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
    /// Adds a pattern of an owner, unless it is there.
    pub fn insert(&mut self, pattern: &Arc<DomainPattern>, owner: O) {
        let host = self.by_host.entry(pattern.host_text()).or_default();
        host.insert((Arc::clone(pattern), owner));
    }

    /// Removes a pattern of an owner.
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

    /// Whether a pattern covers the origin that has an owner who counts.
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
