-- Locks the job; its intent is locked already (primary key).
SELECT id FROM jobs WHERE id = $1::uuid FOR UPDATE
