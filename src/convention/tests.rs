use std::fmt::Write;

use super::*;

fn built_in(name: &str) -> Convention {
    Convention::built_in(name).unwrap()
}

fn scopes(names: &[&str]) -> Vec<Scope> {
    names
        .iter()
        .map(|name| Scope::parse(name).unwrap())
        .collect()
}

#[test]
fn every_built_in_convention_loads_under_its_own_name() {
    for name in BUILT_IN_NAMES {
        assert_eq!(built_in(name).name, name);
    }
    assert_eq!(Convention::built_in("unheard-of"), None);
}

/// The table of design §4 and the additional facts in the documents.
#[test]
fn the_conventions_differ_as_documented() {
    let mut table = String::new();
    for convention in BUILT_IN_NAMES.map(built_in) {
        writeln!(table, "{} ({})", convention.name, convention.title).unwrap();
        let names = &convention.kind_names;
        writeln!(
            table,
            "  kinds: {}, {}",
            names.title(Kind::Secret),
            names.name(Kind::Widget)
        )
        .unwrap();
        for (prefix, kind, environment) in convention.prefixes() {
            let length = convention.characters_after_prefix();
            let shown = convention.display_front(prefix);
            let variable = convention.environment_variable(kind, environment);
            writeln!(
                table,
                "  {kind:?} {environment:?}: {prefix:?} + {length}, shows {shown}, {variable}"
            )
            .unwrap();
        }
        for (prefix, kind, environment) in convention.legacy_prefixes() {
            writeln!(table, "  legacy: {prefix:?} is {kind:?} {environment:?}").unwrap();
        }
        let headers: Vec<String> = convention
            .accepted_in
            .iter()
            .cloned()
            .map(String::from)
            .collect();
        writeln!(table, "  accepted in: {}", headers.join(", ")).unwrap();
        let scopes: Vec<&str> = convention
            .scopes
            .iter()
            .map(|scope| scope.name.as_str())
            .collect();
        writeln!(table, "  scopes: [{}]", scopes.join(", ")).unwrap();
        for preset in &convention.scope_presets {
            writeln!(
                table,
                "  preset {:?}: {} scopes",
                preset.name,
                preset.scopes.len()
            )
            .unwrap();
        }
        if let Some(admin) = &convention.admin_scope {
            writeln!(table, "  all of them: {admin}").unwrap();
        }
        writeln!(table, "  no scope means: {:?}", convention.no_scope_means).unwrap();
        for scope in &convention.browser_scopes {
            writeln!(table, "  in a browser: {scope}").unwrap();
        }
        let DomainSettings {
            covers_subdomains,
            localhost,
            localhost_switch,
        } = convention.domains;
        writeln!(table, "  covers subdomains: {covers_subdomains}").unwrap();
        writeln!(
            table,
            "  localhost: {localhost:?}, off switch: {localhost_switch}"
        )
        .unwrap();
        let ExpirySettings {
            default_days,
            offered_days,
            never,
        } = &convention.expiry;
        writeln!(
            table,
            "  expires: {default_days:?} of {offered_days:?}, never: {never}"
        )
        .unwrap();
        writeln!(
            table,
            "  classes: {:?}, else {:?}",
            convention.classes, convention.default_class
        )
        .unwrap();
        writeln!(table, "  metering: {:?}", convention.metering).unwrap();
        writeln!(table, "  bound to: {:?}", convention.bound_to).unwrap();
        writeln!(
            table,
            "  public agent ID: {}",
            convention.public_agent_embedding
        )
        .unwrap();
    }
    insta::assert_snapshot!(table);
}

#[test]
fn a_convention_travels_to_the_browser_and_back() {
    for convention in BUILT_IN_NAMES.map(built_in) {
        let json = serde_json::to_string(&convention).unwrap();
        assert_eq!(
            serde_json::from_str::<Convention>(&json).unwrap(),
            convention
        );
    }
}

#[test]
fn a_prefix_is_found_by_kind_and_environment() {
    let cencori = built_in("cencori");
    assert_eq!(
        cencori.prefix(Kind::Secret, Environment::Live),
        Some("csk_")
    );
    assert_eq!(
        cencori.prefix(Kind::Widget, Environment::Test),
        Some("cpk_test_")
    );
    let talkifai = built_in("talkifai");
    assert_eq!(talkifai.prefix(Kind::Secret, Environment::Live), Some(""));
    assert_eq!(talkifai.prefix(Kind::Secret, Environment::Test), None);
    assert_eq!(
        built_in("agentix").prefix(Kind::Widget, Environment::Live),
        None
    );
}

