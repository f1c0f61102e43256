-- A second factor is the secret of an authenticator app. secret, and code of its recovery codes, are encrypted under a
-- key that is derived from the pepper with the number pepper_version: a copy of the database gives neither. code is a
-- SHA-256. last_step is the time step of the last code that was accepted, so that each code works once; a recovery code
-- is deleted when it is used.
--
-- client, system and network say where a session was started: the browser, the operating system and the /24 or /64 of
-- the address; null for sessions from before this migration.
--
-- An organization with second_factor_required shows nothing to members who have none. admin_rights is what it lets
-- admins do with keys. The same tables are in ../sqlite/0025_second_factors.sql.
CREATE TABLE second_factors (
    user_id TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    secret BYTEA NOT NULL,
    pepper_version INTEGER NOT NULL,
    last_step BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE TABLE recovery_codes (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    code BYTEA NOT NULL,
    pepper_version INTEGER NOT NULL,
    PRIMARY KEY (user_id, number)
);
ALTER TABLE sessions ADD COLUMN client TEXT;
ALTER TABLE sessions ADD COLUMN system TEXT;
ALTER TABLE sessions ADD COLUMN network TEXT;
ALTER TABLE orgs ADD COLUMN second_factor_required BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE orgs ADD COLUMN admin_rights TEXT NOT NULL DEFAULT 'review' CHECK (admin_rights IN ('review', 'disable_keys', 'manage_keys'));
