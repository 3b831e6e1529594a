-- Approvals beyond the single vote: edits that keep what they replace, roles
-- lent to another for a time, demands that widen when nobody votes, and a sweep
-- that nothing at its head can starve.

CREATE FUNCTION insert_only_refuse_change() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
  RAISE EXCEPTION '% is insert-only: % refused', TG_TABLE_NAME, TG_OP
    USING ERRCODE = 'restrict_violation';
END
$$;

-- What an edit replaced, to the byte: one row for each revision that an intent
-- no longer has. Written by a trigger of intents alone.
CREATE TABLE intent_revisions (
  tenant_id uuid NOT NULL,
  intent_id uuid NOT NULL,
  revision integer NOT NULL,
  intent_type text NOT NULL,
  payload_raw text,
  payload_sha256 text,
  spend_micros_usd bigint,
  data_class text,
  -- Who made this revision; null for what was submitted.
  edited_by uuid,
  superseded_at timestamptz NOT NULL DEFAULT engine_now(),
  CONSTRAINT intent_revisions_pkey PRIMARY KEY (tenant_id, intent_id, revision),
  CONSTRAINT intent_revisions_tenant_fkey
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT intent_revisions_intent_fkey
    FOREIGN KEY (tenant_id, intent_id) REFERENCES intents (tenant_id, id),
  CONSTRAINT intent_revisions_editor_fkey
    FOREIGN KEY (tenant_id, edited_by)
    REFERENCES tenant_members (tenant_id, user_id)
);

CREATE FUNCTION intents_keep_revision() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
BEGIN
  INSERT INTO intent_revisions
    (tenant_id, intent_id, revision, intent_type, payload_raw, payload_sha256,
     spend_micros_usd, data_class, edited_by)
  VALUES
    (OLD.tenant_id, OLD.id, OLD.revision, OLD.intent_type, OLD.payload_raw,
     OLD.payload_sha256, OLD.spend_micros_usd, OLD.data_class, OLD.edited_by);
  RETURN NULL;
END
$$;

CREATE TRIGGER intents_keep_revision
  AFTER UPDATE ON intents
  FOR EACH ROW WHEN (NEW.revision <> OLD.revision)
  EXECUTE FUNCTION intents_keep_revision();

-- What a vote was worth when it was cast: the voter's own roles (null for votes
-- from before this column), and the delegations that it counts by.
ALTER TABLE approvals
  ADD COLUMN roles text[],
  ADD COLUMN delegation_ids uuid[] NOT NULL DEFAULT '{}',
  ADD CONSTRAINT approvals_delegations_count
    CHECK (cardinality(delegation_ids) <= 100);

-- One member's roles in another's hands.
CREATE TABLE approval_delegations (
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL,
  from_user_id uuid NOT NULL,
  to_user_id uuid NOT NULL,
  -- Empty: all that the delegator holds when it matters.
  roles text[] NOT NULL DEFAULT '{}',
  starts_at timestamptz NOT NULL,
  ends_at timestamptz NOT NULL,
  reason text NOT NULL,
  created_by uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT engine_now(),
  revoked_at timestamptz,
  CONSTRAINT approval_delegations_pkey PRIMARY KEY (id),
  CONSTRAINT approval_delegations_tenant_id_key UNIQUE (tenant_id, id),
  CONSTRAINT approval_delegations_tenant_fkey
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  -- A member who leaves takes along what they gave and got.
  CONSTRAINT approval_delegations_from_fkey
    FOREIGN KEY (tenant_id, from_user_id)
    REFERENCES tenant_members (tenant_id, user_id) ON DELETE CASCADE,
  CONSTRAINT approval_delegations_to_fkey
    FOREIGN KEY (tenant_id, to_user_id)
    REFERENCES tenant_members (tenant_id, user_id) ON DELETE CASCADE,
  CONSTRAINT approval_delegations_creator_fkey
    FOREIGN KEY (tenant_id, created_by)
    REFERENCES tenant_members (tenant_id, user_id) ON DELETE CASCADE,
  CONSTRAINT approval_delegations_two_people
    CHECK (from_user_id <> to_user_id),
  CONSTRAINT approval_delegations_length
    CHECK (ends_at > starts_at AND ends_at <= starts_at + interval '90 days'),
  CONSTRAINT approval_delegations_times_range
    CHECK (starts_at >= timestamptz '0001-01-01 00:00:00+00'
           AND ends_at < timestamptz '10000-01-01 00:00:00+00'),
  CONSTRAINT approval_delegations_roles_count CHECK (cardinality(roles) <= 20),
  CONSTRAINT approval_delegations_reason_length
    CHECK (length(reason) BETWEEN 1 AND 1000)
);
-- list_delegations.sql.
CREATE INDEX approval_delegations_list_idx
  ON approval_delegations (tenant_id, created_at DESC, id DESC);
