//! The tables and columns of a backup. A test compares this list with a migrated database: every migration that adds
//! a table or a column must also change this list.

/// The type of a column, independent of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A string.
    Text,
    /// An integer of at most 64 bits.
    Number,
    /// A boolean; stored as 0 or 1 in SQLite.
    Boolean,
    /// A blob.
    Bytes,
}

/// A table, with the names of its columns by type, separated by spaces.
#[derive(Debug)]
pub struct Table {
    /// The name of the table.
    pub name: &'static str,
    text: &'static str,
    numbers: &'static str,
    booleans: &'static str,
    bytes: &'static str,
    /// Whether an empty database already has rows in this table, which a restore replaces.
    pub is_seeded: bool,
}

/// A column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// The name of the column.
    pub name: &'static str,
    /// The type of the column.
    pub kind: Kind,
}

impl Table {
    /// The columns of the table, grouped by type.
    pub fn columns(&self) -> impl Iterator<Item = Column> {
        [
            (self.text, Kind::Text),
            (self.numbers, Kind::Number),
            (self.booleans, Kind::Boolean),
            (self.bytes, Kind::Bytes),
        ]
        .into_iter()
        .flat_map(|(names, kind)| {
            let names = names.split_whitespace();
            names.map(move |name| Column { name, kind })
        })
    }
}

/// Tables that are not backed up, with the reason.
pub const LEFT_OUT: [(&str, &str); 7] = [
    ("sessions", "everyone signs in again after a restore"),
    (
        "account_links",
        "a link that was used must not work again after a restore",
    ),
    ("accepted_invitations", "they count for ten minutes"),
    ("attempts", "they count for 15 minutes"),
    ("instances", "those that run say so themselves"),
    (
        "effects",
        "how long changes took is of interest for a minute",
    ),
    (
        "_sqlx_migrations",
        "the database that is restored into has its own",
    ),
];

/// Data changes made by migrations, to be repeated after restoring a backup that predates them: the migration's
/// number and the statement.
pub const DATA_MIGRATIONS: [(i64, &str); 7] = [
    (
        3,
        "UPDATE key_secrets SET display = (SELECT keys.display FROM keys WHERE keys.id = key_secrets.key_id)",
    ),
    (
        18,
        "UPDATE keys SET search = REPLACE(search, 'ς', 'σ') WHERE search LIKE '%ς%'",
    ),
    (
        20,
        "UPDATE keys SET search = search || '\u{1e}' || REPLACE(LOWER(notes), '\u{1f}', ' ') WHERE notes <> ''",
    ),
    (
        46,
        "UPDATE key_findings SET secret_id = COALESCE((SELECT key_secrets.id FROM key_secrets WHERE key_secrets.key_id = key_findings.key_id AND key_secrets.created_at <= key_findings.last_at ORDER BY key_secrets.created_at DESC, key_secrets.id DESC LIMIT 1), '') WHERE secret_id = ''",
    ),
    (
        50,
        "UPDATE reviews SET promised_by_kind = answered_by_kind, promised_by_id = answered_by_id, promise = answer, answered_by_kind = NULL, answered_by_id = NULL, answer = NULL WHERE promised_at IS NOT NULL AND answered_at IS NULL",
    ),
    (
        50,
        "UPDATE reviews SET key_name = (SELECT keys.name FROM keys WHERE keys.id = reviews.key_id), superseded_by = CASE WHEN superseded_at IS NOT NULL THEN (SELECT MIN(later.id) FROM reviews AS later WHERE later.key_id = reviews.key_id AND later.id > reviews.id) END",
    ),
    (
        50,
        "UPDATE key_reminders SET reason = COALESCE((SELECT 'promise.' || reviews.verdict || COALESCE('.' || reviews.aspect, '') FROM reviews WHERE reviews.org_id = key_reminders.org_id AND reviews.key_id = key_reminders.key_id AND reviews.superseded_at IS NULL), reason) WHERE reason = 'promise'",
    ),
];

