-- One vote a person and revision: a second one gives no row. The memo is
-- locked.
WITH memo AS (
  SELECT m.id, m.tenant_id, m.intent_id, m.revision, m.payload_sha256,
         i.intent_type
  FROM decision_memos AS m
  JOIN intents AS i ON i.tenant_id = m.tenant_id AND i.id = m.intent_id
  WHERE m.id = $1::uuid AND m.status = 'PROPOSED'
), vote AS (
  INSERT INTO approvals
    (tenant_id, intent_type, payload_hash, approved_by, memo_id, intent_id,
     revision, verdict, comment, roles, delegation_ids)
  SELECT memo.tenant_id, memo.intent_type, coalesce(memo.payload_sha256, ''),
         $2::uuid, memo.id, memo.intent_id, memo.revision, $3, $4, $5::text[],
         $6::uuid[]
  FROM memo
  ON CONFLICT (tenant_id, intent_id, revision, approved_by) DO NOTHING
  RETURNING id
)
SELECT (SELECT id FROM vote), EXISTS (SELECT FROM memo)
