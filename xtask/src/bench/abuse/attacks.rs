//! The attacks. Their payloads are created in advance, so that creating them is not measured.

use std::{
    io,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use super::{
    crowd::{PATIENCE, Tally, all_at_once, crowd, locked, taken},
    payload::{self, json_with_list},
    probe::joined,
    scene::{Attacker, PASSWORD, honest_person, public_form, sign_in},
};
use crate::{
    bench::http::{Answer, Connection, FORM, JSON, Request, Site},
    step::started_now,
};

/// How long the baseline without an attack runs.
const IDLE: Duration = Duration::from_secs(5);
/// How long the server is left idle after many pages.
const REST: Duration = Duration::from_secs(60);
/// When an aborted sign-in is given up.
const ABORT: Duration = Duration::from_millis(5);
/// The number of keys in each of two imports, which an organization has room for.
const IMPORTED: usize = 9_000;
/// The interval between legitimate sign-ins.
const HONEST_PACE: Duration = Duration::from_millis(200);
/// The maximum number of legitimate sign-ins: as many as are sent while the attack waits for its responses.
const MOST_HONEST: usize = 450;
/// How long incomplete requests are kept open.
const KEPT_OPEN: Duration = Duration::from_secs(15);
/// How long to wait for data on a connection that is kept open.
const GLANCE: Duration = Duration::from_millis(2);

const NEW_KEY: &str = "/orgs/attacker/keys/new";
const IMPORT: &str = "/orgs/attacker/keys/import";
const EXPORT: &str = "/orgs/attacker/audit.csv";
/// The attacker's keys and agents in the REST API.
pub const REST_KEYS: &str = "/v1/orgs/attacker/keys";
pub const REST_AGENTS: &str = "/v1/orgs/attacker/agents";
const REST_AUDIT: &str = "/v1/orgs/attacker/audit";

/// An attack on the server.
pub struct Attack {
    /// The name of the attack.
    pub name: &'static str,
    run: Box<dyn Fn() -> Tally>,
}

impl Attack {
    fn new(name: &'static str, run: impl Fn() -> Tally + 'static) -> Self {
        Self {
            name,
            run: Box::new(run),
        }
    }

    /// Sends the same request `count` times concurrently.
    fn repeated(name: &'static str, site: Site, count: usize, request: Request) -> Self {
        let requests = vec![request; count];
        Self::new(name, move || all_at_once(site, &requests))
    }

    /// Runs the attack and waits for all responses.
    pub fn carry_out(&self) -> Tally {
        (self.run)()
    }
}

/// No attack: measures the probes alone, as a baseline.
pub fn none() -> Attack {
    Attack::new("no attack", || {
        thread::sleep(IDLE);
        Tally::default()
    })
}

/// Long lists and many fields, sent to the pages and the API.
pub fn on_lists(attacker: &Attacker) -> Vec<Attack> {
    let site = attacker.site;
    let import = |file: &str| {
        let (content_type, body) = payload::multipart(file);
        attacker.by_page(IMPORT, &content_type, body)
    };
    let domains = payload::list(100_000, ";", payload::domain);
    let bad = payload::list(100_000, ";", |number| {
        format!("-{}", payload::word(number, 6))
    });
    let typed = payload::list(40_000, "\n", payload::domain);
    let new_key = payload::form(&[
        ("name", "Many domains"),
        ("kind", "widget"),
        ("environment", "live"),
        ("expires", "30"),
        ("domains", &typed),
    ]);
    let rest =
        |name, body: String| Attack::repeated(name, site, 8, attacker.by_program(REST_KEYS, body));
    vec![
        Attack::repeated(
            "4 imports of 100,000 domains",
            site,
            4,
            import(&payload::csv_of_one(&domains)),
        ),
        Attack::repeated(
            "1 import of 100,000 bad domains",
            site,
            1,
            import(&payload::csv_of_one(&bad)),
        ),
        Attack::repeated(
            "1 import of 10,000 bad rows",
            site,
            1,
            import(&payload::csv_of_bad_rows(10_000)),
        ),
        Attack::repeated(
            "4 imports of 3.9 MB of <",
            site,
            4,
            import(&payload::csv_of_less_than_signs(3_900_000)),
        ),
        Attack::repeated(
            "4 new keys of 40,000 domains",
            site,
            4,
            attacker.by_page(NEW_KEY, FORM, new_key),
        ),
        rest(
            "8 REST keys: domains",
            json_with_list("domains", "widget", payload::domain),
        ),
        rest(
            "8 REST keys: ip_ranges",
            json_with_list("ip_ranges", "secret", ip_address),
        ),
        rest(
            "8 REST keys: scopes",
            json_with_list("scopes", "secret", |number| payload::word(number, 4)),
        ),
        rest(
            "8 REST keys: unknown fields",
            payload::json_of_unknown_fields(),
        ),
    ]
}

/// Requests for stored records of the maximum size, sent to the pages and the API.
pub fn on_what_is_stored(attacker: &Attacker) -> Vec<Attack> {
    let site = attacker.site;
    let list = |name, path: &str| {
        let request = attacker.as_program(Request::get(&format!("{path}?limit=100")));
        Attack::repeated(name, site, 8, request)
    };
    vec![
        list("8 REST lists of 100 large keys", REST_KEYS),
        list("8 REST lists of large agents", REST_AGENTS),
        list("8 REST lists of large entries", REST_AUDIT),
        Attack::repeated(
            "8 pages of the audit log",
            site,
            8,
            attacker.of_page("/orgs/attacker/audit"),
        ),
        Attack::repeated("8 exports of it", site, 8, attacker.of_page(EXPORT)),
        Attack::repeated(
            "300 pages of keys, one person",
            site,
            300,
            attacker.of_page("/orgs/attacker/keys"),
        ),
        // The last column shows whether memory is released.
        Attack::new("nothing for a minute", || {
            thread::sleep(REST);
            Tally::default()
        }),
    ]
}

/// All that an organization can do with its own token and a member, at once. The probes are of another organization.
pub fn by_one_org(attacker: &Attacker) -> Attack {
    let list = |path: &str| attacker.as_own_program(Request::get(&format!("{path}?limit=100")));
    let page = |path: &str| attacker.of_page(path);
    let import = |first| {
        let keys = payload::json_of_keys(first, IMPORTED);
        attacker.as_own_program(Request::post(&format!("{REST_KEYS}/import"), JSON, keys))
    };
    let mut requests = vec![import(0), import(IMPORTED), page(EXPORT), page(EXPORT)];
    for path in [REST_KEYS, REST_AGENTS, REST_AUDIT] {
        requests.extend(vec![list(path); 20]);
    }
    for path in ["keys", "agents", "audit", "usage"] {
        requests.extend(vec![page(&format!("/orgs/attacker/{path}")); 15]);
    }
    let site = attacker.site;
    Attack::new("all that one organization can do", move || {
        all_at_once(site, &requests)
    })
}

/// Attacks on password hashing, which need no account.
pub fn on_passwords(site: Site) -> Vec<Attack> {
    vec![
        // Each request comes from another /64. The owner of one /48 has many /64s; the owner of a provider's network
        // has many /48s.
        Attack::new("900 aborted sign-ins, one /48", move || {
            aborted_sign_ins(site, 900, 40, |number| {
                format!("2001:db8:ffff:{number:x}::1")
            })
        }),
        Attack::new("900 aborted sign-ins, 900 /48s", move || {
            aborted_sign_ins(site, 900, 40, |number| format!("2001:db8:{number:x}:1::1"))
        }),
        Attack::new("400 sign-ups from one address", move || sign_ups(site, 400)),
    ]
}

/// Requests to the operators' endpoints, which need no authentication.
pub fn on_operators(site: Site) -> Vec<Attack> {
    let attack = |name, path: &'static str| {
        Attack::new(name, move || {
            one_after_the_other(site, &Request::get(path), 2_000, 16)
        })
    };
    vec![
        attack("2,000 × /readyz", "/readyz"),
        attack("2,000 × /metrics", "/metrics"),
        attack("2,000 × /docs", "/docs"),
    ]
}

