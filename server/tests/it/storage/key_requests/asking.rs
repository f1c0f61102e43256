//! What can be asked for, and how much.

use latchkey::{
    access::{Membership, Permit, to},
    caller::{Person, Visit},
    key::Kind,
    key_requests::{
        AskError, DecideError, NewRequest, ask, decline, list_all, list_open, list_own,
    },
    role::Role,
    time::DAY,
};

use super::{Team, request};
use crate::test_app::TestApp;

on_both! {
    async fn what_cannot_be_created_cannot_be_asked_for(app: &TestApp) {
        let team = Team::of(app).await;
        let refused = async |set: fn(&mut NewRequest)| {
            let mut new = request("Reports");
            set(&mut new);
            team.ask(team.kim, new).await.unwrap_err().to_string()
        };
        assert_eq!(refused(|new| new.purpose = " \n ".to_owned()).await, "Say what the key is for, so that an owner can decide.");
        assert_eq!(refused(|new| new.purpose = "\u{200b}\u{3164}".to_owned()).await, "Say what the key is for, so that an owner can decide.");
        assert_eq!(refused(|new| new.purpose = "x".repeat(501)).await, "The purpose must have at most 500 characters.");
        assert!(refused(|new| new.wanted.kind = Kind::Widget).await.starts_with("Enter at least one domain."));
        assert!(refused(|new| new.wanted.settings.scopes = vec!["made:up".parse().unwrap()]).await.starts_with("Unknown scope"));
        assert!(refused(|new| new.wanted.settings.project = "prj_00000000000000000000000000000000".parse().ok()).await.starts_with("The project was not found"));
        assert_eq!(app.database.number("SELECT COUNT(*) FROM key_requests").await, 0);
        let longest = NewRequest { purpose: "x".repeat(500), ..request("Reports") };
        team.ask(team.kim, longest).await.unwrap();
        for comment in ["", " ", "\u{2800}", &"x".repeat(501)] {
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
        // Another organization has its own number.
        let contoso = app.org("contoso").await;
        let person = Person { user_id: contoso.person("eve", Role::Member).await, visit: Visit::default() };
        let membership = Membership::find(&app.engine, person, &contoso.org.slug).await.unwrap();
        ask(&app.engine, &membership.permit().unwrap(), request("Of another")).await.unwrap();
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
}
