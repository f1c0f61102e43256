//! The results of the attacks, one row each, and the missed goals.

use std::{fmt, time::Duration};

use super::{crowd::Tally, probe::Probed};

/// The goal for CPU time per request of an attack, in seconds: less than this.
const CPU_GOAL: f64 = 1.0;
/// The goal for the slowest probe response, in milliseconds: less than this.
const PROBE_GOAL: f64 = 100.0;
/// The goal for the slowest page of another organization, in milliseconds: less than this.
const PAGE_GOAL: f64 = 500.0;

/// The results of one attack.
pub struct Row {
    /// The name of the attack.
    pub name: &'static str,
    /// The responses to the attack itself.
    pub tally: Tally,
    /// The duration of the attack.
    pub wall: Duration,
    /// The CPU time that the server used until it was idle again.
    pub cpu: Duration,
    /// The results of the `/healthz` probe.
    pub healthz: Probed,
    /// The results of the `/v1/verify` probe.
    pub verify: Probed,
    /// The results of the probe of another organization's page.
    pub page: Probed,
    /// The server's resident memory.
    pub memory: Memory,
}

/// Resident memory, in kB.
pub struct Memory {
    /// Before the attack.
    pub before: u64,
    /// The peak during the attack.
    pub peak: u64,
    /// Five seconds after the attack.
    pub after: u64,
}

/// Prints the column headings.
pub fn print_header() {
    println!(
        "{:32} {:>6} {:>7} {:>15} {:>15} {:>15} {:>7} {:>20}",
        "", "", "", "/healthz ms", "/v1/verify ms", "page ms", "probes", "memory MB"
    );
    println!(
        "{:32} {:>6} {:>7} {:>7} {:>7} {:>7} {:>7} {:>7} {:>7} {:>7} {:>6} {:>6} {:>6}  answers",
        "attack",
        "wall s",
        "CPU s",
        "median",
        "worst",
        "median",
        "worst",
        "median",
        "worst",
        "failed",
        "before",
        "peak",
        "after"
    );
}

/// Prints the missed goals.
pub fn print_goals(missed: &[String]) {
    println!();
    if missed.is_empty() {
        println!("All goals were met.");
        return;
    }
    println!("Missed goals:");
    for goal in missed {
        println!("- {goal}");
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let megabytes = |kilobytes: u64| kilobytes as f64 / 1024.0;
        write!(
            f,
            "{:32} {:6.1} {:7.2} {:7.1} {:7.1} {:7.1} {:7.1} {:7.1} {:7.1} {:>7} {:6.0} {:6.0} {:6.0}  {}",
            self.name,
            self.wall.as_secs_f64(),
            self.cpu.as_secs_f64(),
            self.healthz.median(),
            self.healthz.worst(),
            self.verify.median(),
            self.verify.worst(),
            self.page.median(),
            self.page.worst(),
            format!(
                "{}+{}+{}",
                self.healthz.failures, self.verify.failures, self.page.failures
            ),
            megabytes(self.memory.before),
            megabytes(self.memory.peak),
            megabytes(self.memory.after),
            self.tally
        )
    }
}

impl Row {
    /// The missed goals, one sentence each.
    pub fn missed(&self) -> Vec<String> {
        let mut missed = Vec::new();
        missed.extend(self.cpu_missed());
        for (path, probed, goal) in [
            ("/healthz", &self.healthz, PROBE_GOAL),
            ("/v1/verify", &self.verify, PROBE_GOAL),
            ("another organization's page", &self.page, PAGE_GOAL),
        ] {
            let (name, worst) = (self.name, probed.worst());
            if worst >= goal {
                missed.push(format!(
                    "{name}: {path} took {worst:.0} ms at worst; the goal is under {goal:.0} ms."
                ));
            }
            if probed.failures > 0 {
                missed.push(format!(
                    "{name}: {path} did not get the expected response {} times.",
                    probed.failures
                ));
            }
        }
        missed
    }

    /// Attacks without complete requests have no CPU goal.
    fn cpu_missed(&self) -> Option<String> {
        let each = self.cpu.as_secs_f64() / self.tally.requests as f64;
        (self.tally.requests > 0 && each >= CPU_GOAL).then(|| {
            format!(
                "{}: a request took {each:.1} s of CPU; the goal is under {CPU_GOAL:.0} s.",
                self.name
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(requests: usize, cpu: u64, [healthz, verify, page]: [Probed; 3]) -> Row {
        let mut tally = Tally::default();
        for _ in 0..requests {
            tally.add(&Err(std::io::ErrorKind::TimedOut.into()));
        }
        Row {
            name: "attack",
            tally,
            wall: Duration::from_secs(1),
            cpu: Duration::from_secs(cpu),
            healthz,
            verify,
            page,
            memory: Memory {
                before: 1,
                peak: 2,
                after: 1,
            },
        }
    }

    #[test]
    fn a_goal_that_is_missed_is_named() {
        let well = || Probed::of(&[1.0, 99.0], 0);
        assert!(row(4, 3, [well(), well(), well()]).missed().is_empty());
        assert!(
            row(0, 9, [well(), well(), well()]).missed().is_empty(),
            "no request was sent"
        );
        assert_eq!(
            row(
                4,
                8,
                [
                    Probed::of(&[3.0, 250.0], 0),
                    Probed::of(&[2.0], 2),
                    Probed::of(&[9.0, 700.0], 0)
                ]
            )
            .missed(),
            [
                "attack: a request took 2.0 s of CPU; the goal is under 1 s.",
                "attack: /healthz took 250 ms at worst; the goal is under 100 ms.",
                "attack: /v1/verify did not get the expected response 2 times.",
                "attack: another organization's page took 700 ms at worst; the goal is under 500 ms."
            ]
        );
    }
}
