//! The body of `POST /v1/verify`.

use std::{fmt, net::IpAddr};

use latchkey::{
    convention::{MAX_SCOPES, Scope},
    id::ProjectId,
    key::{Environment, text::PlainKey},
    list::AtMost,
    rate_limit::Cost,
};
use serde::{
    Deserialize, Deserializer,
    de::{Error, Unexpected, Visitor},
};
use utoipa::ToSchema;

use crate::{
    client_address,
    openapi::words,
    problem::Problem,
    rest::{
        body,
        fields::{self, WholeNumber},
    },
};

/// A verification request. Unknown fields are rejected, because a misspelled restriction would have no effect. What
/// your API server passes on from its client can be null or blank if the client did not send it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VerificationRequest)]
pub struct Body {
    /// The key that the client presented.
    #[schema(value_type = Option<String>)]
    pub key: Option<PlainKey>,
    /// The public ID of the agent that the client requests.
    agent: Option<String>,
    /// The scopes that the client's request requires. `OfferedScope` lists the scopes of this instance.
    #[schema(value_type = Option<Vec<words::ScopeName>>, max_items = 100)]
    pub scopes: Option<AtMost<Scope, MAX_SCOPES>>,
    /// The endpoint class.
    #[schema(value_type = Option<words::EndpointClass>)]
    class: Option<String>,
    /// The client's `Origin` header.
    origin: Option<String>,
    /// The client's `Referer` header.
    referer: Option<String>,
    /// The client's `User-Agent` header. Latchkey keeps only the browser or the first product that it names, and only for
    /// rejected requests.
    user_agent: Option<String>,
    /// The IP address of the end client, with or without a port: `203.0.113.7`, `203.0.113.7:51234` or
    /// `[2001:db8::1]:443`.
    #[schema(value_type = Option<words::ClientIp>)]
    ip: Option<ClientAddress>,
    /// The environment of your API server. Keys of the other environment are rejected with `WRONG_ENVIRONMENT`. An
    /// agent's public ID that replaces a key counts as `live`.
    #[schema(value_type = Option<words::KeyEnvironment>)]
    pub environment: Option<Environment>,
    /// The ID of a project. Keys of other projects are rejected with `WRONG_PROJECT`.
    #[schema(value_type = Option<String>, pattern = "^prj_[0-9a-f]{32}$")]
    pub project: Option<ProjectId>,
    /// The number of requests that this request counts as in the rate limit: at most the limit of the endpoint class.
    /// Usage counts it as one request. Default: 1.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 10_000)]
    cost: Option<WholeNumber<1, { Cost::MAX }>>,
    /// Whether to only check the key. A dry run has the same result, but is not counted in the rate limit, in usage or as
    /// the last use of the key. Default: false.
    dry_run: Option<bool>,
}

/// The address of the end client; `None` if the API server forwarded a blank one.
#[derive(Debug, Clone, Copy)]
struct ClientAddress(Option<IpAddr>);

impl Body {
    /// Parses a body.
    ///
    /// # Errors
    /// If the body is invalid. The problem lists each invalid field.
    pub fn parse(json: &[u8]) -> Result<Self, Problem> {
        // Serde would accept an array and read its items as the fields in order.
        if !json.trim_ascii_start().starts_with(b"{") {
            return Err(diagnose(json));
        }
        serde_json::from_slice(json).map_err(|_| diagnose(json))
    }

    /// The public ID of the agent.
    pub fn agent(&self) -> Option<&str> {
        unless_blank(&self.agent)
    }

    /// The name of the endpoint class.
    pub fn class(&self) -> Option<&str> {
        unless_blank(&self.class)
    }

    pub fn origin(&self) -> Option<&str> {
        unless_blank(&self.origin)
    }

    pub fn referer(&self) -> Option<&str> {
        unless_blank(&self.referer)
    }

    pub fn user_agent(&self) -> Option<&str> {
        unless_blank(&self.user_agent)
    }

    /// The number of requests that this request counts as.
    pub fn cost(&self) -> Cost {
        let cost = self.cost.and_then(|cost| Cost::new(cost.get()));
        cost.unwrap_or_default()
    }

    /// Whether the verification must not be counted.
    pub fn is_dry_run(&self) -> bool {
        self.dry_run.unwrap_or_default()
    }

    /// The address of the end client.
    pub fn ip(&self) -> Option<IpAddr> {
        self.ip.and_then(|ClientAddress(ip)| ip)
    }
}

/// Treats a blank value as absent: API servers forward what they have, and many have a blank value for a header that
/// was not sent.
fn unless_blank(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !text.trim().is_empty())
}

/// Parses an invalid body again, field by field, to report which fields are wrong.
fn diagnose(json: &[u8]) -> Problem {
    let fields = match body::object(json, fields::names::<Body>) {
        Ok(fields) => fields,
        Err(problem) => return problem,
    };
    let errors = fields::read::<Body>(fields).err().unwrap_or_default();
    Problem::invalid_request("Validation failed. See `errors`.", errors)
}

impl<'de> Deserialize<'de> for ClientAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Address;
        impl Visitor<'_> for Address {
            type Value = Option<IpAddr>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an IPv4 or IPv6 address, with or without a port")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Option<IpAddr>, E> {
                if is_unknown(text.trim()) {
                    return Ok(None);
                }
                let address = client_address::parse(text).map(Some);
                address.ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_str(Address).map(Self)
    }
}

