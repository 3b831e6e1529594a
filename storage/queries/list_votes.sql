-- Votes on memos, by time (approvals_memo_idx), with the roles that the voter
-- had then and has now: what was gained or lost since does not count. What was
-- not said of the memo's intent, or of another payload of its revision, is no
-- vote. Who was removed and came back is no member for what they said before.
SELECT v.memo_id, v.id, v.approved_by, v.verdict, v.comment, v.revision,
       v.payload_hash, to_micros(v.created_at), to_micros(v.expires_at),
       coalesce(v.expires_at <= engine_now(), false),
       ARRAY(SELECT h.role FROM held_roles AS h
             WHERE h.tenant_id = v.tenant_id AND h.user_id = v.approved_by
               AND (v.roles IS NULL OR h.role = ANY (v.roles))
             ORDER BY h.role),
       EXISTS (SELECT FROM tenant_members AS m
               WHERE m.tenant_id = v.tenant_id AND m.user_id = v.approved_by
                 AND m.removed_at IS NULL
                 AND (m.returned_at IS NULL
                      OR v.created_at >= m.returned_at)),
       v.delegation_ids
FROM approvals AS v
JOIN decision_memos AS d
  ON d.tenant_id = v.tenant_id
 AND d.id = v.memo_id
 AND d.intent_id = v.intent_id
 AND (d.revision <> v.revision OR d.payload_sha256 = v.payload_hash)
WHERE v.memo_id = ANY ($1::uuid[])
ORDER BY v.created_at, v.id
