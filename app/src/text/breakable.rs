//! Addresses and hosts, which have no spaces.

use leptos::prelude::*;

/// A text that breaks after its dots and its at sign rather than within a word.
#[component]
pub fn Breakable(#[prop(into)] text: String) -> impl IntoView {
    let parts: Vec<String> = text
        .split_inclusive(['.', '@'])
        .map(str::to_owned)
        .collect();
    let last = parts.len().saturating_sub(1);
    parts
        .into_iter()
        .enumerate()
        .map(|(place, part)| {
            let end = (place < last).then(|| view! { <wbr/> });
            view! { {part}{end} }
        })
        .collect_view()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_breaks_where_it_is_read() {
        let html = view! { <Breakable text="kim@shop.example"/> }.to_html();
        assert_eq!(html.replace("<!>", ""), "kim@<wbr>shop.<wbr>example");
        let html = view! { <Breakable text="<b>"/> }.to_html();
        assert_eq!(html.replace("<!>", ""), "&lt;b&gt;");
    }
}
