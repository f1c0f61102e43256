//! Developer commands: `cargo xtask demo`, `run`, `test`, `build`, `watch`, `lint`, `advisories`, `bench`,
//! `screenshots`, `lighthouse`.

mod bench;
mod browser;
mod compression;
mod debian;
mod fingerprint;
mod imports;
mod level;
mod lighthouse;
mod lint;
mod pooler;
mod postgres;
mod run;
mod schemathesis;
mod scratch;
mod screenshots;
mod server;
mod site;
mod step;
mod style;
mod test;
mod wasm;
mod wasm_target;
mod watch;
mod workspace;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Parser, Subcommand, value_parser};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Builds, runs and tests Latchkey.")]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build what is needed and serve on SQLite, or run another command of the program.
    Run {
        /// Flags for `latchkey serve`, or another command of `latchkey` with its own flags.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Build what is needed and serve a made-up team with keys and use, to look around.
    Demo {
        /// Flags for `latchkey demo`, such as `--keys 10000`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run all tests, on both databases and in a real browser.
    Test {
        /// Run only this part.
        #[arg(long)]
        only: Option<test::Part>,
        /// Drop each kind of change 2,000 times instead of 100, send 20,000 hostile requests, and have Schemathesis
        /// test the API against its description. Takes long.
        #[arg(long)]
        long: bool,
        /// Lint, too. Clippy compiles the tests, which takes less time than `lint` and `test`.
        #[arg(long, conflicts_with = "only")]
        lint: bool,
        /// Arguments for the runner of that part, `cargo test` or `playwright test`, such as the name of a test.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, requires = "only")]
        arguments: Vec<String>,
    },
    /// Build the release binary, a single self-contained file.
    Build,
    /// Like `run`, but rebuild and restart on every change.
    Watch {
        /// Arguments for `latchkey serve`.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Check formatting, lints and dependencies.
    Lint,
    /// Check dependencies for known vulnerabilities. Exits with 3 if the advisory database cannot be fetched.
    Advisories,
    /// Compare `/v1/verify` with a bare axum route, or run another benchmark.
    #[command(args_conflicts_with_subcommands = true)]
    Bench {
        #[command(subcommand)]
        part: Option<BenchPart>,
        /// Seconds per server and round.
        #[arg(long, default_value_t = 5, value_parser = value_parser!(u32).range(1..))]
        seconds: u32,
        /// The number of rounds. The median is reported.
        #[arg(long, default_value_t = 3, value_parser = value_parser!(u32).range(1..))]
        rounds: u32,
        /// Measure this program, for example from before a change, instead of building one.
        #[arg(long)]
        program: Option<PathBuf>,
    },
    /// Take screenshots of every page in light and dark, wide and narrow.
    Screenshots,
    /// Measure the speed and accessibility of pages with Lighthouse, from npm.
    Lighthouse {
        /// Runs for each page. The median is reported.
        #[arg(long, default_value_t = 5, value_parser = value_parser!(u32).range(1..))]
        runs: u32,
        /// Measure only the pages whose name starts with this, such as "Keys".
        #[arg(long, default_value = "")]
        only: String,
    },
}

#[derive(Subcommand)]
enum BenchPart {
    /// Send expensive requests to a server and measure what they cost and whether others are still served.
    Abuse {
        /// Fail if a goal is missed.
        #[arg(long)]
        strict: bool,
        /// Attack this program, for example from before a change, instead of building one.
        #[arg(long)]
        program: Option<PathBuf>,
    },
    /// Measure the time of pages and the size of what is stored, with the data of `latchkey demo`.
    Pages {
        /// The number of keys, besides those of the demo's team.
        #[arg(long, default_value_t = 10_000)]
        keys: u32,
        /// The number of organizations that share them.
        #[arg(long, default_value_t = 1, value_parser = value_parser!(u32).range(1..))]
        orgs: u32,
        /// The number of days of use.
        #[arg(long, default_value_t = 90, value_parser = value_parser!(u32).range(3..=700))]
        days: u32,
        /// How often each page is requested.
        #[arg(long, default_value_t = 20, value_parser = value_parser!(u32).range(1..))]
        runs: u32,
        /// Store in a temporary Postgres instead of SQLite.
        #[arg(long)]
        postgres: bool,
        /// Compare a flush with a bare upsert of the same rows, too, built with this profile.
        #[arg(long)]
        flush: Option<bench::pages::FlushProfile>,
        /// Fail if a goal is missed.
        #[arg(long)]
        strict: bool,
        /// Measure this program instead of building one.
        #[arg(long)]
        program: Option<PathBuf>,
    },
    /// Revoke keys on one of three instances and measure when the others apply it.
    Revocation {
        /// The number of keys for each case: listening connections open and closed, and PgBouncer.
        #[arg(long, default_value_t = 100, value_parser = value_parser!(u32).range(1..))]
        rounds: u32,
        /// Measure this program instead of building one.
        #[arg(long)]
        program: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    let done = carry_out(Arguments::parse().command);
    if let Err(error) = &done {
        eprintln!("✗ {error:#}");
    }
    ExitCode::from(exit_code(&done))
}

/// The exit code of a task. Continuous integration must not take advisories that were not checked for a check that passed or
/// failed.
fn exit_code(done: &Result<()>) -> u8 {
    match done {
        Ok(()) => 0,
        Err(error) if error.is::<lint::NotFetched>() => 3,
        Err(_) => 1,
    }
}

fn carry_out(task: Task) -> Result<()> {
    let workspace = workspace::Workspace::find()?;
    match task {
        Task::Run { arguments } => run::run(&workspace, &arguments),
        Task::Demo { mut arguments } => {
            arguments.insert(0, "demo".to_owned());
            run::run(&workspace, &arguments)
        }
        Task::Test {
            only,
            long,
            lint: true,
            arguments,
        } => {
            lint::beside_tests(&workspace)?;
            test::test(&workspace.with_clippy(), only, long, &arguments)
        }
        Task::Test {
            only,
            long,
            lint: false,
            arguments,
        } => test::test(&workspace, only, long, &arguments),
        Task::Build => run::build(&workspace),
        Task::Watch { arguments } => watch::watch(&workspace, &arguments),
        Task::Lint => lint::lint(&workspace),
        Task::Advisories => lint::advisories(&workspace),
        Task::Bench {
            part,
            seconds,
            rounds,
            program,
        } => match part {
            None => bench::bench(&workspace, program, seconds, rounds),
            Some(BenchPart::Abuse { strict, program }) => {
                bench::abuse::abuse(&workspace, program, strict)
            }
            Some(BenchPart::Pages {
                keys,
                orgs,
                days,
                runs,
                postgres,
                flush,
                strict,
                program,
            }) => {
                let options = bench::pages::Options {
                    keys,
                    orgs,
                    days,
                    runs,
                    on_postgres: postgres,
                    flush,
                    strict,
                    program,
                };
                bench::pages::pages(&workspace, options)
            }
            Some(BenchPart::Revocation { rounds, program }) => {
                bench::revocation::revocation(&workspace, program, rounds)
            }
        },
        Task::Screenshots => screenshots::screenshots(&workspace),
        Task::Lighthouse { runs, only } => lighthouse::lighthouse(&workspace, runs, &only),
    }
}

#[cfg(test)]
mod tests {
    use anyhow::{Context as _, anyhow};

    use super::*;

    #[test]
    fn advisories_that_were_not_checked_have_an_exit_code_of_their_own() {
        let passed = || Ok(());
        let failed = || Err(anyhow!("cargo-deny ended with 1"));
        let code = |fetched, checked: &dyn Fn() -> Result<()>| {
            exit_code(&lint::fetched_and_checked(fetched, checked))
        };
        assert_eq!(code(passed(), &passed), 0);
        assert_eq!(code(passed(), &failed), 1);
        assert_eq!(code(failed(), &|| panic!("checked without a database")), 3);
        let not_fetched = lint::fetched_and_checked(failed(), passed);
        assert_eq!(exit_code(&not_fetched.context("advisories")), 3);
    }
}
