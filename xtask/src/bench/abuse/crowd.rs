//! Sends many requests concurrently and counts the responses.

use std::{
    collections::BTreeMap,
    fmt, io,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use crate::bench::http::{Answer, Request, Site};

/// How long an attack waits for responses: longer than the server's own request timeout.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// The responses to an attack.
#[derive(Default)]
pub struct Tally {
    /// The number of complete requests that were sent.
    pub requests: usize,
    /// Further remarks.
    pub notes: Vec<String>,
    answers: BTreeMap<String, usize>,
    largest: u64,
}

impl Tally {
    /// Counts a request by its result.
    pub fn add(&mut self, answer: &io::Result<Answer>) {
        self.requests += 1;
        match answer {
            Ok(answer) => {
                self.largest = self.largest.max(answer.size);
                self.count(answer.status.to_string());
            }
            Err(error) if error.kind() == io::ErrorKind::TimedOut => self.count("no answer"),
            Err(error) => self.count(error.kind().to_string()),
        }
    }

    /// Counts something other than a request.
    pub fn count(&mut self, what: impl Into<String>) {
        *self.answers.entry(what.into()).or_default() += 1;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let answers = self.answers.iter();
        let mut parts: Vec<String> = answers
            .map(|(what, count)| format!("{what} × {count}"))
            .collect();
        if self.largest > 0 {
            parts.push(format!("largest {:.1} kB", self.largest as f64 / 1e3));
        }
        parts.extend(self.notes.iter().cloned());
        f.write_str(&parts.join(", "))
    }
}

/// Starts `size` workers that share the numbers below `turns`.
pub fn crowd<W: FnMut(usize)>(size: usize, turns: usize, worker: impl Fn() -> W + Sync) {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut take_turn = worker();
        loop {
            match next.fetch_add(1, Ordering::Relaxed) {
                turn if turn < turns => take_turn(turn),
                _ => break,
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..size {
            scope.spawn(work);
        }
    });
}

/// Sends all requests concurrently, each on its own connection.
pub fn all_at_once(site: Site, requests: &[Request]) -> Tally {
    let tally = Mutex::new(Tally::default());
    crowd(requests.len(), requests.len(), || {
        |turn: usize| {
            let answer = site.ask(&requests[turn], PATIENCE);
            locked(&tally).add(&answer);
        }
    });
    taken(tally)
}

/// Locks a mutex. Poisoning is ignored: a panic ends the run anyway.
pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the value of a mutex.
pub fn taken<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_turn_is_taken_once() {
        let turns = Mutex::new(Vec::new());
        crowd(7, 100, || |turn| locked(&turns).push(turn));
        let mut turns = taken(turns);
        turns.sort_unstable();
        assert_eq!(turns, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn a_tally_says_what_came_how_often() {
        let mut tally = Tally::default();
        tally.add(&Err(io::ErrorKind::TimedOut.into()));
        tally.add(&Err(io::ErrorKind::TimedOut.into()));
        tally.add(&Err(io::ErrorKind::ConnectionReset.into()));
        tally.notes.push("a note".to_owned());
        assert_eq!(
            tally.to_string(),
            "connection reset × 1, no answer × 2, a note"
        );
        assert_eq!(tally.requests, 3);
    }
}
