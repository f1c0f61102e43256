-- Which secret the number of a pepper stands for (see src/peppers.rs): an HMAC of a constant under the pepper. It tells
-- whether a pepper is the one that the digests need, and helps no more to find it than they do. The same table is in
-- ../postgres/0008_peppers.sql.
CREATE TABLE peppers (
    version INTEGER PRIMARY KEY,
    fingerprint BLOB NOT NULL,
    noted_at INTEGER NOT NULL
) STRICT;
