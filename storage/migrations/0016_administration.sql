-- What operators change and list: tenants, agents, members, tokens. Each change
-- is one function that writes its own audit entry, for the running engine and
-- for operators on DIRECT_URL alike; it works on a tenant that the transaction
-- named, and on no other.

-- A member who was removed stays as a row: what they voted on and edited names
-- them. Null: a member.
ALTER TABLE tenant_members
  ADD COLUMN removed_at timestamptz,
  -- When one who was removed came back last: what they voted before is void.
  ADD COLUMN returned_at timestamptz;

-- Refuses a tenant that the transaction didn't name.
CREATE FUNCTION require_tenant(tenant uuid) RETURNS void
LANGUAGE plpgsql STABLE
AS $$
BEGIN
  IF tenant IS NULL
     OR tenant <> ALL (coalesce(
          NULLIF(current_setting('intent.tenants', true), '')::uuid[], '{}'))
  THEN
    RAISE EXCEPTION 'this tenant is not the transaction''s'
      USING ERRCODE = 'insufficient_privilege';
  END IF;
END
$$;

CREATE FUNCTION note_administration(tenant uuid, actor_user uuid,
                                    actor_external text, action text,
                                    entity_type text, entity_id uuid,
                                    meta jsonb)
RETURNS void
LANGUAGE sql VOLATILE
SET search_path FROM CURRENT
AS $$
  INSERT INTO audit_log (tenant_id, actor_user_id, actor_external_id,
                         actor_type, level, action, entity_type, entity_id,
                         meta)
  VALUES (tenant, actor_user, NULLIF(actor_external, ''),
          CASE WHEN actor_user IS NULL THEN 'system' ELSE 'user' END,
          'security', action, entity_type, entity_id, jsonb_strip_nulls(meta))
$$;

CREATE FUNCTION create_tenant(new_id uuid, new_slug text, new_name text,
                              new_seat text, actor_user uuid,
                              actor_external text)
RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
BEGIN
  PERFORM require_tenant(new_id);
  INSERT INTO tenants (id, slug, name, seat)
  VALUES (new_id, new_slug, new_name, new_seat::"SeatType");
  PERFORM note_administration(
    new_id, actor_user, actor_external, 'TENANT_CREATED', 'tenant', new_id,
    jsonb_build_object('slug', new_slug, 'seat', new_seat));
  RETURN new_id;
END
$$;

CREATE FUNCTION create_agent(tenant uuid, new_name text, new_role text,
                             new_status text, new_tier integer,
                             new_labels text[], new_owner uuid,
                             actor_user uuid, actor_external text)
RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
  agent uuid;
BEGIN
  PERFORM require_tenant(tenant);
  INSERT INTO agent_registry
    (tenant_id, name, role, status, tier, labels, owner_user_id)
  VALUES (tenant, new_name, new_role, new_status, new_tier, new_labels,
          new_owner)
  RETURNING id INTO agent;
  PERFORM note_administration(
    tenant, actor_user, actor_external, 'AGENT_CREATED', 'agent', agent,
    jsonb_build_object('name', new_name, 'role', new_role,
                       'owner_user_id', new_owner));
  RETURN agent;
END
$$;

-- A null leaves what is there; `new_owner` counts where `sets_owner`. Answers
-- false where there is no such agent.
CREATE FUNCTION update_agent(tenant uuid, agent uuid, new_role text,
                             new_status text, new_tier integer,
                             new_labels text[], sets_owner boolean,
                             new_owner uuid, actor_user uuid,
                             actor_external text)
RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
  before jsonb;
  after jsonb;
BEGIN
  PERFORM require_tenant(tenant);
  SELECT to_jsonb(a) INTO before FROM agent_registry AS a
  WHERE a.tenant_id = tenant AND a.id = agent FOR UPDATE;
  IF before IS NULL THEN
    RETURN false;
  END IF;
  UPDATE agent_registry AS a
  SET role = coalesce(new_role, a.role),
      status = coalesce(new_status, a.status),
      tier = coalesce(new_tier, a.tier),
      labels = coalesce(new_labels, a.labels),
      owner_user_id = CASE WHEN sets_owner THEN new_owner
                           ELSE a.owner_user_id END
  WHERE a.tenant_id = tenant AND a.id = agent
  RETURNING to_jsonb(a) INTO after;
  PERFORM note_administration(
    tenant, actor_user, actor_external, 'AGENT_UPDATED', 'agent', agent,
    jsonb_build_object(
      'before', before - '{id,tenant_id,created_at}'::text[],
      'after', after - '{id,tenant_id,created_at}'::text[]));
  RETURN true;
END
$$;

-- One who was removed comes back, as who they were.
CREATE FUNCTION create_member(tenant uuid, new_email text, new_name text,
                              new_role text, new_seat text,
                              further_roles text[], actor_user uuid,
                              actor_external text)
RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
  person uuid;
  is_back boolean;
