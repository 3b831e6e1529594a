-- Waits for whoever holds the row (primary key).
SELECT * FROM intent_rows WHERE id = $1::uuid FOR UPDATE
