//! Addresses and hosts, which have no spaces.

use leptos::{either::Either, prelude::*};

/// A text whose addresses and hosts break after their dots and at signs if they are longer than a line, rather than within a
/// word, and otherwise not at all.
#[component]
pub fn Breakable(#[prop(into)] text: String) -> impl IntoView {
    let words = text.split_inclusive(' ').map(|word| {
        let (bare, space) = match word.strip_suffix(' ') {
            Some(bare) => (bare, Some(" ")),
            None => (word, None),
        };
        if !bare.trim_end_matches(END).contains(BREAKS) {
            return Either::Left(word.to_owned());
        }
        let parts: Vec<String> = bare.split_inclusive(BREAKS).map(str::to_owned).collect();
        let last = parts.len() - 1;
        let parts = parts.into_iter().enumerate().map(|(place, part)| {
            let end = (place < last).then(|| view! { <wbr/> });
            view! { {part}{end} }
        });
        let parts = parts.collect_view();
        Either::Right(view! { <span class="unit">{parts}</span>{space} })
    });
    words.collect_view()
}

const BREAKS: [char; 2] = ['.', '@'];
/// What ends a sentence or an item of a list.
const END: [char; 2] = ['.', ','];

#[cfg(test)]
mod tests {
    use super::*;

    fn html(text: &str) -> String {
        let html = view! { <Breakable text/> }.to_html();
        html.replace("<!>", "")
    }

    #[test]
    fn an_address_breaks_where_it_is_read() {
        assert_eq!(
            html("kim@shop.example"),
            "<span class=\"unit\">kim@<wbr>shop.<wbr>example</span>"
        );
        assert_eq!(
            html("Not from *.shop.example. It is new."),
            "Not from <span class=\"unit\">*.<wbr>shop.<wbr>example.</span> It is new."
        );
        assert_eq!(html("<b>"), "&lt;b&gt;");
    }
}
