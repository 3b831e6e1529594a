-- A comment of the agent's on a ticket, which is found by its primary key.
WITH input AS (
  SELECT i.*, t.id AS ticket_id
  FROM effect_inputs($1::uuid[], $2::text[]) AS i
  JOIN tickets AS t
    ON t.tenant_id = i.tenant_id
    AND t.id = uuid_or_null(i.payload ->> 'ticket_id')
), made AS (
  INSERT INTO ticket_comments (id, tenant_id, ticket_id, author, body)
  SELECT i.new_id, i.tenant_id, i.ticket_id, i.agent_name,
         i.payload ->> 'body'
  FROM input AS i
)
SELECT i.intent_id::text, jsonb_build_object('comment_id', i.new_id)::text
FROM input AS i
