-- Budgets that hold: what allowed intents spend is reserved or committed here,
-- under the lock of the budgets that it draws on; committed spend is entered in
-- the ledger, and people hear where a budget nears its limit.

ALTER TABLE budgets
  -- A period begins here, and every period_days of 24 hours from here on and
  -- before. Null: where the budget was made.
  ADD COLUMN period_starts_at timestamptz,
  ADD CONSTRAINT budgets_period_starts_at_range
    CHECK (period_starts_at >= timestamptz '0001-01-01 00:00:00+00'
           AND period_starts_at < timestamptz '10000-01-01 00:00:00+00');
COMMENT ON CONSTRAINT budgets_period_starts_at_range ON budgets IS
  '`period_starts_at` is of the years 1 to 9999';
-- lock_budgets() and budget_states(): a tenant's budgets of a category.
CREATE INDEX budgets_category_idx ON budgets (tenant_id, category, id);

ALTER TABLE ledger_entries
  -- The exact spend of the intent, for the entry that its spend made; null for
  -- entries that effects or other writers posted, which are no spend.
  ADD COLUMN spend_micros_usd bigint,
  ADD CONSTRAINT ledger_entries_spend_exact
    CHECK (spend_micros_usd IS NULL
           OR (spend_micros_usd > 0 AND intent_id IS NOT NULL
               AND entry_type = 'debit' AND currency = 'USD'
               AND amount_cents = spend_micros_usd / 10000
                 + (spend_micros_usd % 10000 > 0)::integer)),
  DROP CONSTRAINT ledger_entries_intent_key;
COMMENT ON CONSTRAINT ledger_entries_spend_exact ON ledger_entries IS
  'a spend is a debit in USD, in cents rounded up';
-- An entry can't be taken back: that an intent posts one only, and spends once
-- only, is held here.
CREATE UNIQUE INDEX ledger_entries_intent_key
  ON ledger_entries (tenant_id, intent_id) WHERE spend_micros_usd IS NULL;
COMMENT ON INDEX ledger_entries_intent_key IS
  'this intent has posted its entry already';
CREATE UNIQUE INDEX ledger_entries_spend_key
  ON ledger_entries (tenant_id, intent_id) WHERE spend_micros_usd IS NOT NULL;
COMMENT ON INDEX ledger_entries_spend_key IS
  'the spend of this intent is entered already';

-- What allowed intents spend, one row each: reserved while the intent's job is
-- under way, committed once it is EXECUTED, released where it FAILED.
CREATE TABLE intent_spends (
  tenant_id uuid NOT NULL,
  intent_id uuid NOT NULL,
  -- As LedgerCategory has it; text, since indexes on enums are of no use under
  -- row-level security.
  category text NOT NULL,
  spend_micros_usd bigint NOT NULL,
  status text NOT NULL,
  -- The decision's time: the period that it counts for, however long its job
  -- takes.
  counted_at timestamptz NOT NULL,
  ended_at timestamptz,
  CONSTRAINT intent_spends_pkey PRIMARY KEY (tenant_id, intent_id),
  CONSTRAINT intent_spends_tenant_fkey
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT intent_spends_intent_fkey
    FOREIGN KEY (tenant_id, intent_id) REFERENCES intents (tenant_id, id),
  CONSTRAINT intent_spends_category_known
    CHECK (category IN ('subscription', 'token_spend', 'api_spend', 'refund',
                        'chargeback', 'payout', 'misc')),
  CONSTRAINT intent_spends_amount_positive CHECK (spend_micros_usd > 0),
  CONSTRAINT intent_spends_status_known
    CHECK (status IN ('reserved', 'committed', 'released')),
  CONSTRAINT intent_spends_ended CHECK ((status = 'reserved') = (ended_at IS NULL))
);
-- budget_states(): what counts against a budget in a period, without a look at
-- the table.
CREATE INDEX intent_spends_counted_idx
  ON intent_spends (tenant_id, category, counted_at)
  INCLUDE (spend_micros_usd, status) WHERE status <> 'released';

-- A spend ends once, and nothing else of it changes.
CREATE FUNCTION intent_spends_before_update() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
  IF OLD.status <> 'reserved' OR NEW.status = 'reserved'
     OR (NEW.tenant_id, NEW.intent_id, NEW.category, NEW.spend_micros_usd,
         NEW.counted_at)
        IS DISTINCT FROM
        (OLD.tenant_id, OLD.intent_id, OLD.category, OLD.spend_micros_usd,
         OLD.counted_at) THEN
    RAISE EXCEPTION 'the spend of intent % is % and only ends', OLD.intent_id,
      OLD.status
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER intent_spends_before_update
  BEFORE UPDATE ON intent_spends
  FOR EACH ROW EXECUTE FUNCTION intent_spends_before_update();
