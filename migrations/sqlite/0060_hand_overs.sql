-- New secrets of keys that wait for the member who asked for the key: user_id reveals it until expires_at, which rotates the key, and
-- from then on the old secret works for overlap_seconds. offered_by is who lets them, and token that of their form. A key has at most
-- one row, which is deleted when it is used, withdrawn or replaced. The same table is in ../postgres/0060_hand_overs.sql.
CREATE TABLE key_hand_overs (
    key_id TEXT NOT NULL PRIMARY KEY REFERENCES keys (id) ON DELETE CASCADE,
    org_id TEXT NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    offered_by TEXT NOT NULL,
    token TEXT,
    overlap_seconds INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX key_hand_overs_by_org ON key_hand_overs (org_id, user_id);
CREATE INDEX key_hand_overs_by_user ON key_hand_overs (user_id);
CREATE INDEX key_hand_overs_by_end ON key_hand_overs (expires_at);
