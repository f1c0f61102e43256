//! What only the server can tell of a name: its ASCII form, and whether others register names under it.

use std::borrow::Cow;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

/// The name as DNS carries it: an international one as punycode, by UTS 46 without the transitional mappings, as browsers
/// do it. `None` for a name that has no such form, and for a punycode label that no browser would make.
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

/// Whether the name is on the public suffix list, in its ICANN or its private part.
pub(super) fn is_public_suffix(name: &str) -> bool {
    psl::suffix(name.as_bytes())
        .is_some_and(|suffix| suffix.is_known() && suffix.as_bytes() == name.as_bytes())
}
