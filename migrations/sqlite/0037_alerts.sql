-- Keys with far more requests (measure 'requests') or rejected requests ('rejected') in 24 hours than usual, one row for each
-- day, which is the number of days since 1970 in UTC. count is the most in 24 hours, usual that of a usual busy day. At most
-- 200 rows of an organization and day, for 30 days. mailed_at is when they were mailed. The same tables are in
-- ../postgres/0037_alerts.sql.
CREATE TABLE alerts (
    org_id TEXT NOT NULL,
    key_id TEXT NOT NULL,
    measure TEXT NOT NULL,
    day INTEGER NOT NULL,
    count INTEGER NOT NULL,
    usual INTEGER NOT NULL,
    noticed_at INTEGER NOT NULL,
    mailed_at INTEGER,
    PRIMARY KEY (org_id, key_id, measure, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX alerts_to_mail ON alerts (noticed_at, org_id) WHERE mailed_at IS NULL;

-- What an organization has set; without a row, the defaults of src/alerts/rule.rs.
CREATE TABLE alert_settings (
    org_id TEXT NOT NULL PRIMARY KEY REFERENCES orgs (id) ON DELETE CASCADE,
    by_mail INTEGER NOT NULL,
    factor INTEGER NOT NULL,
    min_requests INTEGER NOT NULL,
    min_rejected INTEGER NOT NULL
) STRICT;

-- When the last letter about alerts was sent.
CREATE TABLE alert_digests (
    org_id TEXT NOT NULL PRIMARY KEY REFERENCES orgs (id) ON DELETE CASCADE,
    sent_at INTEGER NOT NULL
) STRICT;
