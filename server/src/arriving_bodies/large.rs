//! The memory of large bodies, from when they arrive until their requests have a turn. All share it, but nobody takes it from
//! others: a tenant has a part of it, which is that of an organization for all of its members and tokens, and when it is full, a
//! body of the tenant that has brought the most of them lately gives way. So who comes once is served, however many come again
//! and again.

#[cfg(test)]
mod tests;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use latchkey::{
    clock::{Clock, Monotonic},
    id::{OrgId, ServiceTokenId, UserId},
};
use tokio::sync::Notify;

/// The maximum size of all large bodies in bytes.
pub const MAX: usize = 128 * 1024 * 1024;
/// The maximum size of those of one tenant: an eighth, or four of the largest files.
pub const MAX_OF_TENANT: usize = MAX / 8;
/// The bodies of two such periods count as brought lately, in milliseconds.
const PERIOD: i64 = 60_000;

/// Whose part of the memory a body takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tenant {
    Address(IpAddr),
    /// The members and tokens of an organization.
    Org(OrgId),
    /// A signed-in user outside of their organizations.
    Person(UserId),
    /// The operator's program.
    Operator(ServiceTokenId),
}

/// Who brings a body for a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Member {
    Person(UserId),
    Token(ServiceTokenId),
    Anyone,
}

/// The tenant, and which of its members brings the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Brings {
    pub tenant: Tenant,
    pub member: Member,
}

/// The large bodies.
#[derive(Debug)]
pub struct LargeBodies {
    clock: Clock,
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    /// In the order in which they became large.
    bodies: BTreeMap<u64, Entry>,
    bytes: usize,
    next: u64,
    /// How many each tenant has brought in this period and the previous one.
    brought: [HashMap<Tenant, u32>; 2],
    period_began: Monotonic,
}

#[derive(Debug)]
struct Entry {
    brings: Brings,
    bytes: usize,
    displaced: Arc<Notify>,
}

/// A large body that counts until this is dropped.
#[derive(Debug)]
pub struct Large {
    all: Arc<LargeBodies>,
    number: u64,
}

impl LargeBodies {
    pub fn new(clock: Clock) -> Arc<Self> {
        let held = Held {
            bodies: BTreeMap::new(),
            bytes: 0,
            next: 0,
            brought: Default::default(),
            period_began: clock.monotonic(),
        };
        Arc::new(Self {
            clock,
            held: Mutex::new(held),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a body from now on. `displaced` is notified if it has to give way.
    pub fn begin(self: &Arc<Self>, brings: Brings, displaced: Arc<Notify>) -> Large {
        let now = self.clock.monotonic();
        let mut held = self.lock();
        if now.since(held.period_began) >= PERIOD {
            held.brought.rotate_right(1);
            held.brought[0].clear();
            if now.since(held.period_began) >= 2 * PERIOD {
                held.brought[1].clear();
            }
            held.period_began = now;
        }
        *held.brought[0].entry(brings.tenant).or_default() += 1;
        let number = held.next;
        held.next += 1;
        let entry = Entry {
            brings,
            bytes: 0,
            displaced,
        };
        held.bodies.insert(number, entry);
        Large {
            all: Arc::clone(self),
            number,
        }
    }

    /// The bytes of all bodies.
    #[cfg(test)]
    pub fn bytes(&self) -> usize {
        self.lock().bytes
    }
}

impl Held {
    fn remove(&mut self, number: u64) -> Option<Entry> {
        let removed = self.bodies.remove(&number)?;
        self.bytes -= removed.bytes;
        Some(removed)
    }

    fn displace(&mut self, number: Option<u64>) {
        if let Some(entry) = number.and_then(|number| self.remove(number)) {
            entry.displaced.notify_one();
        }
    }

    fn of_tenant(&self, tenant: Tenant) -> usize {
        let own = self
            .bodies
            .values()
            .filter(|body| body.brings.tenant == tenant);
        own.map(|body| body.bytes).sum()
    }

    /// The oldest body of the member that has the most bytes of a tenant. Of equal ones, the oldest of all: whoever comes last
    /// would otherwise lose theirs at once.
    fn of_the_heaviest_member(&self, tenant: Tenant) -> Option<u64> {
        let own = self.bodies.iter();
        let own = own.filter(|(_, body)| body.brings.tenant == tenant);
        let mut by_member = HashMap::<Member, (usize, Reverse<u64>)>::new();
        for (number, body) in own {
            let first = (0, Reverse(*number));
            by_member.entry(body.brings.member).or_insert(first).0 += body.bytes;
        }
        let (_, Reverse(oldest)) = by_member.into_values().max()?;
        Some(oldest)
    }

    /// The oldest body of the tenant that has brought the most.
    fn of_who_brought_the_most(&self) -> Option<u64> {
        let brought = |tenant| {
            let each = self.brought.iter().filter_map(|period| period.get(&tenant));
            each.sum::<u32>()
        };
        let bodies = self.bodies.iter();
        let bodies = bodies.map(|(number, body)| (brought(body.brings.tenant), *number));
        let most = bodies.max_by_key(|(brought, number)| (*brought, Reverse(*number)));
        most.map(|(_, number)| number)
    }
}

impl Large {
    /// Sets the size of the body so far. Returns whether it still has its memory.
    pub fn grow_to(&self, bytes: usize) -> bool {
        let mut held = self.all.lock();
        let Some(entry) = held.bodies.get_mut(&self.number) else {
            return false;
        };
        let tenant = entry.brings.tenant;
        let before = std::mem::replace(&mut entry.bytes, bytes);
        held.bytes = held.bytes - before + bytes;
        // The operator's programs have no share.
        let has_share = !matches!(tenant, Tenant::Operator(_));
        while has_share && held.of_tenant(tenant) > MAX_OF_TENANT {
            let number = held.of_the_heaviest_member(tenant);
            held.displace(number);
        }
        while held.bytes > MAX {
            let number = held.of_who_brought_the_most();
            held.displace(number);
        }
        held.bodies.contains_key(&self.number)
    }
}

impl Drop for Large {
    fn drop(&mut self) {
        self.all.lock().remove(self.number);
    }
}
