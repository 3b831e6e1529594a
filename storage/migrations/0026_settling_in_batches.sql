-- Claiming and settling large batches: statements are planned once a connection
-- and not once a batch, where their arrays, a megabyte of them, were parts of
-- the plan.

-- As in 0001. The difference of two times is immutable, where the epoch of one
-- is not, so that a query takes the expression in and calls no function a row.
CREATE OR REPLACE FUNCTION to_micros(value timestamptz) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
  SELECT (extract(epoch FROM value - timestamptz 'epoch') * 1000000)::bigint
$$;

-- A batch of settlements: the intents' new state, their memos and all audit
-- entries. Answers the intents that were settled. The caller holds the intents'
-- locks. Foreign keys are checked at the statement's end, so that an intent and
-- its memo may name each other. A memo that a writer made for the intent
-- becomes its own: there is one an intent.
--
-- Runs with the rights of who calls it, and so on the rows of the
-- transaction's tenants. The plan does not know how large the arrays are: the
-- settings have it look intents up by their ids and join by hashing, which is
-- right for one and for a thousand.
CREATE FUNCTION settle_intents(
  intent_ids uuid[], tenant_ids uuid[], statuses text[], decisions text[],
  sgl_results text[], policy_digests text[], failure_reasons text[],
  failure_messages text[], outputs text[], payload_texts text[],
  payload_hashes text[], spends bigint[], data_classes text[],
  requesters text[], entry_counts integer[],
  memo_intent_ids uuid[], memo_ids uuid[], memo_agents text[],
  memo_titles text[], memo_rationales text[], memo_costs bigint[],
  memo_risk_tiers integer[], memo_demands text[], memo_reasons text[],
  memo_withins bigint[], memo_digests text[],
  entry_intent_ids uuid[], entry_places integer[], entry_users uuid[],
  entry_externals text[], entry_levels text[], entry_actions text[],
  entry_metas text[])
