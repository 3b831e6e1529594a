-- The system tenant: home of the platform's operators and of those who vote on
-- what concerns all tenants. It is a tenant like any other to row-level
-- security; what is special about it is who is a member.
DO $$
DECLARE
  system_tenant CONSTANT uuid := '00000000-0000-0000-0000-000000000001';
BEGIN
  -- The tables are closed to their owner too.
  PERFORM set_config('intent.tenants', ARRAY[system_tenant]::text, true);
  BEGIN
    INSERT INTO tenants (id, slug, name, seat)
    VALUES (system_tenant, 'system', 'System', 'enterprise');
  EXCEPTION
    WHEN unique_violation THEN
      RAISE EXCEPTION 'there is a tenant `system` already: the slug is the '
        'platform''s own from here on, so rename that tenant and deploy again'
        USING ERRCODE = 'unique_violation';
  END;
  INSERT INTO audit_log (tenant_id, actor_external_id, actor_type, level,
                         action, entity_type, entity_id, meta)
  VALUES (system_tenant, 'migration', 'system', 'security', 'TENANT_CREATED',
          'tenant', system_tenant, jsonb_build_object('slug', 'system'));
  PERFORM set_config('intent.tenants', '', true);
END
$$;