const NONE: Table = Table {
    name: "",
    text: "",
    numbers: "",
    booleans: "",
    bytes: "",
    is_seeded: false,
};

/// The columns of each table of counts.
const COUNT: &str = "subject starts_at class outcome count";

/// A table of earlier versions. A restore of their backups fills it, then moves its rows to the tables of today.
#[derive(Debug)]
pub struct Retired {
    /// The number of the migration that dropped it.
    pub until: i64,
    /// The statement that creates it.
    pub create: &'static str,
    /// The table, as in a backup.
    pub table: Table,
    /// The migration on SQLite and on Postgres. What follows [`MOVES`] moves the rows and drops the table.
    pub migration: [&'static str; 2],
}

/// The line of a migration after which rows of a retired table are moved.
pub const MOVES: &str =
    "-- What is stored moves over. A restore of an older backup runs the rest of this file, too.\n";

/// The table of counts until migration 28.
pub const RETIRED: Retired = Retired {
    until: 28,
    create: "CREATE TABLE usage_counts (org_id TEXT NOT NULL, resolution TEXT NOT NULL, starts_at BIGINT NOT NULL, \
             key_id TEXT NOT NULL, class TEXT NOT NULL, outcome TEXT NOT NULL, count BIGINT NOT NULL)",
    table: Table {
        name: "usage_counts",
        text: "org_id resolution key_id class outcome",
        numbers: "starts_at count",
        ..NONE
    },
    migration: [
        include_str!("../../migrations/sqlite/0028_usage.sql"),
        include_str!("../../migrations/postgres/0028_usage.sql"),
    ],
};

/// All tables that are backed up. Each follows the tables that it references.
pub const TABLES: [Table; 36] = [
    Table {
        name: "orgs",
        text: "id slug name search creation_token admin_rights created_by",
        numbers: "created_at deleted_at emptied_at",
        booleans: "secrets_in_browsers second_factor_required",
        ..NONE
    },
    Table {
        name: "users",
        text: "id email name search password_hash time_zone",
        numbers: "created_at disabled_at last_seen_at epoch operator_since deleted_at",
        booleans: "email_confirmed",
        ..NONE
    },
    Table {
        name: "second_factors",
        text: "user_id",
        numbers: "pepper_version last_step created_at",
        bytes: "secret",
        ..NONE
    },
    Table {
        name: "recovery_codes",
        text: "user_id",
        numbers: "number pepper_version",
        bytes: "code",
        ..NONE
    },
    Table {
        name: "memberships",
        text: "org_id user_id role",
        numbers: "created_at",
        ..NONE
    },
    Table {
        name: "invitations",
        text: "id org_id email role created_by creation_token",
        numbers: "created_at expires_at",
        booleans: "by_mail",
        bytes: "digest",
        ..NONE
    },
    Table {
        name: "key_requests",
        text: "id org_id user_id name purpose kind environment settings state creation_token changed_by decided_by comment key_id \
               asked",
        numbers: "expires_in_days version created_at decided_at approved_until ended_at",
        ..NONE
    },
    Table {
        name: "projects",
        text: "id org_id name creation_token",
        numbers: "created_at",
        ..NONE
    },
    Table {
        name: "keys",
        text: "id org_id project_id name sort_name external_id search kind environment display scopes domains ip_ranges ip_restricted lists_loopback notes metadata \
               created_by approved_by creation_token revoke_reason",
        numbers: "created_at expires_at last_used_at disabled_at revoked_at",
        booleans: "localhost_forbidden",
        ..NONE
    },
    Table {
        name: "key_hand_overs",
        text: "key_id org_id user_id offered_by token",
        numbers: "overlap_seconds created_at expires_at",
        ..NONE
    },
    Table {
        name: "key_secrets",
        text: "id key_id display rotation_token",
        numbers: "pepper_version created_at ends_at last_used_at",
        booleans: "imported",
        bytes: "digest",
        ..NONE
    },
    Table {
        name: "service_tokens",
        text: "id name scope display org_id created_by creation_token",
        numbers: "pepper_version created_at expires_at revoked_at last_used_at",
        bytes: "digest",
        ..NONE
    },
    Table {
        name: "agents",
        text: "id org_id project_id public_id name sort_name domains creation_token",
        numbers: "created_at",
        booleans: "public_embedding",
        ..NONE
    },
    Table {
        name: "idempotency_keys",
        text: "service_token_id idempotency_key creation_token",
        numbers: "created_at",
        booleans: "is_gone is_digest",
        bytes: "fingerprint",
        ..NONE
    },
    Table {
        name: "key_findings",
        text: "org_id key_id secret_id finding origin",
        numbers: "first_at last_at count",
        ..NONE
    },
    Table {
        name: "reviews",
        text: "id org_id key_id verdict comment actor_kind actor_id findings codes creation_token done_event done_by_kind \
               done_by_id answered_by_kind answered_by_id answer aspect superseded_by \
               promised_by_kind promised_by_id promise key_name",
        numbers: "until at superseded_at done_at answered_at promised_at withdrawn_at",
        ..NONE
    },
    Table {
        name: "usage_subjects",
        text: "org_id ref_id environment key_kind",
        numbers: "id kind",
        ..NONE
    },
    Table {
        name: "usage_classes",
        text: "name",
        numbers: "id",
        ..NONE
    },
    Table {
        name: "usage_minutes",
        numbers: COUNT,
        ..NONE
    },
    Table {
        name: "usage_hours",
        numbers: COUNT,
        ..NONE
    },
    Table {
        name: "usage_days",
        numbers: COUNT,
        ..NONE
    },
    Table {
        name: "usage_totals",
        numbers: "org kind subject class outcome rolled_to h24 h48 d7 d14 d30 d60 m12 m24",
        ..NONE
    },
    Table {
        name: "usage_seen",
        text: "value",
        numbers: "subject kind count first_at last_at",
        ..NONE
    },
    Table {
        name: "usage_domains",
        text: "org_id subject_id domain",
        numbers: "starts_at count",
        booleans: "passed now_allowed",
        ..NONE
    },
    Table {
        name: "refusals",
        text: "org_id id code reason key_id agent_id prefix class origin network client missing_scopes",
        numbers: "at",
        ..NONE
    },
    Table {
        name: "alerts",
        text: "org_id key_id measure",
        numbers: "day count usual noticed_at mailed_at",
        ..NONE
    },
    Table {
        name: "alert_settings",
        text: "org_id reminders_to",
        numbers: "factor min_requests min_rejected",
        booleans: "by_mail",
        ..NONE
    },
    Table {
        name: "alert_digests",
        text: "org_id",
        numbers: "sent_at",
        ..NONE
    },
    Table {
        name: "key_policies",
        text: "org_id",
        numbers: "rotation_days longest_life_days",
        booleans: "scopes_required ip_ranges_required localhost_forbidden",
        ..NONE
    },
    Table {
        name: "key_reminders",
        text: "org_id key_id reason",
        numbers: "about step mailed_at",
        ..NONE
    },
    Table {
        name: "usage_batches",
        text: "instance",
        numbers: "batch flushed_at",
        ..NONE
    },
    Table {
        name: "audit_log",
        text: "org_id event actor_kind actor_id via network client request_id target_kind target_id changes",
        numbers: "position seq at pepper_version",
        bytes: "hash",
        ..NONE
    },
    Table {
        name: "audit_addresses",
        text: "address",
        numbers: "position at",
        ..NONE
    },
    Table {
        name: "audit_checkpoint",
        numbers: "only_row position pepper_version",
        bytes: "hash mac",
        is_seeded: true,
        ..NONE
    },
    Table {
        name: "audit_deleted_seqs",
        text: "org_id",
        numbers: "seq",
        ..NONE
    },
    Table {
        name: "peppers",
        numbers: "version noted_at",
        bytes: "fingerprint",
        is_seeded: true,
        ..NONE
    },
];
