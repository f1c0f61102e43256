-- Which secret the number of a pepper stands for (see src/peppers.rs): an HMAC of a constant under the pepper. It tells
-- whether a pepper is the one that the digests need, and helps no more to find it than they do. The same table is in
-- ../sqlite/0008_peppers.sql.
CREATE TABLE peppers (
    version INTEGER PRIMARY KEY,
    fingerprint BYTEA NOT NULL,
    noted_at BIGINT NOT NULL
);
