-- How each of a key's secrets may be shown, and what the form of a rotation was served with, so that a form that is sent
-- twice rotates once. rotation_token is unique per key; secrets that no form made have none. An imported secret was made
-- elsewhere and carries no checksum of ours.
ALTER TABLE key_secrets ADD COLUMN display TEXT NOT NULL DEFAULT '';
ALTER TABLE key_secrets ADD COLUMN rotation_token TEXT;
ALTER TABLE key_secrets ADD COLUMN imported INTEGER NOT NULL DEFAULT 0;
UPDATE key_secrets SET display = (SELECT keys.display FROM keys WHERE keys.id = key_secrets.key_id);
CREATE UNIQUE INDEX key_secrets_by_rotation_token ON key_secrets (key_id, rotation_token);
CREATE INDEX key_secrets_imported ON key_secrets (key_id) WHERE imported;
