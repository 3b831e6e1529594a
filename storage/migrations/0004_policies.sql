-- Policy sets, immutable, and which one is active.

CREATE TABLE policies (
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  -- Null: the platform's.
  tenant_id uuid,
  digest text NOT NULL,
  -- [{"name": ..., "text": ...}]
  sources json NOT NULL,
  author text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT engine_now(),
  CONSTRAINT policies_pkey PRIMARY KEY (id),
  CONSTRAINT policies_digest_key UNIQUE NULLS NOT DISTINCT (tenant_id, digest),
  CONSTRAINT policies_tenant_id_key UNIQUE NULLS NOT DISTINCT (tenant_id, id),
  CONSTRAINT policies_tenant_fkey
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT policies_digest_form CHECK (digest ~ '^sha256:[0-9a-f]{64}$')
);

CREATE FUNCTION policies_refuse_change() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
  RAISE EXCEPTION 'policies are immutable: % refused', TG_OP
    USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER policies_refuse_change
  BEFORE UPDATE OR DELETE ON policies
  FOR EACH ROW EXECUTE FUNCTION policies_refuse_change();
CREATE TRIGGER policies_refuse_truncate
  BEFORE TRUNCATE ON policies
  FOR EACH STATEMENT EXECUTE FUNCTION policies_refuse_change();

-- One row for the platform.
CREATE TABLE active_policies (
  tenant_id uuid,
  policy_id uuid NOT NULL,
  activated_at timestamptz NOT NULL DEFAULT engine_now(),
  CONSTRAINT active_policies_layer_key UNIQUE NULLS NOT DISTINCT (tenant_id),
  CONSTRAINT active_policies_tenant_fkey
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT active_policies_policy_fkey
    FOREIGN KEY (policy_id) REFERENCES policies (id),
  -- Not checked for the platform's row, which has no tenant.
  CONSTRAINT active_policies_tenant_policy_fkey
    FOREIGN KEY (tenant_id, policy_id) REFERENCES policies (tenant_id, id)
);
