-- Which of some entries any seal of the log holds: reads all of its seals
-- (audit_seals_pkey), so it is asked only about those that none of their time
-- held.
SELECT e.id
FROM unnest($2::uuid[]) AS e (id)
WHERE e.id IN (
  SELECT unnest(s.entry_ids) FROM audit_seals AS s WHERE s.log_id = $1::uuid)