/// Connections that never send a complete request, more than the server can have open files.
pub fn on_descriptors(site: Site) -> Attack {
    Attack::new("320 half requests, 256 files", move || {
        half_requests(site, 320)
    })
}

/// A unique address for each number.
fn ip_address(number: usize) -> String {
    format!(
        "10.{}.{}.{}",
        number >> 16,
        (number >> 8) & 255,
        number & 255
    )
}

/// Sign-ins with wrong passwords for unknown addresses, each from another /64. The client does not wait for the
/// response.
fn aborted_sign_ins(
    site: Site,
    count: usize,
    at_a_time: usize,
    from: impl Fn(usize) -> String,
) -> Tally {
    let requests: Vec<Request> = (0..count)
        .map(|number| {
            let email = format!("nobody{number}@elsewhere.example");
            sign_in(site, &email, &from(number)).with("Accept", "application/json")
        })
        .collect();
    let tally = Mutex::new(Tally::default());
    crowd(at_a_time, count, || {
        |turn: usize| {
            let answer = aborted(site, &requests[turn]);
            locked(&tally).add(&answer);
        }
    });
    taken(tally)
}

/// Sends a complete request and closes the connection shortly after. A response that arrives by then counts.
fn aborted(site: Site, request: &Request) -> io::Result<Answer> {
    let mut connection = Connection::open(site, PATIENCE)?;
    connection.send(request)?;
    connection.within(ABORT).receive()
}

