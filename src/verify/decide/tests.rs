use std::sync::atomic::AtomicBool;

use rstest::rstest;

use super::*;
use crate::{
    clock::Clock,
    convention::ClassIndex,
    id::{AgentId, KeyId, OrgId, ProjectId},
    key::{Environment, Lifecycle, settings::KeySettings},
    rate_limit::{Holder, RateLimits},
    verify::request::Request,
};

const NOW: Timestamp = Timestamp::from_millis(1_000_000);
const EARLIER: Timestamp = Timestamp::from_millis(999_999);
const LATER: Timestamp = Timestamp::from_millis(1_000_001);

fn latchkey() -> Convention {
    Convention::built_in("latchkey").unwrap()
}

fn org_id(number: u8) -> OrgId {
    OrgId::new(0, [number; 10])
}

fn project_id(number: u8) -> ProjectId {
    ProjectId::new(0, [number; 10])
}

fn secret_id(number: u8) -> SecretId {
    SecretId::new(0, [number; 10])
}

fn key(convention: &Convention, kind: Kind) -> KnownKey {
    let id = KeyId::new(0, [1; 10]);
    KnownKey {
        id,
        secrets: vec![(secret_id(1), None)],
        kind,
        environment: Environment::Live,
        org_id: org_id(1),
        settings: KeySettings {
            project: Some(project_id(1)),
            ..KeySettings::named("Website".parse().unwrap())
        },
        lifecycle: Lifecycle {
            expires_at: None,
            disabled_at: None,
            revoked_at: None,
        },
        windows: RateLimits::default().of(
            Holder::Key(id),
            convention,
            Clock::manual(NOW).monotonic(),
        ),
        is_rotation_used: AtomicBool::new(false),
    }
}

fn agent(convention: &Convention) -> KnownAgent {
    let id = AgentId::new(0, [1; 10]);
    KnownAgent {
        id,
        public_id: crate::agents::PublicId::generate(&crate::random::Randomness::seeded(1))
            .unwrap(),
        name: "Support".parse().unwrap(),
        org_id: org_id(1),
        project_id: project_id(1),
        domains: Vec::new(),
        public_embedding: false,
        windows: RateLimits::default().of(
            Holder::Agent(id),
            convention,
            Clock::manual(NOW).monotonic(),
        ),
    }
}

fn org() -> KnownOrg {
    KnownOrg {
        id: org_id(1),
        slug: "northwind".parse().unwrap(),
        secrets_in_browsers: false,
    }
}

fn request(convention: &Convention) -> Request<'static> {
    Request {
        class: ClassIndex::default_of(convention),
        ..Request::default()
    }
}

fn domains(patterns: &[&str]) -> Vec<DomainPattern> {
    patterns
        .iter()
        .map(|pattern| pattern.parse().unwrap())
        .collect()
}

fn scopes(names: &[&str]) -> Vec<convention::Scope> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

fn outcome(key: &KnownKey, asked: Asked<'_>, request: &Request<'_>) -> Outcome {
    with_key(&latchkey(), key, &org(), asked, &Received::of(request))
        .answer
        .outcome
}

#[test]
fn of_several_reasons_a_key_is_refused_for_the_one_that_is_hardest_to_undo() {
    let mut key = key(&latchkey(), Kind::Secret);
    let reason = |key: &KnownKey, secret: SecretId| {
        usable(key, secret, NOW)
            .map_err(|answer| (answer.outcome, answer.reason))
            .err()
    };
    assert_eq!(reason(&key, secret_id(1)), None);
    key.lifecycle.expires_at = Some(NOW);
    assert_eq!(
        reason(&key, secret_id(1)),
        Some((Outcome::ExpiredApiKey, None))
    );
    assert_eq!(
        reason(&key, secret_id(2)),
        Some((Outcome::InvalidApiKey, Some(InvalidReason::Superseded)))
    );
    key.lifecycle.disabled_at = Some(NOW);
    assert_eq!(
        reason(&key, secret_id(2)),
        Some((Outcome::InvalidApiKey, Some(InvalidReason::Disabled)))
    );
    key.lifecycle.revoked_at = Some(NOW);
    assert_eq!(
        reason(&key, secret_id(2)),
        Some((Outcome::InvalidApiKey, Some(InvalidReason::Revoked)))
    );
}

#[test]
fn an_expiry_and_the_end_of_an_old_secret_are_the_first_moment_that_is_refused() {
    let mut key = key(&latchkey(), Kind::Secret);
    for (ends_at, works) in [(EARLIER, false), (NOW, false), (LATER, true)] {
        key.secrets = vec![(secret_id(1), Some(ends_at))];
        key.lifecycle.expires_at = None;
        assert_eq!(usable(&key, secret_id(1), NOW).is_ok(), works);
        key.secrets = vec![(secret_id(1), None)];
        key.lifecycle.expires_at = Some(ends_at);
        assert_eq!(usable(&key, secret_id(1), NOW).is_ok(), works);
    }
}

