//! An org, and keys for it.

use std::sync::Arc;

use latchkey::{
    Engine,
    access::{Operator, Org, Permit, Permitted},
    accounts::create_user::{NewUser, create_user},
    agents::{self, Agent, AgentSettings, list::AgentQuery},
    id::{KeyId, UserId},
    key::{
        Environment, Kind,
        settings::{KeySettings, SettingsChange},
    },
    keys::{
        KeySummary,
        create::{self, CreateKeyError, CreatedKey, NewKey},
        edit::{EditKeyError, edit},
        list::{self, KeyQuery},
        show,
    },
    orgs,
    revision::Known,
    role::Role,
    time::DAY,
};

/// The password of all users that tests create.
pub const PASSWORD: &str = "marmalade on a tuesday";

/// An org, and the operator's permit for everything in it.
pub struct TestOrg {
    pub org: Org,
    /// The engine that created the org.
    pub engine: Arc<Engine>,
}

impl TestOrg {
    /// Creates an org whose name is its slug.
    pub async fn make(engine: &Arc<Engine>, slug: &str) -> Self {
        let operator = Operator::at_the_command_line();
        let org = orgs::create(
            engine,
            &operator,
            &slug.parse().unwrap(),
            &slug.parse().unwrap(),
        )
        .await
        .unwrap();
        Self {
            org,
            engine: Arc::clone(engine),
        }
    }

    /// A permit for any action.
    pub fn permit<A: Permitted>(&self) -> Permit<A> {
        Operator::at_the_command_line().permit(&self.org)
    }

    /// Adds a user whose e-mail address is `name@slug.example`.
    pub async fn person(&self, name: &str, role: Role) -> UserId {
        let email = format!("{name}@{}.example", self.org.slug);
        let operator = Operator::at_the_command_line();
        create_user(
            &self.engine,
            &operator,
            &self.org,
            new_user(name, &email, role),
        )
        .await
        .unwrap()
    }

    /// Creates a secret live key that never expires and has full access.
    pub async fn key(&self, name: &str) -> CreatedKey {
        self.create_key(secret_key(name)).await.unwrap()
    }

    /// Creates a key. If the convention requires an expiry date, a key without one gets the default of the convention.
    pub async fn create_key(&self, mut new: NewKey) -> Result<CreatedKey, CreateKeyError> {
        let expiry = &self.engine.convention().expiry;
        if let (false, Some(days)) = (expiry.never, expiry.default_days) {
            let proposed = self
                .engine
                .clock()
                .now()
                .plus(i64::from(u32::from(days)) * DAY);
            new.settings.expires_at.get_or_insert(proposed);
        }
        create::create(&self.engine, &self.permit(), new).await
    }

    /// Changes the settings of a key, whatever they were.
    pub async fn edit(&self, id: KeyId, change: SettingsChange) -> Result<(), EditKeyError> {
        let (edit_keys, edit_domains) = (self.permit(), self.permit());
        let known = Known::Nothing;
        edit(&self.engine, &edit_keys, &edit_domains, id, change, &known).await
    }

    /// The summary of a key in lists.
    pub async fn summary(&self, id: KeyId) -> KeySummary {
        show::summary(&self.engine, &self.permit(), id)
            .await
            .unwrap()
            .expect("the org has the key")
    }

    /// Every agent, oldest first.
    pub async fn agents(&self) -> Vec<Agent> {
        let query = AgentQuery {
            limit: 100,
            ..AgentQuery::default()
        };
        let page = agents::list::list(&self.engine, &self.permit(), &query).await;
        page.unwrap().agents
    }

    /// The names of all keys that a query finds, on one page.
    pub async fn names(&self, query: KeyQuery) -> Vec<String> {
        let query = KeyQuery {
            page_size: 1_000,
            ..query
        };
        let page = list::list(&self.engine, &self.permit(), &query)
            .await
            .unwrap();
        assert_eq!(
            page.matching,
            page.keys.len() as i64,
            "the count matches the listed keys"
        );
        page.keys.iter().map(|key| key.name.to_string()).collect()
    }
}

/// A user who is no operator, with the password of all users.
pub fn new_user(name: &str, email: &str, role: Role) -> NewUser {
    NewUser {
        name: name.parse().unwrap(),
        email: email.parse().unwrap(),
        role,
        password: PASSWORD.parse().unwrap(),
        is_operator: false,
    }
}

/// A secret live key that never expires and has full access.
pub fn secret_key(name: &str) -> NewKey {
    NewKey {
        kind: Kind::Secret,
        environment: Environment::Live,
        settings: KeySettings::named(name.parse().unwrap()),
        creation_token: None,
    }
}

/// The same key with other settings.
pub fn with(mut new: NewKey, set: impl FnOnce(&mut KeySettings)) -> NewKey {
    set(&mut new.settings);
    new
}

/// An agent for pages of these domains.
pub fn agent(name: &str, domains: &[&str]) -> AgentSettings {
    AgentSettings {
        name: name.parse().unwrap(),
        project: None,
        domains: domains
            .iter()
            .map(|domain| domain.parse().unwrap())
            .collect(),
        public_embedding: false,
    }
}

/// A widget key for pages of these domains.
pub fn widget_key(name: &str, domains: &[&str]) -> NewKey {
    let domains = domains.iter().map(|domain| domain.parse().unwrap());
    let new = NewKey {
        kind: Kind::Widget,
        ..secret_key(name)
    };
    with(new, |settings| settings.domains = domains.collect())
}
