//! The number of decisions per outcome group.

use crate::outcome::OutcomeGroup;

/// The number of decisions per outcome group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Allowed.
    pub passed: i64,
    /// Rejected temporarily.
    pub limited: i64,
    /// Rejected.
    pub refused: i64,
}

impl Counts {
    /// The total of all groups.
    pub fn all(&self) -> i64 {
        self.passed + self.limited + self.refused
    }

    pub(super) fn add(&mut self, group: OutcomeGroup, count: i64) {
        match group {
            OutcomeGroup::Passed => self.passed += count,
            OutcomeGroup::Limited => self.limited += count,
            OutcomeGroup::Refused => self.refused += count,
        }
    }

    /// Subtracts a part, at most down to zero: a key that was moved has counts of another project than the total.
    pub(super) fn subtract(&mut self, part: Self) {
        self.passed = (self.passed - part.passed).max(0);
        self.limited = (self.limited - part.limited).max(0);
        self.refused = (self.refused - part.refused).max(0);
    }
}
