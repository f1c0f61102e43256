//! Which settings break which policies, on both sides of each border.

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const SECRET: (Kind, Environment) = (Kind::Secret, Environment::Live);
const WIDGET: (Kind, Environment) = (Kind::Widget, Environment::Live);

/// Settings that break no policy.
fn fine() -> KeySettings {
    KeySettings {
        scopes: vec!["bots:read".parse().unwrap()],
        ip_ranges: vec!["192.0.2.0/24".parse().unwrap()],
        expires_at: Some(NOW.plus(DAY)),
        localhost_forbidden: true,
        ..KeySettings::named("Key".parse().unwrap())
    }
}

fn off() -> KeyPolicy {
    KeyPolicy {
        rotation_days: None,
        ..KeyPolicy::default()
    }
}

fn strict() -> KeyPolicy {
    KeyPolicy {
        rotation_days: Some(90),
        longest_life_days: Some(90),
        scopes_required: true,
        ip_ranges_required: true,
        localhost_forbidden: true,
    }
}

fn convention(name: &str) -> Convention {
    Convention::built_in(name).unwrap()
}

/// The fields that break a policy under a convention.
fn broken_under(
    name: &str,
    policy: KeyPolicy,
    of: (Kind, Environment),
    settings: &KeySettings,
    before: Before<'_>,
) -> Vec<&'static str> {
    let convention = convention(name);
    let broken = policy
        .under(&convention)
        .broken_by(settings, of, &convention, before, NOW);
    broken.iter().map(InvalidKeyField::field).collect()
}

fn broken(
    policy: KeyPolicy,
    of: (Kind, Environment),
    set: impl FnOnce(&mut KeySettings),
) -> Vec<&'static str> {
    let mut settings = fine();
    set(&mut settings);
    broken_under("latchkey", policy, of, &settings, Before::Nothing)
}

#[test]
fn each_policy_has_its_field_and_concerns_its_keys() {
    let none: [&str; 0] = [];
    let life = KeyPolicy {
        longest_life_days: Some(90),
        ..off()
    };
    // The end of the last day, in UTC.
    let latest = NOW.plus(90 * DAY).floor(DAY).plus(DAY - 1);
    let expiring = |at| broken(life, SECRET, move |key| key.expires_at = at);
    assert_eq!(expiring(Some(latest)), none);
    assert_eq!(expiring(Some(latest.plus(1))), ["expires_at"]);
    assert_eq!(expiring(None), ["expires_at"]);

    let scopes = KeyPolicy {
        scopes_required: true,
        ..off()
    };
    assert_eq!(broken(scopes, SECRET, |_| ()), none);
    for full in [vec![], vec!["admin"], vec!["bots:read", "admin"]] {
        let full = full.iter().map(|scope| scope.parse().unwrap()).collect();
        assert_eq!(broken(scopes, WIDGET, |key| key.scopes = full), ["scopes"]);
    }

    let ranges = KeyPolicy {
        ip_ranges_required: true,
        ..off()
    };
    let without = |of| broken(ranges, of, |key| key.ip_ranges.clear());
    assert_eq!(broken(ranges, SECRET, |_| ()), none);
    assert_eq!(without(SECRET), ["ip_ranges"]);
    for everything in [
        "0.0.0.0/0",
        "::/0",
        "128.0.0.0/1",
        "0.0.0.0/2 64.0.0.0/2 128.0.0.0/2 192.0.0.0/2",
    ] {
        let with = |key: &mut KeySettings| {
            let more = everything
                .split(' ')
                .map(|range| range.parse::<IpRange>().unwrap());
            key.ip_ranges.extend(more);
        };
        assert_eq!(broken(ranges, SECRET, with), ["ip_ranges"], "{everything}");
    }
    assert_eq!(without((Kind::Secret, Environment::Test)), none);
    assert_eq!(without(WIDGET), none);

    let localhost = KeyPolicy {
        localhost_forbidden: true,
        ..off()
    };
    let allowed = |of| broken(localhost, of, |key| key.localhost_forbidden = false);
    assert_eq!(broken(localhost, WIDGET, |_| ()), none);
    assert_eq!(allowed(WIDGET), ["localhost_forbidden"]);
    assert_eq!(allowed((Kind::Widget, Environment::Test)), none);
    assert_eq!(allowed(SECRET), none);
    for host in [
        "127.0.0.1:3000",
        "127.1.2.3",
        "0.0.0.0",
        "[::]",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "app.localhost",
    ] {
        let list = |key: &mut KeySettings| key.domains.push(host.parse().unwrap());
        assert_eq!(broken(localhost, WIDGET, list), ["domains"], "{host}");
    }
    for host in [
        "128.0.0.1",
        "[::2]",
        "localhost.example",
        "mylocalhost.example",
    ] {
        let list = |key: &mut KeySettings| key.domains.push(host.parse().unwrap());
        assert_eq!(broken(localhost, WIDGET, list), none, "{host}");
    }
    let list = |key: &mut KeySettings| key.domains.push("http://localhost:3000".parse().unwrap());
    assert_eq!(broken(localhost, WIDGET, list), ["domains"]);
    assert_eq!(
        broken(localhost, (Kind::Widget, Environment::Test), list),
        none
    );

    let worst = |key: &mut KeySettings| *key = KeySettings::named("Key".parse().unwrap());
    assert_eq!(broken(off(), WIDGET, worst), none);
    assert_eq!(
        broken(strict(), SECRET, worst),
        ["expires_at", "scopes", "ip_ranges"]
    );
    assert_eq!(
        broken(strict(), WIDGET, worst),
        ["expires_at", "scopes", "localhost_forbidden"]
    );
}

