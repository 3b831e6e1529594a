-- Seals: blocks of a Merkle tree over each log of entries, insert-only. An
-- entry is sealed once, after its transaction committed, and never touched by
-- it. Each tenant has a log of its own, and the platform's entries (no tenant)
-- are another.

-- What waits to be sealed: one row an entry, in the transaction of the entry,
-- so that it is seen as soon as the entry is and no sooner, however late that
-- commits and whatever its clock or transaction number said. Positions of one
-- intent's entries ascend with their transitions.
CREATE TABLE audit_unsealed (
  queue_position bigint GENERATED ALWAYS AS IDENTITY,
  -- Null: the platform's.
  tenant_id uuid,
  entry_id uuid NOT NULL,
  created_at timestamptz NOT NULL,
  -- When the sealer found that the entry is gone: it was taken out before it
  -- was sealed. The row stays, as evidence.
  missing_since timestamptz,
  CONSTRAINT audit_unsealed_pkey PRIMARY KEY (queue_position)
) WITH (
  -- Rows live for a second: dead ones must not pile up in front of the queue.
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 20000,
  autovacuum_vacuum_insert_scale_factor = 0,
  autovacuum_vacuum_insert_threshold = 1000000
);
-- claim_unsealed_audit(): the head of the queue, past what is missing.
CREATE INDEX audit_unsealed_waiting_idx
  ON audit_unsealed (queue_position) WHERE missing_since IS NULL;

CREATE TABLE audit_seals (
  -- Null: the platform's.
  tenant_id uuid,
  -- The log: the tenant's id, or the nil UUID for the platform's. (A null can't
  -- be looked up by equality.)
  log_id uuid NOT NULL GENERATED ALWAYS AS
    (coalesce(tenant_id, '00000000-0000-0000-0000-000000000000')) STORED,
  -- The size of the tree before: the first entry's number, from 0.
  first_sequence bigint NOT NULL,
  entry_count integer NOT NULL,
  -- And after.
  tree_size bigint NOT NULL,
  entry_ids uuid[] NOT NULL,
  -- 32 bytes each, one after another.
  leaf_hashes bytea NOT NULL,
  -- The roots of the complete subtrees of the tree after, largest first: what
  -- the next seal goes on from.
  frontier bytea NOT NULL,
  root_hash bytea NOT NULL,
  sealed_at timestamptz NOT NULL,
  -- Null where the engine that sealed had no key.
  key_id text,
  signature bytea,
  CONSTRAINT audit_seals_pkey PRIMARY KEY (log_id, first_sequence),
  CONSTRAINT audit_seals_tenant_fkey
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT audit_seals_counts
    CHECK (first_sequence >= 0
           AND entry_count >= 1
           AND tree_size = first_sequence + entry_count
           AND cardinality(entry_ids) = entry_count
           AND octet_length(leaf_hashes) = 32 * entry_count),
  CONSTRAINT audit_seals_hash_length
    CHECK (octet_length(root_hash) = 32
           AND octet_length(frontier) BETWEEN 32 AND 63 * 32
           AND octet_length(frontier) % 32 = 0),
  CONSTRAINT audit_seals_signature_whole
    CHECK ((key_id IS NULL) = (signature IS NULL)
           AND octet_length(signature) = 64
           AND length(key_id) BETWEEN 1 AND 64)
);
-- Hashes and random ids don't compress: don't try.
ALTER TABLE audit_seals
  ALTER COLUMN entry_ids SET STORAGE EXTERNAL,
  ALTER COLUMN leaf_hashes SET STORAGE EXTERNAL,
  ALTER COLUMN frontier SET STORAGE EXTERNAL;
-- seals_holding.sql: which seal holds an entry, looked for from the entry's
-- time on.
CREATE INDEX audit_seals_time_idx ON audit_seals (log_id, sealed_at);

CREATE FUNCTION audit_seals_refuse_change() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
  RAISE EXCEPTION 'audit_seals is append-only: % refused', TG_OP
    USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER audit_seals_refuse_change
  BEFORE UPDATE OR DELETE ON audit_seals
  FOR EACH ROW EXECUTE FUNCTION audit_seals_refuse_change();
