//! The links of the audit log: each leads to something that its reader can open.

use std::collections::BTreeSet;

use latchkey::{
    agents::create::create as create_agent, event::Event, key::RevokeReason,
    keys::change_state::revoke, projects, role::Role, service_tokens::TokenScope,
};

use crate::test_app::{Browser, TestApp, org::agent};

const AUDIT: &str = "/orgs/northwind/audit";

/// The links in the sentences and columns of all pages of the log.
async fn links(reader: &Browser) -> BTreeSet<String> {
    let mut links = BTreeSet::new();
    let mut next = Some(AUDIT.to_owned());
    while let Some(path) = next {
        let page = reader.get(&path).await;
        assert_eq!(page.status, 200, "{path}");
        let (_, table) = page.body.split_once("<tbody>").expect("a table of entries");
        let (table, after) = table.split_once("</tbody>").unwrap();
        links.extend(hrefs(table));
        // The pager.
        next = hrefs(after).find(|href| href.contains("before="));
    }
    links
}

fn hrefs(html: &str) -> impl Iterator<Item = String> + use<'_> {
    let parts = html.split("href=\"").skip(1);
    parts.map(|part| {
        part.split('"')
            .next()
            .unwrap_or_default()
            .replace("&amp;", "&")
    })
}

on_both! {
    async fn every_link_of_every_kind_of_entry_can_be_opened_by_each_role(app: &TestApp) {
        let org = app.org("northwind").await;
        let readers = [
            app.signed_in(&org, "dana", Role::Owner).await,
            app.signed_in(&org, "ari", Role::Admin).await,
        ];
        let member = app.signed_in(&org, "kim", Role::Member).await;
        let (key, revoked) = (org.key("Production").await.id, org.key("Old").await.id);
        revoke(&app.engine, &org.permit(), revoked, RevokeReason::Unused).await.unwrap();
        create_agent(&app.engine, &org.permit(), &agent("Helper", &[])).await.unwrap();
        let agent = app.database.texts("SELECT id FROM agents").await.remove(0);
        let project = projects::create(&app.engine, &org.permit(), &"Shop".parse().unwrap()).await.unwrap();
        readers[0].submit("/orgs/northwind/members", &[("change", "invite"), ("email", "new@northwind.example"), ("role", "member"), ("creation_token", "")]).await;
        let invitation = app.database.texts("SELECT id FROM invitations").await;
        app.token(Some(&org), TokenScope::Manage).await;
        let token = app.database.texts("SELECT id FROM service_tokens").await;
        let mut requests = Vec::new();
        for browser in [&member, &readers[1]] {
            let fields = [("name", "Reports"), ("purpose", "Reports"), ("kind", "secret"), ("environment", "live"), ("access", "chosen"), ("scopes", "bots:read"), ("expires", "90")];
            let asked = browser.submit("/orgs/northwind/requests/new", &fields).await;
            requests.push(asked.header("location").to_owned());
        }
        let ids = requests.iter().map(|path| path.rsplit('/').next().unwrap_or_default().to_owned());
        let kim = app.database.texts("SELECT id FROM users WHERE name = 'kim'").await;
        // An entry of every event about everything that there is, and about everything that is gone.
        let targets: Vec<(&str, String)> = [
            ("key", key.to_string()), ("key", revoked.to_string()), ("key", format!("key_{:032}", 0)),
            ("agent", agent), ("agent", format!("agt_{:032}", 0)),
            ("project", project.to_string()), ("project", format!("prj_{:032}", 0)),
            ("org", org.org.id.to_string()),
            ("key_request", format!("krq_{:032}", 0)),
        ].into_iter()
            .chain(invitation.into_iter().map(|id| ("invitation", id)))
            .chain(token.into_iter().map(|id| ("token", id)))
            .chain(kim.into_iter().map(|id| ("user", id)))
            .chain(ids.map(|id| ("key_request", id)))
            .collect();
        assert!(targets.len() > 12, "{targets:?}");
        for event in Event::ALL {
            for (kind, id) in &targets {
                app.database.execute(&format!(
                    "INSERT INTO audit_log (position, org_id, seq, at, event, actor_kind, actor_id, via, target_kind, target_id, changes, pepper_version, hash) \
                     SELECT (SELECT MAX(position) FROM audit_log) + 1, org_id, (SELECT MAX(seq) FROM audit_log WHERE org_id = '{org}') + 1, at, '{event}', \
                     actor_kind, actor_id, via, '{kind}', '{id}', '{{}}', pepper_version, hash FROM audit_log WHERE org_id = '{org}' AND seq = 1",
                    org = org.org.id,
                )).await;
            }
        }
        let mut seen = Vec::new();
        for reader in &readers {
            let links = links(reader).await;
            for link in &links {
                let opened = reader.get(link).await;
                assert_eq!(opened.status, 200, "{link}: {}", opened.text());
            }
            for path in [format!("/orgs/northwind/keys/{key}"), format!("/orgs/northwind/keys/{revoked}"), requests[1].clone()] {
                assert!(links.contains(&path), "{path}: {links:?}");
            }
            assert!(links.iter().any(|link| link.starts_with("/orgs/northwind/agents/")), "{links:?}");
            seen.push(links.contains(&requests[0]));
        }
        assert_eq!(seen, [true, false], "the request of someone else is a link for owners alone");
        assert_eq!(member.get(AUDIT).await.status, 403);
    }
}
