//! What owners do with requests, and which approvals count.

use latchkey::{
    access::Operator,
    accounts::lifecycle,
    key::text::PlainKey,
    key_requests::{
        APPROVED_FOR, AskError, DecideError, RevealError, Revealed, State, WithdrawError, approve,
        count_approved, count_open,
    },
    keys::show,
    members,
    role::Role,
    time::{DAY, MINUTE},
};

use super::{Team, request, wanted};
use crate::test_app::{NOON, TestApp, authenticator::turn_on, said};

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
        let sentence = "dana, who approved this request, can no longer approve requests. Another owner must approve it.";
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
        assert_eq!((team.refused(removed).await.contains("can no longer approve"), team.state(removed).await), (true, State::Open));
        let olga = team.org.person("olga2", Role::Owner).await;
        team.approve(olga, removed).await.unwrap();
        lifecycle::disable(&app.engine, &Operator::at_the_command_line(), olga).await.unwrap();
        assert_eq!((team.refused(removed).await.contains("can no longer approve"), team.state(removed).await), (true, State::Open));
        lifecycle::enable(&app.engine, &Operator::at_the_command_line(), olga).await.unwrap();
        // Nor has an owner without the second factor that the organization requires, which the requester has.
        app.database.execute("UPDATE orgs SET second_factor_required = TRUE").await;
        turn_on(app, team.kim).await;
        assert_eq!((team.refused(removed).await.contains("can no longer approve"), team.state(removed).await), (true, State::Open));
        app.database.execute("UPDATE orgs SET second_factor_required = FALSE").await;
        team.reveal(team.kim, removed).await.unwrap();
    }
}
