//! The letters that wait to be sent. Their number is limited, in total and for each sender, and senders take turns.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use tokio::sync::{Mutex, mpsc};

use super::Letter;
use crate::{
    Engine,
    caller::Visit,
    id::{OrgId, UserId},
    network::Network,
    work_queue::{Busy, Place, Unfinished, WorkQueue},
};

/// Number of letters that are sent concurrently, for strangers and for everyone else separately: strangers, whose number
/// nobody limits, do not delay the mail of organizations.
const AT_ONCE: usize = 2;
/// Maximum number of letters of organizations and users that wait or are being sent.
const MAX: usize = 10_000;
/// Maximum number of these per organization or user, as many as an organization can have open invitations. It shrinks as the
/// outbox fills ([`WorkQueue::new`]).
const MAX_EACH: usize = 100;
/// Maximum number of letters that people who are not signed in have requested.
const MAX_OF_STRANGERS: usize = 2_000;
/// Maximum number of these per network. More than it can request in 15 minutes.
const MAX_EACH_NETWORK: usize = 25;

/// Whose share of the outbox a letter uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sender {
    /// An organization.
    Org(OrgId),
    /// An organization, to all of its members: these letters leave it the places for others.
    Members(OrgId),
    /// A user, about their own account.
    User(UserId),
    /// Everyone on one network who is not signed in.
    Network(Network),
}

impl Sender {
    /// The network of a visit. Visits without an address share one.
    pub(crate) fn of_visit(visit: &Visit) -> Self {
        let address = visit.address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        Self::Network(Network::of(address))
    }
}

/// A place in the outbox, for a letter that will be posted, waits or is being sent.
pub(crate) type MailPlace = Place<Sender>;

/// A letter with its place in the outbox. The place is free again when this is dropped.
#[derive(Debug)]
pub struct Outgoing {
    /// The letter.
    pub letter: Letter,
    place: MailPlace,
}

impl Outgoing {
    /// Waits for a turn to send the letter. The turn lasts until the returned value is dropped.
    ///
    /// # Errors
    /// If the process is ending.
    pub async fn turn(&self) -> Result<impl Send + use<>, Unfinished> {
        self.place.turn().await
    }
}

/// The outbox of a process.
#[derive(Debug)]
pub struct Outbox {
    known: WorkQueue<Sender>,
    strangers: WorkQueue<Sender>,
    // Not bounded by itself: each letter in it has a place.
    post: mpsc::UnboundedSender<Outgoing>,
    posted: Mutex<mpsc::UnboundedReceiver<Outgoing>>,
    dropped: AtomicU64,
}

impl Default for Outbox {
    fn default() -> Self {
        let (post, posted) = mpsc::unbounded_channel();
        Self {
            known: WorkQueue::new(AT_ONCE, MAX, MAX_EACH),
            strangers: WorkQueue::new(AT_ONCE, MAX_OF_STRANGERS, MAX_EACH_NETWORK),
            post,
            posted: Mutex::new(posted),
            dropped: AtomicU64::new(0),
        }
    }
}

impl Outbox {
    /// Takes a place for a letter.
    pub(crate) fn enter(&self, whose: Sender) -> Result<MailPlace, Busy> {
        match whose {
            Sender::Network(_) => self.strangers.enter(whose),
            Sender::Org(_) | Sender::Members(_) | Sender::User(_) => self.known.enter(whose),
        }
    }

    /// Waits for the next letter.
    pub async fn next(&self) -> Option<Outgoing> {
        self.posted.lock().await.recv().await
    }

    /// The next letter, if there is one now.
    pub fn next_now(&self) -> Option<Outgoing> {
        self.posted.try_lock().ok()?.try_recv().ok()
    }

    /// Notes a letter that is not sent, because its sender's share is used up. Letters of strangers are not counted: how full
    /// their share is shows for which addresses letters are being sent.
    pub(crate) fn note_dropped(&self, whose: Sender) {
        if !matches!(whose, Sender::Network(_)) {
            self.dropped.fetch_add(1, Relaxed);
        }
        tracing::warn!("an e-mail was dropped: the outbox is full");
    }

    /// Number of letters of organizations and users that were dropped because their sender's share was used up.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }

    /// Number of letters that wait or are being sent.
    pub fn depth(&self) -> usize {
        self.known.taken() + self.strangers.taken()
    }

    /// Number of these that organizations and users send.
    pub fn depth_without_strangers(&self) -> usize {
        self.known.taken()
    }
}

impl Engine {
    /// Whether this instance sends mail. Without it, links are shown to the person who creates them.
    pub fn sends_mail(&self) -> bool {
        self.sends_mail
    }

    /// The letters to send.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Takes a place in the outbox if this instance sends mail. To be called before the change that the letter is about.
    pub(crate) fn mail_place(&self, whose: Sender) -> Result<Option<MailPlace>, Busy> {
        self.sends_mail
            .then(|| self.outbox.enter(whose))
            .transpose()
    }

    /// Posts a letter, after the change that it is about is committed.
    pub(crate) fn post(&self, place: Option<MailPlace>, letter: Letter) {
        if let Some(place) = place {
            // The receiver lives as long as the engine.
            let _ = self.outbox.post.send(Outgoing { letter, place });
        }
    }

    /// Posts a letter that tells a user about a change of their account. If their share of the outbox is used up, the
    /// letter is not sent: the change has been made.
    pub(crate) fn tell(&self, user_id: UserId, letter: Letter) {
        let sender = Sender::User(user_id);
        match self.mail_place(sender) {
            Ok(place) => self.post(place, letter),
            Err(_) => self.outbox.note_dropped(sender),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_takes_all_places_and_strangers_take_none_of_the_others() {
        let outbox = Outbox::default();
        let network = |number: u8| Sender::Network(Network::of([192, 0, number, 1].into()));
        let all = |sender| std::iter::from_fn(|| outbox.enter(sender).ok()).collect::<Vec<_>>();
        let flood: Vec<_> = (0..100).map(|number| all(network(number))).collect();
        let taken: usize = flood.iter().map(Vec::len).sum();
        assert_eq!((flood[0].len(), flood[99].len(), taken), (25, 7, 1_452));
        let org = all(Sender::Org(OrgId::new(0, [1; 10])));
        assert_eq!(org.len(), 100);
        assert!(outbox.enter(Sender::User(UserId::new(0, [1; 10]))).is_ok());
        assert_eq!(outbox.depth(), 1_552);
        assert_eq!(outbox.depth_without_strangers(), 100);
        outbox.note_dropped(network(0));
        assert_eq!(outbox.dropped(), 0);
        outbox.note_dropped(Sender::Org(OrgId::new(0, [1; 10])));
        assert_eq!(outbox.dropped(), 1);
        drop((flood, org));
        assert_eq!(outbox.depth(), 0);
    }

    #[test]
    fn a_hundred_organizations_that_send_all_they_can_leave_places_for_others() {
        let outbox = Outbox::default();
        let org = |number: u8| Sender::Org(OrgId::new(0, [number; 10]));
        let all = |sender| std::iter::from_fn(|| outbox.enter(sender).ok()).collect::<Vec<_>>();
        let flood: Vec<_> = (0..100).map(|number| all(org(number))).collect();
        assert_eq!((flood[0].len(), outbox.depth()), (100, 6_337));
        assert_eq!(all(org(100)).len(), 37);
    }
}
