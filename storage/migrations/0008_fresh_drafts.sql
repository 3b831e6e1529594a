-- A DRAFT has no past, whoever inserts it: with a counter near its end no
-- transition could ever be accounted for, and a decision that nobody took could
-- not be read back.
ALTER TABLE intents
  ADD CONSTRAINT intents_draft_is_fresh
    CHECK (status <> 'DRAFT'
           OR (transition_number BETWEEN 0 AND 1
               AND revision = 1
               AND decision IS NULL
               AND decision_memo_id IS NULL
               AND job_id IS NULL
               AND output IS NULL));
