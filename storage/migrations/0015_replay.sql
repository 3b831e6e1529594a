-- Decisions are replayed from their SGL_EVALUATED entries, under the rules that
-- they name; those rules may be active no longer.

-- The files of a version of the platform that is active or once was. Every
-- tenant was decided under it, so each may see it again; one that was only
-- proposed stays the system tenant's (policy_versions()).
CREATE FUNCTION once_active_policy(wanted_digest text)
RETURNS TABLE (names text[], texts text[])
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
  SELECT policy_file_names(p.sources), policy_file_texts(p.sources)
  FROM policies AS p
  WHERE p.tenant_id IS NULL
    AND p.digest = wanted_digest
    AND cardinality(
      NULLIF(current_setting('intent.tenants', true), '')::uuid[]) > 0
    AND (EXISTS (
           SELECT FROM active_policies AS c
           WHERE c.tenant_id IS NULL AND c.policy_id = p.id)
         OR EXISTS (
           SELECT FROM audit_log AS a
           WHERE a.tenant_id IS NULL
             AND a.entity_type = 'policy'
             AND a.entity_id = p.id
             AND a.action = 'POLICY_ACTIVATED'))
$$;

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
  ALTER FUNCTION once_active_policy(text) OWNER TO intent_definer;
  REVOKE ALL ON FUNCTION once_active_policy(text) FROM PUBLIC;
  EXECUTE format('GRANT EXECUTE ON FUNCTION once_active_policy(text) '
                 'TO intent_runtime, %I', current_user);
  EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM intent_definer',
                 current_schema());
  IF needs_membership THEN
    REVOKE intent_definer FROM CURRENT_USER;
  END IF;
END
$$;
