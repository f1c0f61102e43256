use latchkey::{
    convention::Convention,
    keys::create::NewKey,
    policy::KeyPolicy,
    time::{DAY, Timestamp},
};

use crate::{form::errors::FieldError, values::key_form::SettingsForm};

const NOW: Timestamp = Timestamp::from_millis(1_795_270_000_000); // 2026-11-21

fn read(
    form: &SettingsForm,
    convention: &Convention,
    now: Timestamp,
) -> Result<NewKey, Vec<FieldError>> {
    super::read(form, (convention, &KeyPolicy::default()), now)
}

fn corthex() -> Convention {
    Convention::built_in("corthex").unwrap()
}

fn form() -> SettingsForm {
    SettingsForm {
        name: " Website ".to_owned(),
        kind: "widget".to_owned(),
        environment: "live".to_owned(),
        domains: "example.com\r\n*.example.com, http://localhost:3000".to_owned(),
        scopes: vec!["chat".to_owned()],
        expires: "30".to_owned(),
        notes: "one\r\ntwo\r\n".to_owned(),
        ..SettingsForm::default()
    }
}

fn wrong_fields(form: &SettingsForm) -> Vec<String> {
    let errors = read(form, &corthex(), NOW).err().unwrap_or_default();
    errors.into_iter().map(|error| error.field).collect()
}

#[test]
fn the_fields_become_a_key() {
    let new = read(&form(), &corthex(), NOW).unwrap();
    assert_eq!(new.settings.name.as_str(), "Website");
    let domains: Vec<String> = new
        .settings
        .domains
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        domains,
        ["example.com", "*.example.com", "http://localhost:3000"]
    );
    assert_eq!(new.settings.expires_at, Some(NOW.plus(30 * DAY)));
    assert_eq!(new.settings.notes, "one\ntwo");
    assert_eq!(new.creation_token, None);
}

#[test]
fn domains_typed_before_the_kind_was_changed_to_secret_are_left_out() {
    let secret = SettingsForm {
        kind: "secret".to_owned(),
        domains: "not a domain".to_owned(),
        ..form()
    };
    assert!(
        read(&secret, &corthex(), NOW)
            .unwrap()
            .settings
            .domains
            .is_empty()
    );
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let wrong = SettingsForm {
        name: String::new(),
        domains: "*, com".to_owned(),
        expires: "soon".to_owned(),
        ..form()
    };
    assert_eq!(
        wrong_fields(&wrong),
        ["name", "domains", "domains", "expires"]
    );
    assert_eq!(
        wrong_fields(&SettingsForm {
            domains: " ,\n".to_owned(),
            ..form()
        }),
        ["domains"]
    );
    let nothing = wrong_fields(&SettingsForm::default());
    assert_eq!(
        nothing,
        ["name", "scopes", "expires", "kind", "environment"]
    );
}

#[test]
fn a_key_works_to_the_end_of_its_last_day() {
    let until = |day: &str| {
        let form = SettingsForm {
            expires: "date".to_owned(),
            expires_on: day.to_owned(),
            ..form()
        };
        read(&form, &corthex(), NOW).map(|new| new.settings.expires_at.unwrap().as_millis())
    };
    assert_eq!(until("2026-11-21").unwrap(), 1_795_305_599_999);
    assert_eq!(until("").unwrap_err()[0].field, "expires");
    assert!(until("2026-02-30").is_err());
}

#[test]
fn a_day_that_is_past_is_reported_together_with_what_else_is_wrong() {
    let wrong = SettingsForm {
        name: " ".to_owned(),
        domains: String::new(),
        external_id: "x".repeat(256),
        expires: "date".to_owned(),
        expires_on: "2026-11-20".to_owned(),
        notes: "x".repeat(2_001),
        scopes: vec!["made:up".to_owned()],
        ..form()
    };
    let mut fields = wrong_fields(&wrong);
    fields.sort();
    assert_eq!(
        fields,
        [
            "domains",
            "expires",
            "external_id",
            "name",
            "notes",
            "scopes"
        ]
    );
}

#[test]
fn what_breaks_a_policy_is_reported_with_the_other_errors_and_at_its_field() {
    let latchkey = Convention::built_in("latchkey").unwrap();
    let policy = KeyPolicy {
        longest_life_days: Some(30),
        scopes_required: true,
        ip_ranges_required: true,
        localhost_forbidden: true,
        ..KeyPolicy::default()
    };
    let wrong = |form: &SettingsForm| {
        let errors = super::read(form, (&latchkey, &policy), NOW).err();
        let errors = errors.unwrap_or_default().into_iter();
        errors.map(|error| error.field).collect::<Vec<_>>()
    };
    let form = SettingsForm {
        name: String::new(),
        access: "full".to_owned(),
        expires: "31".to_owned(),
        ..form()
    };
    assert_eq!(
        wrong(&form),
        ["name", "expires", "scopes", "domains", "localhost"],
        "its domains have localhost"
    );
    let secret = SettingsForm {
        kind: "secret".to_owned(),
        access: "chosen".to_owned(),
        scopes: Vec::new(),
        expires: "never".to_owned(),
        name: "Website".to_owned(),
        ..form
    };
    assert_eq!(wrong(&secret), ["scopes", "expires", "ip_ranges"]);
    let right = SettingsForm {
        scopes: vec!["bots:read".to_owned()],
        expires: "30".to_owned(),
        ip_ranges: "192.0.2.1".to_owned(),
        ..secret
    };
    assert_eq!(wrong(&right), [""; 0]);
}
