-- Submissions of many callers in one transaction, those that could be decided
-- at once with their outcome: one row is written where there were two versions
-- of it.

-- As in 0002, but the engine may bring an intent in decided. What it may not
-- leave out are the decision and the entries that account for it.
CREATE OR REPLACE FUNCTION intents_before_write() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
  NEW.xact_id := pg_current_xact_id();
  IF TG_OP = 'INSERT' THEN
    IF NEW.status <> 'DRAFT'
       AND NOT (NEW.decision IS NOT NULL AND NEW.transition_number >= 2
                AND NEW.revision = 1 AND writes_as_engine()) THEN
      RAISE EXCEPTION 'an intent starts as DRAFT, not as %', NEW.status
        USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
  END IF;
  NEW.updated_at := engine_now();
  IF OLD.status IN ('EXECUTED', 'FAILED', 'BLOCKED_SGL')
     AND NEW.status <> OLD.status THEN
    RAISE EXCEPTION 'intent % is final: % can''t become %',
      OLD.id, OLD.status, NEW.status
      USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.status = 'DRAFT' AND OLD.status <> 'DRAFT' THEN
    RAISE EXCEPTION 'intent % can''t become DRAFT again', OLD.id
      USING ERRCODE = 'check_violation';
  END IF;
  -- What was decided on changes with a new revision only; an adoption fills
  -- in what a row inserted by SQL left null.
  IF NEW.revision = OLD.revision
     AND (NEW.intent_type <> OLD.intent_type
          OR NEW.agent_id IS DISTINCT FROM OLD.agent_id
          OR (OLD.payload_raw IS NOT NULL
              AND NEW.payload_raw IS DISTINCT FROM OLD.payload_raw)
          OR (OLD.spend_micros_usd IS NOT NULL
              AND NEW.spend_micros_usd IS DISTINCT FROM OLD.spend_micros_usd)
          OR (OLD.data_class IS NOT NULL
              AND NEW.data_class IS DISTINCT FROM OLD.data_class)) THEN
    RAISE EXCEPTION 'intent % changes only with a new revision', OLD.id
      USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.revision < OLD.revision
     OR NEW.transition_number < OLD.transition_number THEN
    RAISE EXCEPTION 'revision and transition number of intent % only grow',
      OLD.id
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;

-- Who calls submit_intents() says itself whether a DRAFT is left behind.
DROP TRIGGER intents_notify_draft ON intents;
CREATE TRIGGER intents_notify_draft
  AFTER INSERT ON intents
  FOR EACH STATEMENT
  WHEN (current_setting('intent.submits', true) IS DISTINCT FROM 'on')
  EXECUTE FUNCTION intents_notify_draft();

-- Which switches hold up the transaction's tenants, and these agents of theirs:
-- a row without a tenant is the platform's, one without an agent its tenant's.
-- Shares the settlement lock to the end of the transaction and reads after it
-- has it, as switched_off() of 0009 does.
CREATE FUNCTION submission_switches(agent_ids uuid[])
RETURNS TABLE (tenant_id uuid, agent_id uuid)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
  tenants CONSTANT uuid[] :=
    NULLIF(current_setting('intent.tenants', true), '')::uuid[];
BEGIN
  PERFORM pg_advisory_xact_lock_shared(7205759403792793601);
  RETURN QUERY
    SELECT s.switch_tenant_id, s.switch_agent_id
    FROM system_state AS s
    WHERE s.is_switched_off
      AND (s.switch_tenant_id IS NULL
           OR (s.switch_tenant_id = ANY (tenants)
               AND (s.switch_agent_id IS NULL
                    OR s.switch_agent_id = ANY (agent_ids))));
END
$$;

-- A group of submissions: request ids, intents with their memos and all audit
-- entries. Answers the intents that were stored; where a request id is taken,
-- none, and a submission with it that is still under way is waited for. They
-- come in the order of their request ids, so that two groups never wait for
-- each other.
--
-- An intent without a decision is a DRAFT. Runs with the rights of who calls
-- it; the settings are those of settle_intents(), for the same reasons.
CREATE FUNCTION submit_intents(
  intent_ids uuid[], tenant_ids uuid[], principal_ids uuid[],
  request_ids text[], body_hashes text[], agent_ids uuid[],
  intent_types text[], payload_texts text[], payload_hashes text[],
  spends bigint[], data_classes text[], requesters text[], titles text[],
  rationales text[], token_ids uuid[],
  statuses text[], decisions text[], sgl_results text[],
  policy_digests text[], failure_reasons text[], failure_messages text[],
  outputs text[], entry_counts integer[],
  memo_intent_ids uuid[], memo_ids uuid[], memo_agents text[],
  memo_titles text[], memo_rationales text[], memo_costs bigint[],
  memo_risk_tiers integer[], memo_demands text[], memo_reasons text[],
  memo_withins bigint[], memo_digests text[],
  entry_intent_ids uuid[], entry_places integer[], entry_users uuid[],
  entry_externals text[], entry_levels text[], entry_actions text[],
  entry_metas text[])
