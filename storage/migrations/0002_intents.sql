-- Intents, their memos, votes and jobs, and the switches of the system.

CREATE TYPE job_status AS ENUM
  ('queued', 'running', 'succeeded', 'failed', 'canceled');

CREATE TABLE system_state (
  -- Existing writers upsert with ON CONFLICT (key), so the key alone is unique;
  -- a tenant's keys carry its id.
  key text NOT NULL,
  -- Null for the platform's keys.
  tenant_id uuid,
  value jsonb NOT NULL DEFAULT '{}',
  updated_at timestamptz NOT NULL DEFAULT engine_now(),
  CONSTRAINT system_state_pkey PRIMARY KEY (key),
  CONSTRAINT system_state_tenant_fkey
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT system_state_tenant_key
    CHECK (tenant_id IS NULL OR starts_with(key, 'tenant:' || tenant_id || ':'))
);

CREATE TABLE intents (
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL,
  agent_id uuid,
  intent_type text NOT NULL,
  status text NOT NULL DEFAULT 'DRAFT',
  sgl_result text,
  created_at timestamptz NOT NULL DEFAULT engine_now(),
  updated_at timestamptz NOT NULL DEFAULT engine_now(),
  -- A copy for other readers; the engine reads payload_raw. jsonb loses
  -- duplicate keys and the spelling of numbers.
  payload jsonb NOT NULL DEFAULT '{}',
  -- The exact text, and its hash. Null for a row inserted by SQL until it is
  -- settled for the first time.
  payload_raw text,
  payload_sha256 text,
  revision integer NOT NULL DEFAULT 1,
  -- Who made this revision; null for what was submitted.
  edited_by uuid,
  spend_micros_usd bigint,
  data_class text,
  requested_by text,
  title text,
  rationale text,
  -- As text: the engine keeps its own spelling.
  decision json,
  policy_digest text,
  decision_memo_id uuid,
  job_id uuid,
  failure_reason text,
  failure_message text,
  output json,
  request_id text,
  submitted_by_token uuid,
  -- How many audit entries account for it.
  transition_number bigint NOT NULL DEFAULT 0,
  -- The transaction that wrote last: watches resume by it.
  xact_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
  CONSTRAINT intents_pkey PRIMARY KEY (id),
  CONSTRAINT intents_tenant_id_key UNIQUE (tenant_id, id),
  CONSTRAINT intents_tenant_fkey
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT intents_agent_fkey
    FOREIGN KEY (tenant_id, agent_id)
    REFERENCES agent_registry (tenant_id, id),
  CONSTRAINT intents_editor_fkey
    FOREIGN KEY (tenant_id, edited_by)
    REFERENCES tenant_members (tenant_id, user_id),
  CONSTRAINT intents_token_fkey
    FOREIGN KEY (tenant_id, submitted_by_token)
    REFERENCES api_tokens (tenant_id, id),
  CONSTRAINT intents_status_known
    CHECK (status IN ('DRAFT', 'VALIDATING', 'EXECUTED', 'FAILED',
                      'BLOCKED_SGL', 'AWAITING_HUMAN')),
  CONSTRAINT intents_sgl_result_known
    CHECK (sgl_result IN ('ALLOW', 'REVIEW', 'BLOCK')),
  CONSTRAINT intents_decision_whole
    CHECK ((decision IS NULL) = (sgl_result IS NULL)
           AND (decision IS NULL) = (policy_digest IS NULL)),
  CONSTRAINT intents_failed_has_reason
    CHECK ((status = 'FAILED') = (failure_reason IS NOT NULL)),
  -- No effect without authority: an ALLOW, or a REVIEW that had its memo.
  CONSTRAINT intents_executed_has_authority
    CHECK (status <> 'EXECUTED'
           OR coalesce(sgl_result = 'ALLOW', false)
           OR (coalesce(sgl_result = 'REVIEW', false)
               AND decision_memo_id IS NOT NULL)),
  CONSTRAINT intents_blocked_has_decision
    CHECK (status <> 'BLOCKED_SGL' OR coalesce(sgl_result = 'BLOCK', false)),
  CONSTRAINT intents_awaiting_has_memo
    CHECK (status <> 'AWAITING_HUMAN'
           OR (decision_memo_id IS NOT NULL
               AND coalesce(sgl_result = 'REVIEW', false))),
  CONSTRAINT intents_payload_hashed
    CHECK ((payload_raw IS NULL) = (payload_sha256 IS NULL)),
  CONSTRAINT intents_payload_hash_form
    CHECK (payload_sha256 ~ '^[0-9a-f]{64}$'),
  CONSTRAINT intents_revision_positive CHECK (revision >= 1),
  CONSTRAINT intents_spend_not_negative CHECK (spend_micros_usd >= 0),
  CONSTRAINT intents_data_class_known
    CHECK (data_class IN ('NONE', 'PII', 'PHI')),
  CONSTRAINT intents_type_length CHECK (length(intent_type) BETWEEN 1 AND 200),
  CONSTRAINT intents_title_length CHECK (length(title) <= 200),
  CONSTRAINT intents_rationale_length CHECK (length(rationale) <= 5000),
  CONSTRAINT intents_requested_by_length CHECK (length(requested_by) <= 200)
);
-- Claims: each tenant's oldest DRAFTs, and which tenants have any
-- (claim_draft_intents()).
CREATE INDEX intents_draft_idx
  ON intents (tenant_id, created_at, id) WHERE status = 'DRAFT';
