//! Requests for keys: their states, who can do what, and that an approved key is created once.

use std::num::NonZeroU32;

use latchkey::{
    access::{AccessError, Membership, Operator, Permit, Permitted, to},
    accounts::{delete::delete, lifecycle},
    caller::{Person, Visit},
    id::{KeyRequestId, UserId},
    key::{Kind, text::PlainKey},
    key_requests::{
        self, APPROVED_FOR, AskError, DecideError, KeyRequest, NewRequest, RevealError, Revealed,
        State, Wanted, WithdrawError, approve, ask, count_approved, count_open, decline, edit,
        find_own, list_all, list_open, list_own, reveal, withdraw,
    },
    keys::{create::CreateKeyError, show},
    limits::Limits,
    members, projects,
    role::{AdminRights, Role},
    time::{DAY, MINUTE},
};

use crate::test_app::{NOON, TestApp, TestOrg, org::secret_key, said};

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

on_both! {
    async fn a_member_asks_an_owner_approves_and_the_member_reveals_a_key_that_has_both(app: &TestApp) {
        let team = Team::of(app).await;
        let mut new = request("Reports");
        new.wanted.settings.scopes = vec!["bots:read".parse().unwrap()];
        let id = team.ask(team.kim, new).await.unwrap();
        let open = team.request(id).await;
        assert_eq!((open.state, open.requester.0, open.purpose.as_str(), open.decision), (State::Open, team.kim, "Monthly reports", None));
        app.clock.advance(MINUTE);
        team.approve(team.dana, id).await.unwrap();
        let approved = team.request(id).await;
        let decision = approved.decision.unwrap();
        assert_eq!((approved.state, decision.by.0, decision.until), (State::Approved, team.dana, Some(NOON.plus(MINUTE + APPROVED_FOR))));
        assert_eq!(team.keys().await, 0, "an approval creates nothing");
        app.clock.advance(2 * DAY);
        let Revealed { created, .. } = team.reveal(team.kim, id).await.unwrap();
        assert_eq!(said(&app.verify(&PlainKey::from_presented(created.plain.expose())).await), "VALID");
        let key = show::details(&app.engine, &team.org.permit(), created.id).await.unwrap().unwrap();
        assert_eq!((key.created_by.unwrap().0, key.approved_by.unwrap().0), (team.kim, team.dana));
        assert_eq!((key.summary.name.as_str(), key.settings.scopes[0].as_str()), ("Reports", "bots:read"));
        assert_eq!(key.settings.expires_at, Some(NOON.plus(MINUTE + 2 * DAY + 30 * DAY)), "the days count from the reveal");
        let used = team.request(id).await;
        assert_eq!((used.state, used.key), (State::Created, Some(created.id)));
        let log = app.database.texts(
            "SELECT event || ' ' || actor_id || ' ' || target_kind FROM audit_log WHERE event LIKE 'key%' ORDER BY position"
        ).await;
        let (kim, dana) = (team.kim, team.dana);
        assert_eq!(log, [
            format!("key_request.created {kim} key_request"), format!("key_request.approved {dana} key_request"), format!("key.created {kim} key"),
        ]);
        let changes = app.database.texts("SELECT changes FROM audit_log WHERE event = 'key.created'").await.remove(0);
        assert!(changes.contains(&dana.to_string()) && changes.contains(&id.to_string()), "{changes}");
    }

    async fn of_many_reveals_one_creates_a_key(app: &TestApp) {
        let team = Team::of(app).await;
        let id = team.approved().await;
        let permit: Permit<to::RequestKeys> = team.permit(team.kim).await.unwrap();
        let running: Vec<_> = (0..8).map(|_| {
            let (engine, permit) = (app.engine.clone(), permit.clone());
            tokio::spawn(async move { reveal(&engine, &permit, id).await })
        }).collect();
        let mut revealed = Vec::new();
        let mut refused = Vec::new();
        for one in running {
            match one.await.unwrap() {
                Ok(Revealed { created, .. }) => revealed.push(created.id),
                Err(RevealError::AlreadyRevealed(key)) => refused.push(key),
                Err(error) => panic!("{error:?}"),
            }
        }
        assert_eq!((revealed.len(), refused), (1, vec![revealed[0]; 7]));
        assert_eq!(team.keys().await, 1);
        let again = team.reveal(team.kim, id).await.unwrap_err();
        assert_eq!(again.to_string(), "This key was already revealed, and was shown at that time.");
    }

    async fn an_approval_lasts_seven_days(app: &TestApp) {
        let team = Team::of(app).await;
        let (in_time, late) = (team.approved().await, team.approved().await);
        app.clock.advance(APPROVED_FOR - 1);
        team.reveal(team.kim, in_time).await.unwrap();
        app.clock.advance(1);
        assert_eq!(team.state(late).await, State::Expired);
        let refused = team.reveal(team.kim, late).await.unwrap_err();
        assert_eq!(refused.to_string(), "This key was approved more than seven days ago. Ask for it again.");
        assert!(matches!(team.approve(team.dana, late).await, Err(DecideError::Ended(State::Expired))));
        assert!(matches!(team.withdraw(team.kim, late).await, Err(WithdrawError::Ended(State::Expired))));
        assert_eq!(team.keys().await, 1);
        // What is noted in the background is what was said before.
        key_requests::delete_old(&app.engine).await.unwrap();
        assert_eq!(app.database.texts("SELECT state FROM key_requests ORDER BY state").await, ["created", "expired"]);
        app.clock.advance(90 * DAY - 1);
        key_requests::delete_old(&app.engine).await.unwrap();
        assert_eq!(app.database.texts("SELECT state FROM key_requests").await, ["expired"], "kept for 90 days after its end");
        app.clock.advance(1);
        key_requests::delete_old(&app.engine).await.unwrap();
        assert_eq!(app.database.number("SELECT COUNT(*) FROM key_requests").await, 0);
    }

    async fn each_state_allows_only_what_follows_from_it(app: &TestApp) {
        let team = Team::of(app).await;
        let open = team.asked().await;
        assert_eq!(team.refused(open).await, "This request is not approved yet.");
        let declined = team.asked().await;
        team.decline(team.dana, declined).await.unwrap();
        team.decline(team.dana, declined).await.unwrap();
        assert_eq!(team.refused(declined).await, "This request was declined.");
        let withdrawn = team.asked().await;
        team.withdraw(team.kim, withdrawn).await.unwrap();
        team.withdraw(team.kim, withdrawn).await.unwrap();
        assert_eq!(team.refused(withdrawn).await, "This request was withdrawn.");
        for (ended, state) in [(declined, State::Declined), (withdrawn, State::Withdrawn)] {
            for refused in [team.approve(team.olga, ended).await, team.decline(team.olga, ended).await, team.edit(team.olga, ended, 0, wanted("Other")).await] {
                assert!(matches!(&refused, Err(DecideError::Ended(is)) if *is == state), "{refused:?}");
            }
        }
        assert!(matches!(team.withdraw(team.kim, declined).await, Err(WithdrawError::Ended(State::Declined))));
        // An approval can be given twice by the same owner, taken back, and withdrawn.
        let taken_back = team.approved().await;
        team.approve(team.dana, taken_back).await.unwrap();
        assert!(matches!(team.approve(team.olga, taken_back).await, Err(DecideError::Ended(State::Approved))));
        assert!(matches!(team.edit(team.olga, taken_back, 0, wanted("Other")).await, Err(DecideError::Ended(State::Approved))));
        team.decline(team.olga, taken_back).await.unwrap();
        assert_eq!(team.refused(taken_back).await, "This request was declined.");
        let given_up = team.approved().await;
        team.withdraw(team.kim, given_up).await.unwrap();
        assert_eq!(team.refused(given_up).await, "This request was withdrawn.");
        let used = team.approved().await;
        team.reveal(team.kim, used).await.unwrap();
        assert!(matches!(team.decline(team.dana, used).await, Err(DecideError::Ended(State::Created))));
        assert!(matches!(team.withdraw(team.kim, used).await, Err(WithdrawError::Ended(State::Created))));
        let events = app.database.number("SELECT COUNT(*) FROM audit_log WHERE event LIKE 'key_request.%' AND event <> 'key_request.created'").await;
        assert_eq!(events, 7, "repeats change nothing");
    }

    async fn an_owner_changes_what_is_asked_for_and_nobody_approves_what_they_have_not_seen(app: &TestApp) {
        let team = Team::of(app).await;
        let id = team.asked().await;
        let mut less = wanted("Monthly reports");
        less.settings.scopes = vec!["bots:read".parse().unwrap()];
        less.settings.expires_at = Some(NOON.plus(90 * DAY));
        less.expires_in_days = None;
        team.edit(team.dana, id, 0, less.clone()).await.unwrap();
        let changed = team.request(id).await;
        less.settings.project = changed.wanted.settings.project;
        assert_eq!((&changed.wanted, changed.version, changed.changed_by.unwrap().as_str()), (&less, 1, "dana"));
        team.edit(team.dana, id, 1, less.clone()).await.unwrap();
        assert_eq!(team.request(id).await.version, 1, "nothing was changed");
        let unseen = approve(&app.engine, &team.permit(team.olga).await.unwrap(), id, 0, "").await;
        assert!(matches!(unseen, Err(DecideError::ChangedMeanwhile)), "{unseen:?}");
        let outdated = team.edit(team.olga, id, 0, wanted("Reports")).await;
        assert!(matches!(outdated, Err(DecideError::ChangedMeanwhile)), "{outdated:?}");
        team.approve(team.olga, id).await.unwrap();
        let Revealed { created, .. } = team.reveal(team.kim, id).await.unwrap();
        let key = show::details(&app.engine, &team.org.permit(), created.id).await.unwrap().unwrap();
        assert_eq!(key.settings, less.settings);
        let changes = app.database.texts("SELECT changes FROM audit_log WHERE event = 'key_request.updated'").await;
        assert_eq!(changes.len(), 1);
        for field in ["name", "scopes", "expires_at", "expires_in_days"] {
            assert!(changes[0].contains(&format!("\"{field}\"")), "{field}: {changes:?}");
        }
    }

    async fn nobody_decides_on_their_own_request(app: &TestApp) {
        let team = Team::of(app).await;
        let (approved, open) = (team.approved().await, team.asked().await);
        team.set_role(team.kim, Role::Owner).await;
        for refused in [team.approve(team.kim, open).await, team.decline(team.kim, open).await, team.edit(team.kim, open, 0, wanted("Other")).await] {
            assert!(matches!(refused, Err(DecideError::Own)), "{refused:?}");
        }
        // A request that the person approved as an owner, of someone else, is no approval of their own.
        team.reveal(team.kim, approved).await.unwrap();
        team.set_role(team.dana, Role::Member).await;
        let own = team.ask(team.dana, request("Own")).await.unwrap();
        team.set_role(team.dana, Role::Owner).await;
        assert!(matches!(team.approve(team.dana, own).await, Err(DecideError::Own)));
        // Whoever can create keys has no reason to ask.
        let refused = team.ask(team.dana, request("Other")).await.unwrap_err();
        assert!(matches!(refused, AskError::CanCreate), "{refused:?}");
        // Even an approval that the database has is none if it is the requester's own.
        team.approve(team.olga, own).await.unwrap();
        app.database.execute(&format!("UPDATE key_requests SET decided_by = '{}' WHERE id = '{own}'", team.dana)).await;
        let refused = team.reveal(team.dana, own).await.unwrap_err();
        assert!(matches!(refused, RevealError::NotApproved(_)), "{refused:?}");
    }

    async fn the_approval_of_someone_who_is_no_longer_an_owner_does_not_count(app: &TestApp) {
        let team = Team::of(app).await;
        let id = team.approved().await;
        team.set_role(team.dana, Role::Admin).await;
        let sentence = "dana, who approved this request, is no longer an owner. Another owner must approve it.";
        assert_eq!((team.refused(id).await.as_str(), team.state(id).await), (sentence, State::Open));
        assert_eq!(count_open(&app.engine, &team.permit(team.olga).await.unwrap()).await.unwrap(), 1);
        assert_eq!(count_approved(&app.engine, &team.permit(team.kim).await.unwrap()).await.unwrap(), 0);
        team.approve(team.olga, id).await.unwrap();
        assert_eq!(team.request(id).await.decision.unwrap().by.0, team.olga);
        // A change of what is asked for ends an earlier approval for good.
        team.set_role(team.dana, Role::Owner).await;
        team.set_role(team.olga, Role::Member).await;
        team.edit(team.dana, id, 0, wanted("Everything")).await.unwrap();
        team.set_role(team.olga, Role::Owner).await;
        assert_eq!(team.refused(id).await, "This request is not approved yet.");
        // Removed and disabled owners have approved nothing either.
        let removed = team.asked().await;
        team.approve(team.olga, removed).await.unwrap();
        members::remove(&app.engine, &team.org.permit(), team.olga).await.unwrap();
        assert_eq!((team.refused(removed).await.contains("no longer an owner"), team.state(removed).await), (true, State::Open));
        let olga = team.org.person("olga2", Role::Owner).await;
        team.approve(olga, removed).await.unwrap();
        lifecycle::disable(&app.engine, &Operator::at_the_command_line(), olga).await.unwrap();
        assert_eq!((team.refused(removed).await.contains("no longer an owner"), team.state(removed).await), (true, State::Open));
        lifecycle::enable(&app.engine, &Operator::at_the_command_line(), olga).await.unwrap();
        team.reveal(team.kim, removed).await.unwrap();
    }

    async fn who_has_left_reveals_nothing_and_their_requests_do_not_come_back(app: &TestApp) {
        let team = Team::of(app).await;
        let (open, approved) = (team.asked().await, team.approved().await);
        let permit: Permit<to::RequestKeys> = team.permit(team.kim).await.unwrap();
        members::remove(&app.engine, &team.org.permit(), team.kim).await.unwrap();
        let refused = reveal(&app.engine, &permit, approved).await.unwrap_err();
        assert!(matches!(refused, RevealError::Fault(_)), "the permit has ended: {refused:?}");
        app.database.execute(&format!(
            "INSERT INTO memberships (org_id, user_id, role, created_at) VALUES ('{}', '{}', 'member', 0)", team.org.org.id, team.kim
        )).await;
        assert_eq!((team.state(open).await, team.state(approved).await), (State::Withdrawn, State::Withdrawn));
        assert_eq!(team.refused(approved).await, "This request was withdrawn.");
        // The same for someone who leaves, and for a deleted account nothing remains.
        let approved = team.approved().await;
        members::leave(&app.engine, &team.permit(team.kim).await.unwrap()).await.unwrap();
        assert_eq!(team.state(approved).await, State::Withdrawn);
        delete(&app.engine, Person { user_id: team.kim, visit: Visit::default() }).await.unwrap();
        assert_eq!(app.database.number("SELECT COUNT(*) FROM key_requests").await, 0);
    }

    async fn a_disabled_person_and_one_without_a_required_factor_reveal_nothing_until_that_is_over(app: &TestApp) {
        let team = Team::of(app).await;
        let id = team.approved().await;
        let permit: Permit<to::RequestKeys> = team.permit(team.kim).await.unwrap();
        for (set, unset) in [
            (format!("UPDATE users SET disabled_at = 0 WHERE id = '{}'", team.kim), "UPDATE users SET disabled_at = NULL"),
            ("UPDATE orgs SET second_factor_required = TRUE".to_owned(), "UPDATE orgs SET second_factor_required = FALSE"),
        ] {
            app.database.execute(&set).await;
            let refused = reveal(&app.engine, &permit, id).await.unwrap_err();
            assert!(matches!(refused, RevealError::Fault(_)), "{set}: {refused:?}");
            assert_eq!(team.keys().await, 0);
            app.database.execute(unset).await;
        }
        // Another role is no obstacle.
        team.set_role(team.kim, Role::Admin).await;
        team.reveal(team.kim, id).await.unwrap();
    }

    async fn what_no_longer_holds_at_the_reveal_is_said(app: &TestApp) {
        let team = Team::of(app).await;
        let mut dated = request("Dated");
        dated.wanted.expires_in_days = None;
        dated.wanted.settings.expires_at = Some(NOON.plus(DAY));
        let project = projects::create(&app.engine, &team.org.permit(), &"Shop".parse().unwrap()).await.unwrap();
        let mut shop = request("Shop");
        shop.wanted.settings.project = Some(project);
        let (dated, shop, plain) = (
            team.ask(team.kim, dated).await.unwrap(), team.ask(team.kim, shop).await.unwrap(), team.asked().await,
        );
        for id in [dated, shop, plain] {
            team.approve(team.dana, id).await.unwrap();
        }
        app.clock.advance(DAY);
        assert_eq!(team.refused(dated).await, "The expiry date that was approved has passed. Ask for the key again.");
        projects::delete(&app.engine, &team.org.permit(), project).await.unwrap();
        assert_eq!(team.refused(shop).await, "The project was not found in this organization. Choose another one.");
        // The limit of the organization, on an instance where it is reached.
        let limited = app.another_engine(|settings| settings.limits = Limits { keys: 0, ..Limits::default() }).await;
        let refused = reveal(&limited, &team.permit(team.kim).await.unwrap(), plain).await.unwrap_err();
        assert!(matches!(refused, RevealError::Refused(CreateKeyError::Limit(_))), "{refused:?}");
        limited.db().close().await;
        assert_eq!(team.state(plain).await, State::Approved, "it can be revealed once there is room");
        team.reveal(team.kim, plain).await.unwrap();
        // An owner is told of a date that has passed before they approve.
        let open = team.ask(team.kim, NewRequest {
            wanted: Wanted { expires_in_days: None, settings: { let mut settings = wanted("Late").settings; settings.expires_at = Some(NOON.plus(2 * DAY)); settings }, ..wanted("Late") },
            ..request("Late")
        }).await.unwrap();
        app.clock.advance(DAY);
        let refused = team.approve(team.dana, open).await.unwrap_err();
        assert!(matches!(&refused, DecideError::Invalid(AskError::InvalidFields(_))), "{refused:?}");
    }

    async fn what_cannot_be_created_cannot_be_asked_for(app: &TestApp) {
        let team = Team::of(app).await;
        let refused = async |set: fn(&mut NewRequest)| {
            let mut new = request("Reports");
            set(&mut new);
            team.ask(team.kim, new).await.unwrap_err().to_string()
        };
        assert_eq!(refused(|new| new.purpose = " \n ".to_owned()).await, "Say what the key is for, so that an owner can decide.");
        assert_eq!(refused(|new| new.purpose = "x".repeat(501)).await, "The purpose must have at most 500 characters.");
        assert!(refused(|new| new.wanted.kind = Kind::Widget).await.starts_with("Enter at least one domain."));
        assert!(refused(|new| new.wanted.settings.scopes = vec!["made:up".parse().unwrap()]).await.starts_with("Unknown scope"));
        assert!(refused(|new| new.wanted.settings.project = "prj_00000000000000000000000000000000".parse().ok()).await.starts_with("The project was not found"));
        assert_eq!(app.database.number("SELECT COUNT(*) FROM key_requests").await, 0);
        let longest = NewRequest { purpose: "x".repeat(500), ..request("Reports") };
        team.ask(team.kim, longest).await.unwrap();
        for comment in ["", " ", &"x".repeat(501)] {
            let id = team.request(list_open(&app.engine, &team.org.permit(), None).await.unwrap().requests[0].id).await.id;
            let refused = decline(&app.engine, &team.permit(team.dana).await.unwrap(), id, comment).await.unwrap_err();
            assert!(matches!(refused, DecideError::CommentNeeded | DecideError::CommentTooLong), "{refused:?}");
        }
    }

    async fn a_form_that_is_submitted_twice_makes_one_request(app: &TestApp) {
        let team = Team::of(app).await;
        let new = NewRequest { creation_token: Some("0".repeat(32)), ..request("Reports") };
        let id = team.ask(team.kim, new.clone()).await.unwrap();
        let again = team.ask(team.kim, new).await.unwrap_err();
        assert!(matches!(again, AskError::AlreadyAsked(before) if before == id), "{again:?}");
        assert_eq!(app.database.number("SELECT COUNT(*) FROM key_requests").await, 1);
    }

    async fn one_person_has_five_requests_that_wait_and_makes_twenty_a_day(app: &TestApp) {
        let team = Team::of(app).await;
        let admin = team.org.person("ari", Role::Admin).await;
        let mut waiting = Vec::new();
        for _ in 0..5 {
            waiting.push(team.asked().await);
        }
        team.approve(team.dana, waiting[0]).await.unwrap();
        assert!(matches!(team.ask(team.kim, request("Sixth")).await, Err(AskError::TooManyOpen)));
        team.ask(admin, request("Of another")).await.unwrap();
        for _ in 5..20 {
            team.withdraw(team.kim, waiting.remove(0)).await.unwrap();
            waiting.push(team.asked().await);
        }
        team.withdraw(team.kim, waiting.remove(0)).await.unwrap();
        assert!(matches!(team.ask(team.kim, request("Too many")).await, Err(AskError::TooManyToday)));
        app.clock.advance(DAY);
        team.asked().await;
        // Concurrent requests do not exceed the limit together.
        let permit: Permit<to::RequestKeys> = team.permit(team.kim).await.unwrap();
        team.withdraw(team.kim, waiting.remove(0)).await.unwrap();
        let running: Vec<_> = (0..4).map(|_| {
            let (engine, permit) = (app.engine.clone(), permit.clone());
            tokio::spawn(async move { ask(&engine, &permit, request("At once")).await })
        }).collect();
        let mut made = 0;
        for one in running {
            made += usize::from(one.await.unwrap().is_ok());
        }
        assert_eq!(made, 1);
    }

    async fn an_organization_has_two_hundred_requests_that_wait(app: &TestApp) {
        let team = Team::of(app).await;
        let id = team.asked().await;
        let rows: Vec<String> = (1..200).map(|number| format!("('krq_{number:032}', '{}', '{}', 'N', 'P', 'secret', 'live', '{{}}', 'open', 0)", team.org.org.id, team.dana)).collect();
        app.database.execute(&format!(
            "INSERT INTO key_requests (id, org_id, user_id, name, purpose, kind, environment, settings, state, created_at) VALUES {}", rows.join(", ")
        )).await;
        assert!(matches!(team.ask(team.kim, request("One more")).await, Err(AskError::OrgFull)));
        // They are listed page by page, each once.
        let mut seen = Vec::new();
        let mut before = None;
        loop {
            let page = list_open(&app.engine, &team.org.permit(), before).await.unwrap();
            assert!(page.requests.len() <= 50);
            seen.extend(page.requests.iter().map(|request| request.id));
            match page.next {
                Some(next) => before = Some(next),
                None => break,
            }
        }
        assert_eq!((seen.len(), seen[0]), (200, id));
        assert_eq!(list_all(&app.engine, &team.org.permit(), None).await.unwrap().requests.len(), 50);
        assert_eq!(list_own(&app.engine, &team.permit(team.kim).await.unwrap(), None).await.unwrap().requests.len(), 1);
    }

    async fn requests_of_another_organization_or_person_are_not_found(app: &TestApp) {
        let team = Team::of(app).await;
        let (open, approved) = (team.asked().await, team.approved().await);
        let contoso = app.org("contoso").await;
        let eve = contoso.person("eve", Role::Owner).await;
        let person = Person { user_id: eve, visit: Visit::default() };
        let membership = Membership::find(&app.engine, person, &contoso.org.slug).await.unwrap();
        let (decides, asks): (Permit<to::DecideKeyRequests>, Permit<to::RequestKeys>) = (membership.permit().unwrap(), membership.permit().unwrap());
        assert!(matches!(approve(&app.engine, &decides, open, 0, "").await, Err(DecideError::NotFound)));
        assert!(matches!(decline(&app.engine, &decides, open, "No").await, Err(DecideError::NotFound)));
        assert!(matches!(edit(&app.engine, &decides, open, 0, wanted("Other")).await, Err(DecideError::NotFound)));
        assert!(key_requests::find(&app.engine, &decides, open).await.unwrap().is_none());
        assert_eq!(list_all(&app.engine, &decides, None).await.unwrap().requests, []);
        assert_eq!(count_open(&app.engine, &decides).await.unwrap(), 0);
        let olga: Permit<to::RequestKeys> = team.permit(team.olga).await.unwrap();
        for permit in [&asks, &olga] {
            assert!(matches!(reveal(&app.engine, permit, approved).await, Err(RevealError::NotFound)));
            assert!(matches!(withdraw(&app.engine, permit, approved).await, Err(WithdrawError::NotFound)));
            assert!(find_own(&app.engine, permit, approved).await.unwrap().is_none());
        }
        assert_eq!(team.keys().await, 0);
        // Members and admins decide on nothing, whatever their organization lets admins do.
        let ari = team.org.person("ari", Role::Admin).await;
        for rights in AdminRights::ALL {
            app.database.execute(&format!("UPDATE orgs SET admin_rights = '{rights}'")).await;
            for user_id in [ari, team.kim] {
                let refused = team.permit::<to::DecideKeyRequests>(user_id).await.unwrap_err();
                assert!(matches!(refused, AccessError::Forbidden(_)), "{refused:?}");
            }
        }
        // An admin who creates keys does not ask for them.
        assert!(matches!(team.ask(ari, request("Own")).await, Err(AskError::CanCreate)));
    }
}
