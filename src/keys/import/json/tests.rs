use super::*;

fn refusal(text: &str) -> String {
    read(text)
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default()
}

#[test]
fn json_gives_what_csv_would() {
    let text = r#"[{"name": " One ", "sha256": "aa", "scopes": ["a", "b"], "expires_in_days": 30,
        "metadata": {"tier": 1.10}, "notes": null, "domains": 5, "ip_ranges": ["::1", 7]}]"#;
    let record = read(text).unwrap().remove(0);
    assert_eq!(record.line, 1);
    assert_eq!(record.fields["name"], "One");
    assert_eq!(record.fields["scopes"], "a,b");
    assert_eq!(record.fields["expires_in_days"], "30");
    assert_eq!(record.fields["metadata"], r#"{"tier": 1.10}"#);
    assert_eq!(
        record.misshapen,
        [
            ("domains", "an array of strings"),
            ("ip_ranges", "an array of strings")
        ]
    );
    assert!(!record.fields.contains_key("notes"));
}

#[test]
fn only_the_documented_names_and_types_are_read() {
    for name in ["Name", "SHA256", " sha256", "keys"] {
        let text = format!(r#"[{{"name": "One"}}, {{"{name}": "x"}}]"#);
        let refused = refusal(&text);
        assert!(
            refused.starts_with("Unknown field") && refused.contains("in entry 2"),
            "{refused}"
        );
    }
    let misshapen = |fields: &str| {
        let record = read(&format!("[{{{fields}}}]")).unwrap().remove(0);
        record.misshapen
    };
    for days in [r#""thirty""#, r#""1.5""#, "1.5", "true", "[30]"] {
        let wanted = [("expires_in_days", "a whole number")];
        assert_eq!(
            misshapen(&format!(r#""expires_in_days": {days}"#)),
            wanted,
            "{days}"
        );
    }
    for days in ["30", "30.0", r#"" 30 ""#, "null"] {
        assert!(
            misshapen(&format!(r#""expires_in_days": {days}"#)).is_empty(),
            "{days}"
        );
    }
    for (field, items) in [
        ("domains", "a.example,b.example"),
        ("scopes", "bots:read;bots:write"),
        ("ip_ranges", r"::1\n::2"),
    ] {
        let wanted = [(field, "an array of strings with one item each")];
        assert_eq!(
            misshapen(&format!(r#""{field}": ["{items}"]"#)),
            wanted,
            "{field}"
        );
    }
}

#[test]
fn of_a_field_that_is_there_twice_none_is_taken_without_a_word() {
    let text = r#"[{"name": "One", "ip_ranges": ["10.0.0.0/8"], "ip_ranges": null, "notes": null, "notes": "x"}]"#;
    let record = read(text).unwrap().remove(0);
    let twice = [
        ("ip_ranges", "given only once"),
        ("notes", "given only once"),
    ];
    assert_eq!(record.misshapen, twice);
}

#[test]
fn what_cannot_be_read_says_where() {
    assert!(refusal("[\n{]").contains("line 2"));
    assert!(refusal("[{}, 1, {]").contains("line 1"));
    assert!(refusal("[1]").contains("Entry 1"));
    assert!(refusal("[{}, [{}]]").contains("Entry 2"));
    for other in [r#"{"keys": []}"#, "7", "null", "{}"] {
        assert!(refusal(other).contains("array of objects"), "{other}");
    }
    assert!(refusal(r#"[{"colour": "red"}]"#).contains("nknown field `colour`"));
}

#[test]
fn reading_stops_at_the_first_entry_and_the_first_item_too_many() {
    let entries = |count: usize| format!("[{}]", vec!["{}"; count].join(","));
    assert_eq!(read(&entries(MAX_ENTRIES)).unwrap().len(), MAX_ENTRIES);
    assert!(refusal(&entries(MAX_ENTRIES + 1)).contains("at most 10,000"));
    let domains = vec![r#""a.io""#; 100_000].join(",");
    let record = read(&format!(r#"[{{"domains": [{domains}]}}]"#))
        .unwrap()
        .remove(0);
    assert_eq!(record.fields["domains"].split(',').count(), MAX_ITEMS);
}
