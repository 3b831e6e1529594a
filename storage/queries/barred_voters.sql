-- Who may not vote on an intent: the agent's owner, who issued the token it was
-- submitted with or holds it, who proposed the policy version to be activated,
-- who edited this revision; and which level is switched off, if any. What may
-- go on to activate a policy takes the policy lock alone, and so must not share
-- it here; it asks again once it has it (0013).
SELECT ARRAY(
         SELECT a.owner_user_id FROM agent_registry AS a
         WHERE a.tenant_id = i.tenant_id AND a.id = i.agent_id
           AND a.owner_user_id IS NOT NULL
         UNION
         SELECT token_issuer(i.submitted_by_token)
         WHERE token_issuer(i.submitted_by_token) IS NOT NULL
         UNION
         SELECT i.edited_by WHERE i.edited_by IS NOT NULL
         UNION
         SELECT c.causer FROM intent_causers(i.id) AS c (causer)
         ORDER BY 1),
       CASE
         WHEN i.intent_type = 'SGL_POLICY_ACTIVATE'
           AND i.tenant_id = '00000000-0000-0000-0000-000000000001'
         THEN activation_switched_off(i.agent_id)
         ELSE switched_off(i.tenant_id, i.agent_id)
       END
FROM intents AS i
WHERE i.id = $1::uuid
