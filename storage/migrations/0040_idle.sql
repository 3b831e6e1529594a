-- What an engine with nothing to do asks, once a second: whether there is work
-- of any kind, in any tenant, by one query.

-- Each column is one index look-up, whatever the statistics say: the time is
-- read once, since an index can't be asked with what changes from row to row.
-- What is held up by a switch or held by another engine counts as there:
-- whoever looks closer finds out.
CREATE FUNCTION waiting_work()
RETURNS TABLE (has_drafts boolean, has_due_memos boolean,
               has_escalations boolean, has_expired_leases boolean,
               has_unsealed boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET jit = off
AS $$
DECLARE
  due_time CONSTANT timestamptz := engine_now();
BEGIN
  RETURN QUERY SELECT
    EXISTS (SELECT FROM intents AS i WHERE i.status = 'DRAFT'),
    EXISTS (SELECT FROM decision_memos AS m
            WHERE m.status = 'PROPOSED' AND m.intent_id IS NOT NULL
              AND m.expires_at <= due_time),
    EXISTS (
      SELECT FROM (SELECT DISTINCT r.tenant_id FROM escalation_rules AS r) AS t
      CROSS JOIN LATERAL (
        SELECT FROM decision_memos AS m
        WHERE m.tenant_id = t.tenant_id AND m.status = 'PROPOSED'
          AND m.intent_id IS NOT NULL AND m.policy_digest IS NOT NULL
          AND m.escalate_at <= due_time
        LIMIT 1) AS due),
    EXISTS (SELECT FROM jobs AS j
            WHERE j.status = 'running' AND j.intent_id IS NOT NULL
              AND j.lease_expires_at <= due_time),
    EXISTS (SELECT FROM audit_unsealed AS q WHERE q.missing_since IS NULL);
END
$$;

DO $$
DECLARE
  signature CONSTANT regprocedure := 'waiting_work()';
BEGIN
  IF NOT (SELECT r.rolsuper FROM pg_roles AS r
          WHERE r.rolname = current_user) THEN
    GRANT intent_definer TO CURRENT_USER;
  END IF;
  EXECUTE format('GRANT CREATE ON SCHEMA %I TO intent_definer',
                 current_schema());
  EXECUTE format('ALTER FUNCTION %s OWNER TO intent_definer', signature);
  EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', signature);
  EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO intent_runtime, %I',
                 signature, current_user);
  EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM intent_definer',
                 current_schema());
  IF NOT (SELECT r.rolsuper FROM pg_roles AS r
          WHERE r.rolname = current_user) THEN
    REVOKE intent_definer FROM CURRENT_USER;
  END IF;
END
$$;
