-- Times that the engine and its callers can hold: the years 1 to 9999. A row
-- from SQL could have said 'infinity', which no claim can read: it would have
-- stopped every tenant's claims for good.
ALTER TABLE intents
  ADD CONSTRAINT intents_created_at_range
    CHECK (created_at >= timestamptz '0001-01-01 00:00:00+00'
           AND created_at < timestamptz '10000-01-01 00:00:00+00'),
  ADD CONSTRAINT intents_updated_at_range
    CHECK (updated_at >= timestamptz '0001-01-01 00:00:00+00'
           AND updated_at < timestamptz '10000-01-01 00:00:00+00');

ALTER TABLE decision_memos
  ADD CONSTRAINT decision_memos_created_at_range
    CHECK (created_at >= timestamptz '0001-01-01 00:00:00+00'
           AND created_at < timestamptz '10000-01-01 00:00:00+00'),
  ADD CONSTRAINT decision_memos_updated_at_range
    CHECK (updated_at >= timestamptz '0001-01-01 00:00:00+00'
           AND updated_at < timestamptz '10000-01-01 00:00:00+00'),
  ADD CONSTRAINT decision_memos_expires_at_range
    CHECK (expires_at >= timestamptz '0001-01-01 00:00:00+00'
           AND expires_at < timestamptz '10000-01-01 00:00:00+00');

ALTER TABLE approvals
  ADD CONSTRAINT approvals_created_at_range
    CHECK (created_at >= timestamptz '0001-01-01 00:00:00+00'
           AND created_at < timestamptz '10000-01-01 00:00:00+00'),
  ADD CONSTRAINT approvals_expires_at_range
    CHECK (expires_at >= timestamptz '0001-01-01 00:00:00+00'
           AND expires_at < timestamptz '10000-01-01 00:00:00+00');
