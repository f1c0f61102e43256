//! `bench`: runs `wrk` against `/v1/verify` and against a bare axum route, alternating within one run.

pub mod abuse;
mod http;
pub mod pages;
pub mod revocation;

use std::{
    fs,
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};

use crate::{
    debian, run,
    server::{self, Running, free_port},
    step::{self, find_program, output, step},
    workspace::Workspace,
};

const CONNECTIONS: &str = "32";

/// Measures both servers for `seconds` in each of `rounds` rounds and prints the medians and their ratio.
pub fn bench(
    workspace: &Workspace,
    program: Option<PathBuf>,
    seconds: u32,
    rounds: u32,
) -> Result<()> {
    if find_program(&["wrk"]).is_none() {
        debian::install(&["wrk"])?;
    }
    let program = program_or_build(workspace, program)?;
    let bare = step("compiling the bare route", || {
        // Built together with the server, so that both have the same features of their dependencies.
        let packages = ["--package", "latchkey-server", "--package", "bare-route"];
        step::run(
            workspace
                .cargo()
                .args(["build", "--quiet", "--release"])
                .args(packages),
        )?;
        Ok(workspace.target.join("release/bare-route"))
    })?;

    let folder = tempfile::Builder::new()
        .prefix("latchkey-bench-")
        .tempdir()?;
    let (latchkey_port, bare_port) = (free_port()?, free_port()?);
    let convention = folder.path().join("convention.toml");
    fs::write(&convention, without_rate_limit(workspace)?)?;
    let latchkey = || {
        let mut command = server::command(&program, folder.path(), latchkey_port);
        command.env("LATCHKEY_CONVENTION", &convention);
        command
    };
    let (token, key) = step("creating an organization, a token and a key", || {
        credentials(latchkey)
    })?;
    let mut latchkey = Running::start(
        latchkey()
            .arg("serve")
            .stdout(Stdio::null())
            .stderr(Stdio::null()),
    )?;
    let mut bare = Running::start(Command::new(bare).arg(bare_port.to_string()))?;
    latchkey.wait_for_port(latchkey_port)?;
    bare.wait_for_port(bare_port)?;

    let body = format!("{{\"key\":\"{key}\"}}");
    let answer = post(latchkey_port, &token, &body)?;
    ensure!(
        answer.contains("\"valid\":true"),
        "the server does not accept the key: {answer}"
    );
    let script = folder.path().join("verify.lua");
    fs::write(
        &script,
        format!(
            "wrk.method = 'POST'\nwrk.body = '{body}'\n\
             wrk.headers['Content-Type'] = 'application/json'\nwrk.headers['Authorization'] = 'Bearer {token}'\n"
        ),
    )?;

    let (mut latchkey_rates, mut bare_rates) = (Vec::new(), Vec::new());
    for round in 1..=rounds {
        let bare = measure(&script, bare_port, seconds)?;
        let latchkey = measure(&script, latchkey_port, seconds)?;
        println!("round {round}: bare axum {bare:9.0}/s   latchkey {latchkey:9.0}/s");
        bare_rates.push(bare);
        latchkey_rates.push(latchkey);
    }
    let (bare, latchkey) = (median(bare_rates), median(latchkey_rates));
    println!(
        "median : bare axum {bare:9.0}/s   latchkey {latchkey:9.0}/s   ratio {:.2}",
        latchkey / bare
    );
    Ok(())
}

/// The given program, or else the release binary, which is built first.
fn program_or_build(workspace: &Workspace, program: Option<PathBuf>) -> Result<PathBuf> {
    match program {
        Some(program) => Ok(fs::canonicalize(&program)
            .with_context(|| format!("{} was not found", program.display()))?),
        None => {
            run::build(workspace)?;
            Ok(workspace.server("release"))
        }
    }
}

/// The convention `latchkey` with a limit that no run reaches: requests are counted but never rejected.
fn without_rate_limit(workspace: &Workspace) -> Result<String> {
    let convention = fs::read_to_string(workspace.root.join("src/convention/latchkey.toml"))?;
    let limited = "default = 600";
    ensure!(
        convention.contains(limited),
        "the convention no longer contains `{limited}`"
    );
    Ok(convention.replace(limited, &format!("default = {}", u32::MAX)))
}

/// Creates a service token and a key with the command line, in the server's data folder.
fn credentials(latchkey: impl Fn() -> Command) -> Result<(String, String)> {
    let say = |arguments: &[&str]| output(latchkey().args(arguments));
    say(&["migrate"])?;
    say(&["org", "create", "--name", "Bench", "--slug", "bench"])?;
    let token = say(&["token", "create", "--name", "bench", "--scope", "verify"])?;
    let key = say(&[
        "key", "create", "--org", "bench", "--name", "bench", "--kind", "secret",
    ])?;
    Ok((token, key))
}

/// Sends one request without `wrk`, which does not check responses.
fn post(port: u16, token: &str, body: &str) -> Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    write!(
        stream,
        "POST /v1/verify HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// Returns the requests per second. Fails if there are responses other than 2xx.
fn measure(script: &Path, port: u16, seconds: u32) -> Result<f64> {
    let report = output(
        Command::new("wrk")
            .args(["-t1", "-c", CONNECTIONS, "-d", &format!("{seconds}s"), "-s"])
            .arg(script)
            .arg(format!("http://127.0.0.1:{port}/v1/verify")),
    )?;
    ensure!(
        !report.contains("Non-2xx") && !report.contains("Socket errors"),
        "wrk reported errors:\n{report}"
    );
    requests_per_second(&report).with_context(|| format!("wrk reported no rate:\n{report}"))
}

fn requests_per_second(report: &str) -> Option<f64> {
    report
        .lines()
        .find_map(|line| line.strip_prefix("Requests/sec:"))?
        .trim()
        .parse()
        .ok()
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_read_from_the_report() {
        assert_eq!(
            requests_per_second("  1 requests in 5s\nRequests/sec:  51234.56\nTransfer/sec: 1MB"),
            Some(51234.56)
        );
        assert_eq!(requests_per_second("unable to connect"), None);
    }

    #[test]
    fn one_slow_round_does_not_move_the_median() {
        assert_eq!(median(vec![100.0, 3.0, 101.0]), 100.0);
    }
}
