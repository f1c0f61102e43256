//! A new secret of a key that a member asked for is revealed by that member, once, and the key is rotated only then.

use latchkey::{
    access::{Permit, to},
    accounts::delete::delete,
    caller::{Person, Visit},
    id::{KeyId, UserId},
    key::{RevokeReason, text::PlainKey},
    key_requests::hand_over::{
        self, OPEN_FOR, OfferError, RevealError, Revealed, WithdrawError, find, find_own, offer,
        recipient, reveal, withdraw,
    },
    keys::{
        change_state::{disable, revoke, revoke_many},
        create::CreatedKey,
        rotate::{APART, RotateKeyError, Rotation, rotate},
    },
    members,
    revision::{AsKnown, Known},
    role::{AdminRights, Role},
    time::{DAY, HOUR},
};

use super::Team;
use crate::test_app::{TestApp, said};

/// A rotation with this overlap, from a form with this token.
fn rotation(overlap: i64, token: &str) -> Rotation {
    let token = Some(token.to_owned());
    Rotation { overlap, token }
}

impl Team<'_> {
    /// A key that the member has asked for and revealed.
    async fn key(&self) -> CreatedKey {
        let id = self.approved().await;
        let key = self.reveal(self.kim, id).await.unwrap().created;
        self.app.clock.advance(2 * APART);
        key
    }

    async fn offer(&self, by: UserId, id: KeyId, rotation: Rotation) -> Result<(), OfferError> {
        offer(
            &self.app.engine,
            &self.permit(by).await.unwrap(),
            id,
            rotation,
        )
        .await
    }

    async fn withdraw_secret(&self, by: UserId, id: KeyId) -> Result<(), WithdrawError> {
        withdraw(&self.app.engine, &self.permit(by).await.unwrap(), id).await
    }

    async fn reveal_secret(&self, by: UserId, id: KeyId) -> Result<Revealed, RevealError> {
        reveal(&self.app.engine, &self.permit(by).await.unwrap(), id).await
    }

    /// Whether the member can reveal a new secret of the key.
    async fn is_open(&self, id: KeyId) -> bool {
        let permit: Permit<to::RequestKeys> = self.permit(self.kim).await.unwrap();
        let own = find_own(&self.app.engine, &permit, id).await.unwrap();
        let seen = find(&self.app.engine, &self.org.permit(), id)
            .await
            .unwrap();
        assert_eq!(own, seen);
        own.is_some()
    }

    async fn rows(&self) -> i64 {
        self.app
            .database
            .number("SELECT COUNT(*) FROM key_hand_overs")
            .await
    }

    async fn secrets(&self, id: KeyId) -> i64 {
        let sql = format!("SELECT COUNT(*) FROM key_secrets WHERE key_id = '{id}'");
        self.app.database.number(&sql).await
    }

    async fn events(&self, id: KeyId) -> Vec<String> {
        let sql = format!("SELECT event FROM audit_log WHERE target_id = '{id}' ORDER BY seq");
        self.app.database.texts(&sql).await
    }
}

/// The sentence of a reveal that is refused.
fn sentence(refused: Result<Revealed, RevealError>) -> String {
    refused.unwrap_err().to_string()
}

async fn works(app: &TestApp, plain: &PlainKey) -> bool {
    said(&app.verify(plain).await) == "VALID"
}

