//! The probes: small requests of others, asked all the time while an attack goes on.

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

/// From one request of a probe to the next, unless the answer takes longer.
const PACE: Duration = Duration::from_millis(20);
/// How long a probe waits for its answer.
const LIMIT: Duration = Duration::from_secs(2);
/// How long after an attack the memory is looked at once more.
const SETTLING: Duration = Duration::from_secs(5);

/// A request and what its answer must hold.
pub struct Probe {
    request: Request,
    expected: &'static str,
}

/// Both probes.
pub struct Probes {
    /// Whether the process answers at all.
    pub healthz: Probe,
    /// Whether another organization's key may pass.
    pub verify: Probe,
}

/// How a probe was answered.
pub struct Probed {
    /// Milliseconds until the answer, or until there was none; never empty.
    milliseconds: Vec<f64>,
    /// How often the answer was another one, or none.
    pub failures: usize,
}

impl Probe {
    /// A probe whose answer must be 200 with this in its body.
    pub fn new(request: Request, expected: &'static str) -> Self {
        Self { request, expected }
    }

    /// Asks once, on a connection of its own.
    fn is_answered(&self, site: Site) -> bool {
        site.ask(&self.request, LIMIT)
            .is_ok_and(|answer| answer.status == 200 && answer.text().contains(self.expected))
    }

    /// Asks at least once, and until `over`.
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
            thread::sleep(PACE.saturating_sub(took));
        }
    }
}

impl Probes {
    /// Fails unless both are answered as they should be.
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
    /// Half of the answers took no longer, in milliseconds.
    pub fn median(&self) -> f64 {
        median(self.milliseconds.clone())
    }

    /// The slowest answer, in milliseconds.
    pub fn worst(&self) -> f64 {
        self.milliseconds.iter().copied().fold(0.0, f64::max)
    }
}

/// Carries out an attack between the probes. They go on until the server has done all that the attack left it to do.
pub fn measure(server: &Server, probes: &Probes, attack: &Attack) -> Result<Row> {
    let Server { site, process, .. } = server;
    let (before, cpu_before) = (process.memory()?, process.cpu()?);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let ending = Ending(&over);
        let healthz = scope.spawn(|| probes.healthz.keep_asking(*site, &over));
        let verify = scope.spawn(|| probes.verify.keep_asking(*site, &over));
        let peak = scope.spawn(|| process.peak_memory(&over));

        let started = started_now();
        let mut tally = attack.carry_out();
        let wall = started.elapsed();
        let worked_on = process.wait_for_rest()?;
        let cpu = process.cpu()?.saturating_sub(cpu_before);
        drop(ending);
        tally.notes.extend(work_note(worked_on));
        let (healthz, verify, peak) = (joined(healthz), joined(verify), joined(peak)?);

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
            memory,
        })
    })
}

/// What is said of a server that worked on after the attack was over.
fn work_note(worked_on: Option<Duration>) -> Option<String> {
    match worked_on {
        None => Some("the server did not come to rest".to_owned()),
        Some(time) if time < Duration::from_secs(1) => None,
        Some(time) => Some(format!("worked on for {:.1} s", time.as_secs_f64())),
    }
}

/// Ends the probes when it goes, also when the attack fails or panics.
struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What a thread came to; its panic goes on here.
pub fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    match thread.join() {
        Ok(done) => done,
        Err(panic) => resume_unwind(panic),
    }
}

#[cfg(test)]
impl Probed {
    /// Answers that took so long, for tests.
    pub fn of(milliseconds: &[f64], failures: usize) -> Self {
        Self {
            milliseconds: milliseconds.to_vec(),
            failures,
        }
    }
}
