-- Searches find notes, too. The same change is in ../sqlite/0020_search_notes.sql.
UPDATE keys SET search = search || CHR(30) || REPLACE(LOWER(notes), CHR(31), ' ') WHERE notes <> '';
