//! Lists from untrusted input, parsed up to their maximum length.
//!
//! A list that is too long costs no more than one of the maximum length: parsing stops at the first item beyond it. At
//! most [`MAX_LISTED_ERRORS`] invalid items are reported, with a count of the rest.

use std::{collections::HashSet, fmt, hash::Hash, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, IgnoredAny, SeqAccess, Visitor},
};

/// The maximum number of errors listed for one field. The rest are counted.
pub const MAX_LISTED_ERRORS: usize = 20;

/// A list typed by a user, parsed item by item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedList<T, E> {
    /// The valid items without duplicates, in their original order.
    pub items: Vec<T>,
    /// The first [`MAX_LISTED_ERRORS`] invalid items.
    pub invalid: Vec<InvalidItem<E>>,
    /// The number of further invalid items.
    pub more_invalid: usize,
    /// Whether the list exceeds the maximum length. The rest was not parsed.
    pub is_too_long: bool,
    /// Whether the items are on several lines.
    pub has_lines: bool,
}

/// An invalid item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidItem<E> {
    /// The text that was entered.
    pub item: String,
    /// The line on which it was entered, from 1.
    pub line: usize,
    /// Why the item is invalid. The message says what to enter instead.
    pub error: E,
}

impl<T, E> Default for ParsedList<T, E> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            invalid: Vec::new(),
            more_invalid: 0,
            is_too_long: false,
            has_lines: false,
        }
    }
}

impl<T, E> ParsedList<T, E> {
    /// Whether all items are valid and the list is not too long.
    pub fn is_valid(&self) -> bool {
        self.invalid.is_empty() && !self.is_too_long
    }
}

impl<T, E: fmt::Display> ParsedList<T, E> {
    /// Returns one message per error, with its line if there are several. `too_many` is the message for a list that is too long. Errors for which `counts`
    /// is false are omitted.
    pub fn sentences(&self, too_many: &str, counts: impl Fn(&E) -> bool) -> Vec<String> {
        let mut sentences: Vec<String> = self
            .invalid
            .iter()
            .filter(|invalid| counts(&invalid.error))
            .map(|InvalidItem { line, error, .. }| match self.has_lines {
                true => format!("Line {line}: {error}"),
                false => error.to_string(),
            })
            .collect();
        sentences.extend(more_errors(self.more_invalid));
        if self.is_too_long {
            sentences.insert(0, too_many.to_owned());
        }
        sentences
    }
}

/// Returns the items without duplicates, in their original order.
pub fn each_once<T: Clone + Eq + Hash>(items: &[T]) -> Vec<T> {
    let mut seen = HashSet::with_capacity(items.len());
    let first = items.iter().filter(|item| seen.insert(*item));
    first.cloned().collect()
}

/// The message that follows a list of errors from which `count` errors are omitted.
pub fn more_errors(count: usize) -> Option<String> {
    match count {
        0 => None,
        1 => Some("And 1 more like these.".to_owned()),
        count => Some(format!("And {count} more like these.")),
    }
}

/// Parses items separated by commas or line breaks. Empty items are ignored, and repeated items are parsed once. At
/// most `max` + 1 items are parsed.
pub(crate) fn parse<T: Clone + Eq + Hash, E>(
    text: &str,
    max: usize,
    parse_item: impl Fn(&str) -> Result<T, E>,
) -> ParsedList<T, E> {
    let mut list = ParsedList::default();
    let (mut typed, mut known) = (HashSet::new(), HashSet::new());
    list.has_lines = text.trim().contains('\n');
    let lines = text.split('\n').zip(1_usize..);
    let items =
        lines.flat_map(|(text, line)| text.split([',', '\r']).map(move |item| (item.trim(), line)));
    for (item, line) in items.filter(|(item, _)| !item.is_empty()) {
        if !typed.insert(item) {
            continue;
        }
        if typed.len() > max {
            list.is_too_long = true;
            break;
        }
        match parse_item(item) {
            Ok(parsed) => {
                if known.insert(parsed.clone()) {
                    list.items.push(parsed);
                }
            }
            Err(_) if list.invalid.len() == MAX_LISTED_ERRORS => list.more_invalid += 1,
            Err(error) => list.invalid.push(InvalidItem {
                item: item.to_owned(),
                line,
                error,
            }),
        }
    }
    list
}

/// A list of at most `MAX` items in a request body. Parsing fails at the first item beyond that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AtMost<T, const MAX: usize>(pub Vec<T>);

