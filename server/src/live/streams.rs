//! The open streams by organization.

use std::{
    collections::{BTreeMap, HashMap, VecDeque, hash_map::Entry},
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::body::Bytes;
use latchkey::{
    access::Membership,
    accounts::sessions::SessionHash,
    caller::Actor,
    id::OrgId,
    role::{Action, Rights},
};
use latchkey_app::pages::live_usage::LiveView;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{MAX_OF_ORG, MAX_OF_SESSION, MAX_OF_USER, START};

/// The frames that wait for a client. A client that reads more slowly misses some, and gets the next ones.
const WAITING: usize = 2;

/// An open stream.
#[derive(Debug)]
pub struct Stream {
    session: SessionHash,
    user: Actor,
    membership: Membership,
    view: LiveView,
    frames: mpsc::Sender<Bytes>,
    /// The hash of the last report that was sent.
    sent: Option<u64>,
}

impl Stream {
    pub fn new(
        session: SessionHash,
        user: Actor,
        membership: Membership,
        view: LiveView,
    ) -> (Self, mpsc::Receiver<Bytes>) {
        let (frames, receiver) = mpsc::channel(WAITING);
        // There is room.
        let _ = frames.try_send(Bytes::from_static(START.as_bytes()));
        let stream = Self {
            session,
            user,
            membership,
            view,
            frames,
            sent: None,
        };
        (stream, receiver)
    }

    fn send(&mut self, frame: &Bytes, hash: u64) {
        if self.sent != Some(hash) && self.frames.try_send(frame.clone()).is_ok() {
            self.sent = Some(hash);
        }
    }

    /// Whether the session can still see what the stream shows.
    fn is_allowed(&self, rights: &HashMap<SessionHash, Rights>) -> bool {
        rights.get(&self.session).is_some_and(|rights| {
            rights.may(Action::SeeUsageTotals)
                && rights.may(Action::SeeUsageDetails) == self.view.with_details
        })
    }
}

fn hash_of(frame: &Bytes) -> u64 {
    let mut hasher = DefaultHasher::new();
    frame.hash(&mut hasher);
    hasher.finish()
}

/// The streams of an organization, and the number of the task that follows it.
#[derive(Debug)]
struct OfOrg {
    task: u64,
    streams: BTreeMap<u64, Stream>,
    /// The views in the order in which they were last computed.
    turns: VecDeque<LiveView>,
    /// The last report, which a further page with the same view gets immediately.
    latest: Option<(LiveView, Bytes)>,
}

/// All open streams.
#[derive(Debug, Default)]
pub struct Streams {
    orgs: Mutex<Orgs>,
    /// Cancelled when the server stops.
    pub stop: CancellationToken,
}

#[derive(Debug, Default)]
struct Orgs {
    by_id: HashMap<OrgId, OfOrg>,
    next: u64,
}

/// A stream's place, until its body is dropped.
#[derive(Debug)]
pub struct Place {
    streams: Arc<Streams>,
    org_id: OrgId,
    number: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(of_org) = self.streams.lock().by_id.get_mut(&self.org_id) {
            of_org.streams.remove(&self.number);
        }
    }
}

/// The task that follows an organization. When it ends, for whatever reason, so do the streams.
#[derive(Debug)]
pub struct Task {
    streams: Arc<Streams>,
    org_id: OrgId,
    number: u64,
}

impl Drop for Task {
    fn drop(&mut self) {
        let mut orgs = self.streams.lock();
        if let Entry::Occupied(of_org) = orgs.by_id.entry(self.org_id)
            && of_org.get().task == self.number
        {
            of_org.remove();
        }
    }
}

