//! Name checks that only the server can do: conversion to ASCII and the public suffix list.

use std::borrow::Cow;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

/// Returns the name as used in DNS. International names are converted to punycode by UTS 46 without transitional
/// mappings, as in browsers. Returns `None` for a name without such a form, and for a punycode label that no browser
/// would produce.
pub(super) fn to_ascii(name: &str) -> Option<Cow<'_, str>> {
    let is_punycode = |label: &str| {
        label
            .get(..4)
            .is_some_and(|start| start.eq_ignore_ascii_case("xn--"))
    };
    if name.is_ascii() && !name.split('.').any(is_punycode) {
        return Some(Cow::Borrowed(name));
    }
    Uts46::new()
        .to_ascii(
            name.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::Allow,
            DnsLength::VerifyAllowRootDot,
        )
        .ok()
}

/// Whether the name is on the public suffix list, in its ICANN or its private section.
pub(super) fn is_public_suffix(name: &str) -> bool {
    psl::suffix(name.as_bytes())
        .is_some_and(|suffix| suffix.is_known() && suffix.as_bytes() == name.as_bytes())
}
