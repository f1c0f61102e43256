//! An index that finds out whether any of many patterns covers an origin. A lookup checks only the origin's host and
//! its parent domains, so its cost does not depend on the number of patterns.

use std::collections::{BTreeSet, HashMap};

use super::{DomainPattern, Origin};

/// Patterns by host.
#[derive(Debug, Default)]
pub struct PatternIndex {
    by_host: HashMap<String, BTreeSet<DomainPattern>>,
    len: usize,
}

impl PatternIndex {
    /// Adds a pattern if it is not in the index yet.
    pub fn insert(&mut self, pattern: DomainPattern) {
        let host = self.by_host.entry(pattern.host_text()).or_default();
        if host.insert(pattern) {
            self.len += 1;
        }
    }

    /// The number of patterns.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether the index has no patterns.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether one of the patterns covers the origin.
    pub fn covers(&self, origin: &Origin<'_>, with_subdomains: bool) -> bool {
        let host = origin.host_text();
        let mut above = Some(host.as_str());
        while let Some(host) = above {
            let patterns = self.by_host.get(host).into_iter().flatten();
            if patterns
                .into_iter()
                .any(|pattern| pattern.covers(origin, with_subdomains))
            {
                return true;
            }
            above = host.split_once('.').map(|(_, above)| above);
        }
        false
    }
}
