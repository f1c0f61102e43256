//! The use of the team's keys and agents.

use latchkey::{
    convention::{ClassIndex, Convention},
    domain::Origin,
    key::{Environment, Kind},
    outcome::Outcome,
    refusals::PastRefusal,
    time::{DAY, HOUR, MINUTE, Timestamp},
    usage::{domains::Site, past::Past},
};

use super::{
    history::Used,
    noise::{mix, noise},
    period::Period,
    rejections::{newest, of_past, of_unknown_keys},
    story::{CHECKOUT, INCIDENT_DAYS_AGO, INCIDENT_ORIGIN, RETRYING},
    team::Team,
    traffic::Flow,
};

/// All requests, as they are counted, and the rejected ones as they are listed.
#[derive(Debug, Default)]
pub struct TeamUse<'a> {
    pub past: Vec<Past<'a>>,
    pub rejected: Vec<PastRefusal<'a>>,
}

/// Requests of a key or agent.
struct Requests<'a> {
    team: &'a Team,
    used: &'a Used,
    class: ClassIndex,
    period: Period,
    seed: u64,
}

impl Team {
    /// The use of all keys and agents.
    pub fn requests<'a>(
        &'a self,
        convention: &'a Convention,
        period: Period,
        seed: u64,
    ) -> TeamUse<'a> {
        let class = ClassIndex::default_of(convention);
        let mut all = TeamUse::default();
        for (number, used) in self.used.iter().enumerate() {
            let requests = Requests {
                team: self,
                used,
                class,
                period,
                seed: mix(seed ^ number as u64),
            };
            for past in requests.all() {
                all.rejected.extend(of_past(&past, used, period));
                all.past.push(past);
            }
        }
        if let Some(used) = self.used.first() {
            let prefix = convention.prefix(Kind::Secret, Environment::Live);
            let of = (period, class, seed);
            all.rejected
                .extend(of_unknown_keys(self.org.id, prefix, &used.visitors, of));
        }
        all.rejected = newest(all.rejected);
        all
    }
}

impl<'a> Requests<'a> {
    fn all(&self) -> Vec<Past<'a>> {
        let (used, story) = (self.used, &self.used.story);
        let mut all = self.flow(self.during(1.0, 0), Outcome::Valid, None);
        for (outcome, share) in story.refused {
            // Without scopes, the convention has none that the key lacks.
            if *outcome == Outcome::InsufficientScope && used.missing_scope.is_none() {
                continue;
            }
            let kind = outcome.number().unsigned_abs();
            for (place, share) in self.shares(*outcome, *share) {
                let stray = story.strays.get(place).copied();
                let stray = stray.filter(|_| *outcome == Outcome::OriginNotAllowed);
                all.extend(self.flow(
                    self.during(share, kind + 100 * place as u64),
                    *outcome,
                    stray,
                ));
            }
        }
        if let Some((from, outcome, _)) = used.afterwards {
            let after = Flow {
                daily: story.afterwards,
                at_first: 1.0,
                from,
                until: self.period.now,
                seed: mix(self.seed ^ 77),
            };
            let stray = story.strays.first().copied();
            let stray = stray.filter(|_| outcome == Outcome::SecretKeyInBrowser);
            all.extend(self.flow(after, outcome, stray));
        }
        let incident = self.period.days_ago(INCIDENT_DAYS_AGO).floor(DAY);
        if story.name == CHECKOUT && incident > self.period.start {
            let during = Flow {
                from: incident.plus(9 * HOUR),
                until: incident.plus(17 * HOUR),
                ..self.during(2.2, 99)
            };
            let campaign = Some(INCIDENT_ORIGIN);
            all.extend(self.flow(during, Outcome::OriginNotAllowed, campaign));
        }
        if story.name == RETRYING {
            all.extend(self.retries());
        }
        all
    }

    /// Rejected requests by origin: most from the first stray one.
    fn shares(&self, outcome: Outcome, share: f64) -> Vec<(usize, f64)> {
        match (outcome, self.used.story.strays.len()) {
            (Outcome::OriginNotAllowed, 2) => vec![(0, share * 0.8), (1, share * 0.2)],
            _ => vec![(0, share)],
        }
    }

    /// A share of the allowed requests.
    fn during(&self, share: f64, kind: u64) -> Flow {
        let used = self.used;
        Flow {
            daily: used.story.daily * share,
            at_first: used.story.at_first,
            from: used.from,
            until: used.until,
            seed: self.seed ^ kind,
        }
    }

    fn flow(&self, flow: Flow, outcome: Outcome, origin: Option<&'static str>) -> Vec<Past<'a>> {
        let counts = flow.counts(self.period).into_iter();
        counts
            .map(|(at, count)| self.past(at, count, outcome, origin))
            .collect()
    }

    /// What a program sent within twenty minutes of last night, when it did not wait between its retries.
    fn retries(&self) -> Vec<Past<'a>> {
        let start = self.period.now.plus(-9 * HOUR);
        let at = |minute: i64| start.plus(minute * MINUTE);
        (0..20)
            .map(|minute| self.past(at(minute), 9, Outcome::RateLimited, None))
            .filter(|past| past.at >= self.used.from)
            .collect()
    }

    fn past(
        &self,
        at: Timestamp,
        count: i64,
        outcome: Outcome,
        origin: Option<&'static str>,
    ) -> Past<'a> {
        let used = self.used;
        // The first visitors send the most.
        let minute = (at.as_millis() / MINUTE).unsigned_abs();
        let place = noise(self.seed, minute, 7).powi(2) * used.visitors.len() as f64;
        let visitor = used.visitors.get(place as usize);
        let site = match outcome {
            Outcome::OriginNotAllowed => Some(Site::Refused(Origin::of_request(origin, None).ok())),
            Outcome::Valid => visitor
                .and_then(|visitor| visitor.domain(&used.domains))
                .map(Site::Listed),
            _ => None,
        };
        Past {
            org_id: self.team.org.id,
            subject: used.subject,
            cell: used.cell,
            class: self.class,
            outcome,
            at,
            count,
            site,
            came_with: visitor.map(|visitor| match outcome {
                Outcome::SecretKeyInBrowser => visitor.in_browser(origin),
                _ => visitor.came_with(origin),
            }),
        }
    }
}
