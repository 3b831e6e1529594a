-- One named policy and the grants, for each table of the data model.
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
    EXECUTE format(
      CASE table_name WHEN 'audit_log' THEN 'GRANT SELECT, INSERT ON %I TO %I'
           ELSE 'GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO %I' END,
      table_name, writer);
  END LOOP;
END
$$
