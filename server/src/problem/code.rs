//! The codes of the API's own errors: what each means and what to do, as `/docs/errors` says it.

use axum::http::StatusCode;

macro_rules! codes {
    ($($name:ident $code:literal $status:ident $title:literal $meaning:literal $advice:literal,)*) => {
        /// Why the API did not do what was asked of it. What a verification decides is an
        /// [`Outcome`](latchkey::outcome::Outcome) instead.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code { $(#[doc = $meaning] $name,)* }

        impl Code {
            /// Every code, by status.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The HTTP status.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// The code as a heading.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// What it means.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* }
            }

            /// What to do about it.
            pub const fn advice(self) -> &'static str {
                match self { $(Self::$name => $advice,)* }
            }
        }
    };
}

codes! {
    InvalidRequest "INVALID_REQUEST" BAD_REQUEST "The request cannot be read"
        "The body is not valid JSON, or it has a field, or the address a parameter, that is unknown, not valid or there twice."
        "Read detail and errors: they name the field. Send JSON as UTF-8, and the fields and parameters that /docs lists.",
    InvalidServiceToken "INVALID_SERVICE_TOKEN" UNAUTHORIZED "No valid service token"
        "The request carries no service token, or a text that is no token of this Latchkey."
        "Send Authorization: Bearer TOKEN. The operator makes tokens with latchkey token create.",
    InsufficientTokenScope "INSUFFICIENT_TOKEN_SCOPE" FORBIDDEN "The service token may only verify"
        "The token has the scope verify; managing organizations, keys and agents needs the scope manage."
        "Use a token made with latchkey token create --scope manage, and keep it off the servers that only verify.",
    OriginNotAllowed "ORIGIN_NOT_ALLOWED" FORBIDDEN "Origin not allowed"
        "A page asked whether it may call, and no active key works on its site."
        "Add the site's domain to the allowed domains of a widget key.",
    NotFound "NOT_FOUND" NOT_FOUND "Nothing there"
        "There is no such address, organization, key or agent."
        "Check the path. Organizations go by slug or id, keys by id, agents by public ID; all are case-sensitive.",
    MethodNotAllowed "METHOD_NOT_ALLOWED" METHOD_NOT_ALLOWED "The address takes another method"
        "The address exists but does not take this method."
        "The Allow header of the answer names the methods that it takes.",
    RequestTimeout "REQUEST_TIMEOUT" REQUEST_TIMEOUT "The request took too long to arrive"
        "The body had not arrived 30 seconds after the request began."
        "Send the request again, all of it at once.",
    SlugTaken "SLUG_TAKEN" CONFLICT "The slug is taken"
        "Another organization has this slug."
        "Choose another slug; the name may stay.",
    WrongState "WRONG_STATE" CONFLICT "Not from this state"
        "The key's state does not allow the change: a revoked key stays revoked, and only active keys can be disabled."
        "Fetch the key to see where it stands. What cannot be undone needs a new key.",
    RotationRunning "ROTATION_RUNNING" CONFLICT "A rotation is not over"
        "The secret before the last rotation still works, or another request rotated the key less than a second ago."
        "Fetch the key: old_secret says which secret still works, and until when. End it with POST …/end-old-secret, or wait, then rotate again.",
    BodyTooLarge "BODY_TOO_LARGE" PAYLOAD_TOO_LARGE "The body is too large"
        "A request's body has at most 64 kB."
        "Send less at once.",
    UnsupportedMediaType "UNSUPPORTED_MEDIA_TYPE" UNSUPPORTED_MEDIA_TYPE "The body is not JSON"
        "The request says that its body is something else than JSON, or that it is compressed."
        "Send Content-Type: application/json and no Content-Encoding. Many clients, curl among them, call a body a form unless told otherwise.",
    InvalidField "INVALID_FIELD" UNPROCESSABLE_ENTITY "A field will not do"
        "The body is JSON, but a field is missing, unknown, or has a value that cannot be taken. Nothing was changed."
        "errors names each field and says what would do.",
    IdempotencyKeyReused "IDEMPOTENCY_KEY_REUSED" UNPROCESSABLE_ENTITY "The idempotency key belongs to another request"
        "The same Idempotency-Key came within 24 hours with another body, or for another address."
        "Make a new key for each thing that is to be made; repeat a key only with the request that it came with.",
    Internal "INTERNAL_ERROR" INTERNAL_SERVER_ERROR "A fault in Latchkey"
        "Something broke that is nobody's fault but Latchkey's."
        "The log has it under the x-request-id of the answer. Try again; tell the operator if it stays.",
    Unavailable "UNAVAILABLE" SERVICE_UNAVAILABLE "The database does not answer"
        "Latchkey cannot reach its database and does not have what it needs in memory."
        "Refuse the request of your client, and ask again after Retry-After seconds. Keys in use are answered from memory for a minute.",
}
