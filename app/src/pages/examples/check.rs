//! The request that checks a key. It runs as pasted, against this instance.

/// The environment variable with a service token.
pub const TOKEN_VARIABLE: &str = "LATCHKEY_SERVICE_TOKEN";

/// The label of the example that verifies a key.
pub const VERIFY_TAB: &str = "Verify the key";

/// A command that asks the instance at `public_url` whether a key is valid. `fields` are those of the request's body. A
/// value that starts with `$` is an environment variable.
pub fn check(public_url: &str, fields: &[(&str, &str)]) -> String {
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

/// The same command, after one that sets the service token.
pub fn check_with_token(token: &str, public_url: &str, fields: &[(&str, &str)]) -> String {
    format!(
        "export {TOKEN_VARIABLE}={token}\n\n{}",
        check(public_url, fields)
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
        curl https://keys.example/v1/verify \
          -H "Authorization: Bearer $LATCHKEY_SERVICE_TOKEN" \
          -H "Content-Type: application/json" \
          -d '{"key": "lk_1", "origin": "https://shop.example"}'
        "#);
        let of_variable = check(url, &[("key", "$API_KEY")]);
        assert!(
            of_variable.ends_with(r#"-d "{\"key\": \"$API_KEY\"}""#),
            "{of_variable}"
        );
    }
}
