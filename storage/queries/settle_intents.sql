-- Settles a batch (0026) and wakes, at the commit, those who wait for its
-- intents, in one round trip: answers the intents' ids, and one row more for
-- the notification. $1-$15 are columns of settlements, $16-$26 of memos,
-- $27-$33 of entries.
SELECT id::text FROM settle_intents(
  $1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[],
  $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::bigint[],
  $13::text[], $14::text[], $15::integer[], $16::uuid[], $17::uuid[],
  $18::text[], $19::text[], $20::text[], $21::bigint[], $22::integer[],
  $23::text[], $24::text[], $25::bigint[], $26::text[], $27::uuid[],
  $28::integer[], $29::uuid[], $30::text[], $31::text[], $32::text[],
  $33::text[]) AS id
UNION ALL
SELECT pg_notify('intent_settled', $34)::text
