-- By primary key; unlocked.
SELECT * FROM memo_rows WHERE id = ANY ($1::uuid[])
