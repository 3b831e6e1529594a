-- By primary key; unlocked.
SELECT * FROM intent_rows WHERE id = ANY ($1::uuid[])
