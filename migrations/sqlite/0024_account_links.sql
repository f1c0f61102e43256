-- email_confirmed: whether the person has shown that the address is theirs. Accounts that existed before count as confirmed.
-- by_mail: whether an invitation's link was sent to its address alone, so that whoever has it has the address.
--
-- account_links holds the single-use links with which someone resets a password, confirms an address or signs up. digest is
-- that of the token in the link, under the pepper that was the current one. A link is deleted when it is used, replaced
-- or, within an hour, when it has expired (see src/accounts/links.rs). user_id is null for someone who signs up; email is the
-- address that the link was sent to. The same is in ../postgres/0024_account_links.sql.
ALTER TABLE users ADD COLUMN email_confirmed INTEGER NOT NULL DEFAULT 1;
ALTER TABLE invitations ADD COLUMN by_mail INTEGER NOT NULL DEFAULT 0;
CREATE TABLE account_links (
    digest BLOB PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('reset', 'confirmation', 'sign_up')),
    user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
    email TEXT NOT NULL,
    by_mail INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX account_links_by_user ON account_links (user_id);
CREATE INDEX account_links_by_email ON account_links (email);
CREATE INDEX account_links_by_expiry ON account_links (expires_at);
