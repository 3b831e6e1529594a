-- Stores a group of submissions, decided or not (0027), and tells, at the
-- commit, those who watch for decided intents ($42; null where there are none)
-- and those who claim ($43): answers the intents that were stored, and a row
-- more for each notification.
-- $1-$23 are columns of submissions, $24-$34 of memos, $35-$41 of entries.
SELECT id::text, to_micros(created_at), to_micros(updated_at)
FROM submit_intents(
  $1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::uuid[],
  $7::text[], $8::text[], $9::text[], $10::bigint[], $11::text[], $12::text[],
  $13::text[], $14::text[], $15::uuid[], $16::text[], $17::text[], $18::text[],
  $19::text[], $20::text[], $21::text[], $22::text[], $23::integer[],
  $24::uuid[], $25::uuid[], $26::text[], $27::text[], $28::text[],
  $29::bigint[], $30::integer[], $31::text[], $32::text[], $33::bigint[],
  $34::text[], $35::uuid[], $36::integer[], $37::uuid[], $38::text[],
  $39::text[], $40::text[], $41::text[])
UNION ALL
SELECT pg_notify('intent_settled', $42::text)::text, 0, 0
WHERE $42::text IS NOT NULL
UNION ALL
SELECT pg_notify('intent_draft', '')::text, 0, 0
WHERE $43::boolean
