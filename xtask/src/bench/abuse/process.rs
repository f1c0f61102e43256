//! The resource usage of a process, as reported by Linux.

use std::{
    fs,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use anyhow::{Context, Result};

use crate::step::{output, started_now};

/// The interval between memory samples.
const SAMPLING: Duration = Duration::from_millis(20);
/// The period over which CPU usage is measured to detect an idle process.
const SLICE: Duration = Duration::from_millis(250);
/// The maximum CPU usage per period of an idle process. The probes alone take about a tenth of it.
const REST: Duration = Duration::from_millis(50);
/// The maximum time to wait for the process to become idle after an attack.
const LONGEST_WORK: Duration = Duration::from_secs(60);

/// A running process.
#[derive(Clone, Copy)]
pub struct Process {
    id: u32,
    ticks_per_second: f64,
}

impl Process {
    /// The process with this ID.
    pub fn of(id: u32) -> Result<Self> {
        let ticks = output(Command::new("getconf").arg("CLK_TCK"))?;
        let process = Self {
            id,
            ticks_per_second: ticks.parse().context("getconf CLK_TCK")?,
        };
        process
            .memory()
            .context("this part of xtask needs Linux’s /proc")?;
        Ok(process)
    }

    /// The CPU time used so far.
    pub fn cpu(&self) -> Result<Duration> {
        let stat = self.read("stat")?;
        let ticks = ticks(&stat).with_context(|| format!("/proc/{}/stat: {stat}", self.id))?;
        Ok(Duration::from_secs_f64(
            ticks as f64 / self.ticks_per_second,
        ))
    }

    /// The resident memory in kB.
    pub fn memory(&self) -> Result<u64> {
        // A zombie process still has a status, but no memory.
        resident(&self.read("status")?).context("the server has ended")
    }

    /// The peak memory until `over`, in kB.
    pub fn peak_memory(&self, over: &AtomicBool) -> Result<u64> {
        let mut peak = self.memory()?;
        while !over.load(Ordering::Relaxed) {
            thread::sleep(SAMPLING);
            peak = peak.max(self.memory()?);
        }
        Ok(peak)
    }

    /// Waits until the process is idle and returns how long that took; `None` if it did not become idle.
    pub fn wait_for_rest(&self) -> Result<Option<Duration>> {
        let started = started_now();
        while started.elapsed() < LONGEST_WORK {
            let (worked_on, before) = (started.elapsed(), self.cpu()?);
            thread::sleep(SLICE);
            if self.cpu()?.saturating_sub(before) < REST {
                return Ok(Some(worked_on));
            }
        }
        Ok(None)
    }

    fn read(&self, file: &str) -> Result<String> {
        let path = format!("/proc/{}/{file}", self.id);
        fs::read_to_string(&path).with_context(|| path)
    }
}

/// utime and stime from a `stat` file. The program's name, in parentheses, can contain any character.
fn ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some(ticks()? + ticks()?)
}

/// VmRSS from a `status` file, in kB.
fn resident(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linux_is_understood() {
        let stat = "12 (a (b) c) S 1 12 12 0 -1 4194560 100 0 0 0 250 50 3 4 20 0 9 0 100 1 2\n";
        assert_eq!(ticks(stat), Some(300));
        assert_eq!(ticks("12 (a"), None);
        let status = "Name:\tlatchkey\nVmHWM:\t  9000 kB\nVmRSS:\t  8192 kB\nThreads:\t3\n";
        assert_eq!(resident(status), Some(8192));
        assert_eq!(resident("Name:\tlatchkey\nState:\tZ (zombie)\n"), None);
    }
}
