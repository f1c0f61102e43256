//! The cached patterns of all orgs. Each org has an equal share of the cache.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use crate::{
    domain::{DomainPattern, Origin, PatternIndex},
    id::OrgId,
};

/// The origins that one org's keys and agents allow.
#[derive(Debug, Clone, Default)]
pub struct OfOrg {
    /// The listed domains.
    pub patterns: BTreeSet<Arc<DomainPattern>>,
    /// Whether a key works on localhost regardless of its list.
    pub localhost: bool,
    /// Whether a key works on every page, as a secret key does that can be used in browsers.
    pub everywhere: bool,
}

/// The origins that all orgs allow. Above `max` patterns, the orgs with the most patterns have only some of them in
/// memory. Orgs below an equal share always have all.
#[derive(Debug)]
pub struct Patterns {
    index: PatternIndex<OrgId>,
    orgs: HashMap<OrgId, OfOrg>,
    localhost: HashSet<OrgId>,
    everywhere: HashSet<OrgId>,
    len: usize,
    max: usize,
    /// The maximum number of patterns of one org.
    share: usize,
}

impl Patterns {
    /// Creates an empty cache for `max` patterns.
    pub fn new(max: usize) -> Self {
        Self {
            index: PatternIndex::default(),
            orgs: HashMap::new(),
            localhost: HashSet::new(),
            everywhere: HashSet::new(),
            len: 0,
            max,
            share: usize::MAX,
        }
    }

    /// Replaces the patterns of an org. The cost is proportional to the difference.
    pub fn replace(&mut self, org: OrgId, mut now: OfOrg) {
        while now.patterns.len() > self.share {
            now.patterns.pop_last();
        }
        let before = self.orgs.remove(&org).unwrap_or_default();
        for gone in before.patterns.difference(&now.patterns) {
            self.index.remove(gone, org);
        }
        for new in now.patterns.difference(&before.patterns) {
            self.index.insert(new, org);
        }
        self.len = self.len + now.patterns.len() - before.patterns.len();
        for (orgs, is_one) in [
            (&mut self.localhost, now.localhost),
            (&mut self.everywhere, now.everywhere),
        ] {
            if is_one {
                orgs.insert(org);
            } else {
                orgs.remove(&org);
            }
        }
        if !now.patterns.is_empty() {
            self.orgs.insert(org, now);
        }
        if self.len > self.max {
            self.shrink();
        }
    }

    /// Removes patterns of the orgs with the most until all fit.
    fn shrink(&mut self) {
        let lens = self.orgs.values().map(|org| org.patterns.len());
        self.share = equal_share(lens.collect(), self.max);
        for (org, held) in &mut self.orgs {
            while held.patterns.len() > self.share {
                if let Some(gone) = held.patterns.pop_last() {
                    self.index.remove(&gone, *org);
                    self.len -= 1;
                }
            }
        }
    }

    /// Whether an org for which `counts` is true allows pages of the origin.
    pub fn allow(
        &self,
        origin: &Origin<'_>,
        with_subdomains: bool,
        counts: impl Fn(&OrgId) -> bool,
    ) -> bool {
        self.index.covers(origin, with_subdomains, &counts)
            || self.everywhere.iter().any(&counts)
            || (origin.is_localhost() && self.localhost.iter().any(&counts))
    }

    /// The maximum number of cached patterns of one org; `None` if all are cached.
    pub fn share(&self) -> Option<usize> {
        (self.share < usize::MAX).then_some(self.share)
    }
}

/// The largest equal share of `max` if unused shares are distributed among the others.
fn equal_share(mut lens: Vec<usize>, max: usize) -> usize {
    lens.sort_unstable();
    let (mut rest, mut others) = (max, lens.len());
    for len in lens {
        let share = rest / others;
        if len > share {
            return share;
        }
        rest -= len;
        others -= 1;
    }
    usize::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    fn org(number: u8) -> OrgId {
        OrgId::new(i64::from(number), [number; 10])
    }

    fn listing(name: &str, count: usize) -> OfOrg {
        let domains = (0..count).map(|number| format!("{name}{number:04}.example"));
        OfOrg {
            patterns: domains
                .map(|domain| Arc::new(DomainPattern::parse(&domain).unwrap()))
                .collect(),
            ..OfOrg::default()
        }
    }

    fn allow(patterns: &Patterns, domain: &str) -> bool {
        let origin = format!("https://{domain}");
        patterns.allow(&Origin::parse(&origin).unwrap(), true, |_| true)
    }

    #[test]
    fn each_has_as_much_as_the_others_leave() {
        assert_eq!(equal_share(vec![1, 2, 3], 6), usize::MAX);
        assert_eq!(equal_share(vec![10, 1, 10], 11), 5);
        assert_eq!(equal_share(vec![10, 10, 10], 5), 1);
        assert_eq!(equal_share(vec![], 5), usize::MAX);
    }

    #[test]
    fn beyond_the_whole_only_the_largest_lose_patterns() {
        let mut patterns = Patterns::new(100);
        patterns.replace(org(1), listing("small", 10));
        for number in 2..9 {
            patterns.replace(org(number), listing(&format!("large{number}x"), 90));
            assert!(patterns.len <= 100);
        }
        patterns.replace(org(9), listing("late", 10));
        assert!(patterns.len <= 100);
        for number in 0..10 {
            assert!(allow(&patterns, &format!("small{number:04}.example")));
            assert!(allow(&patterns, &format!("late{number:04}.example")));
        }
        assert!(allow(&patterns, "large2x0000.example"));
        assert!(!allow(&patterns, "large2x0089.example"));
        assert_eq!(patterns.share(), Some(11));
    }

    #[test]
    fn what_an_org_no_longer_lists_is_gone_unless_another_lists_it() {
        let mut patterns = Patterns::new(100);
        patterns.replace(org(1), listing("shop", 3));
        patterns.replace(org(2), listing("shop", 1));
        patterns.replace(org(1), OfOrg::default());
        assert!(allow(&patterns, "shop0000.example"));
        assert!(!allow(&patterns, "shop0001.example"));
        let origin = Origin::parse("https://shop0000.example").unwrap();
        assert!(!patterns.allow(&origin, true, |owner| *owner != org(2)));
        patterns.replace(org(2), OfOrg::default());
        assert_eq!((patterns.len, patterns.orgs.len()), (0, 0));
    }
}
