//! Static HTML without islands and scripts: the documentation, and error pages outside of the pages.

use leptos::prelude::*;

use crate::assets;

/// A document with this `<body>`.
pub fn document<V: IntoView>(title: &str, body: impl FnOnce() -> V) -> String {
    let (title, names) = (format!("{title} · Latchkey"), assets::names());
    let document = || {
        view! {
            <!DOCTYPE html>
            <html lang="en">
                <head>
                    <meta charset="utf-8"/>
                    <meta name="viewport" content="width=device-width, initial-scale=1"/>
                    <meta name="color-scheme" content="light dark"/>
                    <title>{title}</title>
                    <link rel="icon" href=names.favicon/>
                    <link rel="stylesheet" href=names.css/>
                </head>
                {body()}
            </html>
        }
        .to_html()
    };
    // Removes Leptos's hydration markers, which these pages do not need. Text never contains one, because it is
    // escaped.
    Owner::new().with(document).replace("<!>", "")
}

/// Renders text in which parts between backticks are code.
pub fn with_code(text: &str) -> AnyView {
    let parts = text.split('`').enumerate();
    let parts = parts.filter(|(_, part)| !part.is_empty());
    let parts = parts.map(|(position, part)| {
        let part = part.to_owned();
        match position % 2 {
            1 => view! { <code>{part}</code> }.into_any(),
            _ => part.into_any(),
        }
    });
    parts.collect_view().into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_backticks_are_code() {
        let shown = with_code("a `<b>` & \"c\" <!>")
            .to_html()
            .replace("<!>", "");
        let expected = "a <code>&lt;b&gt;</code> &amp; \"c\" &lt;!&gt;";
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_document_says_what_it_was_given() {
        let title = "\"<!>\"".to_owned();
        let body = || view! { <body title=title><p>{"<!>"}{"a"}</p></body> };
        let html = document("<b>", body);
        assert!(
            html.starts_with("<!DOCTYPE html><html lang=\"en\">"),
            "{html}"
        );
        assert!(
            html.contains("<title>&lt;b&gt; · Latchkey</title>"),
            "{html}"
        );
        let body = "<body title=\"&quot;&lt;!&gt;&quot;\"><p>&lt;!&gt;a</p></body></html>";
        assert!(html.ends_with(body), "{html}");
    }
}
