-- Who may not vote on an intent: the agent's owner, who issued the token it was
-- submitted with, who edited this revision; and which level is switched
-- off, if any.
SELECT ARRAY(
         SELECT a.owner_user_id FROM agent_registry AS a
         WHERE a.tenant_id = i.tenant_id AND a.id = i.agent_id
           AND a.owner_user_id IS NOT NULL
         UNION
         SELECT token_issuer(i.submitted_by_token)
         WHERE token_issuer(i.submitted_by_token) IS NOT NULL
         UNION
         SELECT i.edited_by WHERE i.edited_by IS NOT NULL
         ORDER BY 1),
       switched_off(i.tenant_id, i.agent_id)
FROM intents AS i
WHERE i.id = $1::uuid
