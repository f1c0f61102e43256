//! An approved key is created once, and only while all that was approved still holds.

use latchkey::{
    access::{Permit, to},
    key_requests::{
        self, APPROVED_FOR, AskError, DecideError, NewRequest, RevealError, Revealed, State,
        Wanted, WithdrawError, reveal,
    },
    keys::create::CreateKeyError,
    limits::Limits,
    projects,
    role::Role,
    time::DAY,
};

use super::{Team, request, wanted};
use crate::test_app::{NOON, TestApp};

on_both! {
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
}