#[test]
fn what_broke_a_policy_before_can_stay_and_not_return() {
    let old = KeySettings {
        scopes: vec!["admin".parse().unwrap(), "bots:read".parse().unwrap()],
        ..KeySettings::named("Key".parse().unwrap())
    };
    let edited = |of, from: &KeySettings, set: &dyn Fn(&mut KeySettings)| {
        let mut settings = from.clone();
        set(&mut settings);
        broken_under("latchkey", strict(), of, &settings, Before::Settings(from))
    };
    let none: [&str; 0] = [];
    for of in [SECRET, WIDGET] {
        assert_eq!(edited(of, &old, &|key| key.notes = "New".to_owned()), none);
        assert_eq!(
            edited(of, &old, &|key| key.scopes.reverse()),
            none,
            "the same scopes"
        );
        assert_eq!(edited(of, &old, &|key| key.scopes.truncate(1)), ["scopes"]);
        let later = NOW.plus(200 * DAY);
        assert_eq!(
            edited(of, &old, &move |key| key.expires_at = Some(later)),
            ["expires_at"]
        );
        assert_eq!(edited(of, &old, &|key| *key = fine()), none);
    }
    let fine = fine();
    assert_eq!(
        edited(SECRET, &fine, &|key| key.ip_ranges.clear()),
        ["ip_ranges"]
    );
    assert_eq!(
        edited(WIDGET, &fine, &|key| key.localhost_forbidden = false),
        ["localhost_forbidden"]
    );
}

#[test]
fn a_convention_has_the_policies_that_it_has_a_use_for() {
    let of = |name| {
        let policy = strict().under(&convention(name));
        (policy.scopes_required, policy.localhost_forbidden)
    };
    let conventions = ["latchkey", "cencori", "talkifai", "corthex"].map(of);
    // Under talkifai, all widget keys work on localhost; corthex has none.
    assert_eq!(
        conventions,
        [(true, true), (false, true), (false, false), (true, false)]
    );
    let mut settings = fine();
    settings.scopes.clear();
    settings.domains = vec!["shop.example".parse().unwrap()];
    let listed = KeySettings {
        domains: vec!["http://localhost:5173".parse().unwrap()],
        ..settings.clone()
    };
    let broken = |settings: &KeySettings, before| {
        broken_under("cencori", strict(), WIDGET, settings, before)
    };
    assert_eq!(broken(&settings, Before::Nothing), [""; 0]);
    assert_eq!(broken(&listed, Before::Nothing), ["domains"]);
    assert_eq!(broken(&listed, Before::Settings(&settings)), ["domains"]);
    let mut more = listed.clone();
    more.domains.push("other.example".parse().unwrap());
    assert_eq!(
        broken(&more, Before::Settings(&listed)),
        [""; 0],
        "it had localhost before"
    );
    // A key for pages is used from the addresses of visitors.
    let for_pages = KeySettings {
        scopes: vec!["chat".parse().unwrap()],
        ip_ranges: Vec::new(),
        ..settings
    };
    assert_eq!(
        broken_under("agentix", strict(), SECRET, &for_pages, Before::Nothing),
        [""; 0]
    );
    assert_eq!(
        broken_under("corthex", strict(), SECRET, &for_pages, Before::Nothing),
        ["ip_ranges"]
    );
}
