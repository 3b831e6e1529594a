-- Locks the memo; its intent is locked already (primary key).
SELECT id FROM decision_memos WHERE id = $1::uuid FOR UPDATE