RETURNS SETOF uuid
LANGUAGE plpgsql VOLATILE
SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan
SET enable_nestloop = off
SET enable_mergejoin = off
SET enable_seqscan = off
-- Those settings work by prices at which it would be worth it.
SET jit = off
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH settlement AS (
    SELECT *
    FROM unnest(intent_ids, tenant_ids, statuses, decisions, sgl_results,
                policy_digests, failure_reasons, failure_messages, outputs,
                payload_texts, payload_hashes, spends, data_classes, requesters,
                entry_counts)
      AS s (id, tenant_id, status, decision, sgl_result, policy_digest,
            failure_reason, failure_message, output, payload_raw,
            payload_sha256, spend_micros_usd, data_class, requested_by,
            entry_count)
  ), memo AS (
    SELECT *
    FROM unnest(memo_intent_ids, memo_ids, memo_agents, memo_titles,
                memo_rationales, memo_costs, memo_risk_tiers, memo_demands,
                memo_reasons, memo_withins, memo_digests)
      AS m (intent_id, id, agent, title, rationale, cost_micros, risk_tier,
            demands, reasons, within_micros, policy_digest)
  ), settled AS (
    UPDATE intents AS i
    SET status = s.status,
        decision = coalesce(s.decision::json, i.decision),
        sgl_result = coalesce(s.sgl_result, i.sgl_result),
        policy_digest = coalesce(s.policy_digest, i.policy_digest),
        failure_reason = s.failure_reason,
        failure_message = s.failure_message,
        output = coalesce(s.output::json, i.output),
        payload_raw = coalesce(i.payload_raw, s.payload_raw),
        payload_sha256 = coalesce(i.payload_sha256, s.payload_sha256),
        spend_micros_usd = coalesce(i.spend_micros_usd, s.spend_micros_usd),
        data_class = coalesce(i.data_class, s.data_class),
        requested_by = coalesce(i.requested_by, s.requested_by),
        decision_memo_id = CASE
          WHEN m.id IS NULL THEN i.decision_memo_id
          ELSE coalesce(
            i.decision_memo_id,
            (SELECT d.id FROM decision_memos AS d
             WHERE d.tenant_id = i.tenant_id AND d.intent_id = i.id),
            m.id)
        END,
        transition_number = i.transition_number + s.entry_count
    FROM settlement AS s
    LEFT JOIN memo AS m ON m.intent_id = s.id
    WHERE i.id = s.id
      AND i.id = ANY (intent_ids)
      AND i.tenant_id = s.tenant_id
      AND i.status IN ('DRAFT', 'VALIDATING', 'AWAITING_HUMAN')
    RETURNING i.id, i.tenant_id, i.decision_memo_id, i.revision,
              i.payload_sha256, i.transition_number - s.entry_count AS base
  ), opened AS (
    INSERT INTO decision_memos AS d
      (id, tenant_id, intent_id, agent, title, rationale,
       estimated_cost_micros_usd, estimated_cost_usd, risk_tier, demands,
       reasons, revision, payload_sha256, policy_digest, expires_at)
    SELECT t.decision_memo_id, t.tenant_id, t.id, m.agent, m.title,
           m.rationale, m.cost_micros, m.cost_micros / 1e6, m.risk_tier,
           m.demands::json, m.reasons::json, t.revision, t.payload_sha256,
           m.policy_digest,
           engine_now() + m.within_micros * interval '1 microsecond'
    FROM memo AS m
    JOIN settled AS t ON t.id = m.intent_id
    ON CONFLICT (tenant_id, intent_id) DO UPDATE
      SET agent = EXCLUDED.agent,
          requires_approval = true,
          opened_at = CASE WHEN d.policy_digest IS NULL THEN engine_now()
                           ELSE d.opened_at END,
          rationale = EXCLUDED.rationale,
          estimated_cost_micros_usd = EXCLUDED.estimated_cost_micros_usd,
          estimated_cost_usd = EXCLUDED.estimated_cost_usd,
          title = EXCLUDED.title,
          risk_tier = EXCLUDED.risk_tier,
          demands = EXCLUDED.demands,
          reasons = EXCLUDED.reasons,
          revision = EXCLUDED.revision,
          payload_sha256 = EXCLUDED.payload_sha256,
          policy_digest = EXCLUDED.policy_digest,
          expires_at = EXCLUDED.expires_at,
          status = 'PROPOSED',
          resolution = NULL,
          resolved_at = NULL
  ), entry AS (
    INSERT INTO audit_log
      (tenant_id, actor_user_id, actor_external_id, actor_type, level, action,
       entity_type, entity_id, meta, transition_number)
    SELECT t.tenant_id, e.actor_user_id, e.actor_external_id,
           CASE WHEN e.actor_user_id IS NULL THEN 'system' ELSE 'user' END,
           e.level::"AuditLevel", e.action, 'intent', t.id,
           CASE e.action
             WHEN 'DECISION_MEMO_OPENED' THEN
               e.meta::jsonb
               || jsonb_build_object('memo_id', t.decision_memo_id)
             ELSE e.meta::jsonb
           END,
           t.base + e.place
    FROM unnest(entry_intent_ids, entry_places, entry_users, entry_externals,
                entry_levels, entry_actions, entry_metas)
      AS e (intent_id, place, actor_user_id, actor_external_id, level, action,
            meta)
    JOIN settled AS t ON t.id = e.intent_id
  )
  SELECT t.id FROM settled AS t;
END
$$;
REVOKE ALL ON FUNCTION settle_intents FROM PUBLIC;
GRANT EXECUTE ON FUNCTION settle_intents TO intent_runtime;

-- Changing a function takes membership of its owner, which ends with this
-- migration.
DO $$
BEGIN
  IF NOT (SELECT r.rolsuper FROM pg_roles AS r
          WHERE r.rolname = current_user) THEN
    GRANT intent_definer TO CURRENT_USER;
  END IF;
  -- In the order of the index that has the DRAFTs, however few there were when
  -- the plan was made.
  ALTER FUNCTION claim_draft_intents(integer, uuid[])
    SET plan_cache_mode = force_generic_plan;
  ALTER FUNCTION claim_draft_intents(integer, uuid[]) SET enable_seqscan = off;
  ALTER FUNCTION claim_draft_intents(integer, uuid[])
    SET enable_bitmapscan = off;
  ALTER FUNCTION claim_draft_intents(integer, uuid[]) SET enable_sort = off;
  ALTER FUNCTION claim_draft_intents(integer, uuid[]) SET jit = off;
  IF NOT (SELECT r.rolsuper FROM pg_roles AS r
          WHERE r.rolname = current_user) THEN
    REVOKE intent_definer FROM CURRENT_USER;
  END IF;
END
$$;
