-- The exact text of a payload, its hash, the revision and the count of audit
-- entries are the engine's to write: it counts a text's depth and digits before
-- it keeps it, and writes the entry that goes with each step. What another
-- writer says in these columns is not taken: its row is bounded, adopted and
-- accounted for like any that came by SQL, and changes no revision. Its name
-- puts this trigger before intents_before_write, which sees what is left.
CREATE FUNCTION intents_adopt_foreign() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    NEW.payload_raw := NULL;
    NEW.payload_sha256 := NULL;
    -- Beyond this one it is refused by the table.
    IF NEW.transition_number = 1 THEN
      NEW.transition_number := 0;
    END IF;
    RETURN NEW;
  END IF;
  -- What was adopted is refused by intents_before_write, not passed over.
  IF OLD.payload_raw IS NULL THEN
    NEW.payload_raw := NULL;
    NEW.payload_sha256 := NULL;
  END IF;
  NEW.revision := OLD.revision;
  NEW.transition_number := OLD.transition_number;
  RETURN NEW;
END
$$;

CREATE TRIGGER intents_adopt_foreign
  BEFORE INSERT OR UPDATE ON intents
  FOR EACH ROW
  WHEN (NOT pg_has_role(current_user, 'intent_runtime', 'USAGE'))
  EXECUTE FUNCTION intents_adopt_foreign();
