//! The team: its people, projects, keys and agents, and what they did.

use std::sync::Arc;

use latchkey::{
    Engine,
    access::{Membership, Operator, Org, Permit, Permitted},
    accounts::create_user::{NewUser, create_user},
    agents::{self, AgentSettings},
    caller::{Person, Visit},
    convention::ClassIndex,
    domain::{DomainPattern, Origin},
    id::{KeyId, ProjectId, SecretId, UserId},
    key::{Kind, settings::KeySettings},
    keys::{
        change_state::{disable, revoke},
        create::{self, NewKey},
        edit::{DomainsChange, EditDomains, edit_domains},
        project::choices,
        rotate::{Rotation, rotate},
        secrets::secrets,
    },
    name::{DisplayName, Slug},
    orgs,
    outcome::Outcome,
    projects,
    random::Randomness,
    role::Role,
    time::{DAY, HOUR, Timestamp},
    usage::{
        domains::Site,
        flush::flush,
        past::Past,
        subject::{Cell, Group, Subject},
    },
    verify::{Request, verify},
};

use super::{
    error::{DemoError, failed},
    noise::mix,
    period::{Period, set},
    story::{
        AGENTS, CHECKOUT, Ending, INCIDENT_DAYS_AGO, INCIDENT_DOMAIN, PROJECTS, STORIES, Story,
    },
    traffic::Flow,
};

/// An account of the team.
#[derive(Debug)]
pub struct SignIn {
    /// The role in the team.
    pub role: Role,
    /// The e-mail address.
    pub email: String,
    /// The password.
    pub password: String,
}

/// The team and its use.
#[derive(Debug)]
pub struct Team {
    pub org: Org,
    used: Vec<Used>,
    class: ClassIndex,
}

/// A key or agent with its use.
#[derive(Debug)]
struct Used {
    subject: Subject,
    cell: Cell,
    story: Story,
    from: Timestamp,
    until: Timestamp,
    domains: Vec<DomainPattern>,
}

/// What happens at a time.
enum Step {
    Create(Story),
    End(KeyId, Ending),
    AddDomain(KeyId),
}

/// Creates the team and lets its history happen.
pub async fn create(
    engine: &Arc<Engine>,
    period: Period,
    days: u32,
) -> Result<(Team, Vec<SignIn>), DemoError> {
    let operator = Operator::at_the_command_line();
    let name = "Northwind".parse().map_err(failed("the name is invalid"))?;
    let slug = "northwind".parse().map_err(failed("the name is invalid"))?;
    let org = create_org(engine, &operator, &name, &slug).await?;
    let mut sign_ins = Vec::new();
    let mut owner = None;
    for role in [Role::Owner, Role::Admin, Role::Member] {
        let (user, sign_in) = add_person(engine, &operator, &org, role).await?;
        owner = owner.or(Some(user));
        sign_ins.push(sign_in);
    }
    let Some(owner) = owner else {
        return Err(DemoError::NotEmpty);
    };
    let history = History {
        engine,
        org: &org,
        owner,
        period,
    };
    let used = history.happen(f64::from(days)).await?;
    let class = ClassIndex::default_of(engine.convention());
    Ok((Team { org, used, class }, sign_ins))
}

async fn create_org(
    engine: &Engine,
    operator: &Operator,
    name: &DisplayName,
    slug: &Slug,
) -> Result<Org, DemoError> {
    let created = orgs::create(engine, operator, name, slug).await;
    created.map_err(failed("the team was not created"))
}

async fn add_person(
    engine: &Engine,
    operator: &Operator,
    org: &Org,
    role: Role,
) -> Result<(UserId, SignIn), DemoError> {
    let invalid = "an account is invalid";
    let password = new_password()?;
    let email = format!("{role}@northwind.example");
    let name = match role {
        Role::Owner => "Dana Reyes",
        Role::Admin => "Ari Kim",
        Role::Member => "Sam Ortiz",
    };
    let new = NewUser {
        name: name.parse().map_err(failed(invalid))?,
        email: email.parse().map_err(failed(invalid))?,
        role,
        password: password.parse().map_err(failed(invalid))?,
        is_operator: role == Role::Owner,
    };
    let user = create_user(engine, operator, org, new).await;
    let user = user.map_err(failed("an account was not created"))?;
    let sign_in = SignIn {
        role,
        email,
        password,
    };
    Ok((user, sign_in))
}

/// Twenty letters and digits, always from the system's randomness.
fn new_password() -> Result<String, DemoError> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let bytes = Randomness::System.bytes::<20>();
    let bytes = bytes.map_err(failed("no password was created"))?;
    let letter = |byte: u8| char::from(LETTERS[usize::from(byte) % LETTERS.len()]);
    Ok(bytes.into_iter().map(letter).collect())
}

/// What the owner did.
struct History<'a> {
    engine: &'a Arc<Engine>,
    org: &'a Org,
    owner: UserId,
    period: Period,
}

