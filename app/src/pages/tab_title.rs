//! The title of a page in the browser's tab.

/// The document title of a page. `leptos_meta` does not escape it.
pub fn in_the_tab(title: &str) -> String {
    let title = title.replace('&', "&amp;").replace('<', "&lt;");
    if title.is_empty() {
        "Latchkey".to_owned()
    } else {
        format!("{title} · Latchkey")
    }
}
