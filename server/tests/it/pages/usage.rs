//! The usage of an org's keys: the page, what its island shows of another question, and its files.

use latchkey::{
    agents::create::create as create_agent, keys::create::CreatedKey, outcome::Outcome, projects,
    role::Role, time::DAY, usage::flush::flush,
};

use crate::test_app::{Browser, TestApp, TestOrg, org::agent, usage::past};

/// An org with a key that was used forty days ago and now.
async fn used(app: &TestApp) -> TestOrg {
    let org = app.org("northwind").await;
    let key = org.key("Production").await;
    app.clock.advance(40 * latchkey::time::DAY);
    for _ in 0..2 {
        app.verify(&key.plain).await;
    }
    flush(&app.engine).await.unwrap();
    org
}

async fn usage(browser: &Browser, query: &str) -> serde_json::Value {
    let answer = browser
        .call("/api/usage", &[("org", "northwind"), ("query", query)])
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("cache-control"), "no-store");
    answer.json()
}

on_both! {
    async fn the_island_is_shown_of_a_question_what_its_page_shows(app: &TestApp) {
        let org = used(app).await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        for (query, step) in [
            ("range=24h", "hour"), ("range=7d", "day"), ("range=12m", "month"), ("from=2026-12-01&group_by=kind&outcome=VALID", "day"),
        ] {
            let shown = usage(&owner, query).await;
            assert_eq!(shown["query"], query);
            let page = owner.get(&format!("/orgs/northwind/usage?{query}")).await.text();
            let (said, html) = (shown["said"].as_str().unwrap(), shown["html"].as_str().unwrap().replace("<!>", ""));
            assert!(said.ends_with(": 2 requests.") && html.contains(&format!("per {step}")), "{said} {html}");
            assert!(page.contains(&html), "{html} is not in {page}");
        }
    }

    async fn the_page_cuts_days_in_the_zone_that_its_viewer_chose(app: &TestApp) {
        let org = used(app).await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let page = owner.get("/orgs/northwind/usage").await.text();
        assert!(page.contains("times in UTC"), "{page}");
        let chosen = owner.submit("/account/profile", &[("change", "time_zone"), ("time_zone", "Asia/Kolkata")]).await;
        assert_eq!(chosen.status, 303);
        let profile = owner.get("/account/profile").await.text();
        let option = profile.split("<option").find(|option| option.contains("Asia/Kolkata")).unwrap();
        assert!(option.contains("selected") && option.contains(">Kolkata (UTC+5:30)"), "{option}");
        let page = owner.get("/orgs/northwind/usage?range=7d").await.text();
        assert!(page.contains("times in Asia/Kolkata") && page.contains("data-from=\"2026-12-25\""), "{page}");
        let months = owner.get("/orgs/northwind/usage?range=12m").await.text();
        assert!(months.contains("months in UTC, because"), "{months}");
        let wrong = owner.submit("/account/profile", &[("change", "time_zone"), ("time_zone", "Mars/Base")]).await;
        assert!(wrong.text().contains("Select a time zone of the list."), "{wrong:?}");
    }

    async fn a_question_that_is_invalid_says_what_is_wrong(app: &TestApp) {
        let org = used(app).await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        for (query, sentence) in [
            ("from=2020-01-01", "The first day must be "), ("range=1y", "Invalid filters"), ("step=minute&range=30d", "The steps can be minutes only if the first day is in the last 48 hours"),
            ("key=key_00000000000000000000000000000000", "was not found in this organization"),
            ("from=2027-01-01", "The first day must be in the past."), ("last=2026-12-01", "The last day needs a first day, too."),
            ("from=2026-12-10&last=2026-12-09", "The last day must not be before the first day."),
            ("from=2026-12-10T10:00&to=2026-12-10T09:00", "The end must be later than the start."),
            ("from=2026-12-31T12:30", "The start must be in the past."),
        ] {
            let page = owner.get(&format!("/orgs/northwind/usage?{query}")).await.text();
            assert!(page.contains(sentence) && page.contains("Clear filters"), "{query}: {page}");
        }
    }

    async fn days_that_have_not_come_are_neither_shown_nor_exported(app: &TestApp) {
        let org = used(app).await;
        let query = "from=2026-12-25&last=2027-01-20";
        for (now, last, days) in [("2026-12-31T23:59:59Z", "Dec 31, 2026", 7), ("2027-01-01T00:00:00Z", "Dec 25, 2026 – Jan 1, 2027", 8), ("2027-01-21T00:00:00Z", "Jan 20, 2027", 27)] {
            app.set_time(now);
            let owner = app.signed_in(&org, &format!("dana{days}"), Role::Owner).await;
            let page = owner.get(&format!("/orgs/northwind/usage?{query}")).await.text();
            assert_eq!((page.contains(last), page.matches("data-from=").count()), (true, days), "{now}: {page}");
            // Only what is over is drawn as such, and does not change any more.
            assert_eq!((page.contains("so far"), page.contains("data-over")), (days < 27, days == 27), "{now}: {page}");
            assert!(page.contains("value=\"2026-12-25\"") && page.contains("value=\"2027-01-20\""), "what was asked stays: {page}");
            let csv = owner.get(&format!("/orgs/northwind/usage.csv?{query}")).await.text();
            assert_eq!(csv.lines().filter(|line| line.starts_with("step,")).count(), days, "{now}: {csv}");
            let json = owner.get(&format!("/orgs/northwind/usage.json?{query}")).await.json();
            assert_eq!(json["steps"].as_array().unwrap().len(), days, "{now}: {json}");
        }
    }

    async fn whole_days_have_fields_for_days_and_parts_of_a_day_for_times(app: &TestApp) {
        let org = used(app).await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let page = async |query: &str| owner.get(&format!("/orgs/northwind/usage?{query}")).await.text();
        let months = page("range=12m").await;
        assert!(months.contains("usage?from=2026-12-01&amp;to=2027-01-01"), "{months}");
        let month = page("from=2026-12-01&to=2027-01-01").await;
        assert!(month.contains("First day") && month.contains("value=\"2026-12-01\"") && month.contains("value=\"2026-12-31\""), "{month}");
        assert!(month.contains("Dec 1 – Dec 31, 2026") && month.contains("usage?from=2026-12-20&amp;to=2026-12-21"), "{month}");
        let hours = page("from=2026-12-31T08:00:00.000Z&to=2026-12-31T10:30:00.000Z").await;
        assert!(hours.contains("datetime-local") && hours.contains("value=\"2026-12-31T08:00\"") && hours.contains("value=\"2026-12-31T10:30\""), "{hours}");
        assert!(hours.contains("No requests in this period") && !hours.contains("First day"), "{hours}");
        owner.submit("/account/profile", &[("change", "time_zone"), ("time_zone", "Asia/Kolkata")]).await;
        // As the form sends it: the viewer's time. The minute under way is the last.
        let local = page("from=2026-12-31T17%3A00&to=2026-12-31T18%3A00").await;
        assert!(local.contains("value=\"2026-12-31T17:00\"") && local.contains("Dec 31, 17:00 – now"), "{local}");
        assert!(local.contains(">2</dd>"), "{local}");
    }

    async fn a_key_is_found_by_its_name(app: &TestApp) {
        let org = used(app).await;
        let id = app.database.texts("SELECT id FROM keys").await.remove(0);
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let page = async |name: &str| owner.get(&format!("/orgs/northwind/usage?key={name}")).await.text();
        for name in ["production", "Produc"] {
            let shown = page(name).await;
            assert!(shown.contains("Requests of Production (") && shown.contains(&format!("usage.csv?key={id}")), "{name}: {shown}");
        }
        assert!(page("").await.contains("<option value=\"Production\">"), "names are offered");
        org.key("Production").await;
        org.key("Preview").await;
        assert!(page("Production").await.contains("Key “Production” is the name of several keys. Enter an ID."));
        assert!(page("Pr").await.contains("Key “Pr” is a part of several names."));
        assert!(page("Shop").await.contains("Key “Shop” was not found."));
        assert_eq!(app.signed_in(&org, "mo", Role::Member).await.get("/orgs/northwind/usage?key=Preview").await.status, 403);
    }

    async fn the_heading_names_what_is_shown_and_tells_equal_names_apart(app: &TestApp) {
        let org = used(app).await;
        let shop = projects::create(&app.engine, &org.permit(), &"Shop".parse().unwrap()).await.unwrap();
        let (one, two) = (org.key("Website widget").await, org.key("Website widget").await);
        let agent = create_agent(&app.engine, &org.permit(), &agent("Support", &[])).await.unwrap();
        for key in [&one, &two] {
            app.verify(&key.plain).await;
        }
        flush(&app.engine).await.unwrap();
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let head = async |query: &str| {
            let page = owner.get(&format!("/orgs/northwind/usage?{query}")).await.text();
            let after = page.split_once("<h1>Usage").unwrap().1.split_once("<p>").unwrap().1;
            after.split_once(" · ").unwrap().0.replace("<!>", "")
        };
        let shown = async |key: &CreatedKey| format!("Website widget ({})", org.summary(key.id).await.display);
        let (first, second) = (shown(&one).await, shown(&two).await);
        assert_ne!(first, second);
        let (one, two, id) = (one.id, two.id, agent.public_id);
        for (query, heading) in [
            ("range=24h".to_owned(), "All keys".to_owned()),
            (format!("key={one}"), format!("Requests of {first}")),
            (format!("key={two}&key={one}&environment=live"), format!("Requests of {second} and {first}: Live")),
            (format!("agent={id}"), format!("Requests of Support ({id})")),
            (format!("project={shop}&outcome=VALID"), "Requests in Shop: Passed".to_owned()),
            ("kind=secret&outcome=RATE_LIMITED".to_owned(), "Requests: Secret keys, Rate limited".to_owned()),
        ] {
            assert_eq!(head(&query).await, heading, "{query}");
        }
        let table = owner.get("/orgs/northwind/usage").await.text();
        for key in [one, two] {
            let display = org.summary(key).await.display;
            assert!(table.contains(&format!("Website widget</a><code class=\"muted small\">{display}</code>")), "{table}");
        }
        assert!(table.contains(">Production</a></th>"), "no other has its name: {table}");
        let refused = owner.get(&format!("/orgs/northwind/usage/refusals?key={one}&agent={id}")).await.text();
        let refused = refused.replace("<!>", "");
        assert!(refused.contains(&format!(">{first}</a> of the agent <a")) && refused.contains(&format!(">Support ({id})</a>. Times")), "{refused}");
        let log = owner.get(&format!("/orgs/northwind/audit?key={two}")).await.text();
        assert!(log.contains(&format!(">{second}</a>")), "{log}");
    }

    async fn what_is_counted_of_a_choice_of_outcomes_is_no_share_of_all(app: &TestApp) {
        let org = used(app).await;
        app.clock.advance(3 * latchkey::time::DAY);
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let page = async |query: &str| owner.get(&format!("/orgs/northwind/usage?{query}")).await.text();
        assert!(page("range=7d").await.contains("<dt>Rejected</dt><dd class=\"figure\">0%"), "shares of all requests");
        let passed = page("range=7d&outcome=VALID").await;
        assert!(passed.contains("<dt>Requests shown</dt>") && passed.contains("<dt>Passed</dt>") && !passed.contains("<dt>Rejected</dt>"), "{passed}");
        let in_use = async |query: &str| {
            let page = page(query).await.replace("<!>", "");
            page.split_once("<dt>Keys in use</dt>").map(|(_, after)| after.split("<small>").next().unwrap().to_owned())
        };
        let figure = |used: u32| Some(format!("<dd class=\"figure\">{used} "));
        assert_eq!(in_use("from=2026-12-25").await, figure(1));
        assert_eq!(in_use("from=2026-12-30&to=2027-01-01").await, figure(1), "also of a period that is over");
        assert_eq!(in_use("from=2026-12-25&outcome=VALID").await, None, "the figure is about all requests");
    }

    async fn what_is_on_the_page_is_exported(app: &TestApp) {
        let org = used(app).await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let page = owner.get("/orgs/northwind/usage?range=7d&group_by=kind").await.text();
        assert!(page.contains("/orgs/northwind/usage.csv?range=7d&amp;group_by=kind"), "{page}");
        let csv = owner.get("/orgs/northwind/usage.csv?range=7d&group_by=kind").await;
        assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
        assert!(csv.text().ends_with(",day,UTC,secret,secret,2,0,0\r\nother,2026-12-25T00:00:00.000Z,2027-01-01T00:00:00.000Z,day,UTC,,,0,0,0\r\n\
             total,2026-12-25T00:00:00.000Z,2027-01-01T00:00:00.000Z,day,UTC,,,2,0,0\r\n"), "{}", csv.text());
        let by_key = owner.get("/orgs/northwind/usage.csv?range=7d").await.text();
        assert!(by_key.contains("\r\ngroup,") && by_key.contains(",Production,2,0,0\r\nother,"), "{by_key}");
        let json = owner.get("/orgs/northwind/usage.json?range=7d&group_by=kind").await;
        assert_eq!((&json.json()["total"]["passed"], &json.json()["groups"]["data"][0]["id"]), (&2.into(), &"secret".into()));
    }

    async fn a_member_is_shown_the_totals_alone(app: &TestApp) {
        let org = used(app).await;
        let (ben, kim) = (app.signed_in(&org, "ben", Role::Member).await, app.signed_in(&org, "kim", Role::Admin).await);
        let html = async |browser, query| usage(browser, query).await["html"].as_str().unwrap().to_owned();
        let member = html(&ben, "range=7d&group_by=environment").await;
        for hidden in ["Production", "By key", "Export", "Key (name", "All projects"] {
            assert!(!member.contains(hidden), "{hidden}: {member}");
        }
        assert!(member.contains("By environment"), "{member}");
        assert_eq!(ben.get("/orgs/northwind/usage?group_by=key").await.status, 403);
        let admin = html(&kim, "range=7d").await;
        assert!(admin.contains("Production") && admin.contains("Export CSV"), "{admin}");
    }

    async fn a_day_that_stands_out_is_marked_and_says_what_was_changed_then(app: &TestApp) {
        let org = app.org("northwind").await;
        let key = org.key("Production").await.id;
        app.clock.advance(39 * DAY);
        let kim = app.signed_in(&org, "kim", Role::Owner).await;
        let disabled = kim.submit(&format!("/orgs/northwind/keys/{key}"), &[("change", "disable")]).await;
        assert_eq!(disabled.status, 303);
        let now = app.clock.now();
        let mut counts: Vec<_> = (1..39).map(|ago| past(org.org.id, key, now.plus(-ago * DAY), Outcome::Valid, 200)).collect();
        counts.push(past(org.org.id, key, now, Outcome::OriginNotAllowed, 1_001));
        app.clock.advance(DAY);
        app.store_past(&counts).await;
        let (owner, ben) = (app.signed_in(&org, "lee", Role::Owner).await, app.signed_in(&org, "ben", Role::Member).await);
        let how = "1,001 requests, usually at most 200 a day; 1,001 rejected or rate limited, usually none";
        let log = format!("/orgs/northwind/audit?key={key}&amp;from=2026-12-30&amp;to=2026-12-30");
        for path in [format!("usage?key={key}"), format!("usage?range=7d&key={key}"), format!("keys/{key}")] {
            let page = owner.get(&format!("/orgs/northwind/{path}")).await.text();
            let text = page.replace("<!>", "");
            for part in [&format!("<b>Dec 30, 2026</b>: {how}."), "<b>Disabled</b> by kim", &log, "class=\"unusual\"", &format!("rejected. Stood out: {how}<")] {
                assert!(text.contains(part), "{part} is not in {path}: {page}");
            }
            assert!(page.contains("Stood out</th>") && page.matches("class=\"unusual\"").count() == 1, "{page}");
        }
        let all = owner.get("/orgs/northwind/usage").await.text();
        assert!(all.contains("/orgs/northwind/audit?event=key.*&amp;from=2026-12-30&amp;to=2026-12-30") || all.contains("audit?event=key.%2A&amp;from=2026-12-30"), "{all}");
        let member = ben.get("/orgs/northwind/usage").await.text();
        assert!(member.contains(how) && !member.contains("/audit") && !member.contains("by kim"), "{member}");
        for other in ["range=24h", "range=12m", "environment=live"] {
            let page = owner.get(&format!("/orgs/northwind/usage?{other}")).await.text();
            assert!(!page.contains("tood out") && !page.contains("class=\"unusual"), "{other}: {page}");
        }
    }

    async fn unusual_requests_say_when_they_were_noticed(app: &TestApp) {
        let org = app.org("northwind").await;
        let key = org.key("Production").await.id;
        app.clock.advance(30 * DAY);
        let now = app.clock.now();
        let mut counts: Vec<_> = (2..30).map(|ago| past(org.org.id, key, now.plus(-ago * DAY), Outcome::Valid, 200)).collect();
        counts.push(past(org.org.id, key, now, Outcome::Valid, 90_000));
        app.store_past(&counts).await;
        latchkey::alerts::notice(&app.engine).await.unwrap();
        app.clock.advance(2 * DAY);
        let page = app.signed_in(&org, "dana", Role::Owner).await.get("/orgs/northwind/usage").await.text();
        assert!(page.contains("Unusual requests") && page.contains(" in 24 hours, usually at most 200 a day. Noticed on <time") && page.contains(">Dec 21, 2026, 12:00 UTC</time>"), "{page}");
    }

    async fn what_people_wrote_stays_text(app: &TestApp) {
        let org = app.org("northwind").await;
        let key = org.key("<img src=x onerror=alert(1)>").await;
        app.verify(&key.plain).await;
        flush(&app.engine).await.unwrap();
        let shown = usage(&app.signed_in(&org, "dana", Role::Owner).await, "range=7d").await;
        let html = shown["html"].as_str().unwrap();
        assert!(html.contains("&lt;img src=x") && !html.contains("<img"), "{html}");
    }
}