CREATE TRIGGER intent_spends_refuse_change
  BEFORE DELETE ON intent_spends
  FOR EACH ROW EXECUTE FUNCTION insert_only_refuse_change();
CREATE TRIGGER intent_spends_refuse_truncate
  BEFORE TRUNCATE ON intent_spends
  FOR EACH STATEMENT EXECUTE FUNCTION insert_only_refuse_change();

-- Enters a spend that is committed in the ledger: at once, or with its job.
CREATE FUNCTION intent_spends_enter() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
  INSERT INTO ledger_entries
    (tenant_id, intent_id, entry_type, category, amount_cents, currency,
     description, external_ref, spend_micros_usd, meta, occurred_at)
  SELECT NEW.tenant_id, NEW.intent_id, 'debit', NEW.category::"LedgerCategory",
         NEW.spend_micros_usd / 10000
           + (NEW.spend_micros_usd % 10000 > 0)::integer,
         'USD', 'spend of ' || i.intent_type, 'intent:' || NEW.intent_id,
         NEW.spend_micros_usd,
         jsonb_build_object('spend_micros_usd', NEW.spend_micros_usd,
                            'counted_at', NEW.counted_at),
         NEW.ended_at
  FROM intents AS i
  WHERE i.tenant_id = NEW.tenant_id AND i.id = NEW.intent_id;
  RETURN NULL;
END
$$;
CREATE TRIGGER intent_spends_enter
  AFTER INSERT OR UPDATE ON intent_spends
  FOR EACH ROW WHEN (NEW.status = 'committed')
  EXECUTE FUNCTION intent_spends_enter();

-- A reservation ends with its intent, whoever ends that.
CREATE FUNCTION intents_end_spend() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
  UPDATE intent_spends AS s
  SET status = CASE NEW.status WHEN 'EXECUTED' THEN 'committed'
                               ELSE 'released' END,
      ended_at = engine_now()
  WHERE s.tenant_id = NEW.tenant_id AND s.intent_id = NEW.id
    AND s.status = 'reserved';
  RETURN NULL;
END
$$;
CREATE TRIGGER intents_end_spend
  AFTER UPDATE OF status ON intents
  FOR EACH ROW WHEN (OLD.status = 'VALIDATING'
                     AND NEW.status IN ('EXECUTED', 'FAILED', 'BLOCKED_SGL'))
  EXECUTE FUNCTION intents_end_spend();

-- Of which budgets and periods people were told that they near their limit.
CREATE TABLE budget_alerts (
  tenant_id uuid NOT NULL,
  budget_id uuid NOT NULL,
  period_started_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT engine_now(),
  CONSTRAINT budget_alerts_pkey
    PRIMARY KEY (tenant_id, budget_id, period_started_at),
  CONSTRAINT budget_alerts_tenant_fkey
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  -- An existing writer may remove a budget.
  CONSTRAINT budget_alerts_budget_fkey
    FOREIGN KEY (tenant_id, budget_id) REFERENCES budgets (tenant_id, id)
    ON DELETE CASCADE
);

DO $$
DECLARE
  table_name text;