#[rstest]
#[case::its_domain(Some("https://northwind.example"), Outcome::Valid)]
#[case::localhost(Some("http://localhost:3000"), Outcome::Valid)]
#[case::a_subdomain(Some("https://www.northwind.example"), Outcome::OriginNotAllowed)]
#[case::its_name_in_front(
    Some("https://northwind.example.evil.example"),
    Outcome::OriginNotAllowed
)]
#[case::a_hidden_origin(Some("null"), Outcome::OriginNotAllowed)]
#[case::no_origin(None, Outcome::OriginNotAllowed)]
fn a_widget_key_passes_from_its_domains_and_from_localhost_and_from_nowhere_else(
    #[case] origin: Option<&str>,
    #[case] expected: Outcome,
) {
    let convention = latchkey();
    let mut key = key(&convention, Kind::Widget);
    key.settings.domains = domains(&["northwind.example"]);
    let request = Request {
        origin,
        ..request(&convention)
    };
    assert_eq!(outcome(&key, Asked::Nothing, &request), expected);
}

#[test]
fn a_widget_key_may_be_closed_to_localhost() {
    let convention = latchkey();
    let mut key = key(&convention, Kind::Widget);
    key.settings.domains = domains(&["northwind.example"]);
    key.settings.localhost_forbidden = true;
    let request = Request {
        origin: Some("http://localhost:3000"),
        ..request(&convention)
    };
    assert_eq!(
        outcome(&key, Asked::Nothing, &request),
        Outcome::OriginNotAllowed
    );
}

#[test]
fn a_secret_key_from_a_browser_is_refused_and_noted_unless_the_org_lets_it_through() {
    let convention = latchkey();
    let key = key(&convention, Kind::Secret);
    let request = Request {
        origin: Some("https://northwind.example"),
        ..request(&convention)
    };
    let refused = with_key(
        &convention,
        &key,
        &org(),
        Asked::Nothing,
        &Received::of(&request),
    );
    assert_eq!(refused.answer.outcome, Outcome::SecretKeyInBrowser);
    assert!(!refused.answer.origin_allowed);
    assert_eq!(refused.finding, Some(Problem::SecretKeyInBrowser));

    let lenient = KnownOrg {
        secrets_in_browsers: true,
        ..org()
    };
    let passed = with_key(
        &convention,
        &key,
        &lenient,
        Asked::Nothing,
        &Received::of(&request),
    );
    assert_eq!(passed.answer.outcome, Outcome::Valid);
    assert!(passed.answer.origin_allowed);
    assert_eq!(passed.finding, Some(Problem::SecretKeyInBrowser));

    let from_a_server = Request {
        origin: Some(""),
        ..request
    };
    let passed = with_key(
        &convention,
        &key,
        &org(),
        Asked::Nothing,
        &Received::of(&from_a_server),
    );
    assert_eq!(passed.answer.outcome, Outcome::Valid);
    assert_eq!(passed.finding, None);
}

#[test]
fn an_agent_of_another_org_or_of_another_project_where_that_binds_is_refused() {
    let (by_org, by_project) = (latchkey(), Convention::built_in("cencori").unwrap());
    let key = key(&by_org, Kind::Secret);
    let ours = agent(&by_org);
    let other_project = KnownAgent {
        project_id: project_id(2),
        ..agent(&by_org)
    };
    let other_org = KnownAgent {
        org_id: org_id(2),
        ..agent(&by_org)
    };
    for (agent, of_org, of_project) in [
        (Some(&ours), Outcome::Valid, Outcome::Valid),
        (Some(&other_project), Outcome::Valid, Outcome::OrgMismatch),
        (Some(&other_org), Outcome::OrgMismatch, Outcome::OrgMismatch),
        (None, Outcome::AgentNotFound, Outcome::AgentNotFound),
    ] {
        for (convention, expected) in [(&by_org, of_org), (&by_project, of_project)] {
            let asked = agent.map_or(Asked::Unknown, Asked::Of);
            let request = request(convention);
            let received = Received::of(&request);
            let decision = with_key(convention, &key, &org(), asked, &received);
            assert_eq!(
                decision.answer.outcome,
                expected,
                "{} under {}",
                agent.map_or("unknown".to_owned(), |agent| agent.org_id.to_string()),
                convention.name
            );
        }
    }
}