#[test]
fn a_key_shows_its_prefix_and_four_more_unless_its_convention_says_otherwise() {
    assert_eq!(built_in("latchkey").display_front("lk_sk_live_"), 15);
    assert_eq!(built_in("talkifai").display_front(""), 8);
    assert_eq!(built_in("talkifai").display_front("tk_widget_"), 8);
}

#[test]
fn only_a_convention_with_the_switch_lets_a_key_forbid_localhost() {
    let latchkey = built_in("latchkey");
    assert_eq!(latchkey.domain_rule(false).localhost, LocalhostRule::Always);
    assert_eq!(latchkey.domain_rule(true).localhost, LocalhostRule::Never);
    assert_eq!(
        built_in("talkifai").domain_rule(true).localhost,
        LocalhostRule::Always
    );
    assert!(built_in("talkifai").domain_rule(false).covers_subdomains);
    assert_eq!(
        built_in("cencori").domain_rule(true).localhost,
        LocalhostRule::IfListed
    );
}

#[test]
fn a_class_has_its_own_limit() {
    let agentix = built_in("agentix");
    let per_minute = |class| {
        Some(
            ClassIndex::find(&agentix, class)?
                .per_minute(&agentix)
                .get(),
        )
    };
    assert_eq!(per_minute("chat"), Some(60));
    assert_eq!(per_minute("config"), Some(120));
    assert_eq!(per_minute("default"), None);
}

#[test]
fn missing_scopes_are_named() {
    let platform = built_in("chatbot-platform");
    let granted = scopes(&["bots:read", "channels:read"]);
    assert_eq!(satisfies(&granted, &[], &platform), Ok(()));
    assert_eq!(
        satisfies(&granted, &scopes(&["channels:read"]), &platform),
        Ok(())
    );
    let required = scopes(&["bots:read", "bots:write", "admin"]);
    assert_eq!(
        satisfies(&granted, &required, &platform),
        Err(scopes(&["bots:write", "admin"]))
    );
}

#[test]
fn admin_stands_for_all_only_where_the_convention_says_so() {
    let granted = scopes(&["admin"]);
    let required = scopes(&["bots:write", "never-heard-of"]);
    assert_eq!(
        satisfies(&granted, &required, &built_in("chatbot-platform")),
        Ok(())
    );
    assert_eq!(
        satisfies(&granted, &required, &built_in("agentix")),
        Err(required.clone())
    );
}

#[test]
fn no_scope_means_what_the_convention_says() {
    let mut agentix = built_in("agentix");
    let required = scopes(&["chat"]);
    assert_eq!(satisfies(&[], &required, &agentix), Ok(()));
    agentix.no_scope_means = NoScope::None;
    assert_eq!(satisfies(&[], &required, &agentix), Err(required));
    assert_eq!(satisfies(&[], &[], &agentix), Ok(()));
    let mut platform = built_in("chatbot-platform");
    platform.no_scope_means = NoScope::None;
    assert_eq!(
        satisfies(&[], &scopes(&["admin"]), &platform),
        Err(scopes(&["admin"]))
    );
}

#[test]
fn only_a_key_with_browser_scopes_alone_may_be_in_a_page() {
    let agentix = built_in("agentix");
    assert!(agentix.allows_secret_in_browser(&scopes(&["chat"])));
    assert!(!agentix.allows_secret_in_browser(&scopes(&["chat", "conversations"])));
    assert!(
        !agentix.allows_secret_in_browser(&[]),
        "no scope means all of them"
    );
    assert!(!built_in("cencori").allows_secret_in_browser(&scopes(&["chat"])));
}

#[test]
fn scopes_have_plain_names() {
    for name in ["chat", "agent-loops:read", "v2", &"s".repeat(64)] {
        assert_eq!(Scope::parse(name).unwrap().as_str(), name);
    }
    for name in [
        "",
        "Chat",
        "bots.read",
        "bots read",
        "bots:*",
        "bücher",
        &"s".repeat(65),
    ] {
        assert!(Scope::parse(name).is_err(), "{name:?}");
    }
}
