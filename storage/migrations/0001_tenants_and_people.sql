-- Roles, the clock, and who there is: tenants, users, members, agents, tokens.
--
-- Roles belong to the whole cluster, and other databases of it may be deployed
-- at this very moment: who comes second finds them made.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'intent_runtime') THEN
    CREATE ROLE intent_runtime NOLOGIN;
  END IF;
EXCEPTION
  WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'intent_definer') THEN
    CREATE ROLE intent_definer NOLOGIN;
  END IF;
EXCEPTION
  WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

-- The only clock that SQL reads; test databases replace it.
CREATE FUNCTION engine_now() RETURNS timestamptz
LANGUAGE sql VOLATILE PARALLEL SAFE
AS 'SELECT clock_timestamp()';

-- Microseconds since 1970, exact: how times travel to the engine and back.
CREATE FUNCTION to_micros(value timestamptz) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS 'SELECT (extract(epoch FROM value) * 1000000)::bigint';

CREATE FUNCTION from_micros(value bigint) RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT timestamptz 'epoch' + value * interval '1 microsecond' $$;

CREATE TYPE "SeatType" AS ENUM ('free_beta', 'starter', 'pro', 'enterprise');

CREATE TABLE tenants (
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  slug text NOT NULL,
  name text NOT NULL,
  -- What `tenant.seat` is to the rules.
  seat "SeatType" NOT NULL DEFAULT 'free_beta',
  created_at timestamptz NOT NULL DEFAULT engine_now(),
  CONSTRAINT tenants_pkey PRIMARY KEY (id),
  CONSTRAINT tenants_slug_key UNIQUE (slug),
  CONSTRAINT tenants_slug_length CHECK (length(slug) BETWEEN 1 AND 100),
  CONSTRAINT tenants_name_length CHECK (length(name) <= 200)
);

-- A person. tenant_id is their home; memberships say where they may act.
CREATE TABLE app_users (
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL,
  email text,
  name text,
  created_at timestamptz NOT NULL DEFAULT engine_now(),
  CONSTRAINT app_users_pkey PRIMARY KEY (id),
  CONSTRAINT app_users_tenant_fkey
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT app_users_email_length CHECK (length(email) <= 320),
  CONSTRAINT app_users_name_length CHECK (length(name) <= 200)
);
-- Finds a user by email (find_member.sql), and keeps it unique.
CREATE UNIQUE INDEX app_users_email_key ON app_users (tenant_id, lower(email));

-- Whatever else names a user inside a tenant refers to this table, so that
-- nobody acts where they are no member.
CREATE TABLE tenant_members (
  tenant_id uuid NOT NULL,
  user_id uuid NOT NULL,
  role text NOT NULL DEFAULT 'member',
  seat_type "SeatType" NOT NULL DEFAULT 'free_beta',
  created_at timestamptz NOT NULL DEFAULT engine_now(),
  CONSTRAINT tenant_members_pkey PRIMARY KEY (tenant_id, user_id),
  CONSTRAINT tenant_members_tenant_fkey
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT tenant_members_user_fkey
    FOREIGN KEY (user_id) REFERENCES app_users (id),
  CONSTRAINT tenant_members_role_length CHECK (length(role) BETWEEN 1 AND 100)
);

-- Roles that a member holds beside tenant_members.role.
CREATE TABLE member_roles (
  tenant_id uuid NOT NULL,
  user_id uuid NOT NULL,
  role text NOT NULL,
  CONSTRAINT member_roles_pkey PRIMARY KEY (tenant_id, user_id, role),
  CONSTRAINT member_roles_tenant_fkey
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT member_roles_member_fkey
    FOREIGN KEY (tenant_id, user_id)
    REFERENCES tenant_members (tenant_id, user_id) ON DELETE CASCADE,
  CONSTRAINT member_roles_role_length CHECK (length(role) BETWEEN 1 AND 100)
);

CREATE TABLE agent_registry (
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL,
  name text NOT NULL,
  role text,
  status text NOT NULL DEFAULT 'active',
  tier integer NOT NULL DEFAULT 0,
  labels text[] NOT NULL DEFAULT '{}',
  -- Who answers for it, and so may not vote on what it asks for.
  owner_user_id uuid,
  created_at timestamptz NOT NULL DEFAULT engine_now(),
  CONSTRAINT agent_registry_pkey PRIMARY KEY (id),
  CONSTRAINT agent_registry_tenant_id_key UNIQUE (tenant_id, id),
  CONSTRAINT agent_registry_tenant_fkey
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT agent_registry_owner_fkey
    FOREIGN KEY (tenant_id, owner_user_id)
    REFERENCES tenant_members (tenant_id, user_id),
  CONSTRAINT agent_registry_name_length CHECK (length(name) BETWEEN 1 AND 200),
  CONSTRAINT agent_registry_labels_count CHECK (cardinality(labels) <= 100)
);
-- Finds an agent by name (find_agent.sql).
CREATE INDEX agent_registry_name_idx
  ON agent_registry (tenant_id, name, created_at);

-- A token is random and shown once; only its hash is here.
CREATE TABLE api_tokens (
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL,
  principal_kind text NOT NULL,
  agent_id uuid,
  user_id uuid,
  name text NOT NULL,
  token_sha256 text NOT NULL,
  issued_by uuid,
  created_at timestamptz NOT NULL DEFAULT engine_now(),
  expires_at timestamptz,
  revoked_at timestamptz,
  CONSTRAINT api_tokens_pkey PRIMARY KEY (id),
  CONSTRAINT api_tokens_tenant_id_key UNIQUE (tenant_id, id),
  CONSTRAINT api_tokens_hash_key UNIQUE (token_sha256),
  CONSTRAINT api_tokens_hash_form CHECK (token_sha256 ~ '^[0-9a-f]{64}$'),
  CONSTRAINT api_tokens_name_length CHECK (length(name) <= 200),
  CONSTRAINT api_tokens_kind_known
    CHECK (principal_kind IN ('agent', 'user', 'worker', 'operator')),
  CONSTRAINT api_tokens_agent_named
    CHECK ((principal_kind = 'agent') = (agent_id IS NOT NULL)),
  CONSTRAINT api_tokens_user_named
    CHECK (principal_kind = 'operator'
           OR (principal_kind = 'user') = (user_id IS NOT NULL)),
  CONSTRAINT api_tokens_tenant_fkey
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT api_tokens_agent_fkey
    FOREIGN KEY (tenant_id, agent_id)
    REFERENCES agent_registry (tenant_id, id),
  CONSTRAINT api_tokens_user_fkey
    FOREIGN KEY (tenant_id, user_id)
    REFERENCES tenant_members (tenant_id, user_id),
  CONSTRAINT api_tokens_issuer_fkey
    FOREIGN KEY (tenant_id, issued_by)
    REFERENCES tenant_members (tenant_id, user_id)
);
