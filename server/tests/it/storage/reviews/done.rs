//! Changes of a key that do what was asked, and how that is undone.

use latchkey::{
    convention::Scope,
    key::{RevokeReason, settings::SettingsChange},
    keys::{
        change_state::{disable, enable, revoke},
        rotate::{Rotation, rotate},
    },
    reviews::{AskState, Aspect, NewReview, ReviewError, Verdict},
    role::Role,
    time::DAY,
};

use super::{AT_ONCE, asked, create, find, new, permit, states};
use crate::test_app::{
    NOON, TestApp,
    org::{secret_key, widget_key, with},
};

on_both! {
    async fn what_was_asked_is_done_when_the_key_was_changed_as_asked(app: &TestApp) {
        let org = app.org("northwind").await;
        let admin = org.person("ada", Role::Admin).await;
        let owner = org.person("olga", Role::Owner).await;
        let scopes = |names: &[&str]| -> Option<Vec<Scope>> { Some(names.iter().map(|name| name.parse().unwrap()).collect()) };
        let mut table = String::new();
        for verdict in [Verdict::Rotate, Verdict::Narrow, Verdict::Revoke] {
            for change in ["rotate", "narrow", "widen", "rename", "disable", "revoke"] {
                let settings = with(secret_key(change), |settings| settings.scopes = scopes(&["bots:read", "bots:write"]).unwrap());
                let key = org.create_key(settings).await.unwrap().id;
                let id = create(app, &org, admin, key, new(verdict)).await.unwrap();
                assert_eq!(find(app, &org, id).await.ask(app.clock.now()), Some(AskState::Open));
                app.clock.advance(2_000);
                match change {
                    "rotate" => { rotate(&app.engine, &permit(app, &org, owner).await, key, AT_ONCE).await.unwrap(); }
                    "narrow" => org.edit(key, SettingsChange { scopes: scopes(&["bots:read"]), ..SettingsChange::default() }).await.unwrap(),
                    "widen" => org.edit(key, SettingsChange { scopes: scopes(&[]), ..SettingsChange::default() }).await.unwrap(),
                    "rename" => org.edit(key, SettingsChange { name: Some("Renamed".parse().unwrap()), ..SettingsChange::default() }).await.unwrap(),
                    "disable" => disable(&app.engine, &permit(app, &org, owner).await, key).await.unwrap(),
                    _ => revoke(&app.engine, &permit(app, &org, owner).await, key, RevokeReason::Unused).await.unwrap(),
                }
                let review = find(app, &org, id).await;
                let state = review.ask(app.clock.now()).unwrap();
                if let Some(done) = &review.done {
                    assert_eq!(done.at, app.clock.now());
                    table += &format!("{verdict} {change}: {} {}\n", done.event, done.by.name.as_deref().unwrap_or(&done.by.kind));
                } else if ["disable", "revoke"].contains(&change) || state != AskState::Open {
                    table += &format!("{verdict} {change}: {}\n", state.as_str());
                }
            }
        }
        let expected = [
            "rotate rotate: key.rotated olga",
            "rotate disable: key.disabled olga",
            "rotate revoke: key.revoked olga",
            "narrow narrow: key.updated command_line",
            "narrow disable: key.disabled olga",
            "narrow revoke: key.revoked olga",
            "revoke disable: key.disabled olga",
            "revoke revoke: key.revoked olga",
        ];
        assert_eq!(table.lines().collect::<Vec<_>>(), expected);
        assert_eq!(asked(app, &org).await, 10);
    }

    async fn a_request_to_narrow_is_done_by_a_change_of_what_it_is_about(app: &TestApp) {
        let org = app.org("northwind").await;
        let admin = org.person("ada", Role::Admin).await;
        let none = SettingsChange::default;
        let changes = [
            ("scopes", SettingsChange { scopes: Some(vec!["bots:read".parse().unwrap()]), ..none() }),
            ("expiry", SettingsChange { expires_at: Some(Some(NOON.plus(90 * DAY))), ..none() }),
            ("later expiry", SettingsChange { expires_at: Some(Some(NOON.plus(200 * DAY))), ..none() }),
            ("ip_ranges", SettingsChange { ip_ranges: Some(vec!["192.0.2.0/24".parse().unwrap()]), ..none() }),
            ("domains", SettingsChange { domains: Some(vec!["shop.example".parse().unwrap()]), ..none() }),
            ("more domains", SettingsChange { domains: Some(vec!["shop.example".parse().unwrap(), "b.example".parse().unwrap(), "c.example".parse().unwrap()]), ..none() }),
            ("localhost", SettingsChange { localhost_forbidden: Some(true), ..none() }),
        ];
        for (name, change) in changes {
            let mut done = Vec::new();
            let aspects = Aspect::ALL.into_iter().filter(|aspect| aspect.is_for(Verdict::Narrow));
            for aspect in aspects.map(Some).chain([None]) {
                let new_key = with(widget_key(name, &["shop.example", "b.example"]), |settings| settings.expires_at = Some(NOON.plus(100 * DAY)));
                let key = org.create_key(new_key).await.unwrap().id;
                let id = create(app, &org, admin, key, NewReview { aspect, ..new(Verdict::Narrow) }).await.unwrap();
                org.edit(key, change.clone()).await.unwrap();
                let review = find(app, &org, id).await;
                assert_eq!(review.aspect, aspect);
                if review.ask(app.clock.now()) == Some(AskState::Done) {
                    done.push(aspect.map_or("any", Aspect::as_str));
                }
            }
            let expected = match name {
                "later expiry" | "more domains" => Vec::new(),
                one => vec![one, "any"],
            };
            assert_eq!(done, expected, "{name}");
        }
        let key = org.key("Other").await.id;
        let wrong = create(app, &org, admin, key, NewReview { aspect: Some(Aspect::Scopes), ..new(Verdict::Rotate) }).await;
        assert!(matches!(wrong, Err(ReviewError::WrongAspect(_))));
    }

    async fn a_request_to_allow_domains_is_done_by_another_domain_alone(app: &TestApp) {
        let org = app.org("northwind").await;
        let admin = org.person("ada", Role::Admin).await;
        let key = org.create_key(widget_key("Widget", &["a.example", "b.example"])).await.unwrap().id;
        let id = create(app, &org, admin, key, new(Verdict::AllowDomains)).await.unwrap();
        let domains = |domains: &[&str]| SettingsChange { domains: Some(domains.iter().map(|domain| domain.parse().unwrap()).collect()), ..SettingsChange::default() };
        let none = SettingsChange::default;
        for change in [
            SettingsChange { scopes: Some(vec!["bots:read".parse().unwrap()]), ..none() },
            SettingsChange { localhost_forbidden: Some(true), ..none() },
            domains(&["b.example"]),
        ] {
            org.edit(key, change).await.unwrap();
            assert_eq!(find(app, &org, id).await.ask(app.clock.now()), Some(AskState::Open));
        }
        org.edit(key, domains(&["b.example", "c.example"])).await.unwrap();
        assert_eq!(find(app, &org, id).await.ask(app.clock.now()), Some(AskState::Done));
        let secret = org.key("Server").await.id;
        let refused = create(app, &org, admin, secret, new(Verdict::AllowDomains)).await;
        assert!(matches!(refused, Err(ReviewError::NoDomains)));
    }

    async fn a_request_to_extend_is_done_by_a_later_expiry_or_none(app: &TestApp) {
        let org = app.org("northwind").await;
        let admin = org.person("ada", Role::Admin).await;
        let expiry = |days: Option<i64>| SettingsChange { expires_at: Some(days.map(|days| NOON.plus(days * DAY))), ..SettingsChange::default() };
        for (name, later) in [("Later", Some(90)), ("Never", None)] {
            let new_key = with(secret_key(name), |settings| settings.expires_at = Some(NOON.plus(10 * DAY)));
            let key = org.create_key(new_key).await.unwrap().id;
            let id = create(app, &org, admin, key, new(Verdict::Extend)).await.unwrap();
            org.edit(key, expiry(Some(5))).await.unwrap();
            assert_eq!(find(app, &org, id).await.ask(app.clock.now()), Some(AskState::Open), "{name}: earlier");
            org.edit(key, expiry(later)).await.unwrap();
            assert_eq!(find(app, &org, id).await.ask(app.clock.now()), Some(AskState::Done), "{name}");
        }
        // A key that another one replaces is revoked.
        let new_key = with(secret_key("Replaced"), |settings| settings.expires_at = Some(NOON.plus(10 * DAY)));
        let replaced = org.create_key(new_key).await.unwrap().id;
        let id = create(app, &org, admin, replaced, new(Verdict::Extend)).await.unwrap();
        revoke(&app.engine, &org.permit(), replaced, RevokeReason::Superseded).await.unwrap();
        assert_eq!(find(app, &org, id).await.ask(app.clock.now()), Some(AskState::Done));
        let unlimited = org.key("Unlimited").await.id;
        let refused = create(app, &org, admin, unlimited, new(Verdict::Extend)).await;
        assert!(matches!(refused, Err(ReviewError::NothingToExtend)));
    }

    async fn what_was_asked_of_a_key_that_is_enabled_again_is_asked_again(app: &TestApp) {
        let org = app.org("northwind").await;
        let admin = org.person("ada", Role::Admin).await;
        let key = org.key("Production").await.id;
        create(app, &org, admin, key, new(Verdict::Revoke)).await.unwrap();
        assert_eq!((asked(app, &org).await, states(&org).await), (1, [0, 1, 0]));
        disable(&app.engine, &org.permit(), key).await.unwrap();
        assert_eq!((asked(app, &org).await, states(&org).await), (0, [0, 0, 0]));
        // What disabling did is undone.
        enable(&app.engine, &org.permit(), key).await.unwrap();
        assert_eq!((asked(app, &org).await, states(&org).await), (1, [0, 1, 0]));
        // What was done besides stays done.
        let other = org.key("Staging").await.id;
        create(app, &org, admin, other, new(Verdict::Rotate)).await.unwrap();
        disable(&app.engine, &org.permit(), other).await.unwrap();
        rotate(&app.engine, &org.permit(), other, Rotation { overlap: 0, token: None }).await.unwrap();
        enable(&app.engine, &org.permit(), other).await.unwrap();
        assert_eq!(asked(app, &org).await, 1);
    }
}
