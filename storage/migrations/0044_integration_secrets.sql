-- Tokens of integrations, sealed by the engine's key: what is here is of no use
-- without that, and what was moved here from another row can't be opened.
--
-- Apart from `integrations`, whose columns for tokens are other writers'. The
-- engine reads these rows and deletes them; `intentctl` writes them, as the
-- owner.
CREATE TABLE integration_secrets (
  tenant_id uuid NOT NULL,
  integration_id uuid NOT NULL,
  -- Which key opens it: a part of the key's hash.
  key_id text NOT NULL,
  -- A nonce, then the sealed text (XChaCha20-Poly1305).
  access_token bytea NOT NULL,
  refresh_token bytea,
  token_expires_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT engine_now(),
  updated_at timestamptz NOT NULL DEFAULT engine_now(),
  CONSTRAINT integration_secrets_pkey PRIMARY KEY (tenant_id, integration_id),
  CONSTRAINT integration_secrets_tenant_fkey
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT integration_secrets_integration_fkey
    FOREIGN KEY (tenant_id, integration_id)
    REFERENCES integrations (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT integration_secrets_key_id_form CHECK (key_id ~ '^[0-9a-f]{16}$'),
  -- Nonce and tag are 40 bytes; the text between has 1 to 16,384.
  CONSTRAINT integration_secrets_sealed_length
    CHECK (length(access_token) BETWEEN 41 AND 16424
           AND length(refresh_token) BETWEEN 41 AND 16424)
);
COMMENT ON CONSTRAINT integration_secrets_integration_fkey
  ON integration_secrets IS 'the integration is gone';

ALTER TABLE integration_secrets ENABLE ROW LEVEL SECURITY;
ALTER TABLE integration_secrets FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON integration_secrets USING (tenant_id = ANY((
  SELECT NULLIF(current_setting('intent.tenants', true), '')::uuid[])::uuid[]));
REVOKE ALL ON integration_secrets FROM PUBLIC;
CREATE TRIGGER integration_secrets_note_update
  BEFORE UPDATE ON integration_secrets
  FOR EACH ROW EXECUTE FUNCTION note_update();
GRANT SELECT, DELETE ON integration_secrets TO intent_runtime;
