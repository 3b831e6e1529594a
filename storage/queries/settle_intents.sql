-- A batch of settlements: the intents' new state, their memos and all audit
-- entries. The caller holds the intents' locks. Foreign keys are checked at the
-- statement's end, so that an intent and its memo may name each other. A memo
-- that a writer made for the intent becomes its own: there is one an intent.
-- $1-$15 are columns of settlements, $16-$26 of memos, $27-$33 of entries.
WITH settlement AS (
  SELECT *
  FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[],
              $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
              $11::text[], $12::bigint[], $13::text[], $14::text[],
              $15::integer[])
    AS s (id, tenant_id, status, decision, sgl_result, policy_digest,
          failure_reason, failure_message, output, payload_raw,
          payload_sha256, spend_micros_usd, data_class, requested_by,
          entry_count)
), memo AS (
  SELECT *
  FROM unnest($16::uuid[], $17::uuid[], $18::text[], $19::text[], $20::text[],
              $21::bigint[], $22::integer[], $23::text[], $24::text[],
              $25::bigint[], $26::text[])
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
    AND i.id = ANY ($1::uuid[])
    AND i.tenant_id = s.tenant_id
    AND i.status IN ('DRAFT', 'VALIDATING', 'AWAITING_HUMAN')
  RETURNING i.id, i.tenant_id, i.decision_memo_id, i.revision,
            i.payload_sha256, i.transition_number - s.entry_count AS base
), opened AS (
  INSERT INTO decision_memos AS d
    (id, tenant_id, intent_id, agent, title, rationale,
     estimated_cost_micros_usd, estimated_cost_usd, risk_tier, demands,
     reasons, revision, payload_sha256, policy_digest, expires_at)
  SELECT t.decision_memo_id, t.tenant_id, t.id, m.agent, m.title, m.rationale,
         m.cost_micros, m.cost_micros / 1e6, m.risk_tier, m.demands::json,
         m.reasons::json, t.revision, t.payload_sha256, m.policy_digest,
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
             e.meta::jsonb || jsonb_build_object('memo_id', t.decision_memo_id)
           ELSE e.meta::jsonb
         END,
         t.base + e.place
  FROM unnest($27::uuid[], $28::integer[], $29::uuid[], $30::text[],
              $31::text[], $32::text[], $33::text[])
    AS e (intent_id, place, actor_user_id, actor_external_id, level, action,
          meta)
  JOIN settled AS t ON t.id = e.intent_id
)
SELECT id FROM settled
