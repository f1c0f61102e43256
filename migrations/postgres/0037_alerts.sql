-- Keys with far more requests (measure 'requests') or rejected requests ('rejected') in 24 hours than usual, one row for each
-- day, which is the number of days since 1970 in UTC. count is the most in 24 hours, usual that of a usual busy day. At most
-- 200 rows of an organization and day, for 30 days. mailed_at is when they were mailed. The same tables are in
-- ../sqlite/0037_alerts.sql.
CREATE TABLE alerts (
    org_id TEXT NOT NULL,
    key_id TEXT NOT NULL,
    measure TEXT NOT NULL,
    day BIGINT NOT NULL,
    count BIGINT NOT NULL,
    usual BIGINT NOT NULL,
    noticed_at BIGINT NOT NULL,
    mailed_at BIGINT,
    PRIMARY KEY (org_id, key_id, measure, day)
);
CREATE INDEX alerts_to_mail ON alerts (noticed_at, org_id) WHERE mailed_at IS NULL;

-- What an organization has set; without a row, the defaults of src/alerts/rule.rs.
CREATE TABLE alert_settings (
    org_id TEXT NOT NULL PRIMARY KEY REFERENCES orgs (id) ON DELETE CASCADE,
    by_mail BOOLEAN NOT NULL,
    factor BIGINT NOT NULL,
    min_requests BIGINT NOT NULL,
    min_rejected BIGINT NOT NULL
);

-- When the last letter about alerts was sent.
CREATE TABLE alert_digests (
    org_id TEXT NOT NULL PRIMARY KEY REFERENCES orgs (id) ON DELETE CASCADE,
    sent_at BIGINT NOT NULL
);