/// One client creates accounts while legitimate users sign in from elsewhere.
fn sign_ups(site: Site, count: usize) -> Tally {
    let requests: Vec<Request> = (0..count)
        .map(|number| {
            let email = format!("new{number}@flood.example");
            let fields = [
                ("name", "New"),
                ("email", &*email),
                ("org_name", "Flood"),
                ("password", PASSWORD),
            ];
            public_form(site, "sign-up", &fields, "203.0.113.7").with("Accept", "application/json")
        })
        .collect();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let honest = scope.spawn(|| honest_sign_ins(site, &over));
        let mut tally = all_at_once(site, &requests);
        over.store(true, Ordering::Relaxed);
        tally.notes.push(joined(honest));
        tally
    })
}

/// Sends legitimate sign-ins until `over` and reports how many succeeded.
fn honest_sign_ins(site: Site, over: &AtomicBool) -> String {
    let times = Mutex::new(Vec::new());
    let mut tried = 0;
    thread::scope(|scope| {
        while tried < MOST_HONEST && !over.load(Ordering::Relaxed) {
            let request = honest_sign_in(site, tried);
            let times = &times;
            scope.spawn(move || {
                let started = started_now();
                let answer = site.ask(&request, PATIENCE);
                if answer.is_ok_and(|answer| answer.session_cookie().is_some()) {
                    locked(times).push(started.elapsed());
                }
            });
            tried += 1;
            thread::sleep(HONEST_PACE);
        }
    });
    let times = taken(times);
    let slowest = times.iter().max().copied().unwrap_or_default();
    format!(
        "{} of {tried} legitimate sign-ins succeeded, the slowest after {:.1} s",
        times.len(),
        slowest.as_secs_f64()
    )
}

fn honest_sign_in(site: Site, number: usize) -> Request {
    // Each from another network, like real users.
    let from = format!("198.18.{}.7", number % 250);
    sign_in(site, &honest_person(number), &from).with("Accept", "text/html,*/*;q=0.8")
}

/// Sends the same request `count` times on persistent connections.
fn one_after_the_other(site: Site, request: &Request, count: usize, connections: usize) -> Tally {
    let tally = Mutex::new(Tally::default());
    crowd(connections, count, || {
        let mut kept = None;
        let tally = &tally;
        move |_| {
            let answer = ask_again(site, request, &mut kept);
            locked(tally).add(&answer);
        }
    });
    taken(tally)
}

/// Sends a request on the open connection, or on a new one. A connection that fails is not reused.
fn ask_again(site: Site, request: &Request, kept: &mut Option<Connection>) -> io::Result<Answer> {
    let mut connection = match kept.take() {
        Some(connection) => connection,
        None => Connection::open(site, PATIENCE)?,
    };
    let answer = connection.within(PATIENCE).ask(request)?;
    *kept = Some(connection);
    Ok(answer)
}

/// Starts requests and does not complete them.
fn half_requests(site: Site, count: usize) -> Tally {
    let mut tally = Tally::default();
    let mut open = Vec::new();
    let started = started_now();
    while open.len() < count && started.elapsed() < KEPT_OPEN {
        match half_request(site) {
            Ok(connection) => open.push(connection),
            Err(error) => {
                tally.count(format!("not opened ({})", error.kind()));
                break;
            }
        }
    }
    thread::sleep(KEPT_OPEN.saturating_sub(started.elapsed()));
    for connection in &mut open {
        tally.count(fate(connection));
    }
    tally
}

fn half_request(site: Site) -> io::Result<Connection> {
    let mut connection = Connection::open(site, Duration::from_secs(2))?;
    connection.send_bytes(b"GET / HTTP/1.1\r\nHost:")?;
    Ok(connection)
}

/// The fate of a connection with an incomplete request.
fn fate(connection: &mut Connection) -> String {
    match connection.within(GLANCE).receive() {
        Ok(answer) => format!("answered {}", answer.status),
        Err(error) if error.kind() == io::ErrorKind::TimedOut => "still open".to_owned(),
        Err(_) => "closed by the server".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_addresses() {
        assert_eq!(ip_address(0), "10.0.0.0");
        assert_eq!(ip_address((1 << 16) + (2 << 8) + 3), "10.1.2.3");
    }
}
