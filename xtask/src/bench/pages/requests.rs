//! The time of pages.

use std::{process::Command, time::Duration};

use anyhow::{Context, Result, ensure};

use super::{Account, stored::mark};
use crate::{
    bench::http::{Answer, Connection, FORM, Request, Site},
    step::{output, started_now},
};

/// How long a page may take before the bench fails.
const PATIENCE: Duration = Duration::from_secs(60);
/// Requests before the measurement, which fill caches.
const WARM_UP: u32 = 3;
/// The goals, in milliseconds.
const MEDIAN: f64 = 50.0;
const P95: f64 = 100.0;
/// The team of the demo.
const ORG: &str = "/orgs/northwind";
/// How many days ago the narrow range of an old day is, unless the data is younger.
const OLD: u32 = 60;

/// A user who has signed in.
pub struct Session {
    site: Site,
    cookie: String,
}

impl Session {
    /// Signs in.
    pub fn start(port: u16, account: &Account) -> Result<Self> {
        let site = Site { port };
        // Neither the address nor the password has a character that a form encodes, except the at sign.
        let email = account.email.replace('@', "%40");
        let fields = format!("email={email}&password={}&next=", account.password);
        let request = Request::post("/sign-in", FORM, fields)
            .with("Origin", &site.origin())
            .with("Accept", "text/html");
        let answer = site.ask(&request, PATIENCE)?;
        let cookie = answer
            .session_cookie()
            .with_context(|| format!("nobody was signed in: {}", answer.status))?;
        Ok(Self {
            site,
            cookie: cookie.to_owned(),
        })
    }

    fn page(&self, path: &str) -> Request {
        Request::get(path)
            .with("Accept", "text/html")
            .with("Cookie", &self.cookie)
    }

    fn answer(&self, connection: &mut Connection, path: &str) -> Result<Answer> {
        let answer = connection.within(PATIENCE).ask(&self.page(path))?;
        ensure!(
            answer.status == 200,
            "{path} was answered with {}",
            answer.status
        );
        Ok(answer)
    }
}

/// The pages, and what they are called.
fn pages(old_day: &str, next_day: &str, key: &str) -> Vec<(String, String)> {
    let mut pages = Vec::new();
    let mut add = |name: String, path: String| pages.push((name, format!("{ORG}/{path}")));
    let old = format!("from={old_day}&to={next_day}");
    let ranges = [
        ("24 hours", "range=24h"),
        ("7 days", "range=7d"),
        ("30 days", "range=30d"),
        ("12 months", "range=12m"),
        ("one old day", old.as_str()),
    ];
    for (name, query) in ranges {
        add(format!("usage, {name}"), format!("usage?{query}"));
    }
    for by in ["key", "project", "agent"] {
        for (name, query) in ranges {
            add(
                format!("usage by {by}, {name}"),
                format!("usage?{query}&group_by={by}"),
            );
        }
    }
    add(
        "usage in Asia/Kolkata, 30 days".to_owned(),
        "usage?range=30d&tz=Asia/Kolkata".to_owned(),
    );
    add(
        "usage of a key, 30 days".to_owned(),
        format!("usage?range=30d&key={key}"),
    );
    add("rejected requests".to_owned(), "usage/refusals".to_owned());
    add("keys".to_owned(), "keys".to_owned());
    add(
        "keys by requests".to_owned(),
        "keys?sort=requests".to_owned(),
    );
    add(
        "keys by last use".to_owned(),
        "keys?sort=last-used".to_owned(),
    );
    add("page of a key".to_owned(), format!("keys/{key}"));
    pages
}

/// Measures each page `runs` times and prints the median and the 95th percentile. Returns the number of missed goals.
pub fn print(session: &Session, runs: u32, days: u32) -> Result<usize> {
    let mut connection = Connection::open(session.site, PATIENCE)?;
    let list = session.answer(&mut connection, &format!("{ORG}/keys?sort=requests"))?;
    let key = first_key(&list.text()).context("the list of keys links to no key")?;
    let ago = OLD.min(days.saturating_sub(2)).max(1);
    let (day, next) = (days_ago(ago)?, days_ago(ago - 1)?);
    println!(
        "\n{runs} requests each, in ms{:22}{:>9}{:>9}{:>9}",
        "", "median", "p95", "kB"
    );
    let mut missed = 0;
    for (name, path) in pages(&day, &next, &key) {
        for _ in 0..WARM_UP {
            session.answer(&mut connection, &path)?;
        }
        let (mut times, mut size) = (Vec::new(), 0);
        for _ in 0..runs {
            let started = started_now();
            size = session.answer(&mut connection, &path)?.size;
            times.push(started.elapsed().as_secs_f64() * 1e3);
        }
        let (median, p95) = (percentile(&mut times, 0.5), percentile(&mut times, 0.95));
        let is_met = median <= MEDIAN && p95 <= P95;
        println!(
            "{name:46}{median:9.1}{p95:9.1}{:9}{}",
            size / 1_000,
            mark(is_met)
        );
        missed += usize::from(!is_met);
    }
    println!("goals: {MEDIAN:.0} ms for the median, {P95:.0} ms for the 95th percentile");
    Ok(missed)
}

/// The smallest time that this share of the times does not exceed.
fn percentile(times: &mut [f64], share: f64) -> f64 {
    times.sort_by(f64::total_cmp);
    let place = (times.len() as f64 * share).ceil() as usize;
    times[place.saturating_sub(1)]
}

/// The ID of the first key that a page links to.
fn first_key(page: &str) -> Option<String> {
    let after = page.split(&format!("{ORG}/keys/key_")).nth(1)?;
    let digits: String = after.chars().take_while(char::is_ascii_hexdigit).collect();
    Some(format!("key_{digits}"))
}

/// A day in UTC as a date.
fn days_ago(days: u32) -> Result<String> {
    output(Command::new("date").args(["-u", "+%F", "-d", &format!("{days} days ago")]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let mut times: Vec<f64> = (1..=20).rev().map(f64::from).collect();
        assert_eq!(
            (percentile(&mut times, 0.5), percentile(&mut times, 0.95)),
            (10.0, 19.0)
        );
        assert_eq!(percentile(&mut [7.0], 0.95), 7.0);
    }

    #[test]
    fn a_key_is_found_by_its_link() {
        let page = "<a href=\"/orgs/northwind/keys/new\">New</a><a href=\"/orgs/northwind/keys/key_0a1b?x\">One</a>";
        assert_eq!(first_key(page).as_deref(), Some("key_0a1b"));
        assert_eq!(first_key("no key"), None);
    }
}
