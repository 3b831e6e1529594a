-- One page of a ticket's, oldest first (ticket_comments_ticket_idx).
SELECT id, tenant_id, ticket_id, author, body, to_micros(created_at),
       to_micros(updated_at)
FROM ticket_comments
WHERE tenant_id = $1::uuid
  AND ticket_id = $2::uuid
  AND ($3::bigint IS NULL OR (created_at, id) > (from_micros($3), $4::uuid))
ORDER BY created_at, id
LIMIT $5::integer
