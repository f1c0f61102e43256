//! The request that checks a key, against this instance. It runs as pasted: what the page does not know is set in the first
//! lines.

/// The environment variable with a service token.
pub const TOKEN_VARIABLE: &str = "LATCHKEY_SERVICE_TOKEN";

/// In place of a key and of a service token that the page does not know.
pub const YOUR_KEY: &str = "your key";
pub const YOUR_TOKEN: &str = "your service token";

/// The label of the example that verifies a key.
pub const VERIFY_TAB: &str = "Verify the key";

/// Commands that ask the instance at `public_url` whether a key is valid. `fields` are those of the request's body. A value
/// that starts with `$` is an environment variable with a key.
pub fn check(public_url: &str, fields: &[(&str, &str)]) -> String {
    check_with_token(&format!("\"{YOUR_TOKEN}\""), public_url, fields)
}

/// The same commands with a service token.
pub fn check_with_token(token: &str, public_url: &str, fields: &[(&str, &str)]) -> String {
    let variables = fields
        .iter()
        .filter_map(|(_, value)| value.strip_prefix('$'));
    let keys: String = variables.map(set_key).collect();
    let command = command(public_url, fields);
    format!("export {TOKEN_VARIABLE}={token}\n{keys}\n{command}")
}

/// The line that sets an environment variable to a key.
pub fn set_key(variable: &str) -> String {
    format!("export {variable}=\"{YOUR_KEY}\"\n")
}

fn command(public_url: &str, fields: &[(&str, &str)]) -> String {
    let is_variable = fields.iter().any(|(_, value)| value.starts_with('$'));
    // A shell replaces variables only in double quotes.
    let (around, quote) = if is_variable {
        ('"', "\\\"")
    } else {
        ('\'', "\"")
    };
    let fields: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{quote}{name}{quote}: {quote}{value}{quote}"))
        .collect();
    format!(
        "curl {public_url}/v1/verify \\\n  -H \"Authorization: Bearer ${TOKEN_VARIABLE}\" \\\n  \
         -H \"Content-Type: application/json\" \\\n  -d {around}{{{}}}{around}",
        fields.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_quoted_for_the_shell() {
        let url = "https://keys.example";
        let fields = [("key", "lk_1"), ("origin", "https://shop.example")];
        insta::assert_snapshot!(check(url, &fields), @r#"
        export LATCHKEY_SERVICE_TOKEN="your service token"

        curl https://keys.example/v1/verify \
          -H "Authorization: Bearer $LATCHKEY_SERVICE_TOKEN" \
          -H "Content-Type: application/json" \
          -d '{"key": "lk_1", "origin": "https://shop.example"}'
        "#);
        insta::assert_snapshot!(check_with_token("lk_st_1", url, &[("key", "$API_KEY")]), @r#"
        export LATCHKEY_SERVICE_TOKEN=lk_st_1
        export API_KEY="your key"

        curl https://keys.example/v1/verify \
          -H "Authorization: Bearer $LATCHKEY_SERVICE_TOKEN" \
          -H "Content-Type: application/json" \
          -d "{\"key\": \"$API_KEY\"}"
        "#);
    }
}
