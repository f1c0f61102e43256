-- Whether a key lists loopback hosts other than localhost, such as 127.0.0.1: `yes` or `no`. Empty until the next start computes it. The same
-- column is in ../sqlite/0057_loopback.sql.
ALTER TABLE keys ADD COLUMN lists_loopback TEXT NOT NULL DEFAULT '';
