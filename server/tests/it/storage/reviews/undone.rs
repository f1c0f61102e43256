//! What was done as a reviewer asked, and is undone.

use latchkey::{
    key::settings::SettingsChange,
    reviews::{AskState, Aspect, NewReview, Verdict},
    role::Role,
    time::DAY,
};

use super::{asked, create, find, new};
use crate::test_app::{
    NOON, TestApp,
    org::{widget_key, with},
};

on_both! {
    async fn what_was_asked_is_asked_again_when_it_is_undone(app: &TestApp) {
        let org = app.org("northwind").await;
        let admin = org.person("ada", Role::Admin).await;
        let none = SettingsChange::default;
        let scopes = |names: &[&str]| SettingsChange { scopes: Some(names.iter().map(|name| name.parse().unwrap()).collect()), ..none() };
        let ranges = |ranges: &[&str]| SettingsChange { ip_ranges: Some(ranges.iter().map(|range| range.parse().unwrap()).collect()), ..none() };
        let domains = |domains: &[&str]| SettingsChange { domains: Some(domains.iter().map(|domain| domain.parse().unwrap()).collect()), ..none() };
        let expiry = |days: Option<i64>| SettingsChange { expires_at: Some(days.map(|days| NOON.plus(days * DAY))), ..none() };
        let localhost = |forbidden| SettingsChange { localhost_forbidden: Some(forbidden), ..none() };
        let narrow = |aspect| NewReview { aspect: Some(aspect), ..new(Verdict::Narrow) };
        // What does it, what leaves it done, and what takes it back.
        let rows = [
            ("localhost", narrow(Aspect::Localhost), localhost(true), domains(&["a.example"]), localhost(false)),
            ("listed localhost", narrow(Aspect::Localhost), domains(&["a.example", "b.example"]), scopes(&["bots:read"]), domains(&["http://localhost:3000"])),
            ("scopes", narrow(Aspect::Scopes), scopes(&["bots:read"]), scopes(&["bots:read", "conversations:read"]), scopes(&[])),
            ("ranges", narrow(Aspect::IpRanges), ranges(&["10.0.0.0/8"]), ranges(&["10.0.0.0/8", "192.0.2.10"]), ranges(&[])),
            ("expiry", narrow(Aspect::Expiry), expiry(Some(90)), expiry(Some(99)), expiry(Some(100))),
            ("no expiry", narrow(Aspect::Expiry), expiry(Some(90)), localhost(true), expiry(None)),
            ("domains", narrow(Aspect::Domains), domains(&["a.example"]), domains(&["a.example", "b.example"]), domains(&["a.example", "b.example", "http://localhost:3000"])),
            ("anything", new(Verdict::Narrow), SettingsChange { expires_at: Some(Some(NOON.plus(90 * DAY))), ..scopes(&["bots:read"]) }, expiry(None), scopes(&[])),
            ("another domain", new(Verdict::AllowDomains), domains(&["a.example", "c.example"]), scopes(&["bots:read"]), domains(&["a.example"])),
            ("a later expiry", new(Verdict::Extend), expiry(Some(150)), expiry(None), expiry(Some(100))),
        ];
        for (name, asked, does, leaves, undoes) in rows {
            let settings = with(widget_key(name, &["a.example", "b.example", "http://localhost:3000"]), |settings| settings.expires_at = Some(NOON.plus(100 * DAY)));
            let key = org.create_key(settings).await.unwrap().id;
            let id = create(app, &org, admin, key, asked).await.unwrap();
            let mut states = Vec::new();
            for change in [&does, &leaves, &undoes, &does] {
                app.clock.advance(20_000);
                org.edit(key, change.clone()).await.unwrap();
                states.push(find(app, &org, id).await.ask(app.clock.now()).unwrap());
            }
            assert_eq!(states, [AskState::Done, AskState::Done, AskState::Open, AskState::Done], "{name}");
            assert_eq!(find(app, &org, id).await.done.unwrap().at, app.clock.now(), "{name}");
        }
    }

    async fn what_is_asked_no_more_is_not_asked_again_when_it_is_undone(app: &TestApp) {
        let org = app.org("northwind").await;
        let admin = org.person("ada", Role::Admin).await;
        let localhost = |forbidden| SettingsChange { localhost_forbidden: Some(forbidden), ..SettingsChange::default() };
        let mut ids = Vec::new();
        for name in ["Kept", "Other"] {
            let key = org.create_key(widget_key(name, &["a.example"])).await.unwrap().id;
            let ask = NewReview { aspect: Some(Aspect::Localhost), ..new(Verdict::Narrow) };
            ids.push((key, create(app, &org, admin, key, ask).await.unwrap()));
            app.clock.advance(1_000);
            org.edit(key, localhost(true)).await.unwrap();
        }
        let [(kept, first), (_, other)] = ids[..] else { panic!("{ids:?}") };
        create(app, &org, admin, kept, new(Verdict::Keep)).await.unwrap();
        app.clock.advance(1_000);
        org.edit(kept, localhost(false)).await.unwrap();
        assert_ne!(find(app, &org, first).await.ask(app.clock.now()), Some(AskState::Open));
        assert_eq!(find(app, &org, other).await.ask(app.clock.now()), Some(AskState::Done), "of another key");
        assert_eq!(asked(app, &org).await, 0);
    }
}
