-- Searches find notes, too. The separators are the characters U+001E and U+001F. The same change is in
-- ../sqlite/0020_search_notes.sql.
UPDATE keys SET search = search || '' || REPLACE(LOWER(notes), '', ' ') WHERE notes <> '';
