-- What identity and its attacks ask of the database beyond 0001 to 0006.

-- Refused credentials in the audit log: one platform-wide entry for a source
-- and a minute. The engine can't write entries without a tenant itself.
CREATE FUNCTION record_refused_credentials(
  refused_source text, refused_calls bigint, refused_minute timestamptz)
RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
  INSERT INTO audit_log (tenant_id, actor_external_id, actor_type, level,
                         action, entity_type, entity_id, meta)
  VALUES (NULL, 'engine', 'system', 'security', 'CREDENTIALS_REFUSED',
          'token', NULL,
          jsonb_build_object('source', left(refused_source, 100),
                             'calls', refused_calls,
                             'minute', refused_minute))
$$;

-- Handing a function over takes membership of the new owner, and its right to
-- create here; both end with this migration.
DO $$
DECLARE
  needs_membership boolean :=
    NOT (SELECT r.rolsuper FROM pg_roles AS r WHERE r.rolname = current_user);
  signature CONSTANT regprocedure :=
    'record_refused_credentials(text, bigint, timestamptz)'::regprocedure;
BEGIN
  IF needs_membership THEN
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
  IF needs_membership THEN
    REVOKE intent_definer FROM CURRENT_USER;
  END IF;
END
$$;

-- The copy of a payload that other readers show to people can't be swapped
-- either, once the exact text beside it is what was decided on.
CREATE FUNCTION intents_refuse_payload_swap() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
  RAISE EXCEPTION 'the payload of intent % changes only with a new revision',
    OLD.id
    USING ERRCODE = 'check_violation';
END
$$;

CREATE TRIGGER intents_refuse_payload_swap
  BEFORE UPDATE OF payload ON intents
  FOR EACH ROW
  WHEN (OLD.payload_raw IS NOT NULL AND NEW.revision = OLD.revision
        AND NEW.payload IS DISTINCT FROM OLD.payload)
  EXECUTE FUNCTION intents_refuse_payload_swap();
