-- What effects change: tickets, the knowledge base, contacts, assets, the
-- ledger, budgets, integrations; and the little that the statements of effects
-- (storage/queries/effects) have in common.
--
-- The comment on a constraint, or on a unique index, is what the agent reads
-- whose effect it refused: it says what would fit, and names no column that a
-- payload doesn't have.

CREATE TYPE "TicketStatus" AS ENUM ('OPEN', 'TRIAGED', 'IN_PROGRESS', 'CLOSED');
CREATE TYPE "TicketSeverity" AS ENUM ('LOW', 'MEDIUM', 'HIGH', 'BLOCKER');
CREATE TYPE "TicketCategory" AS ENUM
  ('BUG', 'UX', 'GUARDRAIL', 'PERFORMANCE', 'OTHER');
CREATE TYPE "KbDocumentStatus" AS ENUM ('draft', 'published', 'archived');
CREATE TYPE "LedgerEntryType" AS ENUM ('credit', 'debit');
CREATE TYPE "LedgerCategory" AS ENUM
  ('subscription', 'token_spend', 'api_spend', 'refund', 'chargeback', 'payout',
   'misc');

CREATE TABLE tickets (
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL,
  reporter text,
  -- The name of the agent that opened it.
  agent text,
  status "TicketStatus" NOT NULL DEFAULT 'OPEN',
  severity "TicketSeverity" NOT NULL DEFAULT 'MEDIUM',
  category "TicketCategory" NOT NULL DEFAULT 'OTHER',
  title text NOT NULL,
  description text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT engine_now(),
  updated_at timestamptz NOT NULL DEFAULT engine_now(),
  CONSTRAINT tickets_pkey PRIMARY KEY (id),
  CONSTRAINT tickets_tenant_id_key UNIQUE (tenant_id, id),
  CONSTRAINT tickets_tenant_fkey
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT tickets_reporter_length CHECK (length(reporter) <= 200),
  CONSTRAINT tickets_title_length CHECK (length(title) BETWEEN 1 AND 200),
  CONSTRAINT tickets_description_length CHECK (length(description) <= 20000)
);
COMMENT ON CONSTRAINT tickets_reporter_length ON tickets IS
  '`reporter` has at most 200 characters';
COMMENT ON CONSTRAINT tickets_title_length ON tickets IS
  '`title` has 1 to 200 characters';
COMMENT ON CONSTRAINT tickets_description_length ON tickets IS
  '`description` has at most 20,000 characters';
-- Lists of a tenant's tickets by state, newest first.
CREATE INDEX tickets_status_idx
  ON tickets (tenant_id, status, created_at DESC, id DESC);

CREATE TABLE ticket_comments (
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL,
  ticket_id uuid NOT NULL,
  -- The name of the agent that wrote it.
  author text,
  body text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT engine_now(),
  updated_at timestamptz NOT NULL DEFAULT engine_now(),
  CONSTRAINT ticket_comments_pkey PRIMARY KEY (id),
  CONSTRAINT ticket_comments_tenant_id_key UNIQUE (tenant_id, id),
  CONSTRAINT ticket_comments_tenant_fkey
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT ticket_comments_ticket_fkey
    FOREIGN KEY (tenant_id, ticket_id) REFERENCES tickets (tenant_id, id)
    ON DELETE CASCADE,
  CONSTRAINT ticket_comments_body_length
    CHECK (length(body) BETWEEN 1 AND 20000)
);
COMMENT ON CONSTRAINT ticket_comments_ticket_fkey ON ticket_comments IS
  '`ticket_id` names no ticket of this tenant';
COMMENT ON CONSTRAINT ticket_comments_body_length ON ticket_comments IS
  '`body` has 1 to 20,000 characters';
-- A ticket's comments, in their order.
CREATE INDEX ticket_comments_ticket_idx
  ON ticket_comments (tenant_id, ticket_id, created_at, id);

