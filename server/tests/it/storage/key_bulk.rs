//! Disabling and revoking many keys in one operation.

use latchkey::{
    id::KeyId,
    key::{RevokeReason, Status},
    keys::change_state::{BulkError, BulkOutcome, MOST_AT_ONCE, disable_many, revoke, revoke_many},
};

use crate::test_app::{TestApp, said};

on_both! {
    async fn each_key_is_told_what_became_of_it(app: &TestApp) {
        let (org, contoso) = (app.org("northwind").await, app.org("contoso").await);
        let (one, two, revoked) = (org.key("One").await, org.key("Two").await, org.key("Revoked").await.id);
        let theirs = contoso.key("Theirs").await;
        revoke(&app.engine, &org.permit(), revoked, RevokeReason::LeftTeam).await.unwrap();
        for plain in [&one.plain, &two.plain, &theirs.plain] {
            assert_eq!(said(&app.verify(plain).await), "VALID");
        }
        let nothing: KeyId = "key_00000000000000000000000000000000".parse().unwrap();
        let chosen = [one.id, revoked, theirs.id, nothing, one.id];
        let told = disable_many(&app.engine, &org.permit(), &chosen).await.unwrap();
        let mut expected = vec![
            (one.id, BulkOutcome::Done),
            (revoked, BulkOutcome::WrongState(Status::Revoked)),
            (theirs.id, BulkOutcome::NotFound),
            (nothing, BulkOutcome::NotFound),
        ];
        expected.sort_by_key(|(id, _)| *id);
        assert_eq!(told, expected);
        assert_eq!(said(&app.verify(&one.plain).await), "INVALID_API_KEY disabled", "it takes effect immediately");
        for plain in [&two.plain, &theirs.plain] {
            assert_eq!(said(&app.verify(plain).await), "VALID");
        }
        let told = revoke_many(&app.engine, &org.permit(), &[one.id, two.id, revoked], RevokeReason::Unused).await.unwrap();
        assert_eq!(told.iter().filter(|(_, outcome)| *outcome == BulkOutcome::Done).count(), 2);
        assert_eq!(said(&app.verify(&two.plain).await), "INVALID_API_KEY revoked");
        assert_eq!(org.summary(revoked).await.revoke_reason, Some(RevokeReason::LeftTeam), "the first reason is kept");
    }

    async fn too_many_change_nothing(app: &TestApp) {
        let org = app.org("northwind").await;
        let key = org.key("Production").await;
        let mut ids: Vec<KeyId> = (0..MOST_AT_ONCE).map(|number| KeyId::new(number as i64, [1; 10])).collect();
        ids.push(key.id);
        let refused = disable_many(&app.engine, &org.permit(), &ids).await;
        assert!(matches!(refused, Err(BulkError::TooMany)), "{refused:?}");
        assert_eq!(said(&app.verify(&key.plain).await), "VALID");
        ids.remove(0);
        disable_many(&app.engine, &org.permit(), &ids).await.unwrap();
        assert_eq!(said(&app.verify(&key.plain).await), "INVALID_API_KEY disabled");
    }
}
