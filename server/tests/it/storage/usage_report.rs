//! Usage reports.

use latchkey::{
    agents::{AgentSettings, create::create, delete::delete},
    convention::Convention,
    id::KeyId,
    key::RevokeReason,
    keys::change_state::{disable, revoke},
    outcome::Outcome,
    time::{DAY, HOUR, MINUTE, Timestamp},
    usage::{
        flush::flush,
        parts,
        question::Question,
        report::{self, Counts, Range, Report},
        roll::roll,
    },
    verify::Request,
};

use crate::test_app::{
    NOON, TestApp, TestOrg,
    org::{agent, secret_key, with},
    usage::{past, time},
};

/// A key that the organization does not have, so that its counts are the org's alone.
fn some() -> KeyId {
    KeyId::new(0, [1; 10])
}

on_both! {
    async fn every_range_has_its_steps(app: &TestApp) {
        let org = app.org("northwind").await;
        app.set_time("2026-03-31T23:59:59.999Z");
        let mut text = String::new();
        for range in [Range::Hours24, Range::Days7, Range::Days30, Range::Months12] {
            let report = report::of_org(&app.engine, &org.permit(), &Question::of_range(range)).await.unwrap();
            let (first, last) = (report.steps[0].starts_at, report.steps[report.steps.len() - 1].starts_at);
            text += &format!(
                "{range:?}: {} steps, {} to {}, ends {}\n",
                report.steps.len(), utc(first), utc(last), utc(report.ends_at)
            );
        }
        insta::allow_duplicates! { insta::assert_snapshot!(text, @r"
        Hours24: 24 steps, 2026-03-31T00:00:00Z to 2026-03-31T23:00:00Z, ends 2026-04-01T00:00:00Z
        Days7: 7 steps, 2026-03-25T00:00:00Z to 2026-03-31T00:00:00Z, ends 2026-04-01T00:00:00Z
        Days30: 30 steps, 2026-03-02T00:00:00Z to 2026-03-31T00:00:00Z, ends 2026-04-01T00:00:00Z
        Months12: 12 steps, 2025-04-01T00:00:00Z to 2026-03-01T00:00:00Z, ends 2026-04-01T00:00:00Z
        ") };
    }

    async fn months_begin_on_their_first_day_whatever_their_length(app: &TestApp) {
        let org = app.org("northwind").await;
        app.set_time("2028-02-29T00:00:00Z");
        let report = report::of_org(&app.engine, &org.permit(), &Question::of_range(Range::Months12)).await.unwrap();
        let starts: Vec<String> = report.steps.iter().map(|step| utc(step.starts_at)[..10].to_owned()).collect();
        assert_eq!(starts.join(" "), "2027-03-01 2027-04-01 2027-05-01 2027-06-01 2027-07-01 2027-08-01 2027-09-01 \
             2027-10-01 2027-11-01 2027-12-01 2028-01-01 2028-02-01");
        assert_eq!(utc(report.ends_at), "2028-03-01T00:00:00Z");
    }

    async fn a_count_falls_into_the_step_that_holds_it(app: &TestApp) {
        let org = app.org("northwind").await;
        app.set_time("2026-03-01T00:00:00Z");
        for (day, count) in [("2026-01-31", 1), ("2026-02-01", 2), ("2026-02-28", 4), ("2026-03-01", 8), ("2025-02-28", 16), ("2025-03-01", 32)] {
            app.count(org.org.id, some(), day, count).await;
        }
        let months = report::of_org(&app.engine, &org.permit(), &Question::of_range(Range::Months12)).await.unwrap();
        assert_eq!(of_steps(&months), "2026-01-01: 1, 2026-02-01: 6, 2026-03-01: 8");
        assert_eq!((months.total.passed, months.total_before.unwrap().passed), (15, 16));
        let days = report::of_org(&app.engine, &org.permit(), &Question::of_range(Range::Days7)).await.unwrap();
        assert_eq!(of_steps(&days), "2026-02-28: 4, 2026-03-01: 8");
        assert_eq!((days.total.passed, days.total_before.unwrap().passed), (12, 0));
        let days = report::of_org(&app.engine, &org.permit(), &Question::of_range(Range::Days30)).await.unwrap();
        assert_eq!(of_steps(&days), "2026-01-31: 1, 2026-02-01: 2, 2026-02-28: 4, 2026-03-01: 8");
    }

    async fn the_time_before_touches_the_range_and_is_as_long_as_what_has_gone_by_of_it(app: &TestApp) {
        let org = app.org("northwind").await;
        app.set_time("2026-11-21T12:30:00Z");
        for (hour, count) in [
            ("2026-11-21T12", 1), ("2026-11-20T13", 2), ("2026-11-20T12", 4), ("2026-11-20T11", 8), ("2026-11-19T13", 16), ("2026-11-19T12", 32),
        ] {
            // Of this hour, the minutes follow.
            if hour != "2026-11-20T12" {
                app.count(org.org.id, some(), &format!("{hour}:00:00Z"), count).await;
            }
        }
        for (minute, count) in [("12:00", 1), ("12:29", 1), ("12:30", 2)] {
            app.count(org.org.id, some(), &format!("2026-11-20T{minute}:00Z"), count).await;
        }
        let report = report::of_org(&app.engine, &org.permit(), &Question::of_range(Range::Hours24)).await.unwrap();
        assert_eq!((report.total.passed, report.total_before.unwrap().passed), (3, 26));
    }

    async fn a_steady_use_has_not_changed_whenever_one_looks(app: &TestApp) {
        let org = app.org("northwind").await;
        let key = org.key("Steady").await.id;
        app.set_time("2026-11-26T00:20:00Z");
        // Ten an hour, three of them in the first minutes.
        let first = app.clock.now().floor(HOUR);
        let counts = (0..800 * 24).flat_map(|hour| {
            let at = first.plus(-hour * HOUR);
            let of = |at, count| past(org.org.id, key, at, Outcome::Valid, count);
            [of(at, 3), of(at.plus(20 * MINUTE), 7)].into_iter().take(if hour == 0 { 1 } else { 2 })
        });
        app.store_past(&counts.collect::<Vec<_>>()).await;
        for range in Range::ALL {
            let report = report::of_org(&app.engine, &org.permit(), &Question::of_range(range)).await.unwrap();
            assert_eq!((report.total.passed - report.total_before.unwrap().passed).abs(), 0, "{range:?}");
            let part = parts::of_keys(&app.engine, &org.permit(), range, 10).await.unwrap().busiest.remove(0);
            assert_eq!((part.counts, part.before), (report.total, report.total_before.unwrap()), "{range:?}: as the org");
        }
    }

    async fn what_cannot_be_used_is_not_among_the_keys_in_use(app: &TestApp) {
        let org = app.org("northwind").await;
        let used = org.key("Used").await.id;
        org.key("Not used").await;
        let (revoked, disabled) = (org.key("Revoked").await.id, org.key("Disabled").await.id);
        org.create_key(with(secret_key("Expired"), |settings| settings.expires_at = Some(NOON.plus(1)))).await.unwrap();
        revoke(&app.engine, &org.permit(), revoked, RevokeReason::Unused).await.unwrap();
        disable(&app.engine, &org.permit(), disabled).await.unwrap();
        app.clock.advance(1);
        for key in [used, revoked] {
            app.count(org.org.id, key, "2026-11-21", 1).await;
        }
        let in_use = async |period| parts::keys_in_use(&app.engine, &org.permit(), period).await.unwrap();
        let today = NOON.floor(DAY);
        assert_eq!(in_use((today, today.plus(DAY))).await, parts::KeysInUse { active: 2, used: 1 });
        app.set_time("2027-02-01T00:00:00Z");
        roll(&app.engine).await.unwrap();
        let now = app.clock.now();
        assert_eq!(in_use((now.plus(-7 * DAY), now.plus(DAY))).await, parts::KeysInUse { active: 2, used: 0 });
    }

    async fn the_keys_in_use_of_a_period_that_is_over_are_those_that_were_used_in_it(app: &TestApp) {
        let org = app.org("northwind").await;
        let [often, once, limited] = [org.key("Often").await.id, org.key("Once").await.id, org.key("Limited").await.id];
        org.key("Never").await;
        app.set_time("2026-12-31T12:00:00Z");
        let later = org.key("Later").await.id;
        let org_id = org.org.id;
        let of = |key, at: &str, outcome| past(org_id, key, time(at), outcome, 1);
        app.store_past(&[
            of(often, "2026-12-01T10:00:00Z", Outcome::Valid), of(often, "2026-12-31T10:30:00Z", Outcome::Valid),
            of(once, "2026-12-05T00:00:00Z", Outcome::Valid),
            of(limited, "2026-12-05T10:00:00Z", Outcome::RateLimited), of(limited, "2026-12-31T11:00:00Z", Outcome::Valid),
            of(later, "2026-12-31T11:59:00Z", Outcome::Valid),
        ]).await;
        for (from, until, active, used) in [
            ("2026-12-01", "2026-12-02", 4, 1), ("2026-12-01", "2026-12-06", 4, 2), ("2026-12-02", "2026-12-05", 4, 0),
            ("2026-12-05", "2026-12-06", 4, 1), ("2026-12-05T00:00:00Z", "2026-12-05T00:01:00Z", 4, 1),
            ("2026-12-31T10:00:00Z", "2026-12-31T11:00:00Z", 4, 1), ("2026-12-31T10:31:00Z", "2026-12-31T11:59:00Z", 4, 1),
            ("2026-12-01", "2027-01-01", 5, 4),
        ] {
            let in_use = parts::keys_in_use(&app.engine, &org.permit(), (time(from), time(until))).await.unwrap();
            assert_eq!(in_use, parts::KeysInUse { active, used }, "{from} {until}");
        }
    }

    async fn outcomes_are_grouped_and_refusals_come_most_frequent_first(app: &TestApp) {
        let org = app.org("northwind").await;
        for (outcome, count) in [
            (Outcome::Valid, 50), (Outcome::RateLimited, 7), (Outcome::InvalidApiKey, 9), (Outcome::InsufficientScope, 1),
        ] {
            app.store_past(&[past(org.org.id, some(), NOON, outcome, count)]).await;
        }
        let report = report::of_org(&app.engine, &org.permit(), &Question::of_range(Range::Days7)).await.unwrap();
        assert_eq!(report.total, Counts { passed: 50, limited: 7, refused: 10 });
        assert_eq!(report.total.all(), 67);
        let refusals: Vec<String> = report.refusals.iter().map(|(outcome, n)| format!("{outcome} {n}")).collect();
        assert_eq!(refusals, ["INVALID_API_KEY 9", "RATE_LIMITED 7", "INSUFFICIENT_SCOPE 1"]);
    }

    async fn keys_are_listed_by_use_with_the_time_before(app: &TestApp) {
        let org = app.org("northwind").await;
        let (busy, quiet, never) = (org.key("Busy").await.id, org.key("Quiet").await.id, org.key("Never").await.id);
        for (key, day, count) in [(busy, "2026-11-21", 5), (busy, "2026-11-13", 3), (quiet, "2026-11-20", 1)] {
            app.count(org.org.id, key, day, count).await;
        }
        let keys = parts::of_keys(&app.engine, &org.permit(), Range::Days7, 50).await.unwrap();
        let listed: Vec<String> =
            keys.busiest.iter().map(|key| format!("{} {} {}", key.name, key.counts.all(), key.before.all())).collect();
        assert_eq!(listed, ["Busy 5 3", "Quiet 1 0"]);
        let requests = parts::requests_of_keys(&app.engine, &org.permit(), &[busy, never]).await.unwrap();
        assert_eq!(requests.into_iter().collect::<Vec<_>>(), [(busy, 8)]);
        assert!(parts::requests_of_keys(&app.engine, &org.permit(), &[]).await.unwrap().is_empty());
        let of_busy = report::with_details(&app.engine, &org.permit(), &Question::of_key(busy, Range::Days7)).await.unwrap();
        assert_eq!((of_busy.total.all(), of_busy.total_before.unwrap().all()), (5, 3));
    }

    async fn agents_whose_public_id_stood_in_for_a_key_have_a_part_of_their_own(app: &TestApp) {
        let engine = app.another_engine(|settings| settings.convention = Convention::built_in("corthex").unwrap()).await;
        let (org, other) = (TestOrg::make(&engine, "northwind").await, TestOrg::make(&engine, "contoso").await);
        let public = AgentSettings { public_embedding: true, ..agent("Support", &["shop.example"]) };
        let made = create(&engine, &org.permit(), &public).await.unwrap();
        let id = made.public_id.to_string();
        for origin in ["https://shop.example", "https://shop.example", "https://evil.example"] {
            let request = Request { agent: Some(&id), origin: Some(origin), ..Request::default() };
            latchkey::verify::verify(&engine, &request).await.unwrap();
        }
        flush(&engine).await.unwrap();
        let parts = parts::of_agents(&engine, &org.permit(), Range::Days7, 50).await.unwrap();
        let parts: Vec<_> = parts.busiest.iter().map(|part| (part.id, part.name.as_str(), part.counts)).collect();
        assert_eq!(parts, [(made.public_id, "Support", Counts { passed: 2, limited: 0, refused: 1 })]);
        assert!(parts::of_keys(&engine, &org.permit(), Range::Days7, 50).await.unwrap().busiest.is_empty());
        assert!(parts::of_agents(&engine, &other.permit(), Range::Days7, 50).await.unwrap().busiest.is_empty());
        delete(&engine, &org.permit(), made.public_id).await.unwrap();
        assert!(parts::of_agents(&engine, &org.permit(), Range::Days7, 50).await.unwrap().busiest.is_empty());
    }

    async fn a_key_that_was_only_used_before_is_listed_with_nothing_now(app: &TestApp) {
        let org = app.org("northwind").await;
        let key = org.key("Gone quiet").await.id;
        app.count(org.org.id, key, "2026-11-10", 4).await;
        let keys = parts::of_keys(&app.engine, &org.permit(), Range::Days7, 50).await.unwrap().busiest;
        assert_eq!((keys.len(), keys[0].counts.all(), keys[0].before.all()), (1, 0, 4));
    }
}

fn utc(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.as_millis())
        .unwrap()
        .to_string()
}

/// The steps with counts.
fn of_steps(report: &Report) -> String {
    let steps: Vec<String> = report
        .steps
        .iter()
        .filter(|step| step.counts.all() > 0)
        .map(|step| format!("{}: {}", &utc(step.starts_at)[..10], step.counts.all()))
        .collect();
    steps.join(", ")
}