RETURNS TABLE (id uuid, created_at timestamptz, updated_at timestamptz)
LANGUAGE plpgsql VOLATILE
SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan
SET enable_nestloop = off
SET enable_mergejoin = off
SET enable_seqscan = off
SET jit = off
AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('intent.submits', 'on', true);
  RETURN QUERY
  WITH submission AS (
    SELECT *
    FROM unnest(intent_ids, tenant_ids, principal_ids, request_ids,
                body_hashes, agent_ids, intent_types, payload_texts,
                payload_hashes, spends, data_classes, requesters, titles,
                rationales, token_ids, statuses, decisions, sgl_results,
                policy_digests, failure_reasons, failure_messages, outputs,
                entry_counts)
      AS s (id, tenant_id, principal_id, request_id, body_sha256, agent_id,
            intent_type, payload_raw, payload_sha256, spend_micros_usd,
            data_class, requested_by, title, rationale, token_id, status,
            decision, sgl_result, policy_digest, failure_reason,
            failure_message, output, entry_count)
  ), memo AS (
    SELECT *
    FROM unnest(memo_intent_ids, memo_ids, memo_agents, memo_titles,
                memo_rationales, memo_costs, memo_risk_tiers, memo_demands,
                memo_reasons, memo_withins, memo_digests)
      AS m (intent_id, id, agent, title, rationale, cost_micros, risk_tier,
            demands, reasons, within_micros, policy_digest)
  ), request AS (
    INSERT INTO intent_requests
      (tenant_id, principal_id, request_id, body_sha256, intent_id)
    SELECT s.tenant_id, s.principal_id, s.request_id, s.body_sha256, s.id
    FROM submission AS s
    ORDER BY s.tenant_id, s.principal_id, s.request_id
    ON CONFLICT DO NOTHING
    RETURNING intent_id
  ), intent AS (
    INSERT INTO intents
      (id, tenant_id, agent_id, intent_type, payload, payload_raw,
       payload_sha256, spend_micros_usd, data_class, requested_by, title,
       rationale, request_id, submitted_by_token, status, decision, sgl_result,
       policy_digest, failure_reason, failure_message, output,
       decision_memo_id, transition_number)
    SELECT s.id, s.tenant_id, s.agent_id, s.intent_type, s.payload_raw::jsonb,
           s.payload_raw, s.payload_sha256, s.spend_micros_usd, s.data_class,
           s.requested_by, s.title, s.rationale, s.request_id, s.token_id,
           s.status, s.decision::json, s.sgl_result, s.policy_digest,
           s.failure_reason, s.failure_message, s.output::json, m.id,
           s.entry_count
    FROM submission AS s
    JOIN request AS q ON q.intent_id = s.id
    LEFT JOIN memo AS m ON m.intent_id = s.id
    RETURNING id, tenant_id, payload_sha256, created_at, updated_at
  ), opened AS (
    INSERT INTO decision_memos
      (id, tenant_id, intent_id, agent, title, rationale,
       estimated_cost_micros_usd, estimated_cost_usd, risk_tier, demands,
       reasons, payload_sha256, policy_digest, expires_at)
    SELECT m.id, i.tenant_id, i.id, m.agent, m.title, m.rationale,
           m.cost_micros, m.cost_micros / 1e6, m.risk_tier, m.demands::json,
           m.reasons::json, i.payload_sha256, m.policy_digest,
           engine_now() + m.within_micros * interval '1 microsecond'
    FROM memo AS m
    JOIN intent AS i ON i.id = m.intent_id
  ), entry AS (
    INSERT INTO audit_log
      (tenant_id, actor_user_id, actor_external_id, actor_type, level, action,
       entity_type, entity_id, meta, transition_number)
    SELECT i.tenant_id, e.actor_user_id, e.actor_external_id,
           CASE WHEN e.actor_user_id IS NULL THEN 'system' ELSE 'user' END,
           e.level::"AuditLevel", e.action, 'intent', i.id, e.meta::jsonb,
           e.place
    FROM unnest(entry_intent_ids, entry_places, entry_users, entry_externals,
                entry_levels, entry_actions, entry_metas)
      AS e (intent_id, place, actor_user_id, actor_external_id, level, action,
            meta)
    JOIN intent AS i ON i.id = e.intent_id
    -- So that an intent's entries have their times in their order.
    ORDER BY e.intent_id, e.place
  )
  SELECT i.id, i.created_at, i.updated_at FROM intent AS i;
END
$$;
REVOKE ALL ON FUNCTION submit_intents FROM PUBLIC;
GRANT EXECUTE ON FUNCTION submit_intents TO intent_runtime;

DO $$
DECLARE
  signature CONSTANT regprocedure := 'submission_switches(uuid[])';
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