-- list_intents.sql.
CREATE INDEX intents_list_idx ON intents (tenant_id, created_at DESC, id DESC);

-- What a submission's request_id stands for; kept for 30 days.
CREATE TABLE intent_requests (
  tenant_id uuid NOT NULL,
  principal_id uuid NOT NULL,
  request_id text NOT NULL,
  body_sha256 text NOT NULL,
  intent_id uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT engine_now(),
  CONSTRAINT intent_requests_pkey
    PRIMARY KEY (tenant_id, principal_id, request_id),
  CONSTRAINT intent_requests_tenant_fkey
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT intent_requests_intent_fkey
    FOREIGN KEY (tenant_id, intent_id) REFERENCES intents (tenant_id, id),
  CONSTRAINT intent_requests_id_length
    CHECK (length(request_id) BETWEEN 1 AND 64)
);

CREATE TABLE jobs (
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL,
  job_type text NOT NULL,
  status job_status NOT NULL DEFAULT 'queued',
  priority integer NOT NULL DEFAULT 0,
  input jsonb,
  output jsonb,
  error jsonb,
  retry_count integer NOT NULL DEFAULT 0,
  max_retries integer NOT NULL DEFAULT 3,
  next_retry_at timestamptz,
  -- The intent whose effect it is; null for jobs of others.
  intent_id uuid,
  created_at timestamptz NOT NULL DEFAULT engine_now(),
  updated_at timestamptz NOT NULL DEFAULT engine_now(),
  CONSTRAINT jobs_pkey PRIMARY KEY (id),
  CONSTRAINT jobs_tenant_id_key UNIQUE (tenant_id, id),
  CONSTRAINT jobs_intent_key UNIQUE (tenant_id, intent_id),
  CONSTRAINT jobs_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT jobs_intent_fkey
    FOREIGN KEY (tenant_id, intent_id) REFERENCES intents (tenant_id, id),
  CONSTRAINT jobs_retries_not_negative
    CHECK (retry_count >= 0 AND max_retries >= 0)
);

