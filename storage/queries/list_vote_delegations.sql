-- Of the delegations that votes count by, those that still hold, with what they
-- lend now (approvals_memo_idx, then approval_delegations_tenant_id_key).
SELECT v.memo_id, v.id, d.id, d.from_user_id, d.roles
FROM approvals AS v
JOIN delegations_in_force AS d
  ON d.tenant_id = v.tenant_id
 AND d.id = ANY (v.delegation_ids)
 AND d.to_user_id = v.approved_by
WHERE v.memo_id = ANY ($1::uuid[])
ORDER BY v.id, d.id