BEGIN
  PERFORM require_tenant(tenant);
  UPDATE tenant_members AS m
  SET removed_at = NULL, returned_at = engine_now(), role = new_role,
      seat_type = new_seat::"SeatType"
  FROM app_users AS u
  WHERE u.tenant_id = tenant AND lower(u.email) = lower(new_email)
    AND m.tenant_id = tenant AND m.user_id = u.id
    AND m.removed_at IS NOT NULL
  RETURNING u.id INTO person;
  is_back := person IS NOT NULL;
  IF NOT is_back THEN
    INSERT INTO app_users (tenant_id, email, name)
    VALUES (tenant, new_email, new_name)
    RETURNING id INTO person;
    INSERT INTO tenant_members (tenant_id, user_id, role, seat_type)
    VALUES (tenant, person, new_role, new_seat::"SeatType");
  END IF;
  INSERT INTO member_roles (tenant_id, user_id, role)
  SELECT DISTINCT tenant, person, r.role FROM unnest(further_roles) AS r (role)
  WHERE r.role <> new_role;
  PERFORM note_administration(
    tenant, actor_user, actor_external, 'MEMBER_CREATED', 'member', person,
    jsonb_build_object('role', new_role, 'further_roles', further_roles,
                       'returned', is_back));
  RETURN person;
END
$$;

CREATE FUNCTION set_member_roles(tenant uuid, person uuid, new_role text,
                                 further_roles text[], actor_user uuid,
                                 actor_external text)
RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
  old_role text;
  old_further text[];
BEGIN
  PERFORM require_tenant(tenant);
  SELECT m.role INTO old_role FROM tenant_members AS m
  WHERE m.tenant_id = tenant AND m.user_id = person AND m.removed_at IS NULL
  FOR UPDATE;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  UPDATE tenant_members AS m SET role = new_role
  WHERE m.tenant_id = tenant AND m.user_id = person;
  WITH gone AS (
    DELETE FROM member_roles AS r
    WHERE r.tenant_id = tenant AND r.user_id = person
    RETURNING r.role
  )
  SELECT coalesce(array_agg(gone.role ORDER BY gone.role), '{}')
  INTO old_further FROM gone;
  INSERT INTO member_roles (tenant_id, user_id, role)
  SELECT DISTINCT tenant, person, r.role FROM unnest(further_roles) AS r (role)
  WHERE r.role <> new_role;
  PERFORM note_administration(
    tenant, actor_user, actor_external, 'MEMBER_ROLES_SET', 'member', person,
    jsonb_build_object('role', new_role, 'further_roles', further_roles,
                       'old_role', old_role,
                       'old_further_roles', old_further));
  RETURN true;
END
$$;

CREATE FUNCTION remove_member(tenant uuid, person uuid, actor_user uuid,
                              actor_external text)
RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
  ended uuid[];
BEGIN
  PERFORM require_tenant(tenant);
  UPDATE tenant_members AS m SET removed_at = engine_now()
  WHERE m.tenant_id = tenant AND m.user_id = person AND m.removed_at IS NULL;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  DELETE FROM member_roles AS r
  WHERE r.tenant_id = tenant AND r.user_id = person;
  WITH revoked AS (
    UPDATE api_tokens AS t SET revoked_at = engine_now()
    WHERE t.tenant_id = tenant AND t.user_id = person AND t.revoked_at IS NULL
    RETURNING t.id
  )
  SELECT coalesce(array_agg(revoked.id), '{}') INTO ended FROM revoked;
  -- What they lent and were lent ends for good: who comes back later holds
  -- other roles, maybe.
  UPDATE approval_delegations AS d SET revoked_at = engine_now()
  WHERE d.tenant_id = tenant AND person IN (d.from_user_id, d.to_user_id)
    AND d.revoked_at IS NULL;
  PERFORM note_administration(
    tenant, actor_user, actor_external, 'MEMBER_REMOVED', 'member', person,
    jsonb_build_object('revoked_tokens', ended));
  RETURN true;
END
$$;

CREATE FUNCTION create_token(tenant uuid, kind text, agent uuid, person uuid,
                             new_name text, new_sha256 text, issuer uuid,
                             lifetime_micros bigint, actor_user uuid,
                             actor_external text)
RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
  token uuid;
  expiry timestamptz;
BEGIN
  PERFORM require_tenant(tenant);
  -- Locks the member, so that a removal revokes this token too.
  PERFORM FROM tenant_members AS m
  WHERE m.tenant_id = tenant AND m.user_id = person AND m.removed_at IS NULL
  FOR SHARE;
  IF person IS NOT NULL AND NOT FOUND THEN
    RAISE EXCEPTION 'a token is for a member' USING ERRCODE = 'check_violation';
  END IF;
  INSERT INTO api_tokens
    (tenant_id, principal_kind, agent_id, user_id, name, token_sha256,
     issued_by, expires_at)
  VALUES (tenant, kind, agent, person, new_name, new_sha256, issuer,
          engine_now() + lifetime_micros * interval '1 microsecond')
  RETURNING id, expires_at INTO token, expiry;
  PERFORM note_administration(
    tenant, actor_user, actor_external, 'TOKEN_CREATED', 'token', token,
    jsonb_build_object('kind', kind, 'agent_id', agent, 'user_id', person,
                       'name', new_name, 'issued_by', issuer,
                       'expires_at', expiry));
  RETURN token;
