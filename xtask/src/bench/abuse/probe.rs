//! The probes: small requests of other clients, sent continuously during an attack.

use std::{
    panic::resume_unwind,
    sync::atomic::{AtomicBool, Ordering},
    thread::{self, ScopedJoinHandle},
    time::Duration,
};

use anyhow::{Result, ensure};

use crate::{
    bench::{
        http::{Request, Site},
        median,
    },
    step::started_now,
};

/// The interval between requests of a probe, unless the response takes longer.
const PACE: Duration = Duration::from_millis(20);
/// The same for pages, which cost more: the server must be able to become idle.
const PAGE_PACE: Duration = Duration::from_millis(500);
/// The timeout of a probe's request.
const LIMIT: Duration = Duration::from_secs(2);

/// A request and a text that its response must contain.
pub struct Probe {
    request: Request,
    expected: &'static str,
    pace: Duration,
}

/// The probes that need no session.
pub struct Probes {
    /// Checks that the process answers at all.
    pub healthz: Probe,
    /// Checks that another organization's key is still valid.
    pub verify: Probe,
}

/// The results of a probe.
pub struct Probed {
    /// Milliseconds until the response or the timeout of each request; never empty.
    milliseconds: Vec<f64>,
    /// The number of requests without the expected response.
    pub failures: usize,
}

impl Probe {
    /// Creates a probe that expects status 200 with this text in the body.
    pub fn new(request: Request, expected: &'static str) -> Self {
        Self {
            request,
            expected,
            pace: PACE,
        }
    }

    /// Creates a probe that opens a page.
    pub fn of_page(request: Request, expected: &'static str) -> Self {
        Self {
            pace: PAGE_PACE,
            ..Self::new(request, expected)
        }
    }

    /// Sends one request, on its own connection.
    fn is_answered(&self, site: Site) -> bool {
        site.ask(&self.request, LIMIT)
            .is_ok_and(|answer| answer.status == 200 && answer.text().contains(self.expected))
    }

    /// Sends at least one request, and further ones until `over`.
    pub fn keep_asking(&self, site: Site, over: &AtomicBool) -> Probed {
        let mut probed = Probed {
            milliseconds: Vec::new(),
            failures: 0,
        };
        loop {
            let started = started_now();
            let answered = self.is_answered(site);
            let took = started.elapsed();
            probed.milliseconds.push(took.as_secs_f64() * 1e3);
            probed.failures += usize::from(!answered);
            if over.load(Ordering::Relaxed) {
                return probed;
            }
            thread::sleep(self.pace.saturating_sub(took));
        }
    }
}

impl Probes {
    /// Fails unless both probes get the expected response.
    pub fn check(&self, site: Site) -> Result<()> {
        ensure!(
            self.healthz.is_answered(site),
            "the server does not answer /healthz"
        );
        ensure!(
            self.verify.is_answered(site),
            "the server does not accept the key"
        );
        Ok(())
    }
}

impl Probed {
    /// The median response time, in milliseconds.
    pub fn median(&self) -> f64 {
        median(self.milliseconds.clone())
    }

    /// The slowest response time, in milliseconds.
    pub fn worst(&self) -> f64 {
        self.milliseconds.iter().copied().fold(0.0, f64::max)
    }
}

/// Returns the result of a thread and propagates its panic.
pub fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    match thread.join() {
        Ok(done) => done,
        Err(panic) => resume_unwind(panic),
    }
}

#[cfg(test)]
impl Probed {
    /// Creates results for tests.
    pub fn of(milliseconds: &[f64], failures: usize) -> Self {
        Self {
            milliseconds: milliseconds.to_vec(),
            failures,
        }
    }
}
