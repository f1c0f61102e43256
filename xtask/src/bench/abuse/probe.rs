//! The probes: small requests of other clients, sent continuously during an attack.

use std::{
    panic::resume_unwind,
    sync::atomic::{AtomicBool, Ordering},
    thread::{self, ScopedJoinHandle},
    time::Duration,
};

use anyhow::{Result, ensure};

use super::{
    attacks::Attack,
    report::{Memory, Row},
    scene::Server,
};
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
/// How long after an attack the memory is measured again.
const SETTLING: Duration = Duration::from_secs(5);

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
    fn keep_asking(&self, site: Site, over: &AtomicBool) -> Probed {
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

/// Runs an attack together with the probes. They continue until the server has finished all work that the attack
/// caused.
pub fn measure(server: &Server, probes: &Probes, attack: &Attack) -> Result<Row> {
    let Server {
        site,
        process,
        page,
        ..
    } = server;
    let (before, cpu_before) = (process.memory()?, process.cpu()?);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let ending = Ending(&over);
        let healthz = scope.spawn(|| probes.healthz.keep_asking(*site, &over));
        let verify = scope.spawn(|| probes.verify.keep_asking(*site, &over));
        let page = scope.spawn(|| page.keep_asking(*site, &over));
        let peak = scope.spawn(|| process.peak_memory(&over));

        let started = started_now();
        let mut tally = attack.carry_out();
        let wall = started.elapsed();
        let worked_on = process.wait_for_rest()?;
        let cpu = process.cpu()?.saturating_sub(cpu_before);
        drop(ending);
        tally.notes.extend(work_note(worked_on));
        let (healthz, verify) = (joined(healthz), joined(verify));
        let (page, peak) = (joined(page), joined(peak)?);

        let since = started.elapsed().saturating_sub(wall);
        thread::sleep(SETTLING.saturating_sub(since));
        let memory = Memory {
            before,
            peak,
            after: process.memory()?,
        };
        Ok(Row {
            name: attack.name,
            tally,
            wall,
            cpu,
            healthz,
            verify,
            page,
            memory,
        })
    })
}

/// A remark if the server kept working after the attack.
fn work_note(worked_on: Option<Duration>) -> Option<String> {
    match worked_on {
        None => Some("the server did not become idle".to_owned()),
        Some(time) if time < Duration::from_secs(1) => None,
        Some(time) => Some(format!("kept working for {:.1} s", time.as_secs_f64())),
    }
}

/// Stops the probes when dropped, even if the attack fails or panics.
struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
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