-- What somebody holds of others: read_delegated_roles.sql.
CREATE INDEX approval_delegations_to_idx
  ON approval_delegations (tenant_id, to_user_id, ends_at)
  WHERE revoked_at IS NULL;

-- What each member holds themselves, as of now.
CREATE VIEW held_roles WITH (security_invoker = true) AS
SELECT m.tenant_id, m.user_id, m.role FROM tenant_members AS m
UNION
SELECT r.tenant_id, r.user_id, r.role FROM member_roles AS r;

-- Delegations that hold now, with the roles that they lend now: the
-- delegator's own, never those lent to them.
CREATE VIEW delegations_in_force WITH (security_invoker = true) AS
SELECT
  d.id,
  d.tenant_id,
  d.from_user_id,
  d.to_user_id,
  ARRAY(SELECT h.role FROM held_roles AS h
        WHERE h.tenant_id = d.tenant_id AND h.user_id = d.from_user_id
          AND (cardinality(d.roles) = 0 OR h.role = ANY (d.roles))
        ORDER BY h.role) AS roles
FROM approval_delegations AS d
WHERE d.revoked_at IS NULL
  AND d.starts_at <= engine_now()
  AND d.ends_at > engine_now();

-- When nobody voted for so long, demands that name from_role accept to_role
-- too.
CREATE TABLE escalation_rules (
  tenant_id uuid NOT NULL,
  from_role text NOT NULL,
  to_role text NOT NULL,
  after_seconds bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT engine_now(),
  CONSTRAINT escalation_rules_pkey PRIMARY KEY (tenant_id, from_role, to_role),
  CONSTRAINT escalation_rules_tenant_fkey
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT escalation_rules_two_roles CHECK (from_role <> to_role),
  CONSTRAINT escalation_rules_from_length
    CHECK (length(from_role) BETWEEN 1 AND 100),
  CONSTRAINT escalation_rules_to_length
    CHECK (length(to_role) BETWEEN 1 AND 100),
  -- A minute to a year.
  CONSTRAINT escalation_rules_after_range
    CHECK (after_seconds BETWEEN 60 AND 31536000)
);

-- Which memos were escalated, on which revision.
CREATE TABLE memo_escalations (
  tenant_id uuid NOT NULL,
  memo_id uuid NOT NULL,
  revision integer NOT NULL,
  from_role text NOT NULL,
  to_role text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT engine_now(),
  CONSTRAINT memo_escalations_pkey
    PRIMARY KEY (tenant_id, memo_id, revision, from_role, to_role),
  CONSTRAINT memo_escalations_tenant_fkey
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT memo_escalations_memo_fkey
    FOREIGN KEY (tenant_id, memo_id) REFERENCES decision_memos (tenant_id, id)
);

DO $$
DECLARE
  table_name text;
BEGIN
  FOREACH table_name IN ARRAY ARRAY['intent_revisions', 'memo_escalations']
  LOOP
    EXECUTE format('CREATE TRIGGER %1$s_refuse_change '
                   'BEFORE UPDATE OR DELETE ON %1$I FOR EACH ROW '
                   'EXECUTE FUNCTION insert_only_refuse_change()', table_name);
    EXECUTE format('CREATE TRIGGER %1$s_refuse_truncate '
                   'BEFORE TRUNCATE ON %1$I FOR EACH STATEMENT '
                   'EXECUTE FUNCTION insert_only_refuse_change()', table_name);
  END LOOP;
END
$$;

ALTER TABLE decision_memos
  -- Since when people can vote on the memo's revision.
  ADD COLUMN opened_at timestamptz NOT NULL DEFAULT engine_now(),
  -- When escalate_memos() looks at it next: at once after it was opened or
  -- asks for something else, then when one of its tenant's rules may be due.
  ADD COLUMN escalate_at timestamptz NOT NULL DEFAULT engine_now();

CREATE FUNCTION decision_memos_open_revision() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
  IF NEW.revision <> OLD.revision THEN
    NEW.opened_at := engine_now();
  END IF;
  NEW.escalate_at := engine_now();
  RETURN NEW;
END
$$;

