-- Whose job it is (primary key): that intent is locked before it.
SELECT intent_id FROM jobs WHERE id = $1::uuid AND intent_id IS NOT NULL
