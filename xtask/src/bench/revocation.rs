//! `bench revocation`: measures how long other instances use the old state after a change. Three servers share one
//! Postgres, reached directly and through PgBouncer. One revokes a key, and the others are queried until they reject
//! it.

use std::{
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use super::http::{Connection, JSON, Request, Site};
use crate::{
    pooler::Pooler,
    postgres::Cluster,
    server::{self, Running, free_port},
    step::{output, started_now},
    workspace::Workspace,
};

/// The maximum time for an instance to apply a revocation, after which the bench fails.
const LIMIT: Duration = Duration::from_secs(10);
/// The interval between requests to one instance, so that three do not use both cores.
const PACE: Duration = Duration::from_millis(1);
const PEPPER: &str = "a pepper for benchmarks, which is nobody's secret";

/// A running server.
struct Instance {
    site: Site,
    _running: Running,
}

/// How the servers reach their database, and whether their listening connections are closed just before each change.
struct Way<'a> {
    name: &'a str,
    database_url: &'a str,
    listen_url: &'a str,
    cut: bool,
}

/// Revokes `rounds` keys in each of the ways.
pub fn revocation(
    workspace: &Workspace,
    program: Option<std::path::PathBuf>,
    rounds: u32,
) -> Result<()> {
    let program = super::program_or_build(workspace, program)?;
    let cluster = Cluster::start()?;
    let pooler = Pooler::start(&cluster)?;
    let (direct, pooled) = (cluster.url(), pooler.url());
    let way = |name, database_url, listen_url, cut| Way {
        name,
        database_url,
        listen_url,
        cut,
    };
    let ways = [
        way("alive", &*direct, "", false),
        way("cut just before", &direct, "", true),
        way("alive, beside PgBouncer", &pooled, &direct, false),
        way("none, behind PgBouncer", &pooled, "", false),
    ];
    let folder = TempDir::new()?;
    let latchkey = |way: &Way<'_>, port: u16| {
        let mut command = server::command(&program, folder.path(), port);
        command
            .env("LATCHKEY_DATABASE_URL", way.database_url)
            .env("LATCHKEY_DATABASE_LISTEN_URL", way.listen_url)
            .env("LATCHKEY_PEPPER", PEPPER);
        command
    };
    let say = |arguments: &str| output(latchkey(&ways[0], free_port()?).args(arguments.split(' ')));
    say("org create --name Bench --slug bench")?;
    let token = say("token create --name bench --scope manage")?;
    println!("{rounds} revocations over 3 instances, in ms until the other instances apply them");
    println!("{:24}{:>9}{:>9}{:>9}", "listener", "median", "p99", "worst");
    for way in &ways {
        let instances = (0..3)
            .map(|_| start(|port| latchkey(way, port)))
            .collect::<Result<Vec<_>>>()?;
        // By then they listen.
        thread::sleep(Duration::from_secs(1));
        let mut times = Vec::new();
        for _ in 0..rounds {
            if way.cut {
                cut_listeners(&direct)?;
            }
            times.extend(one_round(&instances, &token)?);
        }
        times.sort_by(f64::total_cmp);
        let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize];
        let name = way.name;
        println!("{name:24}{:9.1}{:9.1}{:9.1}", at(0.5), at(0.99), at(1.0));
    }
    Ok(())
}

fn start(latchkey: impl Fn(u16) -> Command) -> Result<Instance> {
    let site = Site { port: free_port()? };
    let mut command = latchkey(site.port);
    command
        .arg("serve")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut running = Running::start(&mut command)?;
    running.wait_for_port(site.port)?;
    Ok(Instance {
        site,
        _running: running,
    })
}

/// Creates a key, uses it on the other instances so that they cache it, revokes it on the first instance, and returns
/// the milliseconds until each of the others rejects it.
fn one_round(instances: &[Instance], token: &str) -> Result<Vec<f64>> {
    let [first, others @ ..] = instances else {
        bail!("there are no instances")
    };
    let authorized = |request: Request| request.with("Authorization", &format!("Bearer {token}"));
    let create = authorized(Request::post(
        "/v1/orgs/bench/keys",
        JSON,
        r#"{"name":"Bench","kind":"secret"}"#,
    ));
    let created: serde_json::Value = serde_json::from_str(&first.site.ask(&create, LIMIT)?.text())?;
    let (id, key) = (text(&created, "id")?, text(&created, "key")?);
    let verify = authorized(Request::post(
        "/v1/verify",
        JSON,
        format!("{{\"key\":\"{key}\"}}"),
    ));
    let mut connections = Vec::new();
    for instance in others {
        let mut connection = Connection::open(instance.site, LIMIT)?;
        let answer = connection.ask(&verify)?.text();
        if !answer.contains("\"VALID\"") {
            bail!("a new key is not valid on another instance: {answer}");
        }
        connections.push(connection);
    }
    let revoke = authorized(Request::post(
        &format!("/v1/orgs/bench/keys/{id}/revoke"),
        JSON,
        r#"{"reason":"compromised"}"#,
    ));
    let answer = first.site.ask(&revoke, LIMIT)?;
    let revoked_at = started_now();
    if answer.status != 200 {
        bail!("the key was not revoked: {}", answer.text());
    }
    thread::scope(|scope| {
        let asking: Vec<_> = connections
            .iter_mut()
            .map(|connection| scope.spawn(|| until_known(connection, &verify, revoked_at)))
            .collect();
        asking
            .into_iter()
            .map(|asked| asked.join().unwrap_or_else(|_| bail!("asking panicked")))
            .collect()
    })
}

fn until_known(connection: &mut Connection, verify: &Request, revoked_at: Instant) -> Result<f64> {
    while revoked_at.elapsed() < LIMIT {
        let answer = connection.within(LIMIT).ask(verify)?.text();
        if answer.contains("INVALID_API_KEY") {
            return Ok(revoked_at.elapsed().as_secs_f64() * 1e3);
        }
        thread::sleep(PACE);
    }
    bail!(
        "an instance had not applied a revocation after {} s",
        LIMIT.as_secs()
    )
}

fn text(object: &serde_json::Value, field: &str) -> Result<String> {
    let value = object[field].as_str();
    Ok(value
        .with_context(|| format!("no {field} in {object}"))?
        .to_owned())
}

/// Closes every listening connection, as a network failure would.
fn cut_listeners(url: &str) -> Result<()> {
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'";
    output(Command::new("psql").args([url, "-qAtc", sql])).map(drop)
}