CREATE TABLE decision_memos (
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL,
  agent text NOT NULL DEFAULT '',
  title text NOT NULL DEFAULT '',
  rationale text NOT NULL DEFAULT '',
  estimated_cost_usd double precision,
  -- Exact; the double beside it is for other readers.
  estimated_cost_micros_usd bigint NOT NULL DEFAULT 0,
  risk_tier integer NOT NULL DEFAULT 0,
  requires_approval boolean NOT NULL DEFAULT true,
  status text NOT NULL DEFAULT 'PROPOSED',
  -- How it ended.
  resolution text,
  resolved_at timestamptz,
  job_id uuid,
  intent_id uuid,
  demands json NOT NULL DEFAULT '[]',
  reasons json NOT NULL DEFAULT '[]',
  -- What votes bind to.
  revision integer NOT NULL DEFAULT 1,
  payload_sha256 text,
  policy_digest text,
  expires_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT engine_now(),
  updated_at timestamptz NOT NULL DEFAULT engine_now(),
  xact_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
  CONSTRAINT decision_memos_pkey PRIMARY KEY (id),
  CONSTRAINT decision_memos_tenant_id_key UNIQUE (tenant_id, id),
  -- One memo an intent; it is reopened, never doubled.
  CONSTRAINT decision_memos_intent_key UNIQUE (tenant_id, intent_id),
  CONSTRAINT decision_memos_tenant_fkey
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT decision_memos_intent_fkey
    FOREIGN KEY (tenant_id, intent_id) REFERENCES intents (tenant_id, id),
  CONSTRAINT decision_memos_job_fkey
    FOREIGN KEY (tenant_id, job_id) REFERENCES jobs (tenant_id, id),
  CONSTRAINT decision_memos_status_known
    CHECK (status IN ('PROPOSED', 'APPROVED', 'REJECTED')),
  CONSTRAINT decision_memos_resolution_known
    CHECK (resolution IN ('APPROVED', 'HUMAN_REJECTED', 'APPROVAL_EXPIRED',
                          'CANCELED', 'BLOCKED_SGL')),
  -- Memos of other writers, without an intent, say nothing of how they ended.
  CONSTRAINT decision_memos_resolved_says_how
    CHECK (intent_id IS NULL
           OR ((status = 'PROPOSED') = (resolution IS NULL)
               AND (status = 'PROPOSED') = (resolved_at IS NULL))),
  CONSTRAINT decision_memos_cost_not_negative
    CHECK (estimated_cost_micros_usd >= 0),
  CONSTRAINT decision_memos_risk_not_negative CHECK (risk_tier >= 0)
);
-- list_memos.sql.
CREATE INDEX decision_memos_list_idx
  ON decision_memos (tenant_id, created_at DESC, id DESC);
-- due_memos().
CREATE INDEX decision_memos_due_idx
  ON decision_memos (expires_at)
  WHERE status = 'PROPOSED' AND expires_at IS NOT NULL;

ALTER TABLE intents
  ADD CONSTRAINT intents_memo_fkey
    FOREIGN KEY (tenant_id, decision_memo_id)
    REFERENCES decision_memos (tenant_id, id),
  ADD CONSTRAINT intents_job_fkey
    FOREIGN KEY (tenant_id, job_id) REFERENCES jobs (tenant_id, id);

-- One row a vote.
CREATE TABLE approvals (
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL,
  intent_type text NOT NULL,
  payload_hash text NOT NULL,
  approved_by uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT engine_now(),
  expires_at timestamptz,
  memo_id uuid,
  intent_id uuid,
  revision integer NOT NULL DEFAULT 1,
  verdict text NOT NULL DEFAULT 'APPROVE',
  comment text,
  CONSTRAINT approvals_pkey PRIMARY KEY (id),
  -- One vote a person and revision.
  CONSTRAINT approvals_vote_key
    UNIQUE (tenant_id, intent_id, revision, approved_by),
  CONSTRAINT approvals_tenant_fkey
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT approvals_voter_fkey
    FOREIGN KEY (tenant_id, approved_by)
    REFERENCES tenant_members (tenant_id, user_id),
  CONSTRAINT approvals_memo_fkey
    FOREIGN KEY (tenant_id, memo_id) REFERENCES decision_memos (tenant_id, id),
  CONSTRAINT approvals_intent_fkey
    FOREIGN KEY (tenant_id, intent_id) REFERENCES intents (tenant_id, id),
  CONSTRAINT approvals_verdict_known CHECK (verdict IN ('APPROVE', 'REJECT')),
  CONSTRAINT approvals_comment_length CHECK (length(comment) <= 5000)
);
-- list_votes.sql.
CREATE INDEX approvals_memo_idx ON approvals (tenant_id, memo_id, created_at);

