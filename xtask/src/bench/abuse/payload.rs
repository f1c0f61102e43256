//! The payloads of the attacks: bodies of the maximum size, full of values that are slow to validate.

/// The maximum size of a request body of the REST API, in bytes.
pub const LARGEST_JSON: usize = 64 * 1024;

const BOUNDARY: &str = "latchkey-abuse";
const DIGEST: &str = "a5d6ad5ae0ad7d1e6a4d1aa0d8aa37c5df3a4a4c5ad75d1e6a4d1aa0d8aa37c5";

/// A unique word for each number, short so that many fit into a body.
pub fn word(number: usize, letters: u32) -> String {
    (0..letters)
        .rev()
        .map(|place| char::from(b'a' + (number / 26_usize.pow(place) % 26) as u8))
        .collect()
}

/// A unique domain for each number.
pub fn domain(number: usize) -> String {
    format!("{}.io", word(number, 4))
}

/// A JSON list of as many domains as fit into one request, of 118 characters each. The lists for different values of
/// `first` share no domains.
pub fn long_domains(first: usize) -> String {
    let long = "a".repeat(63);
    let domain = |number: usize| {
        let word = word(2 * number + first, 4);
        format!("\"{word}.{long}.{}.io\"", "b".repeat(46))
    };
    format!("[{}]", list(490, ",", domain))
}

/// CSV with one row that contains `count` characters that HTML escapes to four.
pub fn csv_of_less_than_signs(count: usize) -> String {
    format!("name,sha256\n{},x\n", "<".repeat(count))
}

/// Joins `count` items to one text.
pub fn list(count: usize, separator: &str, item: impl Fn(usize) -> String) -> String {
    let items: Vec<String> = (0..count).map(item).collect();
    items.join(separator)
}

/// CSV with one key that has all of these domains.
pub fn csv_of_one(domains: &str) -> String {
    format!("name,sha256,kind,domains\nImported,{DIGEST},widget,\"{domains}\"\n")
}

/// CSV in which nearly every field of every row is invalid.
pub fn csv_of_bad_rows(count: usize) -> String {
    let columns = "name,sha256,last_four,kind,environment,scopes,domains,ip_ranges,expires_in_days,project,metadata\n";
    let row = |number| {
        let word = word(number, 4);
        format!("\t,{word},{word}s,toy,moon,A B,-{word};_{word},999.9.9.9;{word},never,{word},[]\n")
    };
    format!("{columns}{}", list(count, "", row))
}

/// JSON with `count` keys to import. Lists for different values of `first` share no keys.
pub fn json_of_keys(first: usize, count: usize) -> String {
    let key = |number| {
        format!(
            "{{\"name\":\"Old\",\"sha256\":\"{:064x}\"}}",
            first + number + 1
        )
    };
    format!("[{}]", list(count, ",", key))
}

/// The import form with this file, and its content type.
pub fn multipart(file: &str) -> (String, String) {
    let body = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"format\"\r\n\r\ncsv\r\n--{BOUNDARY}\r\n\
         Content-Disposition: form-data; name=\"file\"; filename=\"keys.csv\"\r\nContent-Type: text/csv\r\n\r\n\
         {file}\r\n--{BOUNDARY}--\r\n"
    );
    (format!("multipart/form-data; boundary={BOUNDARY}"), body)
}

/// The body of a URL-encoded form.
pub fn form(fields: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
        .collect();
    pairs.join("&")
}

fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' => {
                encoded.push(char::from(byte));
            }
            _ => encoded += &format!("%{byte:02X}"),
        }
    }
    encoded
}

/// A request for a new key, in JSON of the maximum size, with as many items as fit in the array `field`.
pub fn json_with_list(field: &str, kind: &str, item: impl Fn(usize) -> String) -> String {
    let front = format!("{{\"name\":\"Listed\",\"kind\":\"{kind}\",\"{field}\":[");
    filled(&front, "]}", |number| format!("\"{}\"", item(number)))
}

/// A request for a new key, in JSON of the maximum size, with as many unknown fields as fit.
pub fn json_of_unknown_fields() -> String {
    let front = "{\"name\":\"Unknown\",\"kind\":\"secret\",";
    filled(front, "}", |number| format!("\"{}\":0", word(number, 4)))
}

/// As many comma-separated items as fit into the largest JSON body.
fn filled(front: &str, back: &str, item: impl Fn(usize) -> String) -> String {
    let mut text = front.to_owned();
    for number in 0.. {
        let item = item(number);
        let comma = if number == 0 { "" } else { "," };
        if text.len() + comma.len() + item.len() + back.len() > LARGEST_JSON {
            break;
        }
        text += comma;
        text += &item;
    }
    text + back
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashSet};

    use super::*;

    #[test]
    fn words_are_distinct() {
        assert_eq!(
            (word(0, 4), word(27, 4)),
            ("aaaa".to_owned(), "aabb".to_owned())
        );
        let words: HashSet<String> = (0..100_000).map(|number| word(number, 4)).collect();
        assert_eq!(words.len(), 100_000);
    }

    #[test]
    fn bodies_are_as_large_as_the_server_takes() {
        let file = csv_of_one(&list(100_000, ";", domain));
        assert!((790_000..810_000).contains(&file.len()), "{}", file.len());
        assert!(form(&[("domains", &list(40_000, "\n", domain))]).len() < 512 * 1024);
        for body in [
            json_with_list("domains", "widget", domain),
            json_of_unknown_fields(),
        ] {
            assert!(
                (LARGEST_JSON - 20..=LARGEST_JSON).contains(&body.len()),
                "{}",
                body.len()
            );
            let read: serde_json::Value = serde_json::from_str(&body).unwrap();
            assert!(read.is_object());
        }
    }

    #[test]
    fn bad_rows_have_as_many_fields_as_columns() {
        let file = csv_of_bad_rows(100);
        let fields: BTreeSet<usize> = file.lines().map(|line| line.split(',').count()).collect();
        assert_eq!(
            (file.lines().count(), fields.into_iter().collect::<Vec<_>>()),
            (101, vec![11])
        );
    }

    #[test]
    fn long_domains_fit_into_one_request_and_differ() {
        let lists = [0, 1].map(long_domains);
        assert!(lists.iter().all(|list| list.len() + 1_000 < LARGEST_JSON));
        let of = |list: &str| -> Vec<String> { serde_json::from_str(list).unwrap() };
        let all: HashSet<String> = lists.iter().flat_map(|list| of(list)).collect();
        assert_eq!(all.len(), 980);
        assert!(all.iter().all(|domain| domain.len() == 118));
    }

    #[test]
    fn a_form_is_encoded() {
        assert_eq!(
            form(&[("a", "b c&d"), ("é", "\n")]),
            "a=b%20c%26d&%C3%A9=%0A"
        );
    }
}
