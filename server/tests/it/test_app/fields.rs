//! What the fields of a page's forms contain, as a browser reads it.

/// A tag: its name, its attributes, and the text that follows it.
struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
}

impl Tag {
    fn get(&self, name: &str) -> Option<&str> {
        let mut attributes = self.attributes.iter();
        let found = attributes.find(|(has, _)| has == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Whether a field with this name has this value, is the selected one of several choices with it, or is selected.
pub fn has_field(html: &str, name: &str, value: &str) -> bool {
    let mut of_select = String::new();
    tags(html).iter().any(|tag| {
        let is_it = tag.get("name") == Some(name);
        match &*tag.name {
            "select" => {
                of_select = tag.get("name").unwrap_or_default().to_owned();
                false
            }
            "option" => {
                of_select == name
                    && tag.get("value") == Some(value)
                    && tag.get("selected").is_some()
            }
            // The choice was the button that was pressed.
            "button" => is_it && tag.get("value") == Some(value),
            "textarea" => is_it && tag.text.trim() == value.trim(),
            "input" if matches!(tag.get("type"), Some("radio" | "checkbox")) => {
                is_it && tag.get("value") == Some(value) && tag.get("checked").is_some()
            }
            "input" => is_it && tag.get("value").unwrap_or_default() == value,
            _ => false,
        }
    })
}

fn tags(html: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some((_, after)) = rest.split_once('<') {
        let (tag, after) = tag(after);
        rest = after;
        tags.extend(tag);
    }
    tags
}

/// Reads what follows a `<`.
fn tag(html: &str) -> (Option<Tag>, &str) {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let name: String = html.chars().take_while(|c| is_name(*c)).collect();
    if name.is_empty() {
        return (None, html);
    }
    let mut rest = &html[name.len()..];
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix('>') {
            rest = after;
            break;
        }
        let Some(end) = rest.find(|c: char| c == '=' || c == '>' || c.is_whitespace()) else {
            return (None, "");
        };
        let attribute = rest[..end].to_owned();
        rest = &rest[end..];
        let mut value = String::new();
        if let Some(quoted) = rest.strip_prefix("=\"") {
            let (text, after) = quoted.split_once('"').unwrap_or((quoted, ""));
            (value, rest) = (unescaped(text), after);
        }
        attributes.push((attribute, value));
    }
    let text = unescaped(rest.split('<').next().unwrap_or_default());
    let tag = Tag {
        name,
        attributes,
        text,
    };
    (Some(tag), rest)
}

fn unescaped(text: &str) -> String {
    [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#x27;", "'"),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

#[test]
fn fields_are_read_as_browsers_read_them() {
    let html = "<form action=\"/\"><input name=\"a\" value=\"&quot;x&quot; &lt;b&gt;\"/><textarea name=\"t\" rows=\"2\">one\ntwo</textarea>\
        <input type=\"radio\" name=\"r\" value=\"1\"><input type=\"radio\" name=\"r\" value=\"2\" checked>\
        <select name=\"s\"><option value=\"x\">X</option><option value=\"y\" selected>Y</option></select></form>";
    for (name, value, is_shown) in [
        ("a", "\"x\" <b>", true),
        ("a", "x", false),
        ("t", "one\ntwo", true),
        ("t", "one", false),
        ("r", "2", true),
        ("r", "1", false),
        ("s", "y", true),
        ("s", "x", false),
    ] {
        assert_eq!(has_field(html, name, value), is_shown, "{name} {value}");
    }
}
