//! The request that checks a key, against this instance. It runs as pasted: what the page does not know is read from the shell's
//! environment, and is a placeholder if that does not have it. So an example never replaces a variable that is set.

/// The environment variable with a service token.
pub const TOKEN_VARIABLE: &str = "LATCHKEY_SERVICE_TOKEN";

/// In place of a key and of a service token that the page does not know.
pub const YOUR_KEY: &str = "your key";
pub const YOUR_TOKEN: &str = "your service token";

/// The label of the example that verifies a key.
pub const VERIFY_TAB: &str = "Verify the key";

/// A command that asks the instance at `public_url` whether a key is valid. `fields` are those of the request's body, and `scope`
/// is what the request needs, if anything.
pub fn check(public_url: &str, fields: &[(&str, &str)], scope: Option<&str>) -> String {
    command(
        &format!("${{{TOKEN_VARIABLE}:-{YOUR_TOKEN}}}"),
        public_url,
        fields,
        scope,
    )
}

/// The same with a service token, which stays in the environment.
pub fn check_with_token(token: &str, public_url: &str, fields: &[(&str, &str)]) -> String {
    let command = command(&format!("${TOKEN_VARIABLE}"), public_url, fields, None);
    format!("export {TOKEN_VARIABLE}={token}\n\n{command}")
}

/// A key in a shell command: that of an environment variable.
pub fn key_of(variable: &str) -> String {
    format!("${{{variable}:-{YOUR_KEY}}}")
}

fn command(token: &str, public_url: &str, fields: &[(&str, &str)], scope: Option<&str>) -> String {
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
        .chain(scope.map(|scope| format!("{quote}scopes{quote}: [{quote}{scope}{quote}]")))
        .collect();
    format!(
        "curl {public_url}/v1/verify \\\n  -H \"Authorization: Bearer {token}\" \\\n  \
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
        insta::assert_snapshot!(check(url, &fields, Some("bots:read")), @r#"
        curl https://keys.example/v1/verify \
          -H "Authorization: Bearer ${LATCHKEY_SERVICE_TOKEN:-your service token}" \
          -H "Content-Type: application/json" \
          -d '{"key": "lk_1", "origin": "https://shop.example", "scopes": ["bots:read"]}'
        "#);
        let key = key_of("API_KEY");
        insta::assert_snapshot!(check_with_token("lk_st_1", url, &[("key", &key)]), @r#"
        export LATCHKEY_SERVICE_TOKEN=lk_st_1

        curl https://keys.example/v1/verify \
          -H "Authorization: Bearer $LATCHKEY_SERVICE_TOKEN" \
          -H "Content-Type: application/json" \
          -d "{\"key\": \"${API_KEY:-your key}\"}"
        "#);
    }
}