impl History<'_> {
    /// A permit of the owner, as on a page.
    async fn permit<A: Permitted>(&self) -> Result<Permit<A>, DemoError> {
        let person = Person {
            user_id: self.owner,
            visit: Visit::default(),
        };
        let membership = Membership::find(self.engine, person, &self.org.slug).await;
        let membership = membership.map_err(failed("the owner was not found"))?;
        membership
            .permit()
            .map_err(failed("the owner has no permit"))
    }

    async fn happen(&self, days: f64) -> Result<Vec<Used>, DemoError> {
        let mut places = vec![None];
        for name in PROJECTS {
            let name = name.parse().map_err(failed("a name is invalid"))?;
            let created = projects::create(self.engine, &self.permit().await?, &name).await;
            places.push(Some(created.map_err(failed("a project was not created"))?));
        }
        let mut used = self.create_agents().await?;
        let offered = STORIES.iter().filter(|story| {
            let convention = self.engine.convention();
            convention.prefix(story.kind, story.environment).is_some()
        });
        let mut steps: Vec<(Timestamp, Step)> = offered
            .map(|story| {
                // Spread over the first day, so that they differ in lists.
                let made = story.made_days_ago.min(days - 0.5);
                (self.period.days_ago(made), Step::Create(*story))
            })
            .collect();
        while let Some(next) = (0..steps.len()).min_by_key(|place| steps[*place].0) {
            let (at, step) = steps.swap_remove(next);
            set(self.engine.clock(), at);
            match step {
                Step::Create(story) => {
                    let key = self.create_key(story, &places).await?;
                    let Subject::Key(id, _) = key.subject else {
                        continue;
                    };
                    if let Some((days_ago, ending)) = story.ending {
                        let at = self.period.days_ago(days_ago).max(at.plus(HOUR));
                        steps.push((at, Step::End(id, ending)));
                    }
                    if story.name == CHECKOUT && days > INCIDENT_DAYS_AGO {
                        let at = self.period.days_ago(INCIDENT_DAYS_AGO).floor(DAY);
                        steps.push((at.plus(17 * HOUR), Step::AddDomain(id)));
                    }
                    used.push(key);
                }
                Step::End(id, ending) => self.end(id, ending, &mut used).await?,
                Step::AddDomain(id) => {
                    let domain = INCIDENT_DOMAIN
                        .parse::<DomainPattern>()
                        .map_err(failed("a domain is invalid"))?;
                    let edit = EditDomains {
                        domains: Some(DomainsChange::Add(vec![domain])),
                        ..EditDomains::default()
                    };
                    let edited = edit_domains(self.engine, &self.permit().await?, id, edit).await;
                    edited.map_err(failed("a domain was not added"))?;
                }
            }
        }
        Ok(used)
    }

    async fn create_agents(&self) -> Result<Vec<Used>, DemoError> {
        let mut used = Vec::new();
        let is_embedded = self.engine.convention().public_agent_embedding;
        for (name, domain, daily) in AGENTS {
            let domains: Vec<DomainPattern> =
                vec![domain.parse().map_err(failed("a domain is invalid"))?];
            let settings = AgentSettings {
                name: name.parse().map_err(failed("a name is invalid"))?,
                project: None,
                domains: domains.clone(),
                public_embedding: is_embedded && daily > 0.0,
            };
            let created =
                agents::create::create(self.engine, &self.permit().await?, &settings).await;
            let agent = created.map_err(failed("an agent was not created"))?;
            if settings.public_embedding {
                let cell = Cell {
                    project: Some(self.default_project().await?),
                    group: Group::Agents,
                };
                used.push(Used {
                    subject: Subject::Agent(agent.id),
                    cell,
                    story: Story {
                        name,
                        kind: Kind::Widget,
                        daily,
                        ending: None,
                        ..STORIES[1]
                    },
                    from: self.period.start,
                    until: self.period.now,
                    domains,
                });
            }
        }
        Ok(used)
    }

    async fn default_project(&self) -> Result<ProjectId, DemoError> {
        let choices = choices(self.engine, &self.permit().await?).await;
        let choices = choices.map_err(failed("the projects were not found"))?;
        let first = choices.into_iter().next().map(|choice| choice.id);
        first.ok_or(DemoError::NotEmpty)
    }

    async fn create_key(
        &self,
        story: Story,
        places: &[Option<ProjectId>],
    ) -> Result<Used, DemoError> {
        let now = self.engine.clock().now();
        let domains: Result<Vec<DomainPattern>, _> =
            story.domains.iter().map(|domain| domain.parse()).collect();
        let domains = domains.map_err(failed("a domain is invalid"))?;
        let expiry = &self.engine.convention().expiry;
        let default = expiry.default_days.map(|days| i64::from(u32::from(days)));
        let days = story
            .expires_after_days
            .or(default.filter(|_| !expiry.never));
        let mut settings =
            KeySettings::named(story.name.parse().map_err(failed("a name is invalid"))?);
        settings.project = places.get(story.project).copied().flatten();
        settings.domains = domains.clone();
        settings.notes = story.notes.to_owned();
        settings.expires_at = days.map(|days| now.plus(days * DAY));
        let until = settings.expires_at.unwrap_or(self.period.now);
        let new = NewKey {
            kind: story.kind,
            environment: story.environment,
            settings,
            creation_token: None,
        };
        let created = create::create(self.engine, &self.permit().await?, new).await;
        let created = created.map_err(failed("a key was not created"))?;
        if matches!(story.ending, Some((_, Ending::SeenInBrowser))) {
            let request = Request {
                key: Some(&created.plain),
                origin: Some("https://prototype.northwind.example"),
                ..Request::default()
            };
            // The evidence is of this time.
            let seen = self.period.days_ago(5.0).max(now);
            set(self.engine.clock(), seen);
            let verified = verify(self.engine, &request).await;
            verified.map_err(failed("a key was not verified"))?;
            let flushed = flush(self.engine).await;
            flushed.map_err(failed("the use of keys was not stored"))?;
            set(self.engine.clock(), now);
        }
        let secret = self.current_secret(created.id).await?;
        let project = match places.get(story.project).copied().flatten() {
            Some(project) => project,
            None => self.default_project().await?,
        };
        Ok(Used {
            subject: Subject::Key(created.id, secret),
            cell: Cell {
                project: Some(project),
                group: Group::Keys(story.kind, story.environment),
            },
            story,
            from: now,
            until,
            domains,
        })
    }

    async fn current_secret(&self, id: KeyId) -> Result<SecretId, DemoError> {
        let secrets = secrets(self.engine, &self.permit().await?, id).await;
        let secrets = secrets.map_err(failed("a secret was not found"))?;
        secrets
            .first()
            .map(|secret| secret.id)
            .ok_or(DemoError::NotEmpty)
    }

    async fn end(&self, id: KeyId, ending: Ending, used: &mut Vec<Used>) -> Result<(), DemoError> {
        let now = self.engine.clock().now();
        let Some(place) = used
            .iter()
            .position(|used| matches!(used.subject, Subject::Key(key, _) if key == id))
        else {
            return Ok(());
        };
        match ending {
            Ending::Disabled => {
                let done = disable(self.engine, &self.permit().await?, id).await;
                done.map_err(failed("a key was not disabled"))?;
                used[place].until = now;
            }
            Ending::Revoked(reason) => {
                let done = revoke(self.engine, &self.permit().await?, id, reason).await;
                done.map_err(failed("a key was not revoked"))?;
                used[place].until = now;
            }
            Ending::Rotated => {
                let rotation = Rotation {
                    overlap: 7 * DAY,
                    token: None,
                };
                let done = rotate(self.engine, &self.permit().await?, id, rotation).await;
                done.map_err(failed("a key was not rotated"))?;
                // From here on, the new secret is used.
                let secret = self.current_secret(id).await?;
                let old = &mut used[place];
                let new = Used {
                    subject: Subject::Key(id, secret),
                    cell: old.cell,
                    story: old.story,
                    from: now.plus(2 * HOUR),
                    until: old.until,
                    domains: old.domains.clone(),
                };
                old.until = new.from;
                used.push(new);
            }
            Ending::SeenInBrowser => {}
        }
        Ok(())
    }
}

