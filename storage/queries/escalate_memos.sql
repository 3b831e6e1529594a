-- Widens what nobody voted on in time, across tenants
-- (decision_memos_escalate_idx); answers what it wrote, and whose it is.
WITH written AS MATERIALIZED (SELECT * FROM escalate_memos($1::integer))
SELECT w.its_tenant, w.its_intent, w.its_memo, w.its_revision, w.old_role,
       w.new_role, current_setting('intent.tenants')
FROM written AS w
