//! Checks that `docs/conformance.md` lists every conformance test and no other, with sentences that the tests quote.

use std::collections::BTreeSet;

const TABLE: &str = include_str!("../../../../docs/conformance.md");
const SOURCES: [(&str, &str); 5] = [
    ("corthex", include_str!("corthex.rs")),
    ("chatbot_platform", include_str!("chatbot_platform.rs")),
    ("agentix", include_str!("agentix.rs")),
    ("talkifai", include_str!("talkifai.rs")),
    ("cencori", include_str!("cencori.rs")),
];

/// The sentence, test and status of each row.
fn rows() -> Vec<[&'static str; 3]> {
    TABLE
        .lines()
        .filter(|line| line.starts_with("| \""))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            <[&str; 3]>::try_from(cells.as_slice())
                .unwrap_or_else(|_| panic!("three cells: {line}"))
        })
        .collect()
}

#[test]
fn the_table_has_every_test_and_no_other() {
    let named: BTreeSet<String> = rows()
        .iter()
        .filter(|[.., status]| *status == "shown")
        .map(|[_, test, _]| test.trim_matches('`').to_owned())
        .collect();
    let there: BTreeSet<String> = SOURCES
        .iter()
        .flat_map(|(module, source)| {
            let functions = source.split("    async fn ").skip(1);
            functions.map(move |rest| format!("{module}::{}", rest.split('(').next().unwrap()))
        })
        .collect();
    assert_eq!(named, there);
}

#[test]
fn each_row_quotes_what_its_test_quotes() {
    for [sentence, test, status] in rows() {
        if status != "shown" {
            assert!(
                test == "–" && status.starts_with("not shown: ") && status.len() > 20,
                "{sentence}: {status}"
            );
            continue;
        }
        let (module, function) = test.trim_matches('`').split_once("::").unwrap();
        let (_, source) = SOURCES.iter().find(|(name, _)| *name == module).unwrap();
        let before = source
            .split(&format!("    async fn {function}("))
            .next()
            .unwrap();
        // From the end of the previous test to the first line of this one.
        let quoted = before
            .rsplit("\n    }\n")
            .next()
            .unwrap()
            .replace("\n    /// ", " ");
        assert!(
            quoted.contains(sentence),
            "{test} does not quote {sentence}: {quoted}"
        );
    }
}

#[test]
fn each_quotation_of_a_test_is_a_row() {
    let sentences: BTreeSet<&str> = rows().iter().map(|[sentence, ..]| *sentence).collect();
    for (module, source) in SOURCES {
        for line in source
            .lines()
            .filter_map(|line| line.trim().strip_prefix("/// \""))
        {
            for quoted in line.trim_end_matches('"').split("\" \"") {
                assert!(
                    sentences.contains(format!("\"{quoted}\"").as_str()),
                    "{module}: no row quotes {quoted}"
                );
            }
        }
    }
}
