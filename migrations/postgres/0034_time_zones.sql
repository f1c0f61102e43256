-- The time zone in which a person's usage pages cut days, by its name in the IANA database.
ALTER TABLE users ADD COLUMN time_zone TEXT NOT NULL DEFAULT 'UTC';
