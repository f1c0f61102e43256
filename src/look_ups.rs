//! Look-ups in the database of what verification does not have in memory, many in one statement. Sessions, the
//! accounts of those who sign in, counts of attempts and single-use links are looked up like this too.
//!
//! Anyone can make up keys, public IDs of agents and service tokens, and an organization can use all its keys at once. With
//! a statement for each, they would occupy the few connections of verification, and everyone else's keys would wait.
//! Instead, one statement of each kind runs at a time, and what is asked meanwhile shares the next. So a look-up waits for
//! one statement per [`MAX_TEXTS`] others: at most about 80, since each belongs to a connection of the server.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::oneshot, time::timeout};

use crate::db::StorageError;

/// The maximum number of texts or IDs in a statement. Postgres looks up this many in an index, but can prefer to read a whole
/// table for more.
const MAX_TEXTS: usize = 100;
/// The lengths of the lists in statements, so that each connection prepares three statements and not a hundred. A list is
/// filled up with its last element.
const LENGTHS: [usize; 3] = [1, 10, MAX_TEXTS];
/// The maximum time of a statement. A request has no use for a later answer (`verify/now.rs`), and others wait.
const READ_WITHIN: Duration = Duration::from_secs(4);

/// The look-ups of one kind that wait for a statement.
#[derive(Debug)]
pub(crate) struct LookUps<Q, A>(Arc<Mutex<Waiting<Q, A>>>);

#[derive(Debug)]
struct Waiting<Q, A> {
    asked: VecDeque<Asked<Q, A>>,
    /// Whether a task reads for those that wait.
    is_read: bool,
}

#[derive(Debug)]
struct Asked<Q, A> {
    /// Alternatives, the preferred first: the digests of a text under each pepper.
    any_of: Vec<Q>,
    answer: oneshot::Sender<Found<Q, A>>,
}

/// What one of several gets from the statement that they share.
type Found<Q, A> = Result<Option<(Q, A)>, Arc<StorageError>>;

impl<Q, A> Default for LookUps<Q, A> {
    fn default() -> Self {
        let asked = VecDeque::new();
        let is_read = false;
        Self(Arc::new(Mutex::new(Waiting { asked, is_read })))
    }
}

impl<Q, A> LookUps<Q, A>
where
    Q: Clone + Eq + Hash + Send + Sync + 'static,
    A: Clone + Send + 'static,
{
    /// Finds the first of `any_of` that `read` finds in `source`, and what it leads to. `read` gets a list with one of the
    /// [`LENGTHS`], which can repeat elements. It starts after this call, so that the result is not older.
    ///
    /// # Errors
    /// If the database cannot be reached, or what was found cannot be read.
    pub async fn find<S, F>(
        &self,
        any_of: Vec<Q>,
        source: &S,
        read: impl Fn(S, Vec<Q>) -> F + Send + Sync + 'static,
    ) -> Result<Option<(Q, A)>, StorageError>
    where
        S: Clone + Send + Sync + 'static,
        F: Future<Output = Result<HashMap<Q, A>, StorageError>> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let is_read = {
            let mut waiting = locked(&self.0);
            waiting.asked.push_back(Asked { any_of, answer });
            std::mem::replace(&mut waiting.is_read, true)
        };
        if !is_read {
            // A task of its own: the others wait for it even if this request is gone.
            let source = source.clone();
            let read = move |list| read(source.clone(), list);
            tokio::spawn(read_for_all(Arc::clone(&self.0), read));
        }
        match answered.await {
            Ok(found) => found.map_err(StorageError::shared),
            Err(_) => Err(StorageError::interrupted()),
        }
    }
}

async fn read_for_all<Q, A, F>(waiting: Arc<Mutex<Waiting<Q, A>>>, read: impl Fn(Vec<Q>) -> F)
where
    Q: Clone + Eq + Hash + Send + 'static,
    A: Clone + Send + 'static,
    F: Future<Output = Result<HashMap<Q, A>, StorageError>> + Send + 'static,
{
    while let Some(batch) = next(&waiting) {
        match found(&batch, &read).await {
            // What cannot be read concerns only who asked for it.
            Err(error) if error.is_unreadable() && batch.len() > 1 => {
                for asked in batch {
                    let alone = [asked];
                    let found = found(&alone, &read).await;
                    answer(alone, found);
                }
            }
            found => answer(batch, found),
        }
    }
}

/// Takes those that share the next statement. `None` means that nobody waits, and that the task ends.
fn next<Q, A>(waiting: &Mutex<Waiting<Q, A>>) -> Option<Vec<Asked<Q, A>>> {
    let mut waiting = locked(waiting);
    let mut batch: Vec<Asked<Q, A>> = Vec::new();
    let mut texts = 0;
    while let Some(first) = waiting.asked.front() {
        let is_gone = first.answer.is_closed();
        texts += if is_gone { 0 } else { first.any_of.len() };
        if texts > MAX_TEXTS && !batch.is_empty() {
            break;
        }
        batch.extend(waiting.asked.pop_front().filter(|_| !is_gone));
    }
    waiting.is_read = !batch.is_empty();
    waiting.is_read.then_some(batch)
}

async fn found<Q, A, F>(
    batch: &[Asked<Q, A>],
    read: impl Fn(Vec<Q>) -> F,
) -> Result<HashMap<Q, A>, StorageError>
where
    Q: Clone + Eq + Hash + Send + 'static,
    A: Send + 'static,
    F: Future<Output = Result<HashMap<Q, A>, StorageError>> + Send + 'static,
{
    let all: HashSet<Q> = batch
        .iter()
        .flat_map(|asked| &asked.any_of)
        .cloned()
        .collect();
    let mut list: Vec<Q> = all.into_iter().collect();
    let (Some(last), length) = (list.last().cloned(), list.len()) else {
        return Ok(HashMap::new());
    };
    let filled = LENGTHS.into_iter().find(|filled| *filled >= length);
    list.resize(filled.unwrap_or(length), last);
    // A task of its own, so that a panic is an error of those who asked, and not the end of the line.
    match tokio::spawn(timeout(READ_WITHIN, read(list))).await {
        Ok(Ok(found)) => found,
        Ok(Err(_)) => Err(StorageError::late()),
        Err(_) => Err(StorageError::interrupted()),
    }
}

fn answer<Q: Clone + Eq + Hash, A: Clone>(
    batch: impl IntoIterator<Item = Asked<Q, A>>,
    found: Result<HashMap<Q, A>, StorageError>,
) {
    let found = found.map_err(Arc::new);
    for asked in batch {
        let its = found.as_ref().map(|found| {
            let mut any_of = asked.any_of.iter();
            any_of.find_map(|text| Some((text.clone(), found.get(text)?.clone())))
        });
        // Who is gone needs no answer.
        let _ = asked.answer.send(its.map_err(Arc::clone));
    }
}

fn locked<Q, A>(waiting: &Mutex<Waiting<Q, A>>) -> MutexGuard<'_, Waiting<Q, A>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
