//! Whose share of this instance an import or export uses.

use crate::{
    access::Permit,
    id::{OrgId, UserId},
    work_queue::Whose,
};

/// An organization or a person. A person can have many organizations, whose work counts as theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Party {
    /// An organization.
    Org(OrgId),
    /// The signed-in user, or whoever created the service token that is used. Who left its organization no longer counts: their
    /// other work must not keep it from its own.
    Person(UserId),
}

impl<A> Permit<A> {
    /// The organization, and the person behind the caller.
    pub(crate) fn whose(&self) -> Whose<Party> {
        Whose {
            tenant: Party::Org(self.org_id()),
            person: self.person().map(Party::Person),
        }
    }
}
