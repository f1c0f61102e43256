//! What the owner of the team did, each at its time.

use std::sync::Arc;

use latchkey::{
    Engine,
    access::{Membership, Org, Permit, Permitted},
    agents::{self, AgentSettings},
    caller::{Person, Visit},
    convention::Scope,
    domain::DomainPattern,
    id::{KeyId, ProjectId, SecretId, UserId},
    invitations::{self, NewInvitation},
    key::{Kind, settings::KeySettings, text::PlainKey},
    keys::{
        change_state::{disable, revoke},
        create::{self, NewKey},
        edit::{DomainsChange, EditDomains, edit_domains},
        project::choices,
        rotate::{Rotation, rotate},
        secrets::secrets,
    },
    outcome::Outcome,
    projects,
    role::{Role, TokenScope},
    service_tokens::{NewToken, create_for_org},
    time::{DAY, HOUR, Timestamp},
    usage::subject::{Cell, Group, Subject},
    verify::InvalidReason,
};

use super::{
    error::{DemoError, failed},
    period::{Period, set},
    story::{
        AGENTS, CHECKOUT, Ending, INCIDENT_DAYS_AGO, INCIDENT_DOMAIN, PROJECTS, STORIES, Story,
    },
    visitors::{Visitor, of_pages, of_servers},
};

/// A key or agent with its use.
#[derive(Debug)]
pub struct Used {
    pub subject: Subject,
    pub cell: Cell,
    pub story: Story,
    pub from: Timestamp,
    pub until: Timestamp,
    /// From when on requests are rejected, and how: because it stopped working, or because a page sends it.
    pub afterwards: Option<(Timestamp, Outcome, Option<InvalidReason>)>,
    pub domains: Vec<DomainPattern>,
    /// Who sends its requests.
    pub visitors: Vec<Visitor>,
    /// A scope that it does not have.
    pub missing_scope: Option<Scope>,
}

impl Used {
    /// Ends its use, after which its requests are rejected for this reason.
    fn ends(&mut self, at: Timestamp, reason: InvalidReason) {
        self.until = at;
        self.afterwards = Some((at, Outcome::InvalidApiKey, Some(reason)));
    }
}

/// What happens at a time.
enum Step {
    Create(Story),
    End(KeyId, Ending),
    AddDomain(KeyId),
    CreateToken,
    Invite,
}

/// What the owner did.
pub struct History<'a> {
    pub engine: &'a Arc<Engine>,
    pub org: &'a Org,
    pub owner: UserId,
    pub period: Period,
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

    /// Lets everything happen in its order. Returns the keys and agents with their use, and the token of the API servers.
    pub async fn happen(&self, days: f64) -> Result<(Vec<Used>, Option<PlainKey>), DemoError> {
        let mut places = vec![None];
        for name in PROJECTS {
            let name = name.parse().map_err(failed("a name is invalid"))?;
            let created = projects::create(self.engine, &self.permit().await?, &name).await;
            places.push(Some(created.map_err(failed("a project was not created"))?));
        }
        let mut used = self.create_agents().await?;
        let mut token = None;
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
        steps.push((self.period.days_ago(days - 0.1), Step::CreateToken));
        steps.push((self.period.days_ago(1.2), Step::Invite));
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
                Step::AddDomain(id) => self.add_domain(id).await?,
                Step::CreateToken => token = Some(self.create_token().await?),
                Step::Invite => self.invite().await?,
            }
        }
        Ok((used, token))
    }

    async fn add_domain(&self, id: KeyId) -> Result<(), DemoError> {
        let domain = INCIDENT_DOMAIN
            .parse::<DomainPattern>()
            .map_err(failed("a domain is invalid"))?;
        let edit = EditDomains {
            domains: Some(DomainsChange::Add(vec![domain])),
            ..EditDomains::default()
        };
        let edited = edit_domains(self.engine, &self.permit().await?, id, edit).await;
        edited.map(drop).map_err(failed("a domain was not added"))
    }

    /// The token of the team's API servers.
    async fn create_token(&self) -> Result<PlainKey, DemoError> {
        let new = NewToken {
            name: "API servers".parse().map_err(failed("a name is invalid"))?,
            scope: TokenScope::Verify,
            expires_at: None,
            creation_token: None,
        };
        let created = create_for_org(self.engine, &self.permit().await?, new).await;
        created
            .map(|created| created.plain)
            .map_err(failed("a service token was not created"))
    }

    async fn invite(&self) -> Result<(), DemoError> {
        let new = NewInvitation {
            email: "kim.novak@northwind.example"
                .parse()
                .map_err(failed("an address is invalid"))?,
            role: Role::Member,
            shows_link: true,
            creation_token: None,
        };
        let created = invitations::create(self.engine, &self.permit().await?, new).await;
        created.map(drop).map_err(failed("nobody was invited"))
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
                    afterwards: None,
                    visitors: of_pages(&domains),
                    domains,
                    missing_scope: None,
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
        let (scopes, missing_scope) = self.scopes(&story);
        settings.scopes = scopes.clone();
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
            afterwards: (until < self.period.now).then_some((until, Outcome::ExpiredApiKey, None)),
            visitors: match story.kind {
                Kind::Widget => of_pages(&domains),
                Kind::Secret => of_servers(&story, self.required_scopes(&scopes)),
            },
            domains,
            missing_scope,
        })
    }

    /// The scopes of a key, and one that it does not have. A convention can have none.
    fn scopes(&self, story: &Story) -> (Vec<Scope>, Option<Scope>) {
        let convention = self.engine.convention();
        let offered = convention.scopes.iter().map(|scope| &scope.name);
        let mut offered = offered.filter(|scope| convention.admin_scope.as_ref() != Some(*scope));
        let scopes: Vec<Scope> = offered.by_ref().take(story.scopes).cloned().collect();
        let missing = offered.next().filter(|_| !scopes.is_empty()).cloned();
        (scopes, missing)
    }

    /// The scopes that requests with a key require: its own, or the first of the convention.
    fn required_scopes(&self, scopes: &[Scope]) -> Vec<Scope> {
        let all = self.engine.convention().scopes.iter();
        match scopes.is_empty() {
            true => all.take(3).map(|scope| scope.name.clone()).collect(),
            false => scopes.to_vec(),
        }
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
                used[place].ends(now, InvalidReason::Disabled);
            }
            Ending::Revoked(reason) => {
                let done = revoke(self.engine, &self.permit().await?, id, reason).await;
                done.map_err(failed("a key was not revoked"))?;
                used[place].ends(now, InvalidReason::Revoked);
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
                    afterwards: old.afterwards,
                    domains: old.domains.clone(),
                    visitors: old.visitors.clone(),
                    missing_scope: old.missing_scope.clone(),
                };
                (old.until, old.afterwards) = (new.from, None);
                used.push(new);
            }
            Ending::SeenInBrowser => {
                used[place].afterwards = Some((now, Outcome::SecretKeyInBrowser, None));
            }
        }
        Ok(())
    }
}
