-- Votes on memos, by time, with the voters' roles as of now
-- (approvals_memo_idx).
SELECT v.memo_id, v.id, v.approved_by, v.verdict, v.comment, v.revision,
       v.payload_hash, to_micros(v.created_at), to_micros(v.expires_at),
       coalesce(v.expires_at <= engine_now(), false),
       ARRAY(SELECT m.role
             UNION
             SELECT r.role FROM member_roles AS r
             WHERE r.tenant_id = v.tenant_id AND r.user_id = v.approved_by
             ORDER BY 1),
       m.user_id IS NOT NULL
FROM approvals AS v
LEFT JOIN tenant_members AS m
  ON m.tenant_id = v.tenant_id AND m.user_id = v.approved_by
 AND m.removed_at IS NULL
WHERE v.memo_id = ANY ($1::uuid[])
ORDER BY v.created_at, v.id
