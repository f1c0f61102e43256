//! Whose work it is.

/// The tenant whose work it is, and the person behind it: one person can have many tenants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whose<K> {
    /// Has a share of the places.
    pub tenant: K,
    /// Counts with the tenant when it is decided who is next. `None` if it is the tenant, or is not known.
    pub person: Option<K>,
}

impl<K: Copy> Whose<K> {
    /// The tenant and the person.
    pub fn parties(&self) -> impl Iterator<Item = K> + use<K> {
        [Some(self.tenant), self.person].into_iter().flatten()
    }
}

impl<K> From<K> for Whose<K> {
    fn from(tenant: K) -> Self {
        Self {
            tenant,
            person: None,
        }
    }
}