impl<T, const MAX: usize> Default for AtMost<T, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T, const MAX: usize> std::ops::Deref for AtMost<T, MAX> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T, const MAX: usize> From<AtMost<T, MAX>> for Vec<T> {
    fn from(list: AtMost<T, MAX>) -> Self {
        list.0
    }
}

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for AtMost<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<T, const MAX: usize>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for Items<T, MAX> {
            type Value = Vec<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of at most {MAX} items")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
                let mut items = Vec::new();
                while items.len() < MAX {
                    match list.next_element()? {
                        Some(item) => items.push(item),
                        None => return Ok(items),
                    }
                }
                match list.next_element::<IgnoredAny>()? {
                    None => Ok(items),
                    Some(_) => Err(A::Error::custom(format_args!(
                        "must have at most {MAX} items"
                    ))),
                }
            }
        }

        deserializer
            .deserialize_seq(Items::<T, MAX>(PhantomData))
            .map(Self)
    }
}

#[cfg(test)]
#[cfg(feature = "native")]
mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        static PARSED: Cell<usize> = const { Cell::new(0) };
    }

    #[derive(Debug, Clone, PartialEq, Eq)]
    struct NotANumber;

    impl fmt::Display for NotANumber {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Write a number.")
        }
    }

    /// A number that counts how many were parsed in this thread.
    #[derive(Debug, Clone, PartialEq, Eq, Hash)]
    struct Counted(u64);

    impl Counted {
        fn parse(text: &str) -> Result<Self, NotANumber> {
            PARSED.set(PARSED.get() + 1);
            text.parse().map(Self).map_err(|_| NotANumber)
        }
    }

    impl<'de> Deserialize<'de> for Counted {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let number = u64::deserialize(deserializer)?;
            Self::parse(&number.to_string()).map_err(D::Error::custom)
        }
    }

    fn parsed<T>(work: impl FnOnce() -> T) -> (usize, T) {
        PARSED.set(0);
        let result = work();
        (PARSED.get(), result)
    }

    fn numbers(count: usize) -> String {
        let numbers: Vec<String> = (0..count).map(|number| number.to_string()).collect();
        numbers.join(",")
    }

    #[test]
    fn errors_name_their_line_if_there_are_several() {
        let sentences = |text: &str| {
            let parse_item = |item: &str| item.parse::<u8>().map_err(|_| NotANumber);
            parse(text, 10, parse_item).sentences("", |_| true)
        };
        assert_eq!(sentences("1, x"), ["Write a number."]);
        assert_eq!(sentences("x\n"), ["Write a number."]);
        assert_eq!(
            sentences("1\r\n\r\n2, x\r\ny"),
            ["Line 3: Write a number.", "Line 4: Write a number."]
        );
    }

    #[test]
    fn a_text_of_any_length_costs_what_the_longest_list_does() {
        let (count, list) = parsed(|| parse(&numbers(100_000), 500, Counted::parse));
        assert_eq!((count, list.items.len()), (500, 500));
        assert!(list.is_too_long && !list.is_valid());
        let (count, list) = parsed(|| parse(&numbers(500), 500, Counted::parse));
        assert_eq!((count, list.is_valid()), (500, true));
    }

    #[test]
    fn an_item_that_is_typed_again_is_not_parsed_again() {
        let (count, list) = parsed(|| parse(&"7,".repeat(100_000), 500, Counted::parse));
        assert_eq!((count, list.items), (1, vec![Counted(7)]));
    }

    #[test]
    fn twenty_errors_are_listed_and_the_others_counted() {
        let text: Vec<String> = (0..100_000).map(|number| format!("x{number}")).collect();
        let (count, list) = parsed(|| parse(&text.join("\n"), 500, Counted::parse));
        assert_eq!(
            (count, list.invalid.len(), list.more_invalid),
            (500, 20, 480)
        );
        let sentences = list.sentences("Too many.", |_| true);
        assert_eq!(sentences.len(), 22);
        assert_eq!(sentences[..2], ["Too many.", "Line 1: Write a number."]);
        assert_eq!(sentences[21], "And 480 more like these.");
    }

    #[test]
    fn a_list_of_json_is_read_to_the_first_item_too_many() {
        let (count, list) = parsed(|| {
            serde_json::from_str::<AtMost<Counted, 500>>(&format!("[{}]", numbers(100_000)))
        });
        assert_eq!(count, 500);
        assert!(
            list.unwrap_err()
                .to_string()
                .starts_with("must have at most 500 items")
        );
        let (_, list) =
            parsed(|| serde_json::from_str::<AtMost<Counted, 500>>(&format!("[{}]", numbers(500))));
        assert_eq!(list.unwrap().len(), 500);
    }
}
