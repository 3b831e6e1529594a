-- A new ticket, reported by whom the payload names, opened by the agent.
WITH input AS (
  SELECT * FROM effect_inputs($1::uuid[], $2::text[])
), made AS (
  INSERT INTO tickets (id, tenant_id, reporter, agent, severity, category,
                       title, description)
  SELECT i.new_id, i.tenant_id, i.payload ->> 'reporter', i.agent_name,
         (i.payload ->> 'severity')::"TicketSeverity",
         (i.payload ->> 'category')::"TicketCategory",
         i.payload ->> 'title', i.payload ->> 'description'
  FROM input AS i
)
SELECT i.intent_id::text, jsonb_build_object('ticket_id', i.new_id)::text
FROM input AS i
