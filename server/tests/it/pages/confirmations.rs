//! The confirmations before something ends. They all look the same.

use latchkey::{
    agents,
    keys::rotate::{Rotation, rotate},
    role::{Role, TokenScope},
};

use super::members::invite;
use crate::test_app::{TestApp, org::agent};

on_both! {
    async fn what_ends_something_is_the_last_button_and_cancel_is_before_it(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let ari = app.signed_in(&org, "ari", Role::Owner).await;
        let kim = org.person("kim", Role::Member).await;
        let key = org.key("Production").await.id;
        rotate(&app.engine, &org.permit(), key, Rotation { overlap: 3_600_000, token: None }).await.unwrap();
        app.token(Some(&org), TokenScope::Verify).await;
        let token = app.database.texts("SELECT id FROM service_tokens").await.remove(0);
        invite(&owner, "lee@northwind.example").await;
        let invitation = app.database.texts("SELECT id FROM invitations").await.remove(0);
        owner.submit("/orgs/northwind/projects", &[("change", "create"), ("name", "Website")]).await;
        let project = app.database.texts("SELECT id FROM projects WHERE name = 'Website'").await.remove(0);
        let public = agents::create::create(&app.engine, &org.permit(), &agent("Helper", &["shop.example"])).await.unwrap().public_id;
        let at = |path: String| format!("/orgs/northwind/{path}");
        for path in [
            at(format!("tokens?revoke={token}")),
            at(format!("members?remove={kim}")),
            at(format!("members?withdraw={invitation}")),
            at("members?leave=1".to_owned()),
            at(format!("projects?delete={project}")),
            at(format!("keys/{key}?revoke=1")),
            at(format!("keys/{key}?end=1")),
            at(format!("agents/{public}?delete=1")),
        ] {
            let page = owner.get(&path).await;
            let is_dialog = |part: &&str| part.split('>').next().is_some_and(|tag| tag.contains("class=\"dialog\""));
            let dialog = page.body.split("<section ").skip(1).find(is_dialog);
            let dialog = dialog.unwrap_or_else(|| panic!("{path}: {}", page.body));
            let (dialog, _) = dialog.split_once("</section>").unwrap();
            let (_, footer) = dialog.split_once("<footer>").unwrap();
            let (cancel, danger) = (footer.find("Cancel"), footer.find("btn danger primary"));
            assert!(cancel.is_some() && cancel < danger, "{path}: {footer}");
        }
        for path in ["/orgs/northwind/delete", "/account/delete"] {
            let page = ari.get(path).await.body;
            let (cancel, danger) = (page.rfind(">Cancel<"), page.rfind("btn danger primary"));
            assert!(cancel.is_some() && cancel < danger, "{path}: {page}");
        }
    }
}