-- What holds for every write of an intent, whoever makes it (and whatever the
-- writer's search path is).
CREATE FUNCTION intents_before_write() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
  NEW.xact_id := pg_current_xact_id();
  IF TG_OP = 'INSERT' THEN
    IF NEW.status <> 'DRAFT' THEN
      RAISE EXCEPTION 'an intent starts as DRAFT, not as %', NEW.status
        USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
  END IF;
  NEW.updated_at := engine_now();
  IF OLD.status IN ('EXECUTED', 'FAILED', 'BLOCKED_SGL')
     AND NEW.status <> OLD.status THEN
    RAISE EXCEPTION 'intent % is final: % can''t become %',
      OLD.id, OLD.status, NEW.status
      USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.status = 'DRAFT' AND OLD.status <> 'DRAFT' THEN
    RAISE EXCEPTION 'intent % can''t become DRAFT again', OLD.id
      USING ERRCODE = 'check_violation';
  END IF;
  -- What was decided on changes with a new revision only; an adoption fills
  -- in what a row inserted by SQL left null.
  IF NEW.revision = OLD.revision
     AND (NEW.intent_type <> OLD.intent_type
          OR NEW.agent_id IS DISTINCT FROM OLD.agent_id
          OR (OLD.payload_raw IS NOT NULL
              AND NEW.payload_raw IS DISTINCT FROM OLD.payload_raw)
          OR (OLD.spend_micros_usd IS NOT NULL
              AND NEW.spend_micros_usd IS DISTINCT FROM OLD.spend_micros_usd)
          OR (OLD.data_class IS NOT NULL
              AND NEW.data_class IS DISTINCT FROM OLD.data_class)) THEN
    RAISE EXCEPTION 'intent % changes only with a new revision', OLD.id
      USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.revision < OLD.revision
     OR NEW.transition_number < OLD.transition_number THEN
    RAISE EXCEPTION 'revision and transition number of intent % only grow',
      OLD.id
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;

CREATE TRIGGER intents_before_write
  BEFORE INSERT OR UPDATE ON intents
  FOR EACH ROW EXECUTE FUNCTION intents_before_write();

-- Wakes the engines: once a statement, whatever it inserts.
CREATE FUNCTION intents_notify_draft() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
  PERFORM pg_notify('intent_draft', '');
  RETURN NULL;
END
$$;

CREATE TRIGGER intents_notify_draft
  AFTER INSERT ON intents
  FOR EACH STATEMENT EXECUTE FUNCTION intents_notify_draft();

CREATE FUNCTION decision_memos_before_write() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
  NEW.xact_id := pg_current_xact_id();
  IF TG_OP = 'UPDATE' THEN
    NEW.updated_at := engine_now();
  END IF;
  RETURN NEW;
END
$$;

CREATE TRIGGER decision_memos_before_write
  BEFORE INSERT OR UPDATE ON decision_memos
  FOR EACH ROW EXECUTE FUNCTION decision_memos_before_write();

-- The text of a payload that came as jsonb, or null where writing it out could
-- cost more than it may. Sizes are judged before anything is expanded: a jsonb
-- of a few kilobytes can hold numbers that print as a gigabyte.
CREATE FUNCTION intent_payload_text(payload jsonb) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
DECLARE
  text_bytes_max CONSTANT integer := 262144;
  whole jsonb;
  result text;
BEGIN
  -- As stored, maybe compressed: bounds what reading it can cost.
  IF pg_column_size(payload) > text_bytes_max THEN
    RETURN NULL;
  END IF;
  -- As it is in memory. An empty object changes nothing but uncompresses.
  whole := payload || '{}'::jsonb;
  IF pg_column_size(whole) > 2 * text_bytes_max THEN
    RETURN NULL;
  END IF;
  IF jsonb_path_exists(payload, 'strict $.**{65}') THEN
    RETURN NULL;
  END IF;
  -- No number of more than about 100 characters a side; comparing them and
  -- asking for their scale expands nothing.
  IF EXISTS (
    SELECT
    FROM jsonb_path_query(payload,
                          'strict $.** ? (@.type() == "number")') AS item
    WHERE NOT (item::numeric BETWEEN -1e104 AND 1e104)
       OR scale(item::numeric) > 104
  ) THEN
    RETURN NULL;
  END IF;
  result := payload::text;
  IF octet_length(result) > text_bytes_max THEN
    RETURN NULL;
  END IF;
  RETURN result;
END
$$;