impl Streams {
    fn lock(&self) -> MutexGuard<'_, Orgs> {
        self.orgs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a stream, and returns the task to start if it is the organization's first. `None` if there are too many, or the
    /// server stops.
    pub fn add(
        self: &Arc<Self>,
        org_id: OrgId,
        mut stream: Stream,
    ) -> Option<(Place, Option<Task>)> {
        let mut orgs = self.lock();
        if self.stop.is_cancelled() {
            return None;
        }
        let (number, task) = (orgs.next, orgs.next + 1);
        orgs.next += 2;
        let mut is_first = false;
        let of_org = orgs.by_id.entry(org_id).or_insert_with(|| {
            is_first = true;
            OfOrg {
                task,
                streams: BTreeMap::new(),
                turns: VecDeque::new(),
                latest: None,
            }
        });
        let of = |is_one: &dyn Fn(&Stream) -> bool| {
            of_org
                .streams
                .values()
                .filter(|other| is_one(other))
                .count()
        };
        if of_org.streams.len() >= MAX_OF_ORG
            || of(&|other| other.user == stream.user) >= MAX_OF_USER
            || of(&|other| other.session == stream.session) >= MAX_OF_SESSION
        {
            return None;
        }
        if !of_org.turns.contains(&stream.view) {
            of_org.turns.push_front(stream.view.clone());
        }
        if let Some((view, frame)) = &of_org.latest
            && *view == stream.view
        {
            stream.send(frame, hash_of(frame));
        }
        of_org.streams.insert(number, stream);
        let streams = Arc::clone(self);
        let task = is_first.then(|| Task {
            streams: Arc::clone(self),
            org_id,
            number: task,
        });
        let place = Place {
            streams,
            org_id,
            number,
        };
        Some((place, task))
    }
}

impl Task {
    /// Cancelled when the server stops.
    pub fn stop(&self) -> &CancellationToken {
        &self.streams.stop
    }

    /// The sessions of the streams. `None` if there are no streams, which ends the task.
    pub fn sessions(&self) -> Option<Vec<SessionHash>> {
        let mut orgs = self.streams.lock();
        let Entry::Occupied(of_org) = orgs.by_id.entry(self.org_id) else {
            return None;
        };
        if of_org.get().streams.is_empty() {
            of_org.remove();
            return None;
        }
        let mut sessions: Vec<SessionHash> = Vec::new();
        for stream in of_org.get().streams.values() {
            if !sessions.contains(&stream.session) {
                sessions.push(stream.session);
            }
        }
        Some(sessions)
    }

    /// Ends the streams that these rights no longer allow.
    pub fn keep(&self, rights: &HashMap<SessionHash, Rights>) {
        self.each(|stream| stream.is_allowed(rights));
    }

    /// The view whose turn it is, and the membership of someone who looks at it.
    pub fn next_view(&self) -> Option<(LiveView, Membership)> {
        let mut orgs = self.streams.lock();
        let of_org = orgs.by_id.get_mut(&self.org_id)?;
        while let Some(view) = of_org.turns.pop_front() {
            let mut viewers = of_org.streams.values();
            if let Some(viewer) = viewers.find(|stream| stream.view == view) {
                let membership = viewer.membership.clone();
                of_org.turns.push_back(view.clone());
                return Some((view, membership));
            }
        }
        None
    }

    /// Sends a report to all streams of a view that do not have it.
    pub fn send(&self, view: &LiveView, frame: &Bytes) {
        let hash = hash_of(frame);
        self.each(|stream| {
            if stream.view == *view {
                stream.send(frame, hash);
            }
            true
        });
        if let Some(of_org) = self.streams.lock().by_id.get_mut(&self.org_id) {
            of_org.latest = Some((view.clone(), frame.clone()));
        }
    }

    /// Sends a comment to all streams.
    pub fn send_comment(&self) {
        self.each(|stream| {
            // If there is no room, the client has something to read.
            let _ = stream.frames.try_send(Bytes::from_static(b":\n\n"));
            true
        });
    }

    fn each(&self, keep: impl Fn(&mut Stream) -> bool) {
        if let Some(of_org) = self.streams.lock().by_id.get_mut(&self.org_id) {
            of_org.streams.retain(|_, stream| keep(stream));
        }
    }
}
