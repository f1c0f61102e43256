//! Runs one attack and measures what it costs the server and others.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use anyhow::Result;

use super::{
    attacks::Attack,
    probe::{Probes, joined},
    report::{Memory, Row},
    scene::Server,
};
use crate::step::started_now;

/// How long after an attack the memory is measured again.
const SETTLING: Duration = Duration::from_secs(5);

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
