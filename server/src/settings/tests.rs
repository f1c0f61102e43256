use super::*;

fn settings(pairs: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    Settings::from_layers(&Layers::defaults().with_pairs("a flag", pairs.iter().copied())?)
}

fn refusal(pairs: &[(&str, &str)]) -> String {
    settings(pairs).unwrap_err().to_string()
}

#[test]
fn the_defaults_are_what_the_design_says() {
    let settings = settings(&[]).unwrap();
    assert_eq!(settings.listen.to_string(), "127.0.0.1:3000");
    assert_eq!(settings.public_url(3000).origin(), "http://localhost:3000");
    assert_eq!(settings.data_dir, Path::new("./data"));
    assert_eq!(
        settings.database_url().expose(),
        "sqlite:./data/latchkey.db"
    );
    assert_eq!(
        settings.sqlite_file(),
        Some(PathBuf::from("./data/latchkey.db"))
    );
    assert_eq!(settings.convention.name, "latchkey");
    assert_eq!(settings.sign_up, SignUpPolicy::Invite);
    assert_eq!(settings.usage_flush, Duration::from_secs(1));
    assert_eq!(settings.cached_keys, 100_000);
    assert_eq!(settings.audit_kept_for.as_secs(), 3 * 365 * 24 * 3_600);
    assert!(settings.trusted_proxies.is_empty());
    assert_eq!(
        [
            settings.api_base_url,
            settings.widget_script_url,
            settings.docs_url
        ],
        [None, None, None]
    );
}

#[test]
fn the_urls_in_examples_are_checked() {
    let settings = settings(&[
        ("api_base_url", "https://api.northwind.example/"),
        (
            "widget_script_url",
            "https://cdn.northwind.example/w.js?v=1",
        ),
        ("docs_url", "https://docs.northwind.example"),
    ])
    .unwrap();
    assert_eq!(
        [
            settings.api_base_url,
            settings.widget_script_url,
            settings.docs_url
        ],
        [
            "https://api.northwind.example",
            "https://cdn.northwind.example/w.js?v=1",
            "https://docs.northwind.example/"
        ]
        .map(|url| Some(url.to_owned()))
    );
    assert!(refusal(&[("docs_url", "javascript:alert(1)")]).contains("must begin with https://"));
}

#[test]
fn each_layer_overrides_the_one_before() {
    let file = "listen = \"127.0.0.1:1\"\nsign_up = \"open\"\ncached_keys = 1\n";
    let environment = [
        ("LATCHKEY_LISTEN", "127.0.0.1:2"),
        ("LATCHKEY_CACHED_KEYS", "2"),
        ("LATCHKEY_SIGN_UP", ""),
        ("LATCHKEY_PORT_3000_TCP_ADDR", "10.0.0.1"),
        ("HOME", "/nowhere"),
    ];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let (layers, unknown) = Layers::defaults()
        .with_file("file.toml", file)
        .unwrap()
        .with_environment(environment)
        .unwrap();
    let layers = layers
        .with_pairs("a flag", [("listen", "127.0.0.1:3")])
        .unwrap();
    let settings = Settings::from_layers(&layers).unwrap();
    assert_eq!(settings.listen.port(), 3);
    assert_eq!(settings.cached_keys, 2);
    assert_eq!(settings.sign_up, SignUpPolicy::Open);
    assert_eq!(unknown, ["LATCHKEY_PORT_3000_TCP_ADDR"]);
}

#[test]
fn a_refusal_names_the_setting_its_source_and_the_reason() {
    let of_file = |text| {
        Layers::defaults()
            .with_file("latchkey.toml", text)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        of_file("lisen = \"x\""),
        "lisen (in latchkey.toml): is not a setting"
    );
    assert_eq!(
        of_file("cached_keys = \"many\""),
        "cached_keys (in latchkey.toml): must be a whole number"
    );
    assert_eq!(
        of_file("trusted_proxies = [1]"),
        "trusted_proxies (in latchkey.toml): must be a list of strings"
    );
    assert!(
        of_file("listen = ").starts_with("the file (in latchkey.toml): line 1 is not valid TOML")
    );
    assert_eq!(
        refusal(&[("listen", "3000")]),
        "listen (in a flag): must be an address and a port, such as 127.0.0.1:3000"
    );
    assert_eq!(
        refusal(&[("cached_keys", "0")]),
        "cached_keys (in a flag): must be from 1 to 100000000"
    );
    assert!(refusal(&[("database_url", "mysql://x")]).contains("`sqlite:` or `postgres://`"));
    assert!(refusal(&[("convention", "nonsense")]).contains("is not one of latchkey, corthex"));
    assert!(refusal(&[("public_url", "http://keys.example.com")]).contains("must use https"));
}

#[test]
fn secrets_are_neither_in_refusals_nor_in_debug() {
    assert!(!refusal(&[("pepper", "hunter2hunter2")]).contains("hunter2"));
    let pepper = "hunter2".repeat(5);
    let settings = settings(&[
        ("pepper", &pepper),
        ("database_url", "postgres://u:hunter2@h/d"),
    ])
    .unwrap();
    assert!(!format!("{settings:?}").contains("hunter2"));
    assert_eq!(settings.sqlite_file(), None);
}

#[test]
fn proxies_are_addresses_or_networks() {
    let settings = settings(&[("trusted_proxies", "10.0.0.0/8, 192.0.2.1,2001:db8::/32")]).unwrap();
    let proxies: Vec<String> = settings
        .trusted_proxies
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(proxies, ["10.0.0.0/8", "192.0.2.1/32", "2001:db8::/32"]);
}

#[test]
fn every_variable_in_the_readme_is_a_setting() {
    let readme = include_str!("../../../README.md");
    let is_of_name = |c: char| c.is_ascii_uppercase() || c == '_';
    let named = readme
        .split(|c| !is_of_name(c))
        .filter(|word| word.starts_with("LATCHKEY_"));
    let named: Vec<(String, String)> = named
        // The last two are of programs that call the API.
        .filter(|word| !["LATCHKEY_", "LATCHKEY_SERVICE_TOKEN", "LATCHKEY_API_KEY"].contains(word))
        .map(|word| (word.to_owned(), String::new()))
        .collect();
    assert!(named.len() > 10, "{named:?}");
    let (_, unknown) = Layers::defaults().with_environment(named).unwrap();
    assert_eq!(unknown, [""; 0]);
}

#[test]
fn the_readme_lists_every_setting() {
    let readme = include_str!("../../../README.md");
    let defaults: toml::Table = include_str!("../../latchkey.default.toml").parse().unwrap();
    let missing: Vec<String> = defaults
        .keys()
        .map(|name| format!("`LATCHKEY_{}`", name.to_uppercase()))
        .filter(|variable| !readme.contains(variable.as_str()))
        .collect();
    assert_eq!(missing, [""; 0]);
}
