-- One named policy and the grants, for each table of the data model. Of intents
-- and memos, approvals and audit entries a writer says what the data model has,
-- and what it may fill in beside: the whole-table rights of an earlier adoption
-- go. (Who owns the tables keeps its rights; the triggers of 0019 and 0023 hold
-- for it as well.)
DO $$
DECLARE
  writer CONSTANT text := current_setting('intent.role_argument');
  policy_name CONSTANT text := left('writer_' || writer, 63);
  table_name text;
  writable text;
BEGIN
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), writer);
  FOREACH table_name IN ARRAY ARRAY[
    'tenants', 'app_users', 'tenant_members', 'agent_registry',
    'system_state', 'intents', 'jobs', 'decision_memos', 'approvals',
    'audit_log', 'tickets', 'ticket_comments', 'kb_documents', 'kb_tags',
    'kb_tag_on_document', 'crm_contacts', 'crm_companies', 'crm_segments',
    'assets', 'ledger_entries', 'budgets', 'integrations'
  ] LOOP
    EXECUTE format('DROP POLICY IF EXISTS %I ON %I', policy_name, table_name);
    EXECUTE format('CREATE POLICY %I ON %I TO %I USING (true) '
                   'WITH CHECK (true)', policy_name, table_name, writer);
    CONTINUE WHEN table_name = 'audit_log';
    writable := CASE table_name
      WHEN 'intents' THEN
        '(id, tenant_id, agent_id, intent_type, payload, sgl_result, status, '
        'created_at, spend_micros_usd, data_class, requested_by, title, '
        'rationale)'
      WHEN 'decision_memos' THEN
        '(id, tenant_id, agent, title, rationale, estimated_cost_usd, '
        'risk_tier, requires_approval, status, job_id, intent_id, '
        'estimated_cost_micros_usd, resolution, resolved_at, expires_at, '
        'created_at)'
      WHEN 'approvals' THEN
        '(id, tenant_id, intent_type, payload_hash, approved_by, created_at, '
        'expires_at)'
      -- Which intent posted an entry is the engine's to say.
      WHEN 'ledger_entries' THEN
        '(id, tenant_id, entry_type, category, amount_cents, currency, '
        'description, external_ref, meta, occurred_at, created_at)'
      ELSE '' END;
    IF writable <> ''
       AND NOT EXISTS (SELECT FROM pg_class AS c
                       WHERE c.oid = table_name::regclass
                         AND pg_has_role(writer, c.relowner, 'USAGE')) THEN
      EXECUTE format('REVOKE INSERT, UPDATE ON %I FROM %I', table_name, writer);
    ELSE
      writable := '';
    END IF;
    EXECUTE format('GRANT SELECT, INSERT %1$s, UPDATE %1$s, DELETE ON %2$I '
                   'TO %3$I', writable, table_name, writer);
  END LOOP;
  EXECUTE format('REVOKE INSERT ON audit_log FROM %I', writer);
  EXECUTE format(
    'GRANT SELECT, INSERT (id, tenant_id, actor_user_id, actor_external_id, '
    'actor_type, level, action, entity_type, entity_id, meta) '
    'ON audit_log TO %I', writer);
END
$$
