-- By primary key; unlocked.
SELECT * FROM job_rows WHERE id = $1::uuid
