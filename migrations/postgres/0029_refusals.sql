-- The latest rejected requests of each organization, at most 1,000. An ID sorts by time. code is that of an outcome, and
-- reason tells why a key is invalid. key_id and agent_id have no foreign keys, because a deleted agent keeps its refusals.
-- prefix is that of a key that does not exist; nothing else of it is stored. missing_scopes are separated by spaces. The
-- same table is in ../sqlite/0029_refusals.sql.
CREATE TABLE refusals (
    org_id TEXT NOT NULL,
    id TEXT NOT NULL,
    at BIGINT NOT NULL,
    code TEXT NOT NULL,
    reason TEXT,
    key_id TEXT,
    agent_id TEXT,
    prefix TEXT,
    class TEXT NOT NULL,
    origin TEXT,
    network TEXT,
    client TEXT,
    missing_scopes TEXT NOT NULL,
    PRIMARY KEY (org_id, id)
);