impl Team {
    /// The use of all keys and agents.
    pub fn traffic(&self, period: Period, seed: u64) -> Vec<Past<'_>> {
        let mut past = Vec::new();
        let incident = period.days_ago(INCIDENT_DAYS_AGO).floor(DAY);
        let stray = Origin::of_request(Some("https://mirror.example"), None).ok();
        let campaign = Origin::of_request(Some("https://spring.northwind.example"), None).ok();
        for (number, used) in self.used.iter().enumerate() {
            let story = &used.story;
            let flow = |share: f64, kind: u64| Flow {
                daily: story.daily * share,
                at_first: story.at_first,
                from: used.from,
                until: used.until,
                seed: mix(seed ^ number as u64) ^ kind,
            };
            let mut add = |flow: Flow, outcome: Outcome, origin: Option<Origin<'static>>| {
                for (at, count) in flow.counts(period) {
                    let site = match outcome {
                        Outcome::OriginNotAllowed => Some(Site::Refused(origin)),
                        _ => used.domains.first().map(Site::Listed),
                    };
                    past.push(Past {
                        org_id: self.org.id,
                        subject: used.subject,
                        cell: used.cell,
                        class: self.class,
                        outcome,
                        at,
                        count,
                        site: site.filter(|_| {
                            matches!(outcome, Outcome::Valid | Outcome::OriginNotAllowed)
                        }),
                    });
                }
            };
            add(flow(1.0, 0), Outcome::Valid, None);
            for (outcome, share) in story.refused {
                add(
                    flow(*share, outcome.number().unsigned_abs()),
                    *outcome,
                    stray,
                );
            }
            if story.name == CHECKOUT && incident > period.start {
                let during = Flow {
                    from: incident.plus(9 * HOUR),
                    until: incident.plus(17 * HOUR),
                    ..flow(2.2, 99)
                };
                add(during, Outcome::OriginNotAllowed, campaign);
            }
        }
        past
    }
}
