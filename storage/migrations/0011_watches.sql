-- What watches read: the rows that transactions wrote which a snapshot did not
-- see yet (watch_intents.sql, watch_memos.sql).
CREATE INDEX intents_watch_idx ON intents (tenant_id, xact_id, id);
CREATE INDEX decision_memos_watch_idx
  ON decision_memos (tenant_id, xact_id, id);

-- A vote changes its memo for those who watch it.
CREATE FUNCTION approvals_touch_memo() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
  UPDATE decision_memos AS m SET updated_at = engine_now()
  WHERE m.tenant_id = NEW.tenant_id AND m.id = NEW.memo_id;
  RETURN NULL;
END
$$;

CREATE TRIGGER approvals_touch_memo
  AFTER INSERT ON approvals
  FOR EACH ROW WHEN (NEW.memo_id IS NOT NULL)
  EXECUTE FUNCTION approvals_touch_memo();
