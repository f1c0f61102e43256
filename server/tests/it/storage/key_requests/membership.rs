//! Requests belong to a member of an organization, and end with the membership.

use latchkey::{
    access::{AccessError, Membership, Permit, to},
    accounts::delete::delete,
    caller::{Person, Visit},
    key_requests::{
        self, AskError, DecideError, RevealError, State, WithdrawError, approve, count_open,
        decline, edit, find_own, list_all, reveal, withdraw,
    },
    members,
    role::{AdminRights, Role},
};

use super::{Team, request, wanted};
use crate::test_app::TestApp;

on_both! {
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

    async fn requests_and_membership_end_in_one_transaction(app: &TestApp) {
        let team = Team::of(app).await;
        let (open, approved) = (team.asked().await, team.approved().await);
        // The last step of the change fails: nothing of it remains.
        app.database.execute("DROP TABLE audit_log").await;
        assert!(members::remove(&app.engine, &team.org.permit(), team.kim).await.is_err());
        assert_eq!((team.state(open).await, team.state(approved).await), (State::Open, State::Approved));
        assert_eq!(app.database.number(&format!("SELECT COUNT(*) FROM memberships WHERE user_id = '{}'", team.kim)).await, 1);
    }
}