CREATE TRIGGER audit_seals_refuse_truncate
  BEFORE TRUNCATE ON audit_seals
  FOR EACH STATEMENT EXECUTE FUNCTION audit_seals_refuse_change();

-- list_audit_entries.sql: one page of a log, newest first.
CREATE INDEX audit_log_list_idx
  ON audit_log (tenant_id, created_at DESC, id DESC);

-- One place that says how each column of an entry is read and hashed: as text,
-- nulls kept apart, times in whole microseconds. Its columns are those of
-- audit_log, in their order; audit_records.h has the same list. (trunc, because
-- a time that a superuser forged may be infinite, and must still be read.)
CREATE VIEW audit_rows WITH (security_invoker = true) AS
SELECT
  a.id,
  a.tenant_id,
  a.actor_user_id,
  a.actor_external_id,
  a.actor_type,
  a.level,
  a.action,
  a.entity_type,
  a.entity_id,
  a.meta::text AS meta,
  trunc(extract(epoch FROM a.created_at) * 1000000)::text AS created_micros,
  a.transition_number,
  a.xact_id,
  a.created_at
FROM audit_log AS a;
REVOKE ALL ON audit_rows FROM PUBLIC;
GRANT SELECT ON audit_rows TO intent_runtime, intent_definer;

-- Queues what a statement inserted. Runs as its owner: whoever may write an
-- entry need not see the queue.
CREATE FUNCTION audit_log_queue_entries() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
BEGIN
  INSERT INTO audit_unsealed (tenant_id, entry_id, created_at)
  SELECT n.tenant_id, n.id, n.created_at
  FROM new_entries AS n
  ORDER BY n.entity_id, n.transition_number, n.created_at;
  RETURN NULL;
END
$$;
CREATE TRIGGER audit_log_queue_entries
  AFTER INSERT ON audit_log
  REFERENCING NEW TABLE AS new_entries
  FOR EACH STATEMENT EXECUTE FUNCTION audit_log_queue_entries();

-- Neither the time nor the transaction of an entry is its writer's to say, the
-- tables' owner included. Only the conditions are evaluated for honest entries.
CREATE FUNCTION audit_log_refuse_forged() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
  RAISE EXCEPTION 'audit_log says itself when and in which transaction an '
    'entry was written'
    USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER audit_log_refuse_forged
  BEFORE INSERT ON audit_log
  FOR EACH ROW
  WHEN (NEW.xact_id IS DISTINCT FROM pg_current_xact_id()
        OR NEW.created_at > engine_now() + interval '1 minute'
        OR NEW.created_at < engine_now() - interval '1 minute')
  EXECUTE FUNCTION audit_log_refuse_forged();

-- An entry whose meta can't be written out as text within bounds could never
-- be hashed, and would hold up the sealing of all others: a few kilobytes of
-- jsonb can hold numbers that print as a gigabyte. Small ones can't do much
-- harm and aren't looked into.
CREATE FUNCTION audit_log_refuse_unreadable() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
  text_bytes_max CONSTANT integer := 4194304;
BEGIN
  IF pg_column_size(NEW.meta) > text_bytes_max
     OR pg_column_size(NEW.meta || '{}'::jsonb) > text_bytes_max
     OR EXISTS (
       SELECT
       FROM jsonb_path_query(NEW.meta,
                             'strict $.** ? (@.type() == "number")') AS item
       WHERE NOT (item::numeric BETWEEN -1e104 AND 1e104)
          OR scale(item::numeric) > 104) THEN
    RAISE EXCEPTION 'the meta of an audit entry is too large to be written out'
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER audit_log_refuse_unreadable
  BEFORE INSERT ON audit_log
  FOR EACH ROW
  WHEN (pg_column_size(NEW.meta) > 2048)
  EXECUTE FUNCTION audit_log_refuse_unreadable();

-- As in 0003, and what is inserted into a partition directly is queued too:
-- the log's own statement trigger does not see it.
CREATE OR REPLACE FUNCTION make_audit_partition(partition_name text,
                                                bounds text)
RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
  EXECUTE format('CREATE TABLE %I PARTITION OF audit_log %s',
                 partition_name, bounds);
  EXECUTE format('CREATE TRIGGER audit_log_refuse_truncate '
                 'BEFORE TRUNCATE ON %I '
                 'FOR EACH STATEMENT '
                 'EXECUTE FUNCTION audit_log_refuse_change()',
                 partition_name);
  EXECUTE format('CREATE TRIGGER audit_log_queue_entries '
                 'AFTER INSERT ON %I '
                 'REFERENCING NEW TABLE AS new_entries '
                 'FOR EACH STATEMENT '
                 'EXECUTE FUNCTION audit_log_queue_entries()',
                 partition_name);
  EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', partition_name);
  EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', partition_name);
  EXECUTE format(
    'CREATE POLICY tenant_rows ON %I USING (tenant_id = ANY(('
    'SELECT NULLIF(current_setting(''intent.tenants'', true), '''')::uuid[]'
    ')::uuid[]))', partition_name);
END
$$;
DO $$
DECLARE
  partition regclass;
BEGIN
  FOR partition IN
    SELECT i.inhrelid::regclass FROM pg_inherits AS i
    WHERE i.inhparent = 'audit_log'::regclass
  LOOP
    EXECUTE format('CREATE TRIGGER audit_log_queue_entries '
                   'AFTER INSERT ON %s '
                   'REFERENCING NEW TABLE AS new_entries '
                   'FOR EACH STATEMENT '
                   'EXECUTE FUNCTION audit_log_queue_entries()', partition);
  END LOOP;
END
$$;

-- What was written before there were seals waits for its own. (The tables are
-- closed to their owner too, who opens them for this statement.)
ALTER TABLE audit_log NO FORCE ROW LEVEL SECURITY;
INSERT INTO audit_unsealed (tenant_id, entry_id, created_at)
SELECT a.tenant_id, a.id, a.created_at
FROM audit_log AS a
ORDER BY a.created_at, a.transition_number, a.id;
ALTER TABLE audit_log FORCE ROW LEVEL SECURITY;

DO $$
DECLARE
  table_name text;
BEGIN
  FOREACH table_name IN ARRAY ARRAY['audit_unsealed', 'audit_seals'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', table_name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', table_name);
    EXECUTE format(
      'CREATE POLICY tenant_rows ON %I USING (tenant_id = ANY(('
      'SELECT NULLIF(current_setting(''intent.tenants'', true), '''')::uuid[]'
      ')::uuid[]))', table_name);
    EXECUTE format('CREATE POLICY definer_rows ON %I TO intent_definer '
                   'USING (true) WITH CHECK (true)', table_name);
    EXECUTE format('REVOKE ALL ON %I FROM PUBLIC', table_name);
    EXECUTE format('GRANT SELECT ON %I TO intent_runtime', table_name);
  END LOOP;
  -- The platform's log is read by who acts for the system tenant.
  FOREACH table_name IN ARRAY
    ARRAY['audit_log', 'audit_unsealed', 'audit_seals']
  LOOP
    EXECUTE format(
      'CREATE POLICY platform_rows ON %I FOR SELECT USING ('
      'tenant_id IS NULL AND ''00000000-0000-0000-0000-000000000001''::uuid '
      '= ANY((SELECT NULLIF(current_setting(''intent.tenants'', true), '''')'
      '::uuid[])::uuid[]))', table_name);
  END LOOP;
END
$$;
GRANT SELECT, INSERT, UPDATE, DELETE ON audit_unsealed TO intent_definer;
GRANT SELECT, INSERT ON audit_seals TO intent_definer;

-- Takes the sealers' lock for the transaction and answers the entries at the
-- head of the queue, as audit_rows shows them: those of one log together, an
-- intent's in the order of its transitions. Nothing where another sealer is at
-- work. Sets intent.tenants to the tenants answered, and the system tenant
-- where there are entries of the platform.
--
-- The queue is small and its statistics are always old: without the settings a
-- planner might read the whole log to join it.
CREATE FUNCTION claim_unsealed_audit(batch_size integer)
RETURNS TABLE (
  queue_position bigint, id uuid, tenant_id uuid, actor_user_id uuid,
  actor_external_id text, actor_type text, level "AuditLevel", action text,
  entity_type text, entity_id uuid, meta text, created_micros text,
  transition_number bigint, xact_id xid8
)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
  positions bigint[];
  tenants uuid[];
  answered bigint;
BEGIN
  PERFORM set_config('intent.tenants', '', true);
  IF NOT pg_try_advisory_xact_lock(7205759403792793603) THEN
    RETURN;
  END IF;
  SELECT array_agg(head.queue_position),
         array_agg(DISTINCT coalesce(head.tenant_id,
                            '00000000-0000-0000-0000-000000000001'::uuid))
  INTO positions, tenants
  FROM (SELECT q.queue_position, q.tenant_id
        FROM audit_unsealed AS q
        WHERE q.missing_since IS NULL
        ORDER BY q.queue_position
        LIMIT batch_size) AS head;
  IF positions IS NULL THEN
    RETURN;
  END IF;
  PERFORM set_config('intent.tenants', tenants::text, true);
  RETURN QUERY
    SELECT q.queue_position, r.id, r.tenant_id, r.actor_user_id,
           r.actor_external_id, r.actor_type, r.level, r.action,
           r.entity_type, r.entity_id, r.meta, r.created_micros,
           r.transition_number, r.xact_id
    FROM audit_unsealed AS q
    JOIN audit_rows AS r ON r.id = q.entry_id AND r.created_at = q.created_at
    WHERE q.queue_position = ANY (positions)
    ORDER BY r.tenant_id, r.entity_id, r.transition_number, q.queue_position;
  GET DIAGNOSTICS answered = ROW_COUNT;
  IF answered < cardinality(positions) THEN
    UPDATE audit_unsealed AS q
    SET missing_since = engine_now()
    WHERE q.queue_position = ANY (positions)
      AND NOT EXISTS (SELECT FROM audit_log AS a
                      WHERE a.id = q.entry_id
                        AND a.created_at = q.created_at);
  END IF;
END
$$;

-- Seals what claim_unsealed_audit() answered in this transaction: takes it off
-- the queue and adds a block to each of the logs. `positions` are those of all
-- blocks, in the order of their leaves, `counts` how many each block has. An
-- entry can't be sealed twice, nor in another's log, nor a block set anywhere
-- but at the end of its log.
CREATE FUNCTION append_audit_seals(
  tenants uuid[], first_sequences bigint[], counts integer[],
  positions bigint[], leaf_hashes bytea[], frontiers bytea[], roots bytea[],
  sealed_micros bigint, signing_key text, signatures bytea[])
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
  taken_tenants uuid[];
  taken_ids uuid[];
  last_size bigint;
  done integer := 0;
BEGIN
  -- Held already by who claimed; nobody else may seal.
  PERFORM pg_advisory_xact_lock(7205759403792793603);
  WITH taken AS (
    DELETE FROM audit_unsealed AS q
    USING unnest(positions) WITH ORDINALITY AS p (queue_position, place)
    WHERE q.queue_position = p.queue_position
    RETURNING p.place, q.tenant_id, q.entry_id
  )
  SELECT array_agg(t.tenant_id ORDER BY t.place),
         array_agg(t.entry_id ORDER BY t.place)
  INTO taken_tenants, taken_ids
  FROM taken AS t;
  IF cardinality(taken_ids) IS DISTINCT FROM cardinality(positions) THEN
    RAISE EXCEPTION 'entries to be sealed are not in the queue'
      USING ERRCODE = 'check_violation';
  END IF;
  FOR i IN 1 .. cardinality(tenants) LOOP
    IF EXISTS (SELECT FROM unnest(taken_tenants[done + 1 : done + counts[i]])
                 AS t (tenant_id)
               WHERE t.tenant_id IS DISTINCT FROM tenants[i]) THEN
      RAISE EXCEPTION 'an entry can''t be sealed in another log than its own'
        USING ERRCODE = 'check_violation';
    END IF;
    SELECT s.tree_size INTO last_size FROM audit_seals AS s
    WHERE s.log_id =
      coalesce(tenants[i], '00000000-0000-0000-0000-000000000000')
    ORDER BY s.first_sequence DESC LIMIT 1;
    IF first_sequences[i] IS DISTINCT FROM coalesce(last_size, 0) THEN
      RAISE EXCEPTION 'a seal goes at the end of its log'
        USING ERRCODE = 'check_violation';
    END IF;
    INSERT INTO audit_seals
      (tenant_id, first_sequence, entry_count, tree_size, entry_ids,
       leaf_hashes, frontier, root_hash, sealed_at, key_id, signature)
    VALUES
      (tenants[i], first_sequences[i], counts[i],
       first_sequences[i] + counts[i],
       taken_ids[done + 1 : done + counts[i]], leaf_hashes[i], frontiers[i],
       roots[i], from_micros(sealed_micros),
       CASE WHEN signatures[i] IS NULL THEN NULL ELSE signing_key END,
       signatures[i]);
    done := done + counts[i];
  END LOOP;
  IF done <> cardinality(positions) THEN
    RAISE EXCEPTION 'the blocks don''t add up to the entries'
      USING ERRCODE = 'check_violation';
  END IF;
END
$$;

-- How long the oldest entry has waited to be sealed, and how many wait: for
-- metrics.
CREATE FUNCTION unsealed_audit_lag()
RETURNS TABLE (waiting bigint, oldest_micros bigint)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
  SELECT count(*), to_micros(min(q.created_at)) FROM audit_unsealed AS q
  WHERE q.missing_since IS NULL
$$;

-- The newest head of every log that has any: what an engine writes to its file
-- of heads when it starts.
CREATE FUNCTION latest_audit_seals()
RETURNS TABLE (
  log_id uuid, tree_size bigint, root_hash bytea, sealed_micros bigint,
  key_id text, signature bytea
)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
  WITH RECURSIVE hop AS (
    (SELECT s.log_id FROM audit_seals AS s ORDER BY s.log_id LIMIT 1)
    UNION ALL
    SELECT (SELECT s.log_id FROM audit_seals AS s
            WHERE s.log_id > hop.log_id ORDER BY s.log_id LIMIT 1)
    FROM hop WHERE hop.log_id IS NOT NULL
  )
  SELECT s.log_id, s.tree_size, s.root_hash, to_micros(s.sealed_at),
         s.key_id, s.signature
  FROM hop
  CROSS JOIN LATERAL (
    SELECT * FROM audit_seals AS a
    WHERE a.log_id = hop.log_id
    ORDER BY a.first_sequence DESC LIMIT 1) AS s
  WHERE hop.log_id IS NOT NULL
$$;

-- As at the end of 0006.
DO $$
DECLARE
  needs_membership boolean :=
    NOT (SELECT r.rolsuper FROM pg_roles AS r WHERE r.rolname = current_user);
  signature regprocedure;
BEGIN
  IF needs_membership THEN
    GRANT intent_definer TO CURRENT_USER;
  END IF;
  EXECUTE format('GRANT CREATE ON SCHEMA %I TO intent_definer',
                 current_schema());
  FOREACH signature IN ARRAY ARRAY[
    'claim_unsealed_audit(integer)',
    'append_audit_seals(uuid[], bigint[], integer[], bigint[], bytea[], '
    'bytea[], bytea[], bigint, text, bytea[])',
    'unsealed_audit_lag()', 'latest_audit_seals()'
  ]::regprocedure[] LOOP
    EXECUTE format('ALTER FUNCTION %s OWNER TO intent_definer', signature);
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', signature);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO intent_runtime, %I',
                   signature, current_user);
  END LOOP;
  ALTER FUNCTION audit_log_queue_entries() OWNER TO intent_definer;
  REVOKE ALL ON FUNCTION audit_log_queue_entries() FROM PUBLIC;
  -- Whoever makes a partition puts the trigger on it.
  EXECUTE format('GRANT EXECUTE ON FUNCTION audit_log_queue_entries() TO %I',
                 current_user);
  EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM intent_definer',
                 current_schema());
  IF needs_membership THEN
    REVOKE intent_definer FROM CURRENT_USER;
  END IF;
END
$$;
