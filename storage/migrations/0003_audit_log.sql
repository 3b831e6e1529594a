-- The audit log: append-only, a partition a month.

CREATE TYPE "AuditLevel" AS ENUM ('info', 'warn', 'error', 'security');

CREATE TABLE audit_log (
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  -- Null: the platform's.
  tenant_id uuid,
  actor_user_id uuid,
  actor_external_id text,
  actor_type text NOT NULL DEFAULT 'system',
  level "AuditLevel" NOT NULL DEFAULT 'info',
  action text NOT NULL,
  entity_type text NOT NULL,
  entity_id uuid,
  meta jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT engine_now(),
  -- For an intent's entries: from its counter, 1 first.
  transition_number bigint,
  xact_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
  CONSTRAINT audit_log_pkey PRIMARY KEY (id, created_at),
  CONSTRAINT audit_log_tenant_fkey
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT audit_log_actor_fkey
    FOREIGN KEY (actor_user_id) REFERENCES app_users (id),
  CONSTRAINT audit_log_actor_type_known
    CHECK (actor_type IN ('user', 'system')),
  CONSTRAINT audit_log_action_length CHECK (length(action) BETWEEN 1 AND 100)
) PARTITION BY RANGE (created_at);
-- list_audit.sql: the entries of one entity, in order.
CREATE INDEX audit_log_entity_idx
  ON audit_log (tenant_id, entity_type, entity_id, transition_number);

CREATE FUNCTION audit_log_refuse_change() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
  RAISE EXCEPTION 'audit_log is append-only: % refused', TG_OP
    USING ERRCODE = 'restrict_violation';
END
$$;

-- Row triggers reach partitions by themselves, statement triggers don't:
-- make_audit_partition gives each partition its own.
CREATE TRIGGER audit_log_refuse_change
  BEFORE UPDATE OR DELETE ON audit_log
  FOR EACH ROW EXECUTE FUNCTION audit_log_refuse_change();
CREATE TRIGGER audit_log_refuse_truncate
  BEFORE TRUNCATE ON audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION audit_log_refuse_change();

ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_log FORCE ROW LEVEL SECURITY;

-- Makes one partition, closed like the log itself for those who address it
-- directly. `bounds` is DEFAULT or FOR VALUES ....
CREATE FUNCTION make_audit_partition(partition_name text, bounds text)
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
  EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', partition_name);
  EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', partition_name);
  EXECUTE format(
    'CREATE POLICY tenant_rows ON %I USING (tenant_id = ANY(('
    'SELECT NULLIF(current_setting(''intent.tenants'', true), '''')::uuid[]'
    ')::uuid[]))', partition_name);
END
$$;
REVOKE ALL ON FUNCTION make_audit_partition FROM PUBLIC;

-- Makes the partitions of this month and the next `months_ahead`, where
-- missing; answers how many it made. A month whose entries are in the default
-- partition already stays there.
CREATE FUNCTION make_audit_partitions(months_ahead integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
  this_month CONSTANT timestamp :=
    date_trunc('month', engine_now() AT TIME ZONE 'UTC');
  month_start timestamp;
  partition_name text;
  made integer := 0;
BEGIN
  FOR ahead IN 0 .. least(greatest(months_ahead, 0), 12) LOOP
    month_start := this_month + ahead * interval '1 month';
    partition_name := 'audit_log_' || to_char(month_start, 'YYYY_MM');
    CONTINUE WHEN to_regclass(quote_ident(partition_name)) IS NOT NULL;
    PERFORM pg_advisory_xact_lock(7205759403792793602);
    CONTINUE WHEN to_regclass(quote_ident(partition_name)) IS NOT NULL;
    BEGIN
      PERFORM make_audit_partition(
        partition_name,
        format('FOR VALUES FROM (%L) TO (%L)',
               month_start AT TIME ZONE 'UTC',
               (month_start + interval '1 month') AT TIME ZONE 'UTC'));
      made := made + 1;
    EXCEPTION
      WHEN check_violation THEN NULL;
    END;
  END LOOP;
  RETURN made;
END
$$;
REVOKE ALL ON FUNCTION make_audit_partitions FROM PUBLIC;

SELECT make_audit_partition('audit_log_default', 'DEFAULT');
SELECT make_audit_partitions(3);
