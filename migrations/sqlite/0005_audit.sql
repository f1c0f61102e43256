-- The audit log (see src/audit.rs): what happened, in the order of commits. Rows hold ids, no names, and no foreign keys:
-- they outlive what they are about. position counts all rows, seq those of one org. hash is an HMAC over the row and the
-- hash before it. The same tables are in ../postgres/0005_audit.sql.
CREATE TABLE audit_log (
    position INTEGER PRIMARY KEY,
    org_id TEXT,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    event TEXT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id TEXT,
    via TEXT NOT NULL,
    network TEXT,
    client TEXT,
    request_id TEXT,
    target_kind TEXT,
    target_id TEXT,
    changes TEXT NOT NULL,
    pepper_version INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX audit_log_of_org ON audit_log (org_id, seq);
CREATE INDEX audit_log_of_target ON audit_log (org_id, target_id, seq);

-- The whole address of a row, for as long as it is kept: the row has the network alone.
CREATE TABLE audit_addresses (
    position INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    address TEXT NOT NULL
) STRICT;
CREATE INDEX audit_addresses_by_age ON audit_addresses (at);

-- Where the log begins: rows up to position were deleted because of their age, and hash is that of the last of them.
CREATE TABLE audit_checkpoint (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    position INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT;
INSERT INTO audit_checkpoint (only_row, position, hash) VALUES (1, 0, zeroblob(32));

CREATE TRIGGER audit_log_is_not_updated BEFORE UPDATE ON audit_log
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_log_is_not_deleted BEFORE DELETE ON audit_log
WHEN OLD.position > (SELECT position FROM audit_checkpoint)
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