#[rstest]
#[case::unbound(None, None, Outcome::Valid)]
#[case::its_own(Some(Environment::Live), Some(1), Outcome::Valid)]
#[case::another_environment(Some(Environment::Test), None, Outcome::WrongEnvironment)]
#[case::another_project(None, Some(2), Outcome::WrongProject)]
#[case::both_other(Some(Environment::Test), Some(2), Outcome::WrongEnvironment)]
fn a_request_may_be_bound_to_an_environment_and_a_project(
    #[case] environment: Option<Environment>,
    #[case] project: Option<u8>,
    #[case] expected: Outcome,
) {
    let convention = latchkey();
    let bound = Request {
        environment,
        project: project.map(project_id),
        origin: Some("https://northwind.example"),
        ..request(&convention)
    };
    let mut widget = key(&convention, Kind::Widget);
    widget.settings.domains = domains(&["northwind.example"]);
    assert_eq!(outcome(&widget, Asked::Nothing, &bound), expected);
    let public = KnownAgent {
        public_embedding: true,
        domains: domains(&["northwind.example"]),
        ..agent(&convention)
    };
    let alone = with_agent_alone(&convention, &public, &Received::of(&bound));
    assert_eq!(alone.answer.outcome, expected);
}

#[rstest]
#[case::inside(Some("192.0.2.9"), Outcome::Valid)]
#[case::outside(Some("198.51.100.1"), Outcome::IpNotAllowed)]
#[case::unknown(None, Outcome::IpNotAllowed)]
fn ip_ranges_ask_for_the_end_clients_address(#[case] ip: Option<&str>, #[case] expected: Outcome) {
    let convention = latchkey();
    let mut key = key(&convention, Kind::Secret);
    key.settings.ip_ranges = vec!["192.0.2.0/24".parse().unwrap()];
    let request = Request {
        ip: ip.map(|ip| ip.parse().unwrap()),
        ..request(&convention)
    };
    assert_eq!(outcome(&key, Asked::Nothing, &request), expected);
}

#[test]
fn what_is_missing_is_named() {
    let convention = latchkey();
    let mut key = key(&convention, Kind::Secret);
    key.settings.scopes = scopes(&["chat"]);
    let needed = scopes(&["chat", "read"]);
    let request = Request {
        scopes: &needed,
        ..request(&convention)
    };
    let decision = with_key(
        &convention,
        &key,
        &org(),
        Asked::Nothing,
        &Received::of(&request),
    );
    assert_eq!(decision.answer.outcome, Outcome::InsufficientScope);
    assert_eq!(decision.answer.missing_scopes, scopes(&["read"]));
}

#[test]
fn of_several_reasons_the_first_in_the_order_of_the_outcomes_is_given() {
    let convention = latchkey();
    let mut key = key(&convention, Kind::Widget);
    key.settings.domains = domains(&["northwind.example"]);
    key.settings.ip_ranges = vec!["192.0.2.0/24".parse().unwrap()];
    key.settings.scopes = scopes(&["chat"]);
    let needed = scopes(&["read"]);
    let of_another_org = KnownAgent {
        org_id: org_id(2),
        ..agent(&convention)
    };
    let mut request = Request {
        scopes: &needed,
        origin: Some("https://evil.example"),
        environment: Some(Environment::Test),
        project: Some(project_id(2)),
        ..request(&convention)
    };
    let mut given = vec![
        outcome(&key, Asked::Unknown, &request),
        outcome(&key, Asked::Of(&of_another_org), &request),
        outcome(&key, Asked::Nothing, &request),
    ];
    request.environment = Some(Environment::Live);
    given.push(outcome(&key, Asked::Nothing, &request));
    request.project = None;
    given.push(outcome(&key, Asked::Nothing, &request));
    request.origin = Some("https://northwind.example");
    given.push(outcome(&key, Asked::Nothing, &request));
    request.ip = Some([192, 0, 2, 1].into());
    given.push(outcome(&key, Asked::Nothing, &request));
    assert_eq!(
        given,
        [
            Outcome::AgentNotFound,
            Outcome::OrgMismatch,
            Outcome::WrongEnvironment,
            Outcome::WrongProject,
            Outcome::OriginNotAllowed,
            Outcome::IpNotAllowed,
            Outcome::InsufficientScope
        ]
    );
    assert!(given.is_sorted());
}

#[test]
fn a_public_id_alone_works_where_embedding_is_on_and_the_page_is_listed() {
    let convention = latchkey();
    let mut agent = agent(&convention);
    let from = |origin| Request {
        origin: Some(origin),
        ..request(&convention)
    };
    let outcome = |agent: &KnownAgent, origin| {
        with_agent_alone(&convention, agent, &Received::of(&from(origin)))
            .answer
            .outcome
    };
    assert_eq!(
        outcome(&agent, "https://northwind.example"),
        Outcome::MissingApiKey
    );
    agent.public_embedding = true;
    assert_eq!(
        outcome(&agent, "http://localhost:3000"),
        Outcome::OriginNotAllowed,
        "an agent without a list is embedded nowhere"
    );
    agent.domains = domains(&["northwind.example"]);
    assert_eq!(outcome(&agent, "https://northwind.example"), Outcome::Valid);
    assert_eq!(
        outcome(&agent, "https://evil.example"),
        Outcome::OriginNotAllowed
    );
}
