-- Searches find notes, too. New rows have them in small letters of every script (see src/keys/store.rs); these have those of
-- ASCII until they are changed. The same change is in ../postgres/0020_search_notes.sql.
UPDATE keys SET search = search || CHAR(30) || REPLACE(LOWER(notes), CHAR(31), ' ') WHERE notes <> '';
