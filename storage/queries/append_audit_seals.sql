-- Adds blocks at the ends of logs and takes their entries off the queue
-- (audit_unsealed_pkey, audit_seals_pkey), under the sealers' lock.
SELECT append_audit_seals(
  $1::uuid[], $2::bigint[], $3::integer[], $4::bigint[], $5::bytea[],
  $6::bytea[], $7::bytea[], $8::bigint, $9::text, $10::bytea[])
