//! Endpoint classes, by which requests are counted and limited.

use std::num::NonZeroU32;

use super::Convention;

/// An endpoint class of a convention, stored as its alphabetical position, which is smaller and faster than its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ClassIndex(u16);

impl ClassIndex {
    /// Finds a class by name.
    pub fn find(convention: &Convention, name: &str) -> Option<Self> {
        let place = convention.classes.keys().position(|class| class == name)?;
        u16::try_from(place).ok().map(Self)
    }

    /// The class of requests that name none.
    pub fn default_of(convention: &Convention) -> Self {
        Self::find(convention, &convention.default_class).unwrap_or_default()
    }

    /// The class's name.
    pub fn name(self, convention: &Convention) -> &str {
        self.of(convention)
            .map_or(&convention.default_class, |(name, _)| name)
    }

    /// The rate limit of the class, in requests per key and minute.
    pub fn per_minute(self, convention: &Convention) -> NonZeroU32 {
        self.of(convention)
            .map_or(NonZeroU32::MIN, |(_, per_minute)| *per_minute)
    }

    /// The class's position, from 0.
    pub(crate) fn place(self) -> usize {
        usize::from(self.0)
    }

    fn of(self, convention: &Convention) -> Option<(&String, &NonZeroU32)> {
        convention.classes.iter().nth(self.place())
    }
}
