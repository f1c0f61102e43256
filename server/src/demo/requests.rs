//! Requests for keys of the team's admin and member, in each state.

use std::num::NonZeroU32;

use latchkey::{
    Engine,
    access::{Membership, Operator, Org, Permit, Permitted},
    caller::{Person, Visit},
    convention::{NoScope, Scope},
    id::{KeyRequestId, UserId},
    key::{Environment, Kind, settings::KeySettings},
    key_requests::{NewRequest, Wanted, approve, ask, decline, edit, withdraw},
    members,
    role::Role,
};

use super::{
    error::{DemoError, failed},
    period::{Period, set},
};

/// What became of a request.
enum Ending {
    Open,
    /// An owner first made the life of the key shorter: the number of days, and the comment.
    Shortened(u32, &'static str),
    Declined(&'static str),
    Withdrawn,
}

/// A request.
struct Story {
    name: &'static str,
    purpose: &'static str,
    /// Who asks.
    by: Role,
    days_ago: f64,
    /// The number of the convention's scopes that the key gets; `None` for full access.
    scopes: Option<usize>,
    /// The number of days after which the key expires; `None` for never, if the convention allows that.
    expires_in_days: Option<u32>,
    ending: Ending,
}

const STORIES: [Story; 5] = [
    Story {
        name: "Capacity test",
        purpose: "A load test of the order API before the spring campaign.",
        by: Role::Member,
        days_ago: 12.0,
        scopes: None,
        expires_in_days: Some(30),
        ending: Ending::Declined("Please use a test key for load tests, not a live one."),
    },
    Story {
        name: "Newsletter import",
        purpose: "Reading customer segments for the newsletter.",
        by: Role::Member,
        days_ago: 6.0,
        scopes: Some(1),
        expires_in_days: Some(90),
        ending: Ending::Withdrawn,
    },
    Story {
        name: "Order webhooks",
        purpose: "The warehouse reads new orders from our API instead of getting them by mail.",
        by: Role::Member,
        days_ago: 1.5,
        scopes: Some(2),
        expires_in_days: Some(365),
        ending: Ending::Shortened(
            90,
            "Fine, for 90 days at first. Store it in the warehouse's vault.",
        ),
    },
    Story {
        name: "Weekly report",
        purpose: "The weekly report for the support team is made from conversations. It only reads.",
        by: Role::Member,
        days_ago: 0.8,
        scopes: Some(1),
        expires_in_days: Some(90),
        ending: Ending::Open,
    },
    Story {
        name: "Analytics copy",
        purpose: "Copies everything to the data warehouse every night.",
        by: Role::Admin,
        days_ago: 0.1,
        scopes: None,
        expires_in_days: None,
        ending: Ending::Open,
    },
];

/// Makes the requests, under a clock that is moved, and leaves the clock at the last of them.
pub async fn create(engine: &Engine, org: &Org, period: Period) -> Result<(), DemoError> {
    let unread = "the team was not found";
    let permit = Operator::at_the_command_line().permit(org);
    let people = members::list(engine, &permit).await;
    let people = people.map_err(failed(unread))?;
    let with = |role: Role| {
        let member = people.iter().find(|member| member.role == role);
        member
            .map(|member| member.user_id)
            .ok_or(DemoError::NotEmpty)
    };
    let team = Team { engine, org };
    let owner = with(Role::Owner)?;
    for story in &STORIES {
        let by = with(story.by)?;
        if engine
            .convention()
            .prefix(Kind::Secret, Environment::Live)
            .is_none()
        {
            continue;
        }
        set(engine.clock(), period.days_ago(story.days_ago));
        let id = team.ask(by, story).await?;
        set(engine.clock(), period.days_ago(story.days_ago * 0.7));
        let unchanged = "a request was not decided";
        match story.ending {
            Ending::Open => {}
            Ending::Shortened(days, comment) => {
                let permit = team.permit(owner).await?;
                let less = Wanted {
                    expires_in_days: NonZeroU32::new(days),
                    ..team.wanted(story)?
                };
                let changed = edit(engine, &permit, id, 0, less).await;
                changed.map_err(failed(unchanged))?;
                let done = approve(engine, &permit, id, 1, comment).await;
                done.map_err(failed(unchanged))?;
            }
            Ending::Declined(comment) => {
                let done = decline(engine, &team.permit(owner).await?, id, comment).await;
                done.map_err(failed(unchanged))?;
            }
            Ending::Withdrawn => {
                let done = withdraw(engine, &team.permit(by).await?, id).await;
                done.map_err(failed(unchanged))?;
            }
        }
    }
    Ok(())
}

struct Team<'a> {
    engine: &'a Engine,
    org: &'a Org,
}

impl Team<'_> {
    /// A permit of a person, as on a page.
    async fn permit<A: Permitted>(&self, user_id: UserId) -> Result<Permit<A>, DemoError> {
        let visit = Visit::default();
        let person = Person { user_id, visit };
        let membership = Membership::find(self.engine, person, &self.org.slug).await;
        let membership = membership.map_err(failed("a member was not found"))?;
        membership
            .permit()
            .map_err(failed("a member has no permit"))
    }

    /// The key that a story asks for.
    fn wanted(&self, story: &Story) -> Result<Wanted, DemoError> {
        let convention = self.engine.convention();
        let name = story.name.parse().map_err(failed("a name is invalid"))?;
        let mut settings = KeySettings::named(name);
        let offered = convention.scopes.iter().map(|scope| scope.name.clone());
        settings.scopes = match (story.scopes, convention.no_scope_means) {
            (Some(count), _) => offered.take(count).collect::<Vec<Scope>>(),
            (None, NoScope::All) => Vec::new(),
            (None, _) => offered.collect(),
        };
        let days = story.expires_in_days;
        let days = days.or(Some(365).filter(|_| !convention.expiry.never));
        Ok(Wanted {
            kind: Kind::Secret,
            environment: Environment::Live,
            settings,
            expires_in_days: days.and_then(NonZeroU32::new),
        })
    }

    async fn ask(&self, by: UserId, story: &Story) -> Result<KeyRequestId, DemoError> {
        let new = NewRequest {
            purpose: story.purpose.to_owned(),
            wanted: self.wanted(story)?,
            creation_token: None,
        };
        let asked = ask(self.engine, &self.permit(by).await?, new).await;
        asked.map_err(failed("a request was not made"))
    }
}
