//! The codes of API errors: what each means and how to fix it, as shown at `/docs/errors`.

use axum::http::StatusCode;

macro_rules! codes {
    ($($name:ident $code:literal $status:ident $title:literal $meaning:literal $advice:literal,)*) => {
        /// Why an API request failed. The result of a verification is an [`Outcome`](latchkey::outcome::Outcome)
        /// instead.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code { $(#[doc = $meaning] $name,)* }

        impl Code {
            /// All codes, ordered by status.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// The heading.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// What it means. Parts between backticks are code.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* }
            }

            /// How to fix it.
            pub const fn advice(self) -> &'static str {
                match self { $(Self::$name => $advice,)* }
            }
        }
    };
}

codes! {
    InvalidRequest "INVALID_REQUEST" BAD_REQUEST "Invalid request"
        "The body is not valid JSON, or a field or query parameter is unknown, invalid or duplicated."
        "See `detail` and `errors` for the field. Send UTF-8 JSON with the fields and parameters listed in `/docs`.",
    InvalidServiceToken "INVALID_SERVICE_TOKEN" UNAUTHORIZED "Invalid service token"
        "The service token is missing, or is not a token of this Latchkey instance."
        "Send the header `Authorization: Bearer TOKEN`. The operator creates tokens with `latchkey token create`, and owners on the page `Service tokens`.",
    InsufficientTokenScope "INSUFFICIENT_TOKEN_SCOPE" FORBIDDEN "Insufficient token scope"
        "The token has the scope `verify`. Managing organizations, keys and agents requires the scope `manage`."
        "Use a token created with `latchkey token create --scope manage`. Keep it off servers that only verify keys.",
    InstanceTokenRequired "INSTANCE_TOKEN_REQUIRED" FORBIDDEN "A token for the whole instance is required"
        "The token belongs to one organization. Such a token verifies keys; with the scope `manage` it also manages the \
         keys, agents and projects of its organization and reads its usage, findings, reviews and audit log."
        "Ask the operator, who creates tokens for the whole instance with `latchkey token create` without `--org`.",
    OriginNotAllowed "ORIGIN_NOT_ALLOWED" FORBIDDEN "Origin not allowed"
        "A page sent a CORS preflight request, and no active key works on its site."
        "Add the site's domain to the allowed domains of a widget key.",
    NotFound "NOT_FOUND" NOT_FOUND "Not found"
        "The URL, organization, key, agent, project, member or invitation was not found."
        "Check the path. Use the slug or ID of an organization, the ID of a key, project, member or invitation, and the \
         public ID of an agent. All are case-sensitive.",
    MethodNotAllowed "METHOD_NOT_ALLOWED" METHOD_NOT_ALLOWED "Method not allowed"
        "The URL exists but does not support this method."
        "The `Allow` header of the response lists the supported methods.",
    RequestTimeout "REQUEST_TIMEOUT" REQUEST_TIMEOUT "Request timeout"
        "The body did not arrive within 30 seconds of the start of the request."
        "Send the request again.",
    SlugTaken "SLUG_TAKEN" CONFLICT "The slug is taken"
        "Another organization has this slug."
        "Choose another slug. You can keep the name.",
    WrongState "WRONG_STATE" CONFLICT "Not possible in this state"
        "The key's status does not allow the change. For example, a revoked key cannot be enabled, and only active \
         keys can be disabled or reviewed."
        "Retrieve the key to see its status. If the change is not possible, create a new key.",
    ProjectNotEmpty "PROJECT_NOT_EMPTY" CONFLICT "The project is not empty"
        "Agents or keys that are not revoked belong to the project. Expired keys count too."
        "Change `project` of its keys and agents to move them to another project. Then delete the project. Revoked keys \
         move to the organization's first project automatically.",
    LastOwner "LAST_OWNER" CONFLICT "The only owner"
        "The person is the organization's only owner. Owners whose account is disabled do not count."
        "Make another member an owner first. Then change or remove this one.",
    AlreadyMember "ALREADY_MEMBER" CONFLICT "Already a member"
        "The e-mail address belongs to a member of the organization."
        "Change the member's role instead: `PATCH /v1/orgs/{org}/members/{user_id}`.",
    LimitReached "LIMIT_REACHED" CONFLICT "Limit reached"
        "The organization has reached its limit of keys, agents, projects, members, invitations, service tokens or allowed domains. Revoked keys do not count."
        "`detail` says which limit was reached. Revoke keys, delete agents or projects, or withdraw invitations that are no longer needed, \
         remove domains, or ask the operator to raise the limit.",
    RotationRunning "ROTATION_RUNNING" CONFLICT "A rotation is in progress"
        "The new secret is in use and the previous one still works, or another request rotated the key less than a second ago."
        "Retrieve the key: `old_secret` shows which secret still works, and until when. End it with \
         `POST …/end-old-secret`, or wait. Then rotate again.",
    ObjectGone "OBJECT_GONE" GONE "The created object no longer exists"
        "The request was repeated with the same `Idempotency-Key`, and the agent, project or invitation that it created was \
         deleted, withdrawn, replaced or accepted since. Nothing was created."
        "Use a new idempotency key to create another one.",
    ChangedMeanwhile "CHANGED_MEANWHILE" PRECONDITION_FAILED "Changed in the meantime"
        "The `If-Match` header names no ETag that the object has now: someone else changed the object after you retrieved it. \
         Nothing was changed."
        "Retrieve the object to get its current state and ETag. If your change is still needed, send it again with that \
         ETag. Weak ETags (`W/`) never match: if a proxy makes ETags weak, turn that off for this API.",
    BodyTooLarge "BODY_TOO_LARGE" PAYLOAD_TOO_LARGE "The body is too large"
        "Request bodies must be at most 64 kB."
        "Send a smaller body.",
    UnsupportedMediaType "UNSUPPORTED_MEDIA_TYPE" UNSUPPORTED_MEDIA_TYPE "The body is not JSON"
        "The `Content-Type` of the request is not JSON, or the body is compressed."
        "Send `Content-Type: application/json` and no `Content-Encoding`. Many clients, including curl, send form data by \
         default.",
    InvalidField "INVALID_FIELD" UNPROCESSABLE_ENTITY "Validation failed"
        "The body is valid JSON, but a field is missing, unknown or invalid. Nothing was changed."
        "`errors` lists each invalid field and how to fix it.",
    IdempotencyKeyReused "IDEMPOTENCY_KEY_REUSED" UNPROCESSABLE_ENTITY "Idempotency key reused"
        "The same `Idempotency-Key` was used within 24 hours with a different body or URL."
        "Use a new idempotency key for each object that you create. Reuse a key only to retry the same request.",
    Internal "INTERNAL_ERROR" INTERNAL_SERVER_ERROR "Internal error"
        "Something went wrong in Latchkey."
        "Try again. If the problem continues, send the response's `x-request-id` to the operator, who can find the cause \
         in the log.",
    Unavailable "UNAVAILABLE" SERVICE_UNAVAILABLE "Service unavailable"
        "Latchkey cannot reach its database, and the key is not in memory."
        "Reject your client's request and retry after `Retry-After` seconds. Keys in use are verified from memory for \
         one minute.",
}
