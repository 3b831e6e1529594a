-- One page, newest first (tickets_list_idx, or the index of the state), or the
-- one of an id (tickets_tenant_id_key). The parameter is of the enum's type, so
-- that the planner sees which index holds the state.
SELECT id, tenant_id, reporter, agent, status, severity, category, title,
       description, to_micros(created_at), to_micros(updated_at)
FROM tickets
WHERE tenant_id = $1::uuid
  AND ($2::uuid IS NULL OR id = $2)
  AND ($3::"TicketStatus" IS NULL OR status = $3)
  AND ($4::"TicketSeverity" IS NULL OR severity = $4)
  AND ($5::"TicketCategory" IS NULL OR category = $5)
  AND ($6::bigint IS NULL OR (created_at, id) < (from_micros($6), $7::uuid))
ORDER BY created_at DESC, id DESC
LIMIT $8::integer
