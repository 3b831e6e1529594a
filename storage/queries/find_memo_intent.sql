-- Which intent to lock before its memo (primary key).
SELECT intent_id FROM decision_memos
WHERE id = $1::uuid AND intent_id IS NOT NULL