CREATE TABLE kb_documents (
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL,
  title text NOT NULL,
  slug text NOT NULL,
  body text NOT NULL DEFAULT '',
  status "KbDocumentStatus" NOT NULL DEFAULT 'draft',
  created_at timestamptz NOT NULL DEFAULT engine_now(),
  updated_at timestamptz NOT NULL DEFAULT engine_now(),
  CONSTRAINT kb_documents_pkey PRIMARY KEY (id),
  CONSTRAINT kb_documents_tenant_id_key UNIQUE (tenant_id, id),
  CONSTRAINT kb_documents_slug_key UNIQUE (tenant_id, slug),
  CONSTRAINT kb_documents_tenant_fkey
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT kb_documents_title_length CHECK (length(title) BETWEEN 1 AND 200),
  CONSTRAINT kb_documents_slug_length CHECK (length(slug) BETWEEN 1 AND 200)
);
COMMENT ON CONSTRAINT kb_documents_slug_key ON kb_documents IS
  'another document of this tenant has this `slug`';
COMMENT ON CONSTRAINT kb_documents_title_length ON kb_documents IS
  '`title` has 1 to 200 characters';
COMMENT ON CONSTRAINT kb_documents_slug_length ON kb_documents IS
  '`slug` has 1 to 200 characters';
-- Lists of a tenant's documents by state, newest first.
CREATE INDEX kb_documents_status_idx
  ON kb_documents (tenant_id, status, created_at DESC, id DESC);

CREATE TABLE kb_tags (
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL,
  name text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT engine_now(),
  updated_at timestamptz NOT NULL DEFAULT engine_now(),
  CONSTRAINT kb_tags_pkey PRIMARY KEY (id),
  CONSTRAINT kb_tags_tenant_id_key UNIQUE (tenant_id, id),
  CONSTRAINT kb_tags_name_key UNIQUE (tenant_id, name),
  CONSTRAINT kb_tags_tenant_fkey
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT kb_tags_name_length CHECK (length(name) BETWEEN 1 AND 100)
);
COMMENT ON CONSTRAINT kb_tags_name_key ON kb_tags IS
  'another tag of this tenant has this name';
COMMENT ON CONSTRAINT kb_tags_name_length ON kb_tags IS
  '`tag` has 1 to 100 characters';