on_both! {
    async fn an_offer_changes_nothing_and_the_first_of_many_reveals_rotates_the_key(app: &TestApp) {
        let team = Team::of(app).await;
        let old = team.key().await;
        let id = old.id;
        app.database.execute(&format!(
            "INSERT INTO reviews (id, org_id, key_id, verdict, comment, at, actor_kind, findings, codes) \
             VALUES ('rev_00000000000000000000000000000000', '{}', '{id}', 'rotate', '', 0, 'user', '[]', '')", team.org.org.id
        )).await;
        for _ in 0..2 {
            team.offer(team.dana, id, rotation(DAY, "a")).await.unwrap();
        }
        assert_eq!(team.events(id).await, ["key.created", "key.rotation_offered"], "a form that is submitted twice offers once");
        assert_eq!((team.secrets(id).await, team.rows().await, team.is_open(id).await), (1, 1, true));
        app.clock.advance(2 * DAY);
        assert!(works(app, &old.plain).await, "the overlap has not begun");
        assert_eq!(app.database.number("SELECT COUNT(*) FROM reviews WHERE done_at IS NOT NULL").await, 0);

        let permit: Permit<to::RequestKeys> = team.permit(team.kim).await.unwrap();
        let running: Vec<_> = (0..8).map(|_| {
            let (engine, permit) = (app.engine.clone(), permit.clone());
            tokio::spawn(async move { reveal(&engine, &permit, id).await })
        }).collect();
        let mut revealed = Vec::new();
        for one in running {
            match one.await.unwrap() {
                Ok(one) => revealed.push(one),
                Err(RevealError::AlreadyRevealed) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        assert_eq!((revealed.len(), team.secrets(id).await, team.rows().await), (1, 2, 0));
        let new = revealed.remove(0);
        assert_eq!(new.old_ends_at, Some(app.clock.now().plus(DAY)));
        assert!(works(app, &old.plain).await && works(app, &new.created.plain).await);
        assert_eq!(sentence(team.reveal_secret(team.kim, id).await), "The new secret was already revealed, and was shown at that time.");
        assert!(!app.database.holds(new.created.plain.expose()).await);
        let entry = app.database.texts("SELECT actor_id || ' ' || changes FROM audit_log WHERE event = 'key.rotated'").await.remove(0);
        assert!(entry.starts_with(&team.kim.to_string()) && entry.contains(&format!("\"offered_by\":{{\"from\":null,\"to\":\"{}\"}}", team.dana)), "{entry}");
        assert_eq!(app.database.texts("SELECT done_event FROM reviews").await, ["key.rotated"]);
        app.clock.advance(DAY);
        assert!(!works(app, &old.plain).await && works(app, &new.created.plain).await);
        // The form of the offer, submitted once more, does not offer another one.
        let again = team.offer(team.dana, id, rotation(DAY, "a")).await;
        assert!(matches!(again, Err(OfferError::Rotation(RotateKeyError::AlreadyRotated))), "{again:?}");
        assert!(matches!(team.withdraw_secret(team.dana, id).await, Err(WithdrawError::Revealed)));
    }

    async fn without_an_overlap_the_old_secret_ends_at_the_reveal(app: &TestApp) {
        let team = Team::of(app).await;
        let old = team.key().await;
        team.offer(team.dana, old.id, rotation(0, "a")).await.unwrap();
        disable(&app.engine, &team.org.permit(), old.id).await.unwrap();
        assert!(team.is_open(old.id).await, "a disabled key can be rotated");
        latchkey::keys::change_state::enable(&app.engine, &team.org.permit(), old.id).await.unwrap();
        assert!(works(app, &old.plain).await);
        let new = team.reveal_secret(team.kim, old.id).await.unwrap();
        assert_eq!(new.old_ends_at, None);
        assert!(!works(app, &old.plain).await && works(app, &new.created.plain).await);
    }

    async fn what_was_withdrawn_or_not_revealed_in_time_leaves_the_key_as_it_is(app: &TestApp) {
        let team = Team::of(app).await;
        let key = team.key().await;
        assert!(matches!(team.withdraw_secret(team.dana, key.id).await, Err(WithdrawError::NoneOpen)));
        team.offer(team.dana, key.id, rotation(0, "a")).await.unwrap();
        for owner in [team.olga, team.olga] {
            team.withdraw_secret(owner, key.id).await.unwrap();
        }
        assert_eq!(team.events(key.id).await, ["key.created", "key.rotation_offered", "key.rotation_withdrawn"]);
        assert_eq!(sentence(team.reveal_secret(team.kim, key.id).await), "The new secret was withdrawn before you revealed it. The current secret still works.");

        team.offer(team.dana, key.id, rotation(0, "b")).await.unwrap();
        app.clock.advance(OPEN_FOR - 1);
        assert!(team.is_open(key.id).await);
        app.clock.advance(1);
        assert!(!team.is_open(key.id).await);
        assert_eq!(sentence(team.reveal_secret(team.kim, key.id).await), "No new secret of this key waits for you. Ask an owner to rotate the key.");
        assert!(matches!(team.withdraw_secret(team.dana, key.id).await, Err(WithdrawError::NoneOpen)));
        assert_eq!(team.rows().await, 1);
        hand_over::delete_old(&app.engine).await.unwrap();
        assert_eq!((team.rows().await, team.secrets(key.id).await), (0, 1));
        assert!(works(app, &key.plain).await);
    }

    async fn another_rotation_offer_or_revocation_ends_it(app: &TestApp) {
        let team = Team::of(app).await;
        let key = team.key().await;
        team.offer(team.dana, key.id, rotation(0, "a")).await.unwrap();
        team.offer(team.olga, key.id, rotation(HOUR, "b")).await.unwrap();
        assert_eq!(team.rows().await, 1, "a key has one");
        let open = find(&app.engine, &team.org.permit(), key.id).await.unwrap().unwrap();
        assert_eq!((open.offered_by, open.overlap()), (team.olga, HOUR));
        rotate(&app.engine, &team.permit(team.dana).await.unwrap(), key.id, rotation(0, "c")).await.unwrap();
        assert_eq!(team.rows().await, 0);
        assert_eq!(sentence(team.reveal_secret(team.kim, key.id).await), "Someone else has rotated this key meanwhile. Ask them for the new secret.");

        app.clock.advance(2 * APART);
        team.offer(team.dana, key.id, rotation(0, "d")).await.unwrap();
        revoke(&app.engine, &team.org.permit(), key.id, RevokeReason::Unused).await.unwrap();
        assert_eq!(team.rows().await, 0);
        let refused = team.offer(team.dana, key.id, rotation(0, "e")).await;
        assert!(matches!(refused, Err(OfferError::Rotation(RotateKeyError::WrongState(_)))), "{refused:?}");
        let (one, two) = (team.key().await, team.key().await);
        for key in [&one, &two] {
            team.offer(team.dana, key.id, rotation(0, "f")).await.unwrap();
        }
        revoke_many(&app.engine, &team.org.permit(), &[one.id], RevokeReason::Unused).await.unwrap();
        assert_eq!((team.rows().await, team.is_open(two.id).await), (1, true), "only that of the revoked key");
    }

    async fn it_ends_with_the_membership_and_the_organization(app: &TestApp) {
        let team = Team::of(app).await;
        let key = team.key().await;
        let permit: Permit<to::RequestKeys> = team.permit(team.kim).await.unwrap();
        let join = format!(
            "INSERT INTO memberships (org_id, user_id, role, created_at) VALUES ('{}', '{}', 'member', 0)", team.org.org.id, team.kim
        );
        for leaves in [false, true] {
            team.offer(team.dana, key.id, rotation(0, "a")).await.unwrap();
            match leaves {
                true => members::leave(&app.engine, &team.permit(team.kim).await.unwrap()).await.unwrap(),
                false => members::remove(&app.engine, &team.org.permit(), team.kim).await.unwrap(),
            }
            let refused = reveal(&app.engine, &permit, key.id).await.unwrap_err();
            assert!(matches!(refused, RevealError::Fault(_)), "the permit has ended: {refused:?}");
            assert!(matches!(team.offer(team.dana, key.id, rotation(0, "b")).await, Err(OfferError::NobodyToReveal)));
            app.database.execute(&join).await;
            assert!(!team.is_open(key.id).await, "it does not come back");
        }
        let left = app.database.texts("SELECT changes FROM audit_log WHERE event = 'member.left'").await.remove(0);
        assert!(left.contains("\"withdrawn_new_secrets\":{\"from\":null,\"to\":1}"), "{left}");
        team.offer(team.dana, key.id, rotation(0, "c")).await.unwrap();
        delete(&app.engine, Person { user_id: team.kim, visit: Visit::default() }).await.unwrap();
        assert_eq!((team.rows().await, team.secrets(key.id).await), (0, 1));
        assert!(matches!(team.offer(team.dana, key.id, rotation(0, "d")).await, Err(OfferError::NobodyToReveal)));
    }

    async fn only_the_member_who_asked_reveals_it_and_only_while_the_offer_counts(app: &TestApp) {
        let team = Team::of(app).await;
        let key = team.key().await;
        let max = team.org.person("max", Role::Member).await;
        team.offer(team.dana, key.id, rotation(0, "a")).await.unwrap();
        for other in [team.dana, team.olga, max] {
            let refused = team.reveal_secret(other, key.id).await;
            assert!(matches!(refused, Err(RevealError::NotForCaller)), "{refused:?}");
            let permit: Permit<to::RequestKeys> = team.permit(other).await.unwrap();
            assert_eq!(find_own(&app.engine, &permit, key.id).await.unwrap(), None);
        }
        let contoso = app.org("contoso").await;
        let eve = contoso.person("eve", Role::Owner).await;
        let person = Person { user_id: eve, visit: Visit::default() };
        let eve = latchkey::access::Membership::find(&app.engine, person, &contoso.org.slug).await.unwrap();
        assert!(matches!(reveal(&app.engine, &eve.permit().unwrap(), key.id).await, Err(RevealError::NotFound)));
        assert!(matches!(withdraw(&app.engine, &eve.permit().unwrap(), key.id).await, Err(WithdrawError::NotFound)));
        let refused = offer(&app.engine, &eve.permit().unwrap(), key.id, rotation(0, "b")).await;
        assert!(matches!(refused, Err(OfferError::Rotation(RotateKeyError::NotFound))), "{refused:?}");
        assert_eq!(find(&app.engine, &eve.permit().unwrap(), key.id).await.unwrap(), None);
        assert_eq!(team.secrets(key.id).await, 1);

        // As an approval, it counts while whoever made it can do what they offered.
        for (set, unset) in [
            (format!("UPDATE users SET disabled_at = 0 WHERE id = '{}'", team.dana), "UPDATE users SET disabled_at = NULL".to_owned()),
            (
                format!("UPDATE memberships SET role = 'admin' WHERE user_id = '{}'", team.dana),
                format!("UPDATE memberships SET role = 'owner' WHERE user_id = '{}'", team.dana),
            ),
        ] {
            app.database.execute(&set).await;
            assert_eq!(sentence(team.reveal_secret(team.kim, key.id).await), "No new secret of this key waits for you. Ask an owner to rotate the key.");
            app.database.execute(&unset).await;
        }
        app.database.execute(&format!("UPDATE memberships SET role = 'admin' WHERE user_id = '{}'", team.dana)).await;
        app.database.execute(&format!("UPDATE orgs SET admin_rights = '{}'", AdminRights::ManageKeys)).await;
        team.reveal_secret(team.kim, key.id).await.unwrap();
    }

    async fn a_key_that_nobody_else_asked_for_has_nobody_to_reveal_it(app: &TestApp) {
        let team = Team::of(app).await;
        let (own, asked) = (team.org.key("Production").await, team.key().await);
        app.database.execute(&format!("UPDATE keys SET created_by = '{}' WHERE id = '{}'", team.kim, own.id)).await;
        let dana: Permit<to::RotateKeys> = team.permit(team.dana).await.unwrap();
        assert_eq!(recipient(&app.engine, &dana, own.id).await.unwrap(), None, "nobody asked for it");
        assert_eq!(recipient(&app.engine, &dana, asked.id).await.unwrap().unwrap().as_str(), "kim");
        assert!(matches!(offer(&app.engine, &dana, own.id, rotation(0, "a")).await, Err(OfferError::NobodyToReveal)));
        // Not a token or the command line: someone has offered it.
        assert!(matches!(offer(&app.engine, &team.org.permit(), asked.id, rotation(0, "b")).await, Err(OfferError::NobodyToReveal)));
        let stale = AsKnown { id: asked.id, known: Known::Tags(vec!["\"old\"".to_owned()]) };
        let refused = offer(&app.engine, &dana, stale, rotation(0, "c")).await;
        assert!(matches!(refused, Err(OfferError::Rotation(RotateKeyError::ChangedMeanwhile))), "{refused:?}");
        // Who asked and has become an owner sees the new secret themselves.
        team.set_role(team.kim, Role::Owner).await;
        let kim: Permit<to::RotateKeys> = team.permit(team.kim).await.unwrap();
        assert_eq!(recipient(&app.engine, &kim, asked.id).await.unwrap(), None);
        assert_eq!(team.rows().await, 0);
    }
}
