//! Addresses' query strings. The router's own map decodes values twice, which changes a key's name with a `%` in it.

/// The last value of `name` in a query string, decoded as forms encode it; empty where there is none.
pub fn value_of(query: &str, name: &str) -> String {
    query
        .trim_start_matches('?')
        .split('&')
        .rev()
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .find(|(key, _)| decode(key) == name)
        .map(|(_, value)| decode(value))
        .unwrap_or_default()
}

/// A query string of the pairs that have a value, with its question mark; empty when none has one.
pub fn query_of(pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = pairs
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect();
    if pairs.is_empty() {
        String::new()
    } else {
        format!("?{}", pairs.join("&"))
    }
}

fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(char::from(b"0123456789ABCDEF"[usize::from(byte >> 4)]));
            encoded.push(char::from(b"0123456789ABCDEF"[usize::from(byte & 15)]));
        }
    }
    encoded
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = (byte == b'%')
            .then(|| hex(bytes.get(at + 1)).zip(hex(bytes.get(at + 2))))
            .flatten();
        at += if escaped.is_some() { 3 } else { 1 };
        decoded.push(match (escaped, byte) {
            (Some((high, low)), _) => high << 4 | low,
            (None, b'+') => b' ',
            (None, byte) => byte,
        });
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn hex(digit: Option<&u8>) -> Option<u8> {
    u8::try_from(char::from(*digit?).to_digit(16)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        for value in ["a b", "100%", "%41", "a&b=c", "\u{1f}", "日本", "a+b", "%"] {
            assert_eq!(
                value_of(&query_of(&[("before", "x"), ("q", value)]), "q"),
                value
            );
        }
    }

    #[test]
    fn what_browsers_send_is_read() {
        assert_eq!(value_of("q=my+key%21&status=", "q"), "my key!");
        assert_eq!(value_of("?q=1&q=2", "q"), "2");
        assert_eq!(value_of("q=%zz%", "q"), "%zz%");
        assert_eq!(value_of("status=active", "q"), "");
        assert_eq!(query_of(&[("q", "")]), "");
    }
}
