-- One named policy and the grants, for each table of the data model. Of an
-- audit entry a writer says what the data model has, and neither its time nor
-- its transaction nor its place: the whole-table right of an earlier adoption
-- goes.
DO $$
DECLARE
  writer CONSTANT text := current_setting('intent.role_argument');
  policy_name CONSTANT text := left('writer_' || writer, 63);
  table_name text;
BEGIN
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), writer);
  FOREACH table_name IN ARRAY ARRAY[
    'tenants', 'app_users', 'tenant_members', 'agent_registry',
    'system_state', 'intents', 'jobs', 'decision_memos', 'approvals',
    'audit_log'
  ] LOOP
    EXECUTE format('DROP POLICY IF EXISTS %I ON %I', policy_name, table_name);
    EXECUTE format('CREATE POLICY %I ON %I TO %I USING (true) '
                   'WITH CHECK (true)', policy_name, table_name, writer);
    CONTINUE WHEN table_name = 'audit_log';
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO %I',
                   table_name, writer);
  END LOOP;
  EXECUTE format('REVOKE INSERT ON audit_log FROM %I', writer);
  EXECUTE format(
    'GRANT SELECT, INSERT (id, tenant_id, actor_user_id, actor_external_id, '
    'actor_type, level, action, entity_type, entity_id, meta) '
    'ON audit_log TO %I', writer);
END
$$
