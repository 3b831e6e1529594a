-- Who sees what. Every table is closed, for its owner too; the one policy opens
-- the rows of the tenants that the transaction named, and of none where it
-- named none. (After one transaction-local setting "unset" is the empty string,
-- which must give no rows and not an error; the sub-select is evaluated once a
-- statement instead of once a row.)
DO $$
DECLARE
  table_name text;
  key_column text;
BEGIN
  FOREACH table_name IN ARRAY ARRAY[
    'tenants', 'app_users', 'tenant_members', 'member_roles',
    'agent_registry', 'api_tokens', 'system_state', 'intents',
    'intent_requests', 'jobs', 'decision_memos', 'approvals', 'audit_log',
    'policies', 'active_policies'
  ] LOOP
    key_column := CASE table_name WHEN 'tenants' THEN 'id' ELSE 'tenant_id' END;
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', table_name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', table_name);
    EXECUTE format(
      'CREATE POLICY tenant_rows ON %I USING (%I = ANY(('
      'SELECT NULLIF(current_setting(''intent.tenants'', true), '''')::uuid[]'
      ')::uuid[]))', table_name, key_column);
    EXECUTE format('REVOKE ALL ON %I FROM PUBLIC', table_name);
  END LOOP;
END
$$;

DO $$
BEGIN
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO intent_runtime, intent_definer',
                 current_schema());
END
$$;

-- The engine. What is missing here it does by a function of 0006, or not at
-- all; api_tokens, policies and system_state are out of its direct reach.
GRANT SELECT ON
  tenants, app_users, tenant_members, member_roles, agent_registry
  TO intent_runtime;
GRANT SELECT, INSERT ON intent_requests, approvals TO intent_runtime;
GRANT SELECT, INSERT, UPDATE ON intents, jobs, decision_memos
  TO intent_runtime;
-- Neither the time nor the transaction of an entry is its writer's to say.
GRANT SELECT ON audit_log TO intent_runtime;
GRANT INSERT (tenant_id, actor_user_id, actor_external_id, actor_type, level,
              action, entity_type, entity_id, meta, transition_number)
  ON audit_log TO intent_runtime;

-- The owner of the functions that cross tenants: what they need and no more.
DO $$
DECLARE
  table_name text;
BEGIN
  FOREACH table_name IN ARRAY ARRAY[
    'tenants', 'app_users', 'tenant_members', 'member_roles',
    'agent_registry', 'api_tokens', 'system_state', 'intents',
    'decision_memos', 'audit_log', 'policies', 'active_policies'
  ] LOOP
    EXECUTE format('CREATE POLICY definer_rows ON %I TO intent_definer '
                   'USING (true) WITH CHECK (true)', table_name);
    EXECUTE format('GRANT SELECT ON %I TO intent_definer', table_name);
  END LOOP;
END
$$;
-- Locking a row takes the right to update it.
GRANT UPDATE ON intents, decision_memos TO intent_definer;
GRANT INSERT ON audit_log, policies TO intent_definer;
GRANT INSERT, UPDATE ON active_policies TO intent_definer;
