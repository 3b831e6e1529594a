-- What existing writers may say of the engine's own tables, whatever rights
-- they have on them (they may own them): they hand in DRAFTs, and keep memos
-- and approvals of their own, as they always did. What the engine has taken in,
-- opened or counted is the engine's alone.

-- Whether the statement is the engine's: one of a role that has the rights of
-- intent_runtime, or of a function of intent_definer.
CREATE FUNCTION writes_as_engine() RETURNS boolean
LANGUAGE sql STABLE
AS $$
  SELECT current_user = 'intent_definer'
    OR pg_has_role(current_user, 'intent_runtime', 'USAGE')
$$;

-- The engine takes in no payload beyond this (intent_payload_text() of 0002,
-- and the edge), so a longer one is nobody's: a claim would read them all.
ALTER TABLE intents
  ADD CONSTRAINT intents_payload_raw_length
    CHECK (octet_length(payload_raw) <= 262144);

CREATE FUNCTION intents_before_others_write() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
  is_taken_in boolean;
BEGIN
  IF TG_OP = 'INSERT' THEN
    -- Where it came from is the engine's to say, as the exact text is (0019).
    NEW.edited_by := NULL;
    NEW.request_id := NULL;
    NEW.submitted_by_token := NULL;
    RETURN NEW;
  END IF;
  is_taken_in := OLD.status <> 'DRAFT' OR OLD.payload_raw IS NOT NULL;
  IF TG_OP = 'DELETE' THEN
    IF is_taken_in THEN
      RAISE EXCEPTION 'intent % is on record and stays', OLD.id
        USING ERRCODE = 'check_violation';
    END IF;
    RETURN OLD;
  END IF;
  IF (NEW.id, NEW.tenant_id, NEW.status, NEW.sgl_result, NEW.decision::text,
      NEW.policy_digest, NEW.payload_raw, NEW.payload_sha256, NEW.revision,
      NEW.edited_by, NEW.decision_memo_id, NEW.job_id, NEW.failure_reason,
      NEW.failure_message, NEW.output::text, NEW.request_id,
      NEW.submitted_by_token, NEW.transition_number)
     IS DISTINCT FROM
     (OLD.id, OLD.tenant_id, OLD.status, OLD.sgl_result, OLD.decision::text,
      OLD.policy_digest, OLD.payload_raw, OLD.payload_sha256, OLD.revision,
      OLD.edited_by, OLD.decision_memo_id, OLD.job_id, OLD.failure_reason,
      OLD.failure_message, OLD.output::text, OLD.request_id,
      OLD.submitted_by_token, OLD.transition_number) THEN
    RAISE EXCEPTION 'what becomes of intent % is the engine''s to say', OLD.id
      USING ERRCODE = 'check_violation';
  END IF;
  IF is_taken_in
     AND (NEW.agent_id, NEW.intent_type, NEW.payload, NEW.spend_micros_usd,
          NEW.data_class, NEW.requested_by, NEW.title, NEW.rationale,
          NEW.created_at)
         IS DISTINCT FROM
         (OLD.agent_id, OLD.intent_type, OLD.payload, OLD.spend_micros_usd,
          OLD.data_class, OLD.requested_by, OLD.title, OLD.rationale,
          OLD.created_at) THEN
    RAISE EXCEPTION 'intent % is taken in and changes only by an edit', OLD.id
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;

CREATE TRIGGER intents_before_others_write
  BEFORE INSERT OR UPDATE OR DELETE ON intents
  FOR EACH ROW WHEN (NOT writes_as_engine())
  EXECUTE FUNCTION intents_before_others_write();

-- A memo is the engine's once it names the policy that asked for it.
CREATE FUNCTION decision_memos_before_others_write() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    NEW.demands := '[]';
    NEW.reasons := '[]';
    NEW.revision := 1;
    NEW.payload_sha256 := NULL;
    NEW.policy_digest := NULL;
    NEW.opened_at := engine_now();
    RETURN NEW;
  END IF;
  IF OLD.policy_digest IS NOT NULL THEN
    RAISE EXCEPTION 'memo % is the engine''s: % refused', OLD.id, TG_OP
      USING ERRCODE = 'check_violation';
  END IF;
  IF TG_OP = 'DELETE' THEN
    RETURN OLD;
  END IF;
  IF (NEW.demands::text, NEW.reasons::text, NEW.revision, NEW.payload_sha256,
      NEW.policy_digest, NEW.opened_at, NEW.escalate_at)
     IS DISTINCT FROM
     (OLD.demands::text, OLD.reasons::text, OLD.revision, OLD.payload_sha256,
      OLD.policy_digest, OLD.opened_at, OLD.escalate_at) THEN
    RAISE EXCEPTION 'what memo % asks for is the engine''s to say', OLD.id
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;

CREATE TRIGGER decision_memos_before_others_write
  BEFORE INSERT OR UPDATE OR DELETE ON decision_memos
  FOR EACH ROW WHEN (NOT writes_as_engine())
  EXECUTE FUNCTION decision_memos_before_others_write();

-- A vote names its memo and its intent: the engine alone casts one, for who
-- showed a token of their own, and none is changed or taken back.
CREATE FUNCTION approvals_before_others_write() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
  IF (TG_OP <> 'INSERT'
      AND (OLD.memo_id IS NOT NULL OR OLD.intent_id IS NOT NULL))
     OR (TG_OP <> 'DELETE'
         AND (NEW.memo_id IS NOT NULL OR NEW.intent_id IS NOT NULL)) THEN
    RAISE EXCEPTION 'votes on memos are the engine''s to write: % refused',
      TG_OP
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;

CREATE TRIGGER approvals_before_others_write
  BEFORE INSERT OR UPDATE OR DELETE ON approvals
  FOR EACH ROW WHEN (NOT writes_as_engine())
  EXECUTE FUNCTION approvals_before_others_write();
