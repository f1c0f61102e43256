//! Invitations: who can accept them, until when, and that each works once.

use std::sync::Arc;

use futures_util::future::join_all;
use latchkey::{
    Engine,
    access::{Membership, Permit, to},
    accounts::{SignUpPolicy, lifecycle, links},
    caller::{Person, Visit},
    fault::Fault,
    id::{InvitationId, UserId},
    invitations::{
        self, AcceptError, CreatedInvitation, InvitationToken, InviteError, LIFETIME,
        NewInvitation, WithdrawError, accept, accept_with_new_account, open,
    },
    key::{
        digest::{Pepper, Peppers},
        text::PlainKey,
    },
    limits::{LimitReached, Limited, Limits},
    members, peppers,
    random::Randomness,
    role::Role,
};

use super::sign_in_budgets::visit;
use crate::test_app::{TestApp, TestOrg, authenticator::confirmed, org::PASSWORD};

on_both! {
    async fn a_new_account_joins_with_the_invitations_address_and_role(app: &TestApp) {
        let org = app.org("northwind").await;
        let invited = invite(&org, "Kim@Example.com", Role::Admin).await.unwrap();
        let opened = open(&app.engine, token(&invited)).await.unwrap().unwrap();
        assert_eq!((opened.email.as_str(), opened.role, &opened.org), ("kim@example.com", Role::Admin, &org.org));
        let (who, joined) = new_account(&app.engine, token(&invited), "192.0.2.1").await.unwrap();
        assert_eq!(joined, org.org);
        let member = members::find(&app.engine, &org.permit(), who.user_id).await.unwrap().unwrap();
        assert_eq!((member.name.as_str(), member.email.as_str(), member.role), ("Kim", "kim@example.com", Role::Admin));
        assert_eq!(app.database.texts("SELECT event || ' ' || actor_kind FROM audit_log ORDER BY position").await.split_off(1),
            ["member.invited command_line", "member.joined user"]);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM invitations").await, 0);
        let again = new_account(&app.engine, token(&invited), "192.0.2.1").await;
        assert!(matches!(again, Err(AcceptError::Gone)), "{again:?}");
    }

    async fn of_many_who_accept_at_once_one_wins(app: &TestApp) {
        let org = app.org("northwind").await;
        let invited = Arc::new(invite(&org, "kim@example.com", Role::Member).await.unwrap());
        let running: Vec<_> = (0..6).map(|number| {
            let (engine, invited) = (Arc::clone(&app.engine), Arc::clone(&invited));
            tokio::spawn(async move { new_account(&engine, token(&invited), &format!("192.0.{number}.1")).await })
        }).collect();
        let mut won = 0;
        for one in running {
            match one.await.unwrap() {
                Ok(_) => won += 1,
                Err(AcceptError::Gone) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        assert_eq!((won, app.database.number("SELECT COUNT(*) FROM users").await), (1, 1));
        // The same with an account.
        let other = app.org("contoso").await;
        let kim = app.database.texts("SELECT id FROM users").await.remove(0).parse().unwrap();
        let invited = Arc::new(invite(&other, "kim@example.com", Role::Owner).await.unwrap());
        let running: Vec<_> = (0..8).map(|_| {
            let (engine, invited) = (Arc::clone(&app.engine), Arc::clone(&invited));
            tokio::spawn(async move { accept(&engine, token(&invited), at(kim)).await })
        }).collect();
        let mut won = 0;
        for one in running {
            match one.await.unwrap() {
                Ok(_) => won += 1,
                Err(AcceptError::Gone) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        assert_eq!(won, 1);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM audit_log WHERE event = 'member.joined'").await, 2);
    }

    async fn an_invitation_ends_after_seven_days(app: &TestApp) {
        let org = app.org("northwind").await;
        let early = invite(&org, "early@example.com", Role::Member).await.unwrap();
        let late = invite(&org, "late@example.com", Role::Member).await.unwrap();
        app.clock.advance(LIFETIME - 1);
        new_account(&app.engine, token(&early), "192.0.2.1").await.unwrap();
        app.clock.advance(1);
        assert_eq!(open(&app.engine, token(&late)).await.unwrap(), None);
        let gone = new_account(&app.engine, token(&late), "192.0.2.1").await;
        assert!(matches!(gone, Err(AcceptError::Gone)), "{gone:?}");
        let gone = invitations::renew(&app.engine, &org.permit(), late.id).await;
        assert!(matches!(gone, Err(InviteError::NotFound)), "{gone:?}");
        assert_eq!(invitations::list(&app.engine, &org.permit()).await.unwrap(), []);
        // The next invitation deletes it, and so does the hourly task.
        invite(&org, "next@example.com", Role::Member).await.unwrap();
        assert_eq!(app.database.texts("SELECT email FROM invitations").await, ["next@example.com"]);
        app.clock.advance(LIFETIME);
        invitations::delete_expired(&app.engine).await.unwrap();
        assert_eq!(app.database.number("SELECT COUNT(*) FROM invitations").await, 0);
    }

    async fn a_withdrawn_replaced_or_renewed_link_is_dead(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        let first = invite(&org, "kim@example.com", Role::Member).await.unwrap();
        let second = invite(&org, "kim@example.com", Role::Admin).await.unwrap();
        assert!(opens(app, &first).await.is_none());
        app.clock.advance(1_000);
        let third = invitations::renew(&app.engine, &org.permit(), second.id).await.unwrap();
        assert_eq!((third.id, third.role, third.expires_at), (second.id, Role::Admin, second.expires_at.plus(1_000)));
        assert!(opens(app, &second).await.is_none() && opens(app, &third).await.is_some());
        let withdraw = async |org: &TestOrg, id: InvitationId| invitations::withdraw(&app.engine, &org.permit(), id).await;
        let elsewhere = withdraw(&other, third.id).await;
        assert!(matches!(elsewhere, Err(WithdrawError::NotFound)), "{elsewhere:?}");
        let elsewhere = invitations::renew(&app.engine, &other.permit(), third.id).await;
        assert!(matches!(elsewhere, Err(InviteError::NotFound)), "{elsewhere:?}");
        withdraw(&org, third.id).await.unwrap();
        assert!(opens(app, &third).await.is_none());
        let again = withdraw(&org, third.id).await;
        assert!(matches!(again, Err(WithdrawError::NotFound)), "{again:?}");
    }

    async fn only_the_account_with_the_address_accepts(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        let (eve, kim) = (other.person("eve", Role::Owner).await, other.person("kim", Role::Member).await);
        let invited = invite(&org, "kim@contoso.example", Role::Owner).await.unwrap();
        let refused = accept(&app.engine, token(&invited), at(eve)).await;
        assert!(matches!(refused, Err(AcceptError::OtherAddress)), "{refused:?}");
        let operator = latchkey::access::Operator::at_the_command_line();
        lifecycle::disable(&app.engine, &operator, kim).await.unwrap();
        let refused = accept(&app.engine, token(&invited), at(kim)).await;
        assert!(matches!(refused, Err(AcceptError::OtherAddress)), "{refused:?}");
        let refused = new_account(&app.engine, token(&invited), "192.0.2.1").await;
        assert!(matches!(refused, Err(AcceptError::HasAccount)), "{refused:?}");
        lifecycle::enable(&app.engine, &operator, kim).await.unwrap();
        accept(&app.engine, token(&invited), at(kim)).await.unwrap();
        assert_eq!(members::list(&app.engine, &org.permit()).await.unwrap()[0].user_id, kim);
    }

    async fn whoever_is_a_member_is_not_invited_and_keeps_their_role(app: &TestApp) {
        let org = app.org("northwind").await;
        let invited = invite(&org, "kim@northwind.example", Role::Owner).await.unwrap();
        let kim = org.person("kim", Role::Member).await;
        let member = invite(&org, "KIM@northwind.example", Role::Owner).await;
        assert!(matches!(member, Err(InviteError::AlreadyMember(_))), "{member:?}");
        let accepted = accept(&app.engine, token(&invited), at(kim)).await;
        assert!(matches!(accepted, Err(AcceptError::AlreadyMember(_))), "{accepted:?}");
        assert_eq!(app.database.texts("SELECT role FROM memberships").await, ["member"]);
    }

    async fn an_owner_who_is_one_no_longer_invites_nobody(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = org.person("dana", Role::Owner).await;
        let membership = Membership::find(&app.engine, at(dana), &org.org.slug).await.unwrap();
        let permit: Permit<to::InviteMembers> = membership.permit().unwrap();
        let permit = permit.confirmed(&confirmed(app, dana).await);
        let new = |role| NewInvitation { email: "kim@example.com".parse().unwrap(), role, shows_link: false, creation_token: None };
        let invited = invitations::create(&app.engine, &permit, new(Role::Owner)).await.unwrap();
        let opened = open(&app.engine, token(&invited)).await.unwrap().unwrap();
        assert_eq!(opened.inviter.unwrap().as_str(), "dana");
        // The role was changed after the permit was given.
        app.database.execute("UPDATE memberships SET role = 'admin'").await;
        let refused = invitations::create(&app.engine, &permit, new(Role::Member)).await;
        assert!(matches!(&refused, Err(InviteError::Fault(Fault::Storage(error))) if error.is_of_ended_permit()), "{refused:?}");
        let refused = invitations::renew(&app.engine, &permit, invited.id).await;
        assert!(matches!(refused, Err(InviteError::NotFound)), "{refused:?}");
        assert_eq!(app.database.number("SELECT COUNT(*) FROM invitations").await, 1);
    }

    async fn the_limit_of_members_holds_when_people_are_invited_and_when_they_join(app: &TestApp) {
        let engine = app.another_engine(|settings| settings.limits = Limits { members: 1, ..Limits::default() }).await;
        let org = TestOrg::make(&engine, "northwind").await;
        let invited = invite(&org, "kim@example.com", Role::Member).await.unwrap();
        org.person("dana", Role::Owner).await;
        let full = invite(&org, "ann@example.com", Role::Member).await;
        assert!(matches!(full, Err(InviteError::Limit(LimitReached { limited: Limited::Members, max: 1 }))), "{full:?}");
        let full = new_account(&engine, token(&invited), "192.0.2.1").await;
        assert!(matches!(full, Err(AcceptError::Limit(_))), "{full:?}");
        let kim = TestOrg::make(&engine, "contoso").await.person("kim", Role::Member).await;
        app.database.execute("UPDATE users SET email = 'kim@example.com' WHERE name = 'kim'").await;
        let full = accept(&engine, token(&invited), at(kim)).await;
        assert!(matches!(full, Err(AcceptError::Limit(_))), "{full:?}");
        assert!(opens(app, &invited).await.is_some(), "the invitation can be used when there is room");
        engine.db().close().await;
    }

    async fn people_of_one_network_can_all_accept_their_invitations(app: &TestApp) {
        let org = app.org("northwind").await;
        for number in 0..12 {
            let invited = invite(&org, &format!("p{number}@example.com"), Role::Member).await.unwrap();
            new_account(&app.engine, token(&invited), "192.0.2.1").await.unwrap();
        }
    }

    async fn where_sign_up_is_closed_only_existing_accounts_join(app: &TestApp) {
        let closed = app.another_engine(|settings| settings.sign_up = SignUpPolicy::Closed).await;
        let org = app.org("northwind").await;
        let invited = invite(&org, "kim@contoso.example", Role::Member).await.unwrap();
        let refused = new_account(&closed, token(&invited), "192.0.2.1").await;
        assert!(matches!(refused, Err(AcceptError::SignUpClosed)), "{refused:?}");
        let kim = app.org("contoso").await.person("kim", Role::Member).await;
        accept(&closed, token(&invited), at(kim)).await.unwrap();
        closed.db().close().await;
    }

    async fn an_invitation_ends_when_its_inviter_can_no_longer_invite(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = org.person("dana", Role::Owner).await;
        let membership = Membership::find(&app.engine, at(dana), &org.org.slug).await.unwrap();
        let permit: Permit<to::InviteMembers> = membership.permit().unwrap();
        let permit = permit.confirmed(&confirmed(app, dana).await);
        let new = NewInvitation { email: "kim@example.com".parse().unwrap(), role: Role::Owner, shows_link: false, creation_token: None };
        let invited = invitations::create(&app.engine, &permit, new).await.unwrap();
        for (ends, restores) in [
            ("UPDATE memberships SET role = 'admin'", "UPDATE memberships SET role = 'owner'"),
            ("UPDATE users SET disabled_at = 1", "UPDATE users SET disabled_at = NULL"),
            ("UPDATE orgs SET second_factor_required = TRUE", "UPDATE orgs SET second_factor_required = FALSE"),
            ("DELETE FROM memberships", ""),
        ] {
            assert!(opens(app, &invited).await.is_some());
            app.database.execute(ends).await;
            assert_eq!(opens(app, &invited).await, None, "{ends}");
            let joined = new_account(&app.engine, token(&invited), "192.0.2.1").await;
            assert!(matches!(joined, Err(AcceptError::Gone)), "{ends}: {joined:?}");
            assert_eq!(invitations::list(&app.engine, &org.permit()).await.unwrap(), [], "{ends}");
            app.database.execute(restores).await;
        }
    }

    async fn a_link_made_under_the_pepper_before_still_works(app: &TestApp) {
        let org = app.org("northwind").await;
        let invited = invite(&org, "kim@example.com", Role::Member).await.unwrap();
        let [old, new] = [(1, 7), (2, 8)].map(|(version, byte)| Pepper::new(version, &[byte; 32]).unwrap());
        let rotated = app.another_engine(|settings| settings.peppers = Peppers::new(new.clone(), vec![old])).await;
        new_account(&rotated, token(&invited), "192.0.2.1").await.unwrap();
        let invited = invite(&org, "ann@example.com", Role::Member).await.unwrap();
        let of_both = |versions: &[i32]| {
            let pepper = |version: &i32| Pepper::new(*version, &[if *version == 1 { 7 } else { 8 }; 32]).unwrap();
            let mut peppers: Vec<Pepper> = versions.iter().map(pepper).collect();
            Peppers::new(peppers.remove(0), peppers)
        };
        peppers::accept(app.engine.db(), &of_both(&[1]), &app.clock).await.unwrap();
        app.clock.advance(1);
        peppers::accept(app.engine.db(), &of_both(&[2, 1]), &app.clock).await.unwrap();
        let uses = peppers::status(app.engine.db(), None, app.clock.now()).await.unwrap();
        assert_eq!((uses[&1].links, uses[&2].links), (1, 0));
        let without = app.another_engine(|settings| settings.peppers = Peppers::new(new, vec![])).await;
        assert_eq!(open(&without, token(&invited)).await.unwrap(), None);
        rotated.db().close().await;
        without.db().close().await;
    }

    async fn an_orgs_invitations_end_with_it_and_the_table_has_no_token_or_plain_digest(app: &TestApp) {
        let org = app.org("northwind").await;
        let invited = invite(&org, "kim@example.com", Role::Member).await.unwrap();
        assert!(!app.database.holds(token(&invited).expose()).await);
        app.database.execute("DELETE FROM projects").await;
        app.database.execute("DELETE FROM orgs").await;
        assert_eq!(app.database.number("SELECT COUNT(*) FROM invitations").await, 0);
    }
}

async fn invite(org: &TestOrg, email: &str, role: Role) -> Result<CreatedInvitation, InviteError> {
    let new = NewInvitation {
        email: email.parse().unwrap(),
        role,
        shows_link: false,
        creation_token: None,
    };
    invitations::create(&org.engine, &org.permit(), new).await
}

/// The token of the link that is shown.
fn token(invited: &CreatedInvitation) -> &InvitationToken {
    invited.token.as_ref().unwrap()
}

async fn opens(app: &TestApp, invited: &CreatedInvitation) -> Option<invitations::Opened> {
    open(&app.engine, token(invited)).await.unwrap()
}

async fn new_account(
    engine: &Engine,
    token: &InvitationToken,
    from: &str,
) -> Result<
    (
        latchkey::accounts::sessions::SignedIn,
        latchkey::access::Org,
    ),
    AcceptError,
> {
    let (name, password) = ("Kim".parse().unwrap(), PASSWORD.parse().unwrap());
    accept_with_new_account(engine, token, name, password, visit(from)).await
}

/// A signed-in user.
fn at(user_id: UserId) -> Person {
    Person {
        user_id,
        visit: Visit::default(),
    }
}

/// Postgres: the statements of SQLite wait for no lock.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn made_up_links_share_one_connection_however_many_are_opened() {
    let app = TestApp::on_postgres_under("latchkey").await;
    let held = app.database.hold_table("account_links").await;
    let random = Randomness::seeded(5);
    let texts: Vec<String> = (0..200)
        .map(|number| {
            let prefix = if number % 2 == 0 {
                "lk_acc_"
            } else {
                "lk_inv_"
            };
            PlainKey::generate(prefix, 26, &random)
                .unwrap()
                .expose()
                .to_owned()
        })
        .collect();
    let opened = join_all(texts.iter().map(async |text| {
        match text.parse() {
            Ok(token) => invitations::open(&app.engine, &token)
                .await
                .unwrap()
                .is_some(),
            Err(_) => {
                let token = text.parse().unwrap();
                links::open_sign_up(&app.engine, &token)
                    .await
                    .unwrap()
                    .is_some()
            }
        }
    }));
    let other = async {
        while app.database.waiting().await == 0 {
            tokio::task::yield_now().await;
        }
        // On the same connections.
        app.engine.db().ping().await.unwrap();
        assert_eq!(app.database.waiting().await, 1);
        drop(held);
    };
    let (opened, ()) = tokio::join!(opened, other);
    assert!(opened.iter().all(|is_one| !is_one));
    app.remove().await;
}