BEGIN
  FOREACH table_name IN ARRAY ARRAY['intent_spends', 'budget_alerts'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', table_name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', table_name);
    EXECUTE format(
      'CREATE POLICY tenant_rows ON %I USING (tenant_id = ANY(('
      'SELECT NULLIF(current_setting(''intent.tenants'', true), '''')::uuid[]'
      ')::uuid[]))', table_name);
    EXECUTE format('REVOKE ALL ON %I FROM PUBLIC', table_name);
  END LOOP;
END
$$;
GRANT SELECT, INSERT, UPDATE (status, ended_at) ON intent_spends
  TO intent_runtime;
GRANT SELECT, INSERT ON budget_alerts TO intent_runtime;

-- When the period began that holds `at`. Days have 24 hours.
CREATE FUNCTION budget_period_start(first_start timestamptz,
                                    period_days integer, at timestamptz)
RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path FROM CURRENT
AS $$
  SELECT from_micros(
    to_micros(first_start)
    + (to_micros(at) - to_micros(first_start) - mod(
         mod(to_micros(at) - to_micros(first_start),
             period_days * 86400000000) + period_days * 86400000000,
         period_days * 86400000000)))
$$;

-- The tenants' budgets of these categories, as they stand in the period that
-- holds `at`: amounts in exact micros. Runs with the rights of who asks.
CREATE FUNCTION budget_states(tenant_ids uuid[], categories text[],
                              at timestamptz)
RETURNS TABLE (id uuid, tenant_id uuid, name text, category text,
               limit_micros numeric, committed_micros numeric,
               reserved_micros numeric, alert_at numeric,
               period_start timestamptz, period_end timestamptz)
LANGUAGE sql STABLE
SET search_path FROM CURRENT
AS $$
  SELECT b.id, b.tenant_id, b.name, b.category,
         b.limit_cents::numeric * 10000, s.committed, s.reserved, b.alert_at,
         p.starts, p.starts + b.period_days * interval '24 hours'
  FROM (SELECT DISTINCT k.tenant_id, k.category
        FROM unnest(tenant_ids, categories) AS k (tenant_id, category)) AS k
  JOIN budgets AS b
    ON b.tenant_id = k.tenant_id AND b.category = k.category
  CROSS JOIN LATERAL (
    -- An existing writer may have any created_at.
    SELECT budget_period_start(
      coalesce(b.period_starts_at,
               least(greatest(b.created_at,
                              timestamptz '0001-01-01 00:00:00+00'),
                     timestamptz '9999-12-31 00:00:00+00')),
      b.period_days, at)) AS p (starts)
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(s.spend_micros_usd)
                      FILTER (WHERE s.status = 'committed'), 0),
           coalesce(sum(s.spend_micros_usd)
                      FILTER (WHERE s.status = 'reserved'), 0)
    FROM intent_spends AS s
    WHERE s.tenant_id = b.tenant_id AND s.category = b.category
      AND s.status <> 'released' AND s.counted_at >= p.starts
      AND s.counted_at < p.starts + b.period_days * interval '24 hours'
  ) AS s (committed, reserved)
$$;

-- Of each tenant and category the budget that has the least left: where there
-- are several, all of them hold. Bounded to what a bigint of micros holds with
-- room for one spend more.
CREATE FUNCTION tightest_budgets(tenant_ids uuid[], categories text[],
                                 at timestamptz)
RETURNS TABLE (tenant_id uuid, category text, remaining_micros bigint,
               limit_micros bigint)
LANGUAGE sql STABLE
SET search_path FROM CURRENT
AS $$
  SELECT DISTINCT ON (b.tenant_id, b.category) b.tenant_id, b.category,
         greatest(least(b.limit_micros - b.committed_micros - b.reserved_micros,
                        4e18), -4e18)::bigint,
         least(b.limit_micros, 4e18)::bigint
  FROM budget_states(tenant_ids, categories, at) AS b
  ORDER BY b.tenant_id, b.category,
           b.limit_micros - b.committed_micros - b.reserved_micros,
           b.limit_micros, b.id
$$;

-- What is locked (advisory) of a tenant's category.
CREATE FUNCTION budget_lock_key(tenant_id uuid, category text,
                                OUT class integer, OUT key integer)
LANGUAGE sql IMMUTABLE
SET search_path FROM CURRENT
AS $$
  SELECT 1112884295, hashtext(tenant_id || ':' || coalesce(category, ''))
$$;

-- A budget that comes or goes waits for those who spend of its category without
-- it; and they for it.
CREATE FUNCTION budgets_before_move() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    PERFORM pg_advisory_xact_lock(l.class, l.key)
    FROM budget_lock_key(OLD.tenant_id, OLD.category) AS l;
  END IF;
  IF TG_OP <> 'DELETE' THEN
    PERFORM pg_advisory_xact_lock(l.class, l.key)
    FROM budget_lock_key(NEW.tenant_id, NEW.category) AS l;
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;
CREATE TRIGGER budgets_before_move
  BEFORE INSERT OR DELETE OR UPDATE OF tenant_id, category ON budgets
  FOR EACH ROW EXECUTE FUNCTION budgets_before_move();

-- Locks the tenants' budgets of these categories until the transaction ends,
-- and answers what they hold then: each statement of this function reads anew,
-- so nothing that was spent before the lock was had is missed. Where no time is
-- given it is read after the lock too, and is never before the last spend: it is
-- the decisions' `now`. The locks of settlements come before these (README.md).
-- One row at least, for the time.
CREATE FUNCTION lock_budgets(tenant_ids uuid[], categories text[],
                             at timestamptz)
RETURNS TABLE (tenant_id uuid, category text, remaining_micros bigint,
               limit_micros bigint, now_micros bigint)
LANGUAGE plpgsql VOLATILE
SET search_path FROM CURRENT
AS $$
#variable_conflict use_column
DECLARE
  decision_time timestamptz := at;
BEGIN
  PERFORM FROM settlement_policy_digests();
  -- No budget comes to a category, or leaves it, while somebody spends of it.
  PERFORM pg_advisory_xact_lock_shared(k.class, k.key)
  FROM (SELECT DISTINCT l.class, l.key
        FROM unnest(tenant_ids, categories) AS k (tenant_id, category)
        CROSS JOIN LATERAL budget_lock_key(k.tenant_id, k.category) AS l
        ORDER BY l.class, l.key) AS k;
  PERFORM FROM budgets AS b
  WHERE (b.tenant_id, b.category) IN (
    SELECT k.tenant_id, k.category
    FROM unnest(tenant_ids, categories) AS k (tenant_id, category))
  ORDER BY b.tenant_id, b.id
  FOR NO KEY UPDATE OF b;
  IF decision_time IS NULL THEN
    SELECT greatest(engine_now(), max(last.counted_at)) INTO decision_time
    FROM unnest(tenant_ids, categories) AS k (tenant_id, category)
    CROSS JOIN LATERAL (
      SELECT s.counted_at FROM intent_spends AS s
      WHERE s.tenant_id = k.tenant_id AND s.category = k.category
        AND s.status <> 'released'
      ORDER BY s.counted_at DESC
      LIMIT 1) AS last;
  END IF;
  RETURN QUERY
    SELECT t.tenant_id, t.category, t.remaining_micros, t.limit_micros,
           to_micros(decision_time)
    FROM (SELECT 1) AS one
    LEFT JOIN tightest_budgets(tenant_ids, categories, decision_time) AS t
      ON true;
END
$$;

-- Records what intents spend that were just settled: committed where they are
-- EXECUTED, else reserved. Where that takes a budget to its alert_at, a share
-- of its limit, one entry says so, once a period. Answers how many were
-- recorded.
CREATE FUNCTION record_spends(intent_ids uuid[], tenant_ids uuid[],
                              spend_categories text[], spends bigint[],
                              counted_micros bigint[])
RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan
SET enable_nestloop = on
SET jit = off
AS $$
DECLARE
  recorded bigint;
BEGIN
  INSERT INTO intent_spends
    (tenant_id, intent_id, category, spend_micros_usd, status, counted_at,
     ended_at)
  SELECT i.tenant_id, i.id, d.category, d.spend_micros_usd,
         CASE i.status WHEN 'EXECUTED' THEN 'committed' ELSE 'reserved' END,
         from_micros(d.counted),
         CASE i.status WHEN 'EXECUTED' THEN engine_now() END
  FROM unnest(intent_ids, tenant_ids, spend_categories, spends, counted_micros)
    AS d (intent_id, tenant_id, category, spend_micros_usd, counted)
  JOIN intents AS i ON i.tenant_id = d.tenant_id AND i.id = d.intent_id;
  GET DIAGNOSTICS recorded = ROW_COUNT;
  WITH near AS (
    SELECT b.*
    FROM (SELECT d.tenant_id, d.category, d.counted
          FROM unnest(tenant_ids, spend_categories, counted_micros)
            AS d (tenant_id, category, counted)
          GROUP BY d.tenant_id, d.category, d.counted) AS d
    CROSS JOIN LATERAL budget_states(ARRAY[d.tenant_id], ARRAY[d.category],
                                     from_micros(d.counted)) AS b
    WHERE b.alert_at IS NOT NULL
      AND b.committed_micros + b.reserved_micros >= b.alert_at * b.limit_micros
  ), alert AS (
    INSERT INTO budget_alerts (tenant_id, budget_id, period_started_at)
    SELECT n.tenant_id, n.id, n.period_start FROM near AS n
    ON CONFLICT DO NOTHING
    RETURNING tenant_id, budget_id
  )
  INSERT INTO audit_log
    (tenant_id, actor_type, level, action, entity_type, entity_id, meta)
  SELECT n.tenant_id, 'system', 'warn', 'BUDGET_ALERT', 'budget', n.id,
         jsonb_build_object(
           'name', n.name, 'category', n.category, 'alert_at', n.alert_at,
           'limit_micros_usd', n.limit_micros,
           'committed_micros_usd', n.committed_micros,
           'reserved_micros_usd', n.reserved_micros,
           'period_start', n.period_start, 'period_end', n.period_end)
  FROM near AS n
  JOIN alert AS a ON a.tenant_id = n.tenant_id AND a.budget_id = n.id;
  RETURN recorded;
END
$$;

DO $$
DECLARE
  signature regprocedure;
BEGIN
  FOREACH signature IN ARRAY ARRAY[
    'budget_lock_key(uuid, text)',
    'budget_period_start(timestamptz, integer, timestamptz)',
    'budget_states(uuid[], text[], timestamptz)',
    'tightest_budgets(uuid[], text[], timestamptz)',
    'lock_budgets(uuid[], text[], timestamptz)',
    'record_spends(uuid[], uuid[], text[], bigint[], bigint[])'
  ]::regprocedure[] LOOP
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', signature);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO intent_runtime', signature);
  END LOOP;
END
$$;
