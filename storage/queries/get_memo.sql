-- By primary key; unlocked.
SELECT * FROM memo_rows WHERE id = $1::uuid