END
$$;

CREATE FUNCTION revoke_token(tenant uuid, token uuid, actor_user uuid,
                             actor_external text)
RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
BEGIN
  PERFORM require_tenant(tenant);
  UPDATE api_tokens AS t
  SET revoked_at = coalesce(t.revoked_at, engine_now())
  WHERE t.tenant_id = tenant AND t.id = token;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  PERFORM note_administration(tenant, actor_user, actor_external,
                              'TOKEN_REVOKED', 'token', token, '{}');
  RETURN true;
END
$$;

-- Tokens of one tenant without their hashes, newest first, in pages.
CREATE FUNCTION list_tokens(tenant uuid, wanted_id uuid, only_live boolean,
                            wanted_kind text, after_time timestamptz,
                            after_id uuid, row_limit integer)
RETURNS TABLE (
  id uuid, tenant_id uuid, principal_kind text, agent_id uuid, user_id uuid,
  name text, issued_by uuid, created_at timestamptz, expires_at timestamptz,
  revoked_at timestamptz
)
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
  SELECT t.id, t.tenant_id, t.principal_kind, t.agent_id, t.user_id, t.name,
         t.issued_by, t.created_at, t.expires_at, t.revoked_at
  FROM api_tokens AS t
  WHERE t.tenant_id = tenant
    AND t.tenant_id = ANY (
      NULLIF(current_setting('intent.tenants', true), '')::uuid[])
    AND (wanted_id IS NULL OR t.id = wanted_id)
    AND (wanted_kind IS NULL OR t.principal_kind = wanted_kind)
    AND (NOT only_live
         OR (t.revoked_at IS NULL
             AND (t.expires_at IS NULL OR t.expires_at > engine_now())))
    AND (after_time IS NULL OR (t.created_at, t.id) < (after_time, after_id))
  ORDER BY t.created_at DESC, t.id DESC
  LIMIT row_limit
$$;
-- list_tokens().
CREATE INDEX api_tokens_list_idx
  ON api_tokens (tenant_id, created_at DESC, id DESC);

-- All tenants, or the one of a slug, for the system tenant; newest first, in
-- pages.
CREATE FUNCTION list_tenants(wanted_slug text, after_time timestamptz,
                             after_id uuid, row_limit integer)
RETURNS TABLE (
  id uuid, slug text, name text, seat text, created_at timestamptz
)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
  SELECT t.id, t.slug, t.name, t.seat::text, t.created_at
  FROM tenants AS t
  WHERE '00000000-0000-0000-0000-000000000001' = ANY (
      NULLIF(current_setting('intent.tenants', true), '')::uuid[])
    AND (wanted_slug IS NULL OR t.slug = wanted_slug)
    AND (after_time IS NULL OR (t.created_at, t.id) < (after_time, after_id))
  ORDER BY t.created_at DESC, t.id DESC
  LIMIT row_limit
$$;

GRANT INSERT ON tenants, app_users TO intent_definer;
GRANT INSERT, UPDATE ON tenant_members, agent_registry, api_tokens
  TO intent_definer;
GRANT INSERT, DELETE ON member_roles TO intent_definer;
GRANT SELECT, UPDATE (revoked_at) ON approval_delegations TO intent_definer;
CREATE POLICY definer_rows ON approval_delegations TO intent_definer
  USING (true) WITH CHECK (true);

DO $$
DECLARE
  needs_membership CONSTANT boolean :=
    NOT (SELECT r.rolsuper FROM pg_roles AS r WHERE r.rolname = current_user);
  signature regprocedure;
BEGIN
  IF needs_membership THEN
    GRANT intent_definer TO CURRENT_USER;
  END IF;
  EXECUTE format('GRANT CREATE ON SCHEMA %I TO intent_definer',
                 current_schema());
  FOREACH signature IN ARRAY ARRAY[
    'create_tenant(uuid, text, text, text, uuid, text)',
    'create_agent(uuid, text, text, text, integer, text[], uuid, uuid, text)',
    'update_agent(uuid, uuid, text, text, integer, text[], boolean, uuid, '
      'uuid, text)',
    'create_member(uuid, text, text, text, text, text[], uuid, text)',
    'set_member_roles(uuid, uuid, text, text[], uuid, text)',
    'remove_member(uuid, uuid, uuid, text)',
    'create_token(uuid, text, uuid, uuid, text, text, uuid, bigint, uuid, '
      'text)',
    'revoke_token(uuid, uuid, uuid, text)',
    'list_tokens(uuid, uuid, boolean, text, timestamptz, uuid, integer)',
    'list_tenants(text, timestamptz, uuid, integer)'
  ]::regprocedure[] LOOP
    EXECUTE format('ALTER FUNCTION %s OWNER TO intent_definer', signature);
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', signature);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO intent_runtime, %I',
                   signature, current_user);
  END LOOP;
  EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM intent_definer',
                 current_schema());
  IF needs_membership THEN
    REVOKE intent_definer FROM CURRENT_USER;
  END IF;
END
$$;
