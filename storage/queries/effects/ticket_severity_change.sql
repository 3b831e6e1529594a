-- Another severity of a ticket, which is found by its primary key.
UPDATE tickets AS t
SET severity = (i.payload ->> 'severity')::"TicketSeverity"
FROM effect_inputs($1::uuid[], $2::text[]) AS i
WHERE t.tenant_id = i.tenant_id
  AND t.id = uuid_or_null(i.payload ->> 'ticket_id')
RETURNING i.intent_id::text, jsonb_build_object('ticket_id', t.id)::text