CREATE TRIGGER decision_memos_open_revision
  BEFORE UPDATE ON decision_memos
  FOR EACH ROW WHEN (NEW.revision <> OLD.revision
                     OR NEW.demands::text <> OLD.demands::text)
  EXECUTE FUNCTION decision_memos_open_revision();

-- As in 0002, but when the sweep looks at a memo next is nothing to watch.
CREATE OR REPLACE FUNCTION decision_memos_before_write() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF NEW.escalate_at <> OLD.escalate_at THEN
      RETURN NEW;
    END IF;
    NEW.updated_at := engine_now();
  END IF;
  NEW.xact_id := pg_current_xact_id();
  RETURN NEW;
END
$$;

-- escalate_memos(). (A memo of another writer's names no policy.)
CREATE INDEX decision_memos_escalate_idx
  ON decision_memos (tenant_id, escalate_at)
  WHERE status = 'PROPOSED' AND intent_id IS NOT NULL
    AND policy_digest IS NOT NULL;

-- Memos of other writers, without an intent, are nobody's to expire here.
DROP INDEX decision_memos_due_idx;
CREATE INDEX decision_memos_due_idx
  ON decision_memos (expires_at)
  WHERE status = 'PROPOSED' AND expires_at IS NOT NULL
    AND intent_id IS NOT NULL;

-- An edit can make an intent one that needs no approval.
ALTER TABLE decision_memos
  DROP CONSTRAINT decision_memos_resolution_known,
  ADD CONSTRAINT decision_memos_resolution_known
    CHECK (resolution IN ('APPROVED', 'HUMAN_REJECTED', 'APPROVAL_EXPIRED',
                          'CANCELED', 'BLOCKED_SGL', 'ALLOWED_AFTER_EDIT'));

DO $$
DECLARE
  table_name text;
BEGIN
  FOREACH table_name IN ARRAY ARRAY[
    'intent_revisions', 'approval_delegations', 'escalation_rules',
    'memo_escalations'
  ] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', table_name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', table_name);
    EXECUTE format(
      'CREATE POLICY tenant_rows ON %I USING (tenant_id = ANY(('
      'SELECT NULLIF(current_setting(''intent.tenants'', true), '''')::uuid[]'
      ')::uuid[]))', table_name);
    EXECUTE format('REVOKE ALL ON %I FROM PUBLIC', table_name);
  END LOOP;
  FOREACH table_name IN ARRAY ARRAY[
    'intent_revisions', 'escalation_rules', 'memo_escalations', 'approvals'
  ] LOOP
    EXECUTE format('CREATE POLICY definer_rows ON %I TO intent_definer '
                   'USING (true) WITH CHECK (true)', table_name);
    EXECUTE format('GRANT SELECT ON %I TO intent_definer', table_name);
  END LOOP;
END
$$;
REVOKE ALL ON held_roles, delegations_in_force FROM PUBLIC;
GRANT INSERT ON intent_revisions, memo_escalations TO intent_definer;
GRANT SELECT ON
  intent_revisions, approval_delegations, memo_escalations, held_roles,
  delegations_in_force
  TO intent_runtime;
-- When it was made is not its maker's to say; what may change is that it ends.
GRANT INSERT (tenant_id, from_user_id, to_user_id, roles, starts_at, ends_at,
              reason, created_by)
  ON approval_delegations TO intent_runtime;
GRANT UPDATE (revoked_at) ON approval_delegations TO intent_runtime;

-- What the rules say is due of these memos: open ones whose revision nobody
-- voted on, once for each rule. A memo past its expiry is not escalated but
-- expired; one on an activation of the platform's policy is for the role
-- `policy` alone.
CREATE FUNCTION due_escalations(due_time timestamptz, wanted uuid[])
RETURNS TABLE (
  tenant_id uuid, memo_id uuid, intent_id uuid, revision integer,
  from_role text, to_role text, opened_at timestamptz
)
LANGUAGE sql STABLE
AS $$
  SELECT m.tenant_id, m.id, m.intent_id, m.revision, r.from_role, r.to_role,
         m.opened_at
  FROM escalation_rules AS r
  JOIN decision_memos AS m
    ON m.tenant_id = r.tenant_id
   AND m.opened_at <= due_time - r.after_seconds * interval '1 second'
  JOIN intents AS i ON i.tenant_id = m.tenant_id AND i.id = m.intent_id
  WHERE m.id = ANY (wanted)
    AND m.status = 'PROPOSED'
    AND (i.intent_type <> 'SGL_POLICY_ACTIVATE'
         OR m.tenant_id <> '00000000-0000-0000-0000-000000000001')
    AND (m.expires_at IS NULL OR m.expires_at > due_time)
    AND NOT EXISTS (
      SELECT FROM memo_escalations AS e
      WHERE e.tenant_id = m.tenant_id AND e.memo_id = m.id
        AND e.revision = m.revision
        AND e.from_role = r.from_role AND e.to_role = r.to_role)
    AND NOT EXISTS (
      SELECT FROM approvals AS v
      WHERE v.tenant_id = m.tenant_id AND v.intent_id = m.intent_id
        AND v.revision = m.revision)
    AND EXISTS (
      SELECT FROM json_array_elements(m.demands) AS demand,
                  json_array_elements_text(demand -> 'roles') AS role
      WHERE role = r.from_role)
$$;
REVOKE ALL ON FUNCTION due_escalations FROM PUBLIC;
GRANT EXECUTE ON FUNCTION due_escalations TO intent_definer;

-- A rule that is set may be due for any open memo of its tenant: they are all
-- looked at again.
CREATE FUNCTION escalation_rules_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
BEGIN
  UPDATE decision_memos AS m SET escalate_at = engine_now()
  WHERE m.tenant_id = NEW.tenant_id
    AND m.status = 'PROPOSED'
    AND m.intent_id IS NOT NULL
    AND m.policy_digest IS NOT NULL
    AND m.escalate_at > engine_now();
  RETURN NULL;
END
$$;
CREATE TRIGGER escalation_rules_changed
  AFTER INSERT OR UPDATE ON escalation_rules
  FOR EACH ROW EXECUTE FUNCTION escalation_rules_changed();

-- Looks at open memos whose time has come, escalates up to batch_size of them,
-- the intent locked before its memo, and answers what it wrote; what others
-- hold waits for the next turn. What is not due is looked at again when it may
-- be, and each hour, so that a rule that was set while its memo was being
-- opened is not missed: a turn costs what is due, however many memos wait.
-- Sets intent.tenants to those concerned, for the rest of the transaction.
CREATE FUNCTION escalate_memos(batch_size integer)
RETURNS TABLE (
  its_tenant uuid, its_intent uuid, its_memo uuid, its_revision integer,
  old_role text, new_role text
)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
  -- A look is cheaper than an escalation.
  looks_max CONSTANT integer := 4 * batch_size;
  due_time CONSTANT timestamptz := engine_now();
  looked uuid[];
  locked_intents uuid[];
  locked_memos uuid[];
  locked_tenants uuid[];
BEGIN
  looked := ARRAY(
    SELECT l.id
    FROM (SELECT DISTINCT r.tenant_id FROM escalation_rules AS r) AS t
    CROSS JOIN LATERAL (
      SELECT m.id, m.escalate_at FROM decision_memos AS m
      WHERE m.tenant_id = t.tenant_id
        AND m.status = 'PROPOSED'
        AND m.intent_id IS NOT NULL
        AND m.policy_digest IS NOT NULL
        AND m.escalate_at <= due_time
      ORDER BY m.escalate_at
      LIMIT looks_max) AS l
    ORDER BY l.escalate_at
    LIMIT looks_max);
  locked_intents := ARRAY(
    SELECT i.id FROM due_escalations(due_time, looked) AS d
    JOIN intents AS i ON i.tenant_id = d.tenant_id AND i.id = d.intent_id
    WHERE i.status = 'AWAITING_HUMAN'
    ORDER BY d.opened_at, i.id
    LIMIT batch_size
    FOR UPDATE OF i SKIP LOCKED);
  locked_memos := ARRAY(
    SELECT m.id FROM decision_memos AS m
    WHERE m.intent_id = ANY (locked_intents) AND m.status = 'PROPOSED'
    ORDER BY m.id
    FOR UPDATE);
  locked_tenants := ARRAY(
    SELECT DISTINCT m.tenant_id FROM decision_memos AS m
    WHERE m.id = ANY (locked_memos));
  PERFORM set_config(
    'intent.tenants',
    CASE WHEN cardinality(locked_tenants) = 0 THEN ''
         ELSE locked_tenants::text END,
    true);
  -- Judged again: a vote may have come in before the lock was had.
  RETURN QUERY
    WITH written AS (
      INSERT INTO memo_escalations AS e
        (tenant_id, memo_id, revision, from_role, to_role)
      SELECT d.tenant_id, d.memo_id, d.revision, d.from_role, d.to_role
      FROM due_escalations(due_time, locked_memos) AS d
      RETURNING e.tenant_id, e.memo_id, e.revision, e.from_role, e.to_role
    )
    SELECT w.tenant_id, m.intent_id, w.memo_id, w.revision, w.from_role,
           w.to_role
    FROM written AS w
    JOIN decision_memos AS m ON m.tenant_id = w.tenant_id AND m.id = w.memo_id
    ORDER BY m.intent_id, w.from_role, w.to_role;
  -- For who watches memos.
  UPDATE decision_memos AS m SET updated_at = engine_now()
  WHERE m.id = ANY (locked_memos);
  -- What is still due is held by others, or was too much for this turn.
  looked := ARRAY(
    SELECT m.id FROM decision_memos AS m
    WHERE m.id = ANY (looked)
      AND m.id <> ALL (ARRAY(
        SELECT d.memo_id FROM due_escalations(due_time, looked) AS d))
    FOR UPDATE SKIP LOCKED);
  UPDATE decision_memos AS m
  SET escalate_at = least(
    due_time + interval '1 hour',
    (SELECT min(m.opened_at + r.after_seconds * interval '1 second')
     FROM escalation_rules AS r
     WHERE r.tenant_id = m.tenant_id
       AND m.opened_at + r.after_seconds * interval '1 second' > due_time))
  WHERE m.id = ANY (looked);
END
$$;

-- Handing functions over takes membership of the new owner, and so does
-- replacing one of its own; both end with this migration.
DO $$
DECLARE
  needs_membership boolean :=
    NOT (SELECT r.rolsuper FROM pg_roles AS r WHERE r.rolname = current_user);
BEGIN
  IF needs_membership THEN
    GRANT intent_definer TO CURRENT_USER;
  END IF;
  EXECUTE format('GRANT CREATE ON SCHEMA %I TO intent_definer',
                 current_schema());
  ALTER FUNCTION escalate_memos(integer) OWNER TO intent_definer;
  REVOKE ALL ON FUNCTION escalate_memos(integer) FROM PUBLIC;
  EXECUTE format('GRANT EXECUTE ON FUNCTION escalate_memos(integer) '
                 'TO intent_runtime, %I', current_user);
  ALTER FUNCTION escalation_rules_changed() OWNER TO intent_definer;
  REVOKE ALL ON FUNCTION escalation_rules_changed() FROM PUBLIC;
  ALTER FUNCTION intents_keep_revision() OWNER TO intent_definer;
  REVOKE ALL ON FUNCTION intents_keep_revision() FROM PUBLIC;
END
$$;

-- As before (0006), but what is due and can be ended is found before it is
-- counted against batch_size: memos whose intent is no longer waiting, or which
-- another engine holds, can't use the batch up.
CREATE OR REPLACE FUNCTION due_memos(batch_size integer) RETURNS SETOF uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
  due_time CONSTANT timestamptz := engine_now();
  locked_intents uuid[];
  locked_memos uuid[];
  locked_tenants uuid[];
BEGIN
  locked_intents := ARRAY(
    SELECT i.id FROM decision_memos AS m
    JOIN intents AS i ON i.tenant_id = m.tenant_id AND i.id = m.intent_id
    WHERE m.status = 'PROPOSED'
      AND m.intent_id IS NOT NULL
      AND m.expires_at <= due_time
      AND i.status = 'AWAITING_HUMAN'
    ORDER BY m.expires_at, i.id
    LIMIT batch_size
    FOR UPDATE OF i SKIP LOCKED);
  locked_memos := ARRAY(
    SELECT m.id FROM decision_memos AS m
    WHERE m.intent_id = ANY (locked_intents)
      AND m.status = 'PROPOSED' AND m.expires_at <= due_time
    ORDER BY m.id
    FOR UPDATE);
  locked_tenants := ARRAY(
    SELECT DISTINCT m.tenant_id FROM decision_memos AS m
    WHERE m.id = ANY (locked_memos));
  PERFORM set_config(
    'intent.tenants',
    CASE WHEN cardinality(locked_tenants) = 0 THEN ''
         ELSE locked_tenants::text END,
    true);
  RETURN QUERY SELECT unnest(locked_memos);
END
$$;

DO $$
DECLARE
  needs_membership boolean :=
    NOT (SELECT r.rolsuper FROM pg_roles AS r WHERE r.rolname = current_user);
BEGIN
  EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM intent_definer',
                 current_schema());
  IF needs_membership THEN
    REVOKE intent_definer FROM CURRENT_USER;
  END IF;
END
$$;
