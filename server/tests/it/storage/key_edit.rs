//! Editing keys.

use latchkey::{
    id::KeyId,
    key::{
        RevokeReason,
        metadata::Metadata,
        settings::{InvalidKeyField, SettingsChange},
    },
    keys::{
        Key,
        change_state::revoke,
        edit::{DomainsChange, EditDomains, EditKeyError, edit_domains},
        project::choices,
        show,
    },
    time::DAY,
};

use crate::test_app::{
    NOON, TestApp, TestOrg,
    org::{secret_key, widget_key, with},
    said,
};

on_both! {
    async fn what_is_given_is_changed_and_nothing_else(app: &TestApp) {
        let org = app.org("northwind").await;
        let metadata = Metadata::parse(r#"{"tier":"gold","seats":3.10}"#).unwrap();
        let made = org.create_key(with(secret_key("Production"), |settings| settings.notes = "Ask Dana.".to_owned())).await.unwrap();
        let change = SettingsChange {
            name: Some("Build server".parse().unwrap()),
            scopes: Some(vec!["bots:read".parse().unwrap()]),
            expires_at: Some(Some(NOON.plus(DAY))),
            ip_ranges: Some(vec!["10.0.0.0/8".parse().unwrap(), "2001:db8::1".parse().unwrap()]),
            metadata: Some(metadata.clone()),
            ..SettingsChange::default()
        };
        org.edit(made.id, change).await.unwrap();
        let key = details(app, &org, made.id).await;
        assert_eq!((key.summary.name.as_str(), key.settings.notes.as_str()), ("Build server", "Ask Dana."));
        assert_eq!(key.settings.scopes, ["bots:read".parse().unwrap()]);
        assert_eq!(key.summary.lifecycle.expires_at, Some(NOON.plus(DAY)));
        assert_eq!(key.settings.ip_ranges.iter().map(ToString::to_string).collect::<Vec<_>>(), ["10.0.0.0/8", "2001:db8::1"]);
        assert_eq!(key.settings.metadata, metadata);
        assert_eq!((key.summary.display, key.summary.created_at), (made.display, NOON));
        let found = latchkey::keys::list::KeyQuery { search: "BUILD".parse().unwrap(), ..Default::default() };
        assert_eq!(org.names(found).await, ["Build server"], "it is found under its new name");

        let never = SettingsChange { expires_at: Some(None), ..SettingsChange::default() };
        org.edit(made.id, never).await.unwrap();
        let key = details(app, &org, made.id).await;
        assert_eq!((key.summary.name.as_str(), key.summary.lifecycle.expires_at), ("Build server", None));
    }

    async fn an_external_id_is_trimmed_composed_and_bounded(app: &TestApp) {
        let org = app.org("northwind").await;
        let made = org.key("Production").await;
        let set = async |id: &str| {
            let change = SettingsChange { external_id: Some(Some(id.to_owned())), ..SettingsChange::default() };
            org.edit(made.id, change).await
        };
        let longest = "é".repeat(255);
        for (written, stored) in [("  user 1\n", Some("user 1")), ("Cafe\u{301}", Some("Café")), (longest.as_str(), Some(longest.as_str())), (" \t", None)] {
            set(written).await.unwrap();
            assert_eq!(details(app, &org, made.id).await.settings.external_id.as_deref(), stored, "{written:?}");
            let known = app.verify(&made.plain).await.key.unwrap();
            assert_eq!(known.settings.external_id.as_deref(), stored, "a warm key is told, too");
        }
        set("user 1").await.unwrap();
        for (wrong, error) in [
            ("x".repeat(256), InvalidKeyField::ExternalIdTooLong),
            ("a\nb".to_owned(), InvalidKeyField::ExternalIdUnreadable),
            ("a\0".to_owned(), InvalidKeyField::ExternalIdUnreadable),
            ("a\u{202e}b".to_owned(), InvalidKeyField::ExternalIdUnreadable),
        ] {
            let refused = set(&wrong).await;
            assert!(matches!(&refused, Err(EditKeyError::InvalidFields(wrong)) if wrong.is_only(&error)), "{wrong:?}: {refused:?}");
        }
        assert_eq!(details(app, &org, made.id).await.settings.external_id.as_deref(), Some("user 1"));
        let changes = app.database.texts("SELECT changes FROM audit_log WHERE event = 'key.updated' ORDER BY position DESC LIMIT 1").await;
        assert_eq!(changes, [r#"{"external_id":{"from":null,"to":"user 1"}}"#]);
    }

    async fn a_change_takes_effect_immediately_on_a_warm_key(app: &TestApp) {
        let org = app.org("northwind").await;
        let made = org.key("Production").await;
        assert_eq!(said(&app.verify(&made.plain).await), "VALID");
        let soon = SettingsChange { expires_at: Some(Some(NOON.plus(1_000))), ..SettingsChange::default() };
        org.edit(made.id, soon).await.unwrap();
        app.clock.advance(1_000);
        assert_eq!(said(&app.verify(&made.plain).await), "EXPIRED_API_KEY");
        let later = SettingsChange { expires_at: Some(Some(NOON.plus(DAY))), ..SettingsChange::default() };
        org.edit(made.id, later).await.unwrap();
        assert_eq!(said(&app.verify(&made.plain).await), "VALID", "an owner gives an expired key more time");
    }

    async fn domains_are_added_and_removed_one_by_one(app: &TestApp) {
        let org = app.org("northwind").await;
        let id = org.create_key(widget_key("Shop", &["shop.example"])).await.unwrap().id;
        let domain = |text: &str| text.parse().unwrap();
        let change = async |change| {
            let edit = EditDomains { domains: Some(change), ..EditDomains::default() };
            edit_domains(&app.engine, &org.permit(), id, edit).await
        };
        change(DomainsChange::Add(vec![domain("*.shop.example"), domain("shop.example")])).await.unwrap();
        assert_eq!(domains(app, &org, id).await, ["shop.example", "*.shop.example"]);
        change(DomainsChange::Remove(vec![domain("shop.example")])).await.unwrap();
        assert_eq!(domains(app, &org, id).await, ["*.shop.example"]);
        for (next, listed) in [("*.shop.example", ["back.example", "*.shop.example"]), ("gone.example", ["*.shop.example", "back.example"])] {
            change(DomainsChange::Insert(vec![domain("back.example")], domain(next))).await.unwrap();
            assert_eq!(domains(app, &org, id).await, listed, "a removed domain is back in its place");
            change(DomainsChange::Remove(vec![domain("back.example")])).await.unwrap();
        }
        let last = change(DomainsChange::Remove(vec![domain("*.shop.example")])).await;
        assert!(matches!(last, Err(EditKeyError::InvalidFields(ref wrong)) if wrong.is_only(&InvalidKeyField::DomainsNeeded)), "{last:?}");
        let others = SettingsChange { domains: Some(vec![domain("other.example")]), ..SettingsChange::default() };
        org.edit(id, others).await.unwrap();
        assert_eq!(domains(app, &org, id).await, ["other.example"]);
        let secret = org.key("Production").await.id;
        let edit = EditDomains { domains: Some(DomainsChange::Add(vec![domain("a.example")])), ..Default::default() };
        let refused = edit_domains(&app.engine, &org.permit(), secret, edit).await;
        assert!(matches!(refused, Err(EditKeyError::InvalidFields(ref wrong)) if wrong.is_only(&InvalidKeyField::DomainsOnSecretKey)), "{refused:?}");
    }

    async fn what_will_not_do_changes_nothing_of_what_will(app: &TestApp) {
        let org = app.org("northwind").await;
        let id = org.create_key(widget_key("Shop", &["shop.example"])).await.unwrap().id;
        let others_project = choices(&app.engine, &app.org("contoso").await.permit()).await.unwrap()[0].id;
        let rename = SettingsChange { name: Some("Renamed".parse().unwrap()), ..SettingsChange::default() };
        let refused: [(SettingsChange, &str); 4] = [
            (SettingsChange { scopes: Some(vec!["bots:eat".parse().unwrap()]), ..rename.clone() }, "scopes"),
            (SettingsChange { expires_at: Some(Some(NOON)), ..rename.clone() }, "expires_at"),
            (SettingsChange { notes: Some("x".repeat(2_001)), ..rename.clone() }, "notes"),
            (SettingsChange { project: Some(others_project), ..rename.clone() }, "project"),
        ];
        for (change, field) in refused {
            match org.edit(id, change).await {
                Err(EditKeyError::InvalidFields(wrong)) => assert_eq!(wrong.iter().map(InvalidKeyField::field).collect::<Vec<_>>(), [field]),
                other => panic!("{field}: {other:?}"),
            }
        }
        org.edit(id, SettingsChange { domains: Some(vec![]), ..rename }).await.unwrap_err();
        let key = details(app, &org, id).await;
        assert_eq!(key.summary.name.as_str(), "Shop");
        assert_eq!(key.project_name.as_str(), "Default");
    }

    async fn a_revoked_key_and_another_orgs_key_stay_as_they_are(app: &TestApp) {
        let (org, contoso) = (app.org("northwind").await, app.org("contoso").await);
        let (revoked, theirs) = (org.key("Old").await.id, contoso.key("Theirs").await.id);
        revoke(&app.engine, &org.permit(), revoked, RevokeReason::Unused).await.unwrap();
        let rename = || SettingsChange { name: Some("Renamed".parse().unwrap()), ..SettingsChange::default() };
        let of_revoked = org.edit(revoked, rename()).await;
        assert!(matches!(of_revoked, Err(EditKeyError::Revoked)), "{of_revoked:?}");
        let of_theirs = org.edit(theirs, rename()).await;
        assert!(matches!(of_theirs, Err(EditKeyError::NotFound)), "{of_theirs:?}");
        assert_eq!(contoso.summary(theirs).await.name.as_str(), "Theirs");
        assert_eq!(org.summary(revoked).await.name.as_str(), "Old");
    }
}

async fn details(app: &TestApp, org: &TestOrg, id: KeyId) -> Key {
    show::details(&app.engine, &org.permit(), id)
        .await
        .unwrap()
        .unwrap()
}

async fn domains(app: &TestApp, org: &TestOrg, id: KeyId) -> Vec<String> {
    let key = details(app, org, id).await;
    key.settings
        .domains
        .iter()
        .map(ToString::to_string)
        .collect()
}
