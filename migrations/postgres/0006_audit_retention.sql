-- The number of each org's last entry that retention deleted (see src/audit/retention.rs), so that an org whose entries
-- are all gone does not give a number twice. org_id is empty for entries of no org. The same table is in
-- ../sqlite/0006_audit_retention.sql.
CREATE TABLE audit_deleted_seqs (
    org_id TEXT PRIMARY KEY,
    seq BIGINT NOT NULL
);
