use super::*;

/// Parses Latchkey's own file with a part of its text replaced. Also returns the first line of the replacement.
fn edited(from: &str, to: &str) -> (Result<Convention, ConventionError>, usize) {
    let text = include_str!("../latchkey.toml");
    assert_eq!(text.matches(from).count(), 1, "{from:?}");
    let (before, after) = text.split_once(from).unwrap();
    (
        Convention::from_toml(&format!("{before}{to}{after}")),
        before.matches('\n').count() + 1,
    )
}

#[test]
fn a_bad_file_is_refused_with_line_and_reason() {
    const HEADERS: &str = "accepted_in = [\"Bearer\", \"X-API-Key\"]";
    // The text to replace, its replacement, the line within it that the error names (from 0), and a part of the reason.
    let cases = [
        ("name = \"latchkey\"", "name = \"Latchkey\"", 0, "a–z"),
        ("title = \"Latchkey\"", "title = \" \"", 0, "empty"),
        (
            "title = \"Latchkey\"",
            "titel = \"Latchkey\"",
            0,
            "unknown field `titel`",
        ),
        ("title = \"Latchkey\"", "title =", 0, "quoted"),
        (
            "title = \"Latchkey\"",
            "title = \"Latchkey\" again",
            0,
            "newline",
        ),
        (
            "secret_test = \"lk_sk_test_\"",
            "secret_test = \"lk_sk_live_\"",
            0,
            "taken for",
        ),
        (
            "secret_test = \"lk_sk_test_\"",
            "secret_test = \"lk_sk_live_2\"",
            0,
            "taken for",
        ),
        (
            "secret_live = \"lk_sk_live_\"",
            "secret_live = \"lk-\"",
            0,
            "at most 32",
        ),
        (
            "widget_test = \"lk_pk_test_\"",
            "widget_test = \"LK_\"",
            0,
            "at most 32",
        ),
        (
            "widget_test = \"lk_pk_test_\"",
            "widget_test = \"\"",
            0,
            "identifies them in pages",
        ),
        (
            "[domains]\n",
            "[legacy_prefixes]\nlive = [\"\"]\n\n[domains]\n",
            1,
            "not empty",
        ),
        (
            "[domains]\n",
            "[legacy_prefixes]\ntest = [\"a_\", \"lk_sk_live_\"]\n\n[domains]\n",
            1,
            "taken for",
        ),
        (
            "[domains]\n",
            "[kind_names]\nwidget = \" \"\n\n[domains]\n",
            1,
            "must have a name",
        ),
        (
            "[domains]\n",
            "[kind_names]\nsecret = \"widget\"\n\n[domains]\n",
            0,
            "same name",
        ),
        (
            "[prefixes]\nsecret_live = \"lk_sk_live_\"",
            "[prefixes]",
            0,
            "missing field `secret_live`",
        ),
        (
            "random_characters = 26",
            "random_characters = 25",
            0,
            "guessed",
        ),
        (
            "random_characters = 26",
            "random_characters = 300",
            0,
            "300",
        ),
        (
            "random_characters = 26",
            "display_front = 20\nrandom_characters = 26",
            0,
            "eight",
        ),
        (HEADERS, "accepted_in = []", 0, "at least one header"),
        (
            HEADERS,
            "accepted_in = [\"Bearer\", \"X API Key\"]",
            0,
            "not the name of a header",
        ),
        (
            HEADERS,
            "accepted_in = [\"X-API-Key\", \"x-api-key\"]",
            0,
            "twice",
        ),
        (
            HEADERS,
            "accepted_in = [\"authorization\"]",
            0,
            "write `Bearer`",
        ),
        (
            HEADERS,
            "browser_scopes = [\"chat\"]\naccepted_in = [\"Bearer\"]",
            0,
            "`chat` is not one of the scopes",
        ),
        (
            HEADERS,
            "browser_scopes = [\"admin\"]\naccepted_in = [\"Bearer\"]",
            0,
            "not in a browser",
        ),
        (
            "admin_scope = \"admin\"",
            "admin_scope = \"root\"",
            0,
            "`root` is not one of the scopes",
        ),
        (
            "no_scope_means = \"all\"",
            "no_scope_means = \"some\"",
            0,
            "some",
        ),
        (
            "default_class = \"default\"",
            "default_class = \"chat\"",
            0,
            "`chat` is not one of the classes",
        ),
        (
            "[classes]\ndefault = 600",
            "[classes]\ndefault = 0",
            1,
            "nonzero",
        ),
        ("[classes]\n", "[classes]\n\"Chat!\" = 5\n", 1, "a–z"),
        (
            "localhost_switch = true",
            "localhost_switch = 1",
            0,
            "boolean",
        ),
        (
            "localhost = \"always\"\n",
            "localhost = \"never\"\n",
            1,
            "forbid",
        ),
        ("default_days = 365", "default_days = 364", 0, "not one of"),
        (
            "offered_days = [30, 90",
            "offered_days = [90, 30",
            0,
            "shortest first",
        ),
        (
            "offered_days = [30, 90",
            "offered_days = [30, 30",
            0,
            "once",
        ),
        (
            "[expiry]\n# Without `default_days`, a form proposes that the key never expires.\ndefault_days = 365\noffered_days = [30, 90, 180, 365]\nnever = true",
            "[expiry]\nnever = false\noffered_days = [30]",
            0,
            "`never` is false",
        ),
        (
            "widget = \"LATCHKEY_WIDGET_KEY\"",
            "widget = \"1_KEY\"",
            0,
            "A–Z",
        ),
        (
            "[[scopes]]\nname = \"bots:write\"",
            "[[scopes]]\nname = \"bots:read\"",
            1,
            "twice",
        ),
        (
            "name = \"bots:write\"",
            "name = \"Bots\"",
            0,
            "not a valid scope",
        ),
        (
            "[[scope_presets]]\nname = \"Read and write\"",
            "[[scope_presets]]\nname = \"Read only\"",
            1,
            "its own name",
        ),
        (
            "name = \"Read and write\"",
            "name = \"All\"\nscopes = [\"x\"]\n[[scope_presets]]\nname = \"Read and write\"",
            1,
            "`x` is not one",
        ),
    ];
    for (from, to, offset, reason) in cases {
        let (result, line) = edited(from, to);
        let error = result.expect_err(to);
        assert!(error.reason.contains(reason), "{to:?}: {error}");
        assert_eq!(error.line, line + offset, "{to:?}: {error}");
    }
}
