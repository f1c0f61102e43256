//! The start of the log: only Latchkey moves it, and only because of the age of entries.

use std::time::Duration;

use latchkey::{
    Engine,
    audit::{BrokenChain, InvalidCheckpoint, check_beginning, retention::delete_old, seal, verify},
    backup::{self, Backup},
    peppers,
    time::DAY,
};

use super::{
    backup::destroy,
    peppers::{of, with},
};
use crate::test_app::TestApp;

const TEN_DAYS: Duration = Duration::from_secs(10 * 24 * 3_600);

on_both! {
    async fn a_beginning_that_was_moved_is_named_and_nothing_more_is_deleted(app: &TestApp) {
        let org = app.org("northwind").await;
        for name in ["One", "Two", "Three"] {
            org.key(name).await;
        }
        move_to(app, 1).await;
        assert!(matches!(broken(&app.engine).await, InvalidCheckpoint::NotSealed(1)));
        app.clock.advance(11 * DAY);
        let refused = delete_old(&app.engine, TEN_DAYS).await;
        assert!(matches!(refused, Err(BrokenChain::Checkpoint(InvalidCheckpoint::NotSealed(1)))), "{refused:?}");
        assert_eq!(entries(app).await, 3, "retention does not seal someone else's change");
    }

    async fn what_retention_stored_fits_no_other_beginning(app: &TestApp) {
        let org = app.org("northwind").await;
        app.clock.advance(11 * DAY);
        for name in ["One", "Two", "Three"] {
            org.key(name).await;
        }
        delete_old(&app.engine, TEN_DAYS).await.unwrap();
        assert_eq!(verify(&app.engine, None).await.unwrap().count, 3);
        let first = app.database.texts("SELECT CAST(position AS TEXT) FROM audit_checkpoint").await;
        assert_eq!(first, ["1"]);
        move_to(app, 2).await;
        let changed = broken(&app.engine).await;
        assert!(matches!(changed, InvalidCheckpoint::Changed(2)), "{changed:?}");
        assert!(changed.to_string().contains("Entries up to this position may be missing"), "{changed}");
        app.database.execute("UPDATE audit_checkpoint SET mac = NULL, pepper_version = NULL").await;
        assert!(matches!(broken(&app.engine).await, InvalidCheckpoint::NotSealed(2)));
        app.database.execute("UPDATE audit_checkpoint SET position = 0").await;
        assert!(matches!(broken(&app.engine).await, InvalidCheckpoint::Changed(0)), "the hash belongs to an entry");
        let zeros = app.database.blob(&[0; 32]);
        app.database.execute(&format!("UPDATE audit_checkpoint SET hash = {zeros}")).await;
        assert!(matches!(broken(&app.engine).await, InvalidCheckpoint::Reset));
        app.database.execute("DELETE FROM audit_deleted_seqs").await;
        let gap = verify(&app.engine, None).await;
        assert!(matches!(gap, Err(BrokenChain::At(ref place)) if place.position == 3), "{gap:?}");
    }

    async fn a_saved_head_is_not_found_in_a_beginning_that_was_made_up(app: &TestApp) {
        app.org("northwind").await.key("One").await;
        let head = verify(&app.engine, None).await.unwrap().hash;
        move_to(app, 2).await;
        for position in [0, 2] {
            app.database.execute(&format!("UPDATE audit_checkpoint SET position = {position}")).await;
            let verified = verify(&app.engine, Some(&head)).await;
            assert!(matches!(verified, Err(BrokenChain::Checkpoint(_))), "{verified:?}");
        }
    }

    async fn entries_that_were_made_to_look_old_are_not_deleted(app: &TestApp) {
        let org = app.org("northwind").await;
        org.key("One").await;
        org.key("Two").await;
        app.database.without_audit_triggers("UPDATE audit_log SET at = 0 WHERE position <= 2").await;
        let refused = delete_old(&app.engine, TEN_DAYS).await;
        assert!(matches!(refused, Err(BrokenChain::At(ref place)) if place.position == 2), "{refused:?}");
        app.database.without_audit_triggers("UPDATE audit_log SET pepper_version = 9 WHERE position <= 2").await;
        delete_old(&app.engine, TEN_DAYS).await.unwrap();
        assert_eq!(entries(app).await, 3, "an entry that cannot be checked is as old as the next one that can");
    }

    async fn entries_whose_pepper_is_gone_are_deleted_once_a_later_one_is_old(app: &TestApp) {
        app.org("northwind").await.key("One").await;
        app.clock.advance(5 * DAY);
        let rotated = with(app, &[(2, 8)]).await;
        crate::test_app::TestOrg::make(&rotated, "contoso").await;
        app.clock.advance(6 * DAY);
        delete_old(&rotated, TEN_DAYS).await.unwrap();
        assert_eq!(entries(app).await, 3);
        app.clock.advance(5 * DAY);
        delete_old(&rotated, TEN_DAYS).await.unwrap();
        assert_eq!(entries(app).await, 0);
        assert_eq!(verify(&rotated, None).await.unwrap().count, 0);
    }

    async fn the_beginning_moves_to_the_current_pepper(app: &TestApp) {
        let org = app.org("northwind").await;
        app.clock.advance(11 * DAY);
        org.key("One").await;
        delete_old(&app.engine, TEN_DAYS).await.unwrap();
        let (both, new) = (with(app, &[(2, 8), (1, 7)]).await, with(app, &[(2, 8)]).await);
        assert_eq!(verify(&both, None).await.unwrap().count, 1);
        assert!(matches!(broken(&new).await, InvalidCheckpoint::NoPepper(1)));
        assert!(matches!(delete_old(&new, TEN_DAYS).await, Err(BrokenChain::Checkpoint(InvalidCheckpoint::NoPepper(1)))));
        let under_one = async || {
            let status = peppers::status(app.engine.db(), None, app.clock.now()).await.unwrap();
            status.get(&1).map_or(0, |used| used.audit_entries)
        };
        assert_eq!(under_one().await, 2, "the entry and the start");
        delete_old(&both, TEN_DAYS).await.unwrap();
        check_beginning(new.db(), &of(&[(2, 8)])).await.unwrap();
        assert_eq!(under_one().await, 1);
        let behind = with(app, &[(1, 7), (2, 8)]).await;
        delete_old(&behind, TEN_DAYS).await.unwrap();
        check_beginning(new.db(), &of(&[(2, 8)])).await.unwrap();
    }

    async fn a_beginning_from_an_earlier_version_is_accepted_once_and_only_by_the_operator(app: &TestApp) {
        let org = app.org("northwind").await;
        app.clock.advance(11 * DAY);
        org.key("One").await;
        assert_eq!(seal(&app.engine).await.unwrap(), None, "nothing was deleted");
        delete_old(&app.engine, TEN_DAYS).await.unwrap();
        assert_eq!(seal(&app.engine).await.unwrap(), None);
        app.database.execute("UPDATE audit_checkpoint SET mac = NULL, pepper_version = NULL").await;
        let missing = broken(&app.engine).await;
        assert!(missing.to_string().contains("run `latchkey audit seal` once"), "{missing}");
        assert_eq!(seal(&app.engine).await.unwrap(), Some(1));
        assert_eq!(verify(&app.engine, None).await.unwrap().count, 1);
        move_to(app, 2).await;
        assert!(matches!(seal(&app.engine).await, Err(InvalidCheckpoint::Changed(2))));
        assert!(matches!(broken(&app.engine).await, InvalidCheckpoint::Changed(2)));
    }

    async fn the_beginning_is_in_a_backup(app: &TestApp) {
        let org = app.org("northwind").await;
        app.clock.advance(11 * DAY);
        org.key("One").await;
        delete_old(&app.engine, TEN_DAYS).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("latchkey.backup");
        backup::create(app.engine.db(), &app.clock, &file).await.unwrap();
        destroy(app).await;
        Backup::open(&file).unwrap().restore(app.engine.db()).await.unwrap();
        assert_eq!(verify(&app.engine, None).await.unwrap().count, 1);
        app.clock.advance(11 * DAY);
        delete_old(&app.engine, TEN_DAYS).await.unwrap();
        assert_eq!(verify(&app.engine, None).await.unwrap().count, 0);
    }
}

/// Moves the start and deletes the entries before it, as someone with write access to the database can.
async fn move_to(app: &TestApp, position: i64) {
    let hash = format!("(SELECT hash FROM audit_log WHERE position = {position})");
    for sql in [
        format!("UPDATE audit_checkpoint SET position = {position}, hash = {hash}"),
        format!("DELETE FROM audit_log WHERE position <= {position}"),
    ] {
        app.database.execute(&sql).await;
    }
}

async fn broken(engine: &Engine) -> InvalidCheckpoint {
    match verify(engine, None).await {
        Err(BrokenChain::Checkpoint(invalid)) => invalid,
        other => panic!("{other:?}"),
    }
}

async fn entries(app: &TestApp) -> i64 {
    app.database.number("SELECT COUNT(*) FROM audit_log").await
}
