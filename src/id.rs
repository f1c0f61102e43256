//! Typed IDs. An ID is a UUID version 7 (RFC 9562) with a prefix for its type, so that a key's ID cannot be passed as
//! an org's ID in code or be mistaken for one in a log.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The text is not an ID of the expected type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Enter the ID of {thing}: `{prefix}` followed by 32 hexadecimal digits.")]
pub struct InvalidId {
    prefix: &'static str,
    thing: &'static str,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $thing:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Uuid);

        impl $name {
            /// Creates an ID that sorts by `unix_millis` (milliseconds since 1970), with 74 bits of the given
            /// randomness.
            pub fn new(unix_millis: i64, random: [u8; 10]) -> Self {
                let millis = u64::try_from(unix_millis).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0.simple())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                // Only the simple form is accepted: a second spelling of the same ID would be a second row or cache
                // entry.
                text.strip_prefix($prefix)
                    .filter(|hex| hex.len() == 32 && !hex.bytes().any(|byte| byte.is_ascii_uppercase()))
                    .and_then(|hex| Uuid::try_parse(hex).ok())
                    .map(Self)
                    .ok_or(InvalidId { prefix: $prefix, thing: $thing })
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }

        #[cfg(feature = "native")]
        crate::db::text_column!($name);
    };
}

id!(
    /// An organization: a customer's team.
    OrgId,
    "org_",
    "an organization"
);
id!(
    /// A user.
    UserId,
    "usr_",
    "a user"
);
id!(
    /// A group of keys within an org.
    ProjectId,
    "prj_",
    "a project"
);
id!(
    /// An agent. Its public ID, which is random and safe to publish, is a separate value.
    AgentId,
    "agn_",
    "an agent"
);
id!(
    /// A key. The ID does not change when the key's secret is rotated.
    KeyId,
    "key_",
    "a key"
);
id!(
    /// A secret of a key: the current one, or an old one that still works during the overlap after a rotation.
    SecretId,
    "sec_",
    "a key's secret"
);
id!(
    /// A token with which API servers and scripts authenticate to Latchkey.
    ServiceTokenId,
    "svc_",
    "a service token"
);
id!(
    /// An invitation to an org.
    InvitationId,
    "inv_",
    "an invitation"
);
id!(
    /// A request for a key.
    KeyRequestId,
    "krq_",
    "a request for a key"
);
id!(
    /// A rejected request.
    RefusalId,
    "rfs_",
    "a rejected request"
);
id!(
    /// A review of a key.
    ReviewId,
    "rev_",
    "a review"
);
id!(
    /// A run of the server. Batches of usage counts are numbered per instance.
    InstanceId,
    "ins_",
    "an instance"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_and_one_spelling_only_is_accepted() {
        let id = KeyId::new(1_700_000_000_000, [7; 10]);
        let text = id.to_string();
        assert_eq!(text.parse(), Ok(id));
        let error = text.replace("key_", "org_").parse::<KeyId>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "Enter the ID of a key: `key_` followed by 32 hexadecimal digits."
        );
        assert!(
            text.to_uppercase()
                .replace("KEY_", "key_")
                .parse::<KeyId>()
                .is_err()
        );
        assert!(
            format!("key_{}", id.0.hyphenated())
                .parse::<KeyId>()
                .is_err()
        );
    }

    #[test]
    fn later_ids_sort_after_earlier_ones() {
        assert!(OrgId::new(1, [255; 10]).to_string() < OrgId::new(2, [0; 10]).to_string());
    }
}
