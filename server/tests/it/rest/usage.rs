//! `/v1/orgs/{org}/usage`.

use latchkey::{outcome::Outcome, time::DAY, usage::flush::flush, verify::Request};
use serde_json::json;

use crate::test_app::{TestApp, usage::past};

on_both! {
    async fn usage_is_what_was_decided(app: &TestApp) {
        let org = app.org("northwind").await;
        let (api, made) = (app.api().await, org.key("Production").await);
        for agent in [None, None, Some("agt_none")] {
            app.ask(&Request { key: Some(&made.plain), agent, ..Request::default() }).await;
        }
        flush(&app.engine).await.unwrap();
        for (query, steps) in [("", 30), ("?range=24h", 24), ("?range=7d", 7), ("?range=30d", 30), ("?range=12m", 12), ("?range=12mo", 12)] {
            let usage = api.get(&format!("/v1/orgs/northwind/usage{query}")).await.json();
            assert_eq!(usage["steps"].as_array().unwrap().len(), steps, "{query}");
            assert_eq!(usage["total"], json!({"passed": 2, "limited": 0, "refused": 1}), "{query}");
            assert_eq!(usage["refusals"], json!([{"code": "AGENT_NOT_FOUND", "count": 1}]));
            assert_eq!(usage["keys"], json!([{"id": made.id, "name": "Production", "passed": 2, "limited": 0, "refused": 1}]));
        }
        app.org("contoso").await;
        assert_eq!(api.get("/v1/orgs/contoso/usage").await.json()["total"]["passed"], 0);
    }

    async fn a_question_is_answered_with_the_time_and_the_zone_that_it_covers(app: &TestApp) {
        let org = app.org("northwind").await;
        let (api, one, two) = (app.api().await, org.key("=One").await.id, org.key("Two").await.id);
        app.set_time("2026-11-21T12:30:00Z");
        for (key, at, count) in [(one, "2026-11-20T22:30:00Z", 1), (one, "2026-11-20T23:30:00Z", 2), (two, "2026-11-21T12:10:00Z", 4)] {
            app.count(org.org.id, key, at, count).await;
        }
        let usage = async |query: &str| api.get(&format!("/v1/orgs/northwind/usage?{query}")).await.json();
        let days = usage("from=2026-11-19&step=day&tz=europe/berlin&group_by=key").await;
        let days = days.to_string().replace(&one.to_string(), "ONE").replace(&two.to_string(), "TWO").replace("},{", "},\n{");
        insta::allow_duplicates! { insta::assert_snapshot!(days, @r#"
        {"agents":[],"ends_at":"2026-11-21T12:31:00.000Z","from":"2026-11-18T23:00:00.000Z","groups":{"by":"key","data":[{"id":"TWO","limited":0,"name":"Two","passed":4,"refused":0},
        {"id":"ONE","limited":0,"name":"=One","passed":3,"refused":0}],"other":{"limited":0,"passed":0,"refused":0}},"keys":[{"id":"TWO","limited":0,"name":"Two","passed":4,"refused":0},
        {"id":"ONE","limited":0,"name":"=One","passed":3,"refused":0}],"range":null,"refusals":[],"step":"day","steps":[{"limited":0,"passed":0,"refused":0,"starts_at":"2026-11-18T23:00:00.000Z"},
        {"limited":0,"passed":1,"refused":0,"starts_at":"2026-11-19T23:00:00.000Z"},
        {"limited":0,"passed":6,"refused":0,"starts_at":"2026-11-20T23:00:00.000Z"}],"to":"2026-11-21T12:31:00.000Z","total":{"limited":0,"passed":7,"refused":0},"total_before":{"limited":0,"passed":0,"refused":0},"tz":"Europe/Berlin","unusual_days":[]}
        "#) };
        let only = usage(&format!("range=7d&key={one}&outcome=VALID&outcome=RATE_LIMITED&group_by=agent")).await;
        assert_eq!((&only["total"]["passed"], &only["groups"]["other"]["passed"], &only["range"]), (&json!(3), &json!(3), &json!("7d")));
        assert_eq!(only["keys"].as_array().unwrap().len(), 1, "{only}");
        let file = api.get("/v1/orgs/northwind/usage.csv?from=2026-11-20&to=2026-11-22&step=day&group_by=key").await;
        assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
        let text = file.text().replace(&one.to_string(), "ONE").replace(&two.to_string(), "TWO");
        insta::allow_duplicates! { insta::assert_snapshot!(text.replace("\r\n", "\n"), @"
        row,from,to,step,tz,id,name,passed,limited,refused
        step,2026-11-20T00:00:00.000Z,2026-11-21T00:00:00.000Z,day,UTC,,,3,0,0
        step,2026-11-21T00:00:00.000Z,2026-11-22T00:00:00.000Z,day,UTC,,,4,0,0
        group,2026-11-20T00:00:00.000Z,2026-11-22T00:00:00.000Z,day,UTC,TWO,Two,4,0,0
        group,2026-11-20T00:00:00.000Z,2026-11-22T00:00:00.000Z,day,UTC,ONE,'=One,3,0,0
        other,2026-11-20T00:00:00.000Z,2026-11-22T00:00:00.000Z,day,UTC,,,0,0,0
        total,2026-11-20T00:00:00.000Z,2026-11-22T00:00:00.000Z,day,UTC,,,7,0,0
        ") };
    }

    async fn a_day_far_above_those_before_is_named_for_one_key_and_for_all(app: &TestApp) {
        let org = app.org("northwind").await;
        let (api, shop, other) = (app.api().await, org.key("Shop").await.id, org.key("Other").await.id);
        app.set_time("2026-12-31T12:30:00Z");
        let at = |day: i64| app.clock.now().plus(-day * DAY);
        let usual = (0..40).flat_map(|day| [(shop, 100), (other, 200)].map(|(key, count)| past(org.org.id, key, at(day), Outcome::Valid, count)));
        // Ten days ago, five times as much and one more; nine days ago, not that one.
        let more = [(10, Outcome::Valid, 901), (10, Outcome::RateLimited, 100), (9, Outcome::Valid, 400)];
        let more = more.map(|(day, outcome, count)| past(org.org.id, shop, at(day), outcome, count));
        app.store_past(&usual.chain(more).collect::<Vec<_>>()).await;
        let days = async |query: &str| api.get(&format!("/v1/orgs/northwind/usage?{query}")).await.json()["unusual_days"].clone();
        let day = |measure: &str, count: i64, usual: i64, starts_at: &str| json!({"starts_at": starts_at, "measure": measure, "count": count, "usual": usual});
        let of_key = json!([day("requests", 1_101, 100, "2026-12-21T00:00:00.000Z"), day("rejected", 100, 0, "2026-12-21T00:00:00.000Z")]);
        for query in ["range=30d", "from=2026-12-21", "from=2026-12-21&to=2026-12-22&step=day"] {
            let expected = if query.ends_with("12-21") { json!([]) } else { of_key.clone() };
            // Without a `step`, ten days are shown by the hour.
            assert_eq!(days(&format!("key={shop}&{query}")).await, expected, "{query}");
        }
        let rejected = json!([day("rejected", 100, 0, "2026-12-20T18:30:00.000Z".replace("18:30", "19:00").as_str())]);
        assert_eq!(days("range=30d&tz=Asia/Kolkata").await, rejected, "1,301 requests are not five times 300");
        for query in [&format!("key={other}"), "range=12m", "range=24h", "kind=secret", &format!("key={shop}&key={other}")] {
            assert_eq!(days(query).await, json!([]), "{query}");
        }
    }

    async fn what_cannot_be_answered_is_an_error_that_says_what_can(app: &TestApp) {
        let org = app.org("northwind").await;
        let theirs = app.org("contoso").await.key("Theirs").await.id;
        let api = app.api().await;
        drop(org);
        let mut text = String::new();
        for query in [
            "range=1y", "range=7d&from=2026-11-01", "to=2026-11-01", "from=2026-11-01&to=2026-10-01", "from=2020-01-01", "step=minute",
            "range=30d&step=hour", "tz=Mars%2FBase", "kind=agent&kind=s", "key=1&project=2", "group_by=day", "rnage=7d", "tz=UTC&tz=UTC",
            &format!("key={theirs}"), "project=prj_00000000000000000000000000000000", "agent=agt_0000000000000000000000",
        ] {
            let answer = api.get(&format!("/v1/orgs/northwind/usage?{query}")).await;
            assert_eq!(answer.status, 400, "{query}");
            for error in answer.json()["errors"].as_array().unwrap() {
                text += &format!("{} {}\n", error["field"].as_str().unwrap(), error["detail"].as_str().unwrap());
            }
            assert_eq!(api.get(&format!("/v1/orgs/northwind/usage.csv?{query}")).await.status, 400, "{query}");
        }
        let text = text.replace(&theirs.to_string(), "THEIRS");
        insta::allow_duplicates! { insta::assert_snapshot!(text, @"
        range must be one of `24h`, `7d`, `30d`, `12m`
        range cannot be combined with `from` and `to`. Send one or the other.
        to needs `from`, too
        to must be later than `from`
        from must be 2023-11-23 or later. Older counts are not kept
        step can be `minute` only if `from` is in the last 48 hours: older counts are not kept by the minute
        step gives more than 400 steps. Choose a longer `step`, or less time
        tz must be the name of a time zone, such as `UTC` or `Europe/Berlin`
        kind must be one of `secret`, `widget`, `agent`
        key must be the ID of a key, such as `key_01…`
        project must be the ID of a project, such as `prj_01…`
        group_by must be one of `key`, `project`, `environment`, `kind`, `class`, `agent`, `outcome`
        rnage is unknown. Use any of `range`, `from`, `to`, `step`, `tz`, `key`, `project`, `environment`, `kind`, `class`, `agent`, `outcome`, `group_by`.
        tz appears twice. Send it once.
        key `THEIRS` was not found in this organization
        project `prj_00000000000000000000000000000000` was not found in this organization
        agent `agt_0000000000000000000000` was not found in this organization
        ") };
    }
}
