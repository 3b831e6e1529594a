-- An entry of the ledger, which nobody can change or take back, under the
-- intent that posted it.
WITH input AS (
  SELECT * FROM effect_inputs($1::uuid[], $2::text[])
), made AS (
  INSERT INTO ledger_entries
    (id, tenant_id, intent_id, entry_type, category, amount_cents, currency,
     description, external_ref, occurred_at)
  SELECT i.new_id, i.tenant_id, i.intent_id,
         (i.payload ->> 'entry_type')::"LedgerEntryType",
         (i.payload ->> 'category')::"LedgerCategory",
         (i.payload ->> 'amount_cents')::numeric::bigint,
         i.payload ->> 'currency', i.payload ->> 'description',
         i.payload ->> 'external_ref',
         coalesce((i.payload ->> 'occurred_at')::timestamptz, engine_now())
  FROM input AS i
)
SELECT i.intent_id::text, jsonb_build_object('entry_id', i.new_id)::text
FROM input AS i
