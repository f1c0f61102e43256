//! Hostile values.

use proptest::prelude::*;

/// A text for a form, a parameter or a part of a path.
pub fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop::sample::select(texts()),
        1 => "\\PC{0,60}",
        1 => prop::collection::vec(any::<char>(), 0..20).prop_map(String::from_iter),
        1 => any::<i64>().prop_map(|number| number.to_string()),
        1 => any::<f64>().prop_map(|number| number.to_string()),
    ]
}

/// JSON, partly invalid.
pub fn any_json() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(json()),
        4 => any_text().prop_map(|text| serde_json::Value::from(text).to_string()),
        1 => any_text().prop_map(|text| serde_json::json!([text, text]).to_string()),
        1 => any_text().prop_map(|text| serde_json::json!({text: 1}).to_string()),
        1 => any::<i64>().prop_map(|number| number.to_string()),
        1 => any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(|number| format!("{number:?}")),
    ]
}

fn texts() -> Vec<String> {
    let plain = [
        "",
        " ",
        "\t\n",
        "\0",
        "a\0b",
        "\u{1}",
        "\u{7f}\u{85}",
        "\u{202e}abc",
        "\u{feff}",
        "\u{fffd}",
        "\u{10ffff}",
        "e\u{301}",
        "É",
        "ﬀ",
        "ǅ",
        "İ",
        "ß",
        "\u{1f469}\u{200d}\u{1f4bb}",
        "-1",
        "0",
        "1.0",
        "1e3",
        "1e400",
        "NaN",
        "+1",
        "٣",
        "99999999999999999999",
        "9223372036854775807",
        "-9223372036854775808",
        "9999-12-31",
        "10000-01-01",
        "0000-01-01",
        "-9999-01-01",
        "2027-02-30",
        "9999-12-31T23:59:59.999Z",
        "9999-12-31T23:59:59-23:59",
        "0000-01-01T00:00:00+23:59",
        "[]",
        "{}",
        "%",
        "%%",
        "\\",
        "_",
        "'",
        "' OR 1=1 --",
        "\"",
        "`",
        "<script>",
        "null",
        "true",
        "on",
        "a,b;c\td",
        "..",
        ".",
        "key_00000000000000000000000000000000",
        "prj_00000000000000000000000000000000",
        "agt_0000000000000000000000",
        "key_00000000000000000000000000000000~",
        "name.asc.key_00000000000000000000000000000000~",
        "widget",
        "secret",
        "test",
        "never",
        "date",
        "keep",
        "create",
        "rename",
        "delete",
        "disable",
        "revoke",
        "end-old-secret",
        "import",
        "csv",
        "json",
        "name,sha256\nA\0,aa",
        "sep=;\nname;sha256\n;;\n",
        "*.com",
        "localhost",
        "xn--",
        "*.xn--a.example",
        "10.0.0.0/33",
        "::/0",
        "bots:read",
        "BOTS:READ",
        "northwind",
        "NORTHWIND",
        "dana@northwind.example",
        "@",
        "7d",
        "12m",
        "key.*",
        "*",
    ];
    let long = [300, 20_000].map(|length| "a".repeat(length));
    let many = [
        "a.example,".repeat(600),
        "\u{301}".repeat(100),
        "é".repeat(60),
    ];
    plain
        .into_iter()
        .map(str::to_owned)
        .chain(long)
        .chain(many)
        .collect()
}

fn json() -> Vec<String> {
    let plain = [
        "null",
        "true",
        "false",
        "0",
        "-0",
        "-1",
        "1",
        "1.0",
        "1.5",
        "1e2",
        "1e300",
        "1e400",
        "-1E999",
        "12345678901234567890123",
        "9223372036854775808",
        "0.1",
        "[]",
        "[null]",
        "[[]]",
        "[\"\"]",
        "{}",
        "{\"a\":1,\"a\":2}",
        "{\"\":null}",
        r#""\ud800""#,
        r#""\udc00\ud800""#,
        r#"["\ud800"]"#,
        r#"{"a":"\ud800"}"#,
        r#"{"\ud800":1}"#,
        r#""\u0000""#,
        r#"{"a":1e400}"#,
        r#"{"a":[1.10,-0,1E2]}"#,
        r#"{"$serde_json::private::Number":"1"}"#,
        r#"{"$serde_json::private::RawValue":"1"}"#,
        "nul",
        "[",
        "{",
        "\"",
        "01",
        "+1",
        ".5",
        "NaN",
        "1 2",
    ];
    let deep =
        [90, 200, 20_000].map(|levels| format!("{}{}", "[".repeat(levels), "]".repeat(levels)));
    let objects = [
        format!("{}1{}", "{\"a\":".repeat(300), "}".repeat(300)),
        format!("[{}1]", "1,".repeat(700)),
    ];
    plain
        .into_iter()
        .map(str::to_owned)
        .chain(deep)
        .chain(objects)
        .collect()
}
