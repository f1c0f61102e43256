-- Searches find notes, too. New rows have them in small letters of every script (see src/keys/store.rs); these have those of
-- ASCII until they are changed. The separators are the characters U+001E and U+001F. The same change is in
-- ../postgres/0020_search_notes.sql.
UPDATE keys SET search = search || '' || REPLACE(LOWER(notes), '', ' ') WHERE notes <> '';