/// Whether a proxy or server wrote that it does not know an address, or does not disclose it (RFC 7239, 6). nginx writes
/// `unix:` for a connection through a Unix socket.
fn is_unknown(text: &str) -> bool {
    text.is_empty()
        || text.eq_ignore_ascii_case("unknown")
        || text == "unix:"
        || text.starts_with('_')
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::Value;

    use super::*;

    #[test]
    fn all_fields_may_be_absent_or_null() {
        assert!(Body::parse(b"{}").unwrap().key.is_none());
        let body =
            br#"{"key":"k","agent":null,"scopes":["chat:read"],"cost":1.0,"ip":"2001:db8::1"}"#;
        let body = Body::parse(body).unwrap();
        assert_eq!(body.key.unwrap().expose(), "k");
        assert_eq!(body.scopes.unwrap().len(), 1);
        let all = fields::names::<Body>().iter();
        let all = Value::Object(all.map(|name| ((*name).to_owned(), Value::Null)).collect());
        Body::parse(all.to_string().as_bytes()).unwrap();
    }

    #[rstest]
    #[case("scope")]
    #[case("agent_id")]
    #[case("IP")]
    #[case("origin ")]
    fn a_field_that_is_unknown_is_named_with_those_that_are_known(#[case] misspelt: &str) {
        let body = Value::Object([(misspelt.to_owned(), Value::Null)].into_iter().collect());
        let refusal = Body::parse(body.to_string().as_bytes()).unwrap_err();
        let refusal = format!("{refusal:?}");
        assert!(
            refusal.contains(&format!("field: {misspelt:?}"))
                && refusal.contains("Use any of `key`, `agent`, `scopes`,"),
            "{refusal}"
        );
    }

    #[rstest]
    #[case("203.0.113.7", Some("203.0.113.7"))]
    #[case("203.0.113.7:51234", Some("203.0.113.7"))]
    #[case("2001:db8::1", Some("2001:db8::1"))]
    #[case("[2001:db8::1]", Some("2001:db8::1"))]
    #[case("[2001:db8::1]:443", Some("2001:db8::1"))]
    #[case(" 203.0.113.7 ", Some("203.0.113.7"))]
    #[case("", None)]
    #[case(" ", None)]
    #[case("unknown", None)]
    #[case("unix:", None)]
    #[case("_hidden", None)]
    #[case("fe80::1%eth0", Some("fe80::1"))]
    #[case("[fe80::1%eth0]:443", Some("fe80::1"))]
    fn an_address_is_read_as_proxies_write_it(#[case] ip: &str, #[case] address: Option<&str>) {
        let body = Body::parse(serde_json::json!({"ip": ip}).to_string().as_bytes()).unwrap();
        let address = address.map(|address| address.parse().unwrap());
        assert_eq!(body.ip(), address);
    }

    #[rstest]
    #[case("localhost")]
    #[case("203.0.113.7:")]
    #[case("203.0.113.7:99999")]
    #[case("[203.0.113.7]")]
    #[case("[2001:db8::1")]
    #[case("10.0.0.0/8")]
    #[case("203.0.113.7%eth0")]
    #[case("203.0.113.7, 198.51.100.1")]
    fn what_is_no_address_is_refused(#[case] ip: &str) {
        let body = serde_json::json!({"ip": ip}).to_string();
        let refusal = format!("{:?}", Body::parse(body.as_bytes()).unwrap_err());
        let must_be = "must be an IPv4 or IPv6 address, with or without a port";
        assert!(refusal.contains(must_be), "{refusal}");
    }

    #[test]
    fn what_is_blank_is_absent() {
        let body = br#"{"agent":"","class":" ","origin":"","referer":"\t"}"#;
        let body = Body::parse(body).unwrap();
        let read = [body.agent(), body.class(), body.origin(), body.referer()];
        assert_eq!(read, [None; 4]);
    }

    #[test]
    fn a_text_that_is_no_scope_is_named_with_what_a_scope_is() {
        let refusal = Body::parse(br#"{"scopes":["bots:read","Bots.Write"]}"#).unwrap_err();
        let refusal = format!("{refusal:?}");
        let sentence = "`Bots.Write` is not a valid scope. Scopes have 1 to 64 characters";
        assert!(refusal.contains(sentence), "{refusal}");
    }

    #[rstest]
    #[case("{", "not valid JSON (line 1")]
    #[case("", "has no body")]
    #[case("[]", "JSON object")]
    #[case(r#"{"key":1}"#, "\"key\"")]
    #[case(r#"{"scopes":"s3cret"}"#, "\"scopes\"")]
    #[case::too_many_scopes(&format!(r#"{{"scopes":[{}"a"]}}"#, r#""a","#.repeat(100)), "\"scopes\"")]
    #[case(r#"{"cost":0}"#, "\"cost\"")]
    #[case(r#"{"cost":-1}"#, "\"cost\"")]
    #[case(r#"{"cost":1.5}"#, "\"cost\"")]
    #[case(r#"{"cost":10001}"#, "\"cost\"")]
    #[case(r#"{"cost":"s3cret"}"#, "\"cost\"")]
    #[case(r#"{"ip":"s3cret"}"#, "\"ip\"")]
    #[case(r#"{"origin":["s3cret"]}"#, "\"origin\"")]
    #[case(r#"{"key":"s3cret","key":"s3cret"}"#, "twice")]
    fn what_is_refused_is_explained_and_never_repeated(#[case] body: &str, #[case] named: &str) {
        let refusal = format!("{:?}", Body::parse(body.as_bytes()).unwrap_err());
        assert!(
            refusal.contains(named) && !refusal.contains("s3cret"),
            "{refusal}"
        );
    }
}
