//! The value by which lists of names are sorted: alphabetically, regardless of case and accents, with the same order on
//! both databases.
//!
//! Keys and agents are listed page by page, so their rows have it in a column, which `db/computed_columns.rs` fills in rows
//! of earlier versions. Shorter lists are sorted after they are read.

use icu_normalizer::{
    DecomposingNormalizerBorrowed, properties::CanonicalCombiningClassMapBorrowed,
};

/// Returns the name in lower case and without accents, a separator that sorts before every letter, and the unchanged
/// name as a tiebreaker.
pub(crate) fn sort_name(name: &str) -> String {
    let classes = CanonicalCombiningClassMapBorrowed::new();
    let mut plain = String::with_capacity(2 * name.len() + 1);
    for c in DecomposingNormalizerBorrowed::new_nfkd().normalize_iter(name.chars()) {
        match c {
            // Letters such as ø and ß have no canonical decomposition.
            '\u{c0}'..='\u{24f}' | '\u{1e9e}' => plain.extend(deunicode::deunicode_char(c)),
            c if classes.get_u8(c) == 0 => plain.push(c),
            _ => {}
        }
    }
    format!("{}\u{1f}{name}", plain.to_lowercase())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_sorted_as_people_sort_them() {
        let mut names = [
            "Zebra",
            "Öl",
            "zoo",
            "apple",
            "Œuvre",
            "Ärger",
            "Apple",
            "ørsted",
            "Straße",
            "Strasse 2",
            "Éclair",
            "état",
            "Łódź",
            "lamp",
            "Über",
            "1st",
            "Яблоко",
            "北京",
            "Ёлка",
            "Ель",
        ];
        names.sort_by_cached_key(|name| sort_name(name));
        assert_eq!(
            names,
            [
                "1st",
                "Apple",
                "apple",
                "Ärger",
                "Éclair",
                "état",
                "lamp",
                "Łódź",
                "Œuvre",
                "Öl",
                "ørsted",
                "Straße",
                "Strasse 2",
                "Über",
                "Zebra",
                "zoo",
                "Ёлка",
                "Ель",
                "Яблоко",
                "北京",
            ]
        );
    }

    proptest! {
        #[test]
        fn different_names_are_never_equal_and_none_is_empty(a in "\\PC{0,20}", b in "\\PC{0,20}") {
            prop_assert_eq!(sort_name(&a) == sort_name(&b), a == b);
            prop_assert!(!sort_name(&a).is_empty());
        }
    }
}
