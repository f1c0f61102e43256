//! Requests for keys: their states, who can do what, and that an approved key is created once.

mod asking;
mod deciding;
mod hand_over;
mod membership;
mod revealing;

use std::num::NonZeroU32;

use latchkey::{
    access::{AccessError, Membership, Permit, Permitted, to},
    caller::{Person, Visit},
    id::{KeyRequestId, UserId},
    key_requests::{
        self, AskError, DecideError, KeyRequest, NewRequest, RevealError, Revealed, State, Wanted,
        WithdrawError, approve, ask, decline, edit, reveal, withdraw,
    },
    members,
    role::Role,
};

use crate::test_app::{TestApp, TestOrg, org::secret_key};

/// An org with an owner, a second owner and a member.
struct Team<'a> {
    app: &'a TestApp,
    org: TestOrg,
    dana: UserId,
    olga: UserId,
    kim: UserId,
}

impl<'a> Team<'a> {
    async fn of(app: &'a TestApp) -> Self {
        let org = app.org("northwind").await;
        let dana = org.person("dana", Role::Owner).await;
        let olga = org.person("olga", Role::Owner).await;
        let kim = org.person("kim", Role::Member).await;
        Self {
            app,
            org,
            dana,
            olga,
            kim,
        }
    }

    /// What the member is allowed to do, as on a page.
    async fn permit<A: Permitted>(&self, user_id: UserId) -> Result<Permit<A>, AccessError> {
        let visit = Visit::default();
        let person = Person { user_id, visit };
        let membership = Membership::find(&self.app.engine, person, &self.org.org.slug).await?;
        membership.permit()
    }

    async fn ask(&self, user_id: UserId, new: NewRequest) -> Result<KeyRequestId, AskError> {
        ask(&self.app.engine, &self.permit(user_id).await.unwrap(), new).await
    }

    async fn asked(&self) -> KeyRequestId {
        self.ask(self.kim, request("Reports")).await.unwrap()
    }

    async fn approved(&self) -> KeyRequestId {
        let id = self.asked().await;
        self.approve(self.dana, id).await.unwrap();
        id
    }

    async fn approve(&self, owner: UserId, id: KeyRequestId) -> Result<(), DecideError> {
        let version = self.request(id).await.version;
        approve(
            &self.app.engine,
            &self.permit(owner).await.unwrap(),
            id,
            version,
            "",
        )
        .await
    }

    async fn decline(&self, owner: UserId, id: KeyRequestId) -> Result<(), DecideError> {
        decline(
            &self.app.engine,
            &self.permit(owner).await.unwrap(),
            id,
            "Too much",
        )
        .await
    }

    async fn withdraw(&self, user_id: UserId, id: KeyRequestId) -> Result<(), WithdrawError> {
        withdraw(&self.app.engine, &self.permit(user_id).await.unwrap(), id).await
    }

    async fn reveal(&self, user_id: UserId, id: KeyRequestId) -> Result<Revealed, RevealError> {
        reveal(&self.app.engine, &self.permit(user_id).await.unwrap(), id).await
    }

    /// The sentence of a reveal that is refused.
    async fn refused(&self, id: KeyRequestId) -> String {
        let refused = self.reveal(self.kim, id).await.unwrap_err();
        assert_eq!(self.keys().await, 0);
        refused.to_string()
    }

    async fn edit(
        &self,
        owner: UserId,
        id: KeyRequestId,
        version: i64,
        wanted: Wanted,
    ) -> Result<(), DecideError> {
        edit(
            &self.app.engine,
            &self.permit(owner).await.unwrap(),
            id,
            version,
            wanted,
        )
        .await
    }

    async fn request(&self, id: KeyRequestId) -> KeyRequest {
        key_requests::find(&self.app.engine, &self.org.permit(), id)
            .await
            .unwrap()
            .unwrap()
    }

    async fn state(&self, id: KeyRequestId) -> State {
        self.request(id).await.state
    }

    async fn keys(&self) -> i64 {
        self.app.database.number("SELECT COUNT(*) FROM keys").await
    }

    async fn set_role(&self, user_id: UserId, role: Role) {
        let permit: Permit<to::ChangeRoles> = self.org.permit();
        members::change_role(&self.app.engine, &permit, user_id, role)
            .await
            .unwrap();
    }
}

/// A secret live key with full access that expires 30 days after it is revealed.
fn wanted(name: &str) -> Wanted {
    let new = secret_key(name);
    Wanted {
        kind: new.kind,
        environment: new.environment,
        settings: new.settings,
        expires_in_days: NonZeroU32::new(30),
    }
}

fn request(name: &str) -> NewRequest {
    NewRequest {
        purpose: "Monthly reports".to_owned(),
        wanted: wanted(name),
        creation_token: None,
    }
}
