-- What an organization requires of its keys, and the age in days at which a secret is due for rotation; a period that is null
-- is turned off. Without a row, the defaults of src/policy.rs. A key is created, edited and imported under a lock on the row,
-- which is created if it is missing. The same tables are in ../postgres/0041_policies.sql.
CREATE TABLE key_policies (
    org_id TEXT NOT NULL PRIMARY KEY REFERENCES orgs (id) ON DELETE CASCADE,
    rotation_days INTEGER,
    longest_life_days INTEGER,
    scopes_required INTEGER NOT NULL,
    ip_ranges_required INTEGER NOT NULL,
    localhost_forbidden INTEGER NOT NULL
) STRICT;

-- The last reminder about a key that was mailed for each reason ('expiry', 'rotation' or 'creator'), so that none is repeated:
-- at most three rows of a key. about is what it was about: the expiry, the creation of the secret, or 0. step is the number of
-- days before the expiry, else 0.
CREATE TABLE key_reminders (
    org_id TEXT NOT NULL,
    key_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    about INTEGER NOT NULL,
    step INTEGER NOT NULL,
    mailed_at INTEGER NOT NULL,
    PRIMARY KEY (org_id, key_id, reason)
) STRICT, WITHOUT ROWID;

-- Who gets reminders by mail: 'nobody', 'owners' or 'admins', which are owners and admins.
ALTER TABLE alert_settings ADD COLUMN reminders_to TEXT NOT NULL DEFAULT 'owners';