CREATE TABLE kb_tag_on_document (
  tenant_id uuid NOT NULL,
  document_id uuid NOT NULL,
  tag_id uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT engine_now(),
  CONSTRAINT kb_tag_on_document_pkey
    PRIMARY KEY (tenant_id, document_id, tag_id),
  CONSTRAINT kb_tag_on_document_tenant_fkey
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT kb_tag_on_document_document_fkey
    FOREIGN KEY (tenant_id, document_id)
    REFERENCES kb_documents (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT kb_tag_on_document_tag_fkey
    FOREIGN KEY (tenant_id, tag_id)
    REFERENCES kb_tags (tenant_id, id) ON DELETE CASCADE
);
COMMENT ON CONSTRAINT kb_tag_on_document_document_fkey ON kb_tag_on_document IS
  '`document_id` names no document of this tenant';
COMMENT ON CONSTRAINT kb_tag_on_document_tag_fkey ON kb_tag_on_document IS
  'the tag is gone';
-- A tag's documents.
CREATE INDEX kb_tag_on_document_tag_idx
  ON kb_tag_on_document (tenant_id, tag_id);

CREATE TABLE crm_contacts (
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL,
  first_name text,
  last_name text,
  email text,
  phone text,
  company text,
  source text,
  tags text[] NOT NULL DEFAULT '{}',
  notes text,
  created_at timestamptz NOT NULL DEFAULT engine_now(),
  updated_at timestamptz NOT NULL DEFAULT engine_now(),
  CONSTRAINT crm_contacts_pkey PRIMARY KEY (id),
  CONSTRAINT crm_contacts_tenant_id_key UNIQUE (tenant_id, id),
  CONSTRAINT crm_contacts_tenant_fkey
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT crm_contacts_email_form
    CHECK (length(email) <= 320 AND email ~ '^[^@\s]+@[^@\s]+$'),
  CONSTRAINT crm_contacts_words_length
    CHECK (length(first_name) <= 200 AND length(last_name) <= 200
           AND length(phone) <= 200 AND length(company) <= 200
           AND length(source) <= 200),
  CONSTRAINT crm_contacts_notes_length CHECK (length(notes) <= 20000),
  CONSTRAINT crm_contacts_tags_count CHECK (cardinality(tags) <= 100),
  CONSTRAINT crm_contacts_tags_length
    CHECK (array_position(tags, '') IS NULL
           AND length(array_to_string(tags, '')) <= 10000)
);
COMMENT ON CONSTRAINT crm_contacts_email_form ON crm_contacts IS
  '`email` is an address such as ann@acme.example, of at most 320 characters';
COMMENT ON CONSTRAINT crm_contacts_words_length ON crm_contacts IS
  'names, `phone`, `company` and `source` have at most 200 characters each';
COMMENT ON CONSTRAINT crm_contacts_notes_length ON crm_contacts IS
  '`notes` has at most 20,000 characters';
COMMENT ON CONSTRAINT crm_contacts_tags_count ON crm_contacts IS
  'a contact has at most 100 tags';
COMMENT ON CONSTRAINT crm_contacts_tags_length ON crm_contacts IS
  'no tag is empty, and all together have at most 10,000 characters';
-- Finds a contact by e-mail (effects/crm_contact_upsert.sql), and keeps it
-- unique.
CREATE UNIQUE INDEX crm_contacts_email_key
  ON crm_contacts (tenant_id, lower(email));
COMMENT ON INDEX crm_contacts_email_key IS
  'another contact of this tenant has this `email`';

CREATE TABLE crm_companies (
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL,
  name text NOT NULL,
  domain text,
  industry text,
  phone text,
  website text,
  notes text,
  created_at timestamptz NOT NULL DEFAULT engine_now(),
  updated_at timestamptz NOT NULL DEFAULT engine_now(),
  CONSTRAINT crm_companies_pkey PRIMARY KEY (id),
  CONSTRAINT crm_companies_tenant_id_key UNIQUE (tenant_id, id),
  CONSTRAINT crm_companies_tenant_fkey
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT crm_companies_name_length CHECK (length(name) BETWEEN 1 AND 200),
  CONSTRAINT crm_companies_domain_form
    CHECK (length(domain) <= 253 AND domain ~ '^[^\s/@]+\.[^\s/@]+$'),
  CONSTRAINT crm_companies_words_length
    CHECK (length(industry) <= 200 AND length(phone) <= 200
           AND length(website) <= 2000),
  CONSTRAINT crm_companies_notes_length CHECK (length(notes) <= 20000)
);
COMMENT ON CONSTRAINT crm_companies_name_length ON crm_companies IS
  '`name` has 1 to 200 characters';
COMMENT ON CONSTRAINT crm_companies_domain_form ON crm_companies IS
  '`domain` is a host name such as acme.example, of at most 253 characters';
COMMENT ON CONSTRAINT crm_companies_words_length ON crm_companies IS
  '`industry` and `phone` have at most 200 characters, `website` 2,000';
COMMENT ON CONSTRAINT crm_companies_notes_length ON crm_companies IS
  '`notes` has at most 20,000 characters';
-- Finds a company by domain (effects/crm_company_upsert.sql), and keeps it
-- unique.
CREATE UNIQUE INDEX crm_companies_domain_key
  ON crm_companies (tenant_id, lower(domain));
COMMENT ON INDEX crm_companies_domain_key IS
  'another company of this tenant has this `domain`';

CREATE TABLE crm_segments (
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL,
  name text NOT NULL,
  description text,
  filters jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT engine_now(),
  updated_at timestamptz NOT NULL DEFAULT engine_now(),
  CONSTRAINT crm_segments_pkey PRIMARY KEY (id),
  CONSTRAINT crm_segments_tenant_id_key UNIQUE (tenant_id, id),
  CONSTRAINT crm_segments_name_key UNIQUE (tenant_id, name),
  CONSTRAINT crm_segments_tenant_fkey
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT crm_segments_name_length CHECK (length(name) BETWEEN 1 AND 200),
  CONSTRAINT crm_segments_description_length
    CHECK (length(description) <= 5000)
);
COMMENT ON CONSTRAINT crm_segments_name_key ON crm_segments IS
  'another segment of this tenant has this `name`';
COMMENT ON CONSTRAINT crm_segments_name_length ON crm_segments IS
  '`name` has 1 to 200 characters';
COMMENT ON CONSTRAINT crm_segments_description_length ON crm_segments IS
  '`description` has at most 5,000 characters';

CREATE TABLE assets (
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL,
  type text NOT NULL,
  name text NOT NULL,
  url text,
  platform text,
  metrics jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT engine_now(),
  updated_at timestamptz NOT NULL DEFAULT engine_now(),
  CONSTRAINT assets_pkey PRIMARY KEY (id),
  CONSTRAINT assets_tenant_id_key UNIQUE (tenant_id, id),
  CONSTRAINT assets_tenant_fkey
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT assets_type_length CHECK (length(type) BETWEEN 1 AND 100),
  CONSTRAINT assets_name_length CHECK (length(name) BETWEEN 1 AND 200),
  CONSTRAINT assets_url_length CHECK (length(url) <= 2000),
  CONSTRAINT assets_platform_length CHECK (length(platform) <= 100),
  -- Metrics are merged, so they would grow without an end.
  CONSTRAINT assets_metrics_length CHECK (length(metrics::text) <= 262144)
);
COMMENT ON CONSTRAINT assets_type_length ON assets IS
  '`type` has 1 to 100 characters';
COMMENT ON CONSTRAINT assets_name_length ON assets IS
  '`name` has 1 to 200 characters';
COMMENT ON CONSTRAINT assets_url_length ON assets IS
  '`url` has at most 2,000 characters';
COMMENT ON CONSTRAINT assets_platform_length ON assets IS
  '`platform` has at most 100 characters';
COMMENT ON CONSTRAINT assets_metrics_length ON assets IS
  'an asset''s metrics have at most 262,144 characters all together';
-- Lists of a tenant's assets by type, newest first.
CREATE INDEX assets_type_idx
  ON assets (tenant_id, type, created_at DESC, id DESC);

CREATE TABLE ledger_entries (
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL,
  entry_type "LedgerEntryType" NOT NULL,
  category "LedgerCategory" NOT NULL,
  amount_cents bigint NOT NULL,
  currency text NOT NULL DEFAULT 'USD',
  description text,
  external_ref text,
  meta jsonb NOT NULL DEFAULT '{}',
  occurred_at timestamptz NOT NULL DEFAULT engine_now(),
  -- The intent that posted it; null for entries of other writers.
  intent_id uuid,
  created_at timestamptz NOT NULL DEFAULT engine_now(),
  CONSTRAINT ledger_entries_pkey PRIMARY KEY (id),
  CONSTRAINT ledger_entries_tenant_id_key UNIQUE (tenant_id, id),
  -- An entry can't be taken back: that an intent posts one only, which its
  -- settlement sees to, is held here as well.
  CONSTRAINT ledger_entries_intent_key UNIQUE (tenant_id, intent_id),
  CONSTRAINT ledger_entries_tenant_fkey
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT ledger_entries_intent_fkey
    FOREIGN KEY (tenant_id, intent_id) REFERENCES intents (tenant_id, id),
  CONSTRAINT ledger_entries_amount_positive CHECK (amount_cents > 0),
  CONSTRAINT ledger_entries_currency_form CHECK (currency ~ '^[A-Z]{3}$'),
  CONSTRAINT ledger_entries_description_length
    CHECK (length(description) <= 2000),
  CONSTRAINT ledger_entries_external_ref_length
    CHECK (length(external_ref) <= 200),
  CONSTRAINT ledger_entries_occurred_at_range
    CHECK (occurred_at >= timestamptz '0001-01-01 00:00:00+00'
           AND occurred_at < timestamptz '10000-01-01 00:00:00+00')
);
COMMENT ON CONSTRAINT ledger_entries_intent_key ON ledger_entries IS
  'this intent has posted its entry already';
COMMENT ON CONSTRAINT ledger_entries_intent_fkey ON ledger_entries IS
  'the entry names an intent that is not of this tenant';
COMMENT ON CONSTRAINT ledger_entries_amount_positive ON ledger_entries IS
  '`amount_cents` is above 0; `entry_type` says which way it goes';
COMMENT ON CONSTRAINT ledger_entries_currency_form ON ledger_entries IS
  '`currency` is a code of three capital letters, such as USD';
COMMENT ON CONSTRAINT ledger_entries_description_length ON ledger_entries IS
  '`description` has at most 2,000 characters';
COMMENT ON CONSTRAINT ledger_entries_external_ref_length ON ledger_entries IS
  '`external_ref` has at most 200 characters';
COMMENT ON CONSTRAINT ledger_entries_occurred_at_range ON ledger_entries IS
  '`occurred_at` is of the years 1 to 9999';
-- A tenant's entries by time; sums of a category over a period.
CREATE INDEX ledger_entries_occurred_idx
  ON ledger_entries (tenant_id, occurred_at DESC, id DESC);
CREATE INDEX ledger_entries_category_idx
  ON ledger_entries (tenant_id, category, occurred_at);

CREATE TRIGGER ledger_entries_refuse_change
  BEFORE UPDATE OR DELETE ON ledger_entries
  FOR EACH ROW EXECUTE FUNCTION insert_only_refuse_change();
CREATE TRIGGER ledger_entries_refuse_truncate
  BEFORE TRUNCATE ON ledger_entries
  FOR EACH STATEMENT EXECUTE FUNCTION insert_only_refuse_change();

CREATE TABLE budgets (
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL,
  name text NOT NULL,
  category text,
  limit_cents bigint NOT NULL,
  period_days integer NOT NULL DEFAULT 30,
  -- The share of the limit, 0 to 1, at which people hear of it.
  alert_at numeric,
  created_at timestamptz NOT NULL DEFAULT engine_now(),
  updated_at timestamptz NOT NULL DEFAULT engine_now(),
  CONSTRAINT budgets_pkey PRIMARY KEY (id),
  CONSTRAINT budgets_tenant_id_key UNIQUE (tenant_id, id),
  -- Finds a budget by name (effects/budget_set.sql), and keeps it unique.
  CONSTRAINT budgets_name_key UNIQUE (tenant_id, name),
  CONSTRAINT budgets_tenant_fkey
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT budgets_name_length CHECK (length(name) BETWEEN 1 AND 200),
  CONSTRAINT budgets_category_length CHECK (length(category) <= 100),
  CONSTRAINT budgets_limit_not_negative CHECK (limit_cents >= 0),
  CONSTRAINT budgets_period_range CHECK (period_days BETWEEN 1 AND 3660)
);
COMMENT ON CONSTRAINT budgets_name_key ON budgets IS
  'another budget of this tenant has this `name`';
COMMENT ON CONSTRAINT budgets_name_length ON budgets IS
  '`name` has 1 to 200 characters';
COMMENT ON CONSTRAINT budgets_category_length ON budgets IS
  '`category` has at most 100 characters';
COMMENT ON CONSTRAINT budgets_limit_not_negative ON budgets IS
  '`limit_cents` is not negative';
COMMENT ON CONSTRAINT budgets_period_range ON budgets IS
  '`period_days` is 1 to 3,660';

CREATE TABLE integrations (
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL,
  provider text NOT NULL,
  connected boolean NOT NULL DEFAULT false,
  -- Secrets: the engine neither reads nor writes these three.
  access_token text,
  refresh_token text,
  token_expires_at timestamptz,
  scopes jsonb NOT NULL DEFAULT '[]',
  config jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT engine_now(),
  updated_at timestamptz NOT NULL DEFAULT engine_now(),
  CONSTRAINT integrations_pkey PRIMARY KEY (id),
  CONSTRAINT integrations_tenant_id_key UNIQUE (tenant_id, id),
  CONSTRAINT integrations_provider_key UNIQUE (tenant_id, provider),
  CONSTRAINT integrations_tenant_fkey
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT integrations_provider_length
    CHECK (length(provider) BETWEEN 1 AND 100)
);
COMMENT ON CONSTRAINT integrations_provider_key ON integrations IS
  'this tenant has an integration with this `provider` already';
COMMENT ON CONSTRAINT integrations_provider_length ON integrations IS
  '`provider` has 1 to 100 characters';

-- What effects on people and agents may break.
COMMENT ON CONSTRAINT agent_registry_name_length ON agent_registry IS
  '`name` has 1 to 200 characters';
COMMENT ON CONSTRAINT agent_registry_labels_count ON agent_registry IS
  'an agent has at most 100 `labels`';
COMMENT ON CONSTRAINT agent_registry_owner_fkey ON agent_registry IS
  'who owns an agent is a member of its tenant';
COMMENT ON CONSTRAINT tenant_members_user_fkey ON tenant_members IS
  'a member is a person who is known';
COMMENT ON CONSTRAINT tenant_members_role_length ON tenant_members IS
  '`role` has 1 to 100 characters';
COMMENT ON CONSTRAINT app_users_email_length ON app_users IS
  '`email` has at most 320 characters';
COMMENT ON CONSTRAINT app_users_name_length ON app_users IS
  '`name` has at most 200 characters';
COMMENT ON INDEX app_users_email_key IS
  'this tenant has a member with this `email` already';

-- As intents have it, for each table whose rows change.
CREATE FUNCTION note_update() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
  NEW.updated_at := engine_now();
  RETURN NEW;
END
$$;

DO $$
DECLARE
  table_name text;
BEGIN
  FOREACH table_name IN ARRAY ARRAY[
    'tickets', 'ticket_comments', 'kb_documents', 'kb_tags',
    'kb_tag_on_document', 'crm_contacts', 'crm_companies', 'crm_segments',
    'assets', 'ledger_entries', 'budgets', 'integrations'
  ] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', table_name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', table_name);
    EXECUTE format(
      'CREATE POLICY tenant_rows ON %I USING (tenant_id = ANY(('
      'SELECT NULLIF(current_setting(''intent.tenants'', true), '''')::uuid[]'
      ')::uuid[]))', table_name);
    EXECUTE format('REVOKE ALL ON %I FROM PUBLIC', table_name);
    CONTINUE WHEN table_name IN ('kb_tag_on_document', 'ledger_entries');
    EXECUTE format('CREATE TRIGGER %1$s_note_update BEFORE UPDATE ON %1$I '
                   'FOR EACH ROW EXECUTE FUNCTION note_update()', table_name);
  END LOOP;
END
$$;

GRANT SELECT, INSERT, UPDATE ON
  tickets, kb_documents, crm_contacts, crm_companies, crm_segments, assets,
  budgets
  TO intent_runtime;
GRANT SELECT, INSERT ON ticket_comments, ledger_entries TO intent_runtime;
-- An upsert answers a tag that is there already only where it may update it.
GRANT SELECT, INSERT, UPDATE (name) ON kb_tags TO intent_runtime;
GRANT SELECT, INSERT, DELETE ON kb_tag_on_document TO intent_runtime;
GRANT SELECT (id, tenant_id, provider, connected, scopes, config, created_at,
              updated_at),
      INSERT (tenant_id, provider, connected, scopes),
      UPDATE (connected, scopes)
  ON integrations TO intent_runtime;

-- An id as a payload has it. A text that is no UUID names no row, as an id of
-- another tenant does.
CREATE FUNCTION uuid_or_null(value text) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT CASE
    WHEN value ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
    THEN value::uuid
  END
$$;

-- A list of strings; null where there is none.
CREATE FUNCTION texts_or_null(value jsonb) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT CASE
    WHEN jsonb_typeof(value) = 'array'
    THEN ARRAY(SELECT t.text
               FROM jsonb_array_elements_text(value)
                 WITH ORDINALITY AS t (text, place)
               ORDER BY t.place)
  END
$$;

-- What the statement of an effect works on, in the order of the intents:
-- tenant and agent are those of the intent's row, whatever the payload says.
-- `new_id` is for the row that it makes. Runs with the rights of who calls it,
-- and so on intents of the transaction's tenants.
CREATE FUNCTION effect_inputs(intent_ids uuid[], payloads text[])
RETURNS TABLE (place bigint, intent_id uuid, tenant_id uuid, agent_name text,
               agent_owner uuid, actor text, new_id uuid, payload jsonb)
LANGUAGE sql VOLATILE
SET search_path FROM CURRENT
AS $$
  SELECT e.place, i.id, i.tenant_id, a.name, a.owner_user_id,
         'agent:' || i.agent_id, gen_random_uuid(), e.payload::jsonb
  FROM unnest(intent_ids, payloads)
    WITH ORDINALITY AS e (intent_id, payload, place)
  JOIN intents AS i ON i.id = e.intent_id
  LEFT JOIN agent_registry AS a
    ON a.tenant_id = i.tenant_id AND a.id = i.agent_id
  ORDER BY e.place
$$;
REVOKE ALL ON FUNCTION effect_inputs FROM PUBLIC;
GRANT EXECUTE ON FUNCTION effect_inputs TO intent_runtime;
