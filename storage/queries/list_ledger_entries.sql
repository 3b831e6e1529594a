-- One page, by when they occurred, latest first (ledger_entries_occurred_idx),
-- or the one of an id (ledger_entries_tenant_id_key), or an intent's: what it
-- posted and what it spent (ledger_entries_intent_key, ledger_entries_spend_key,
-- either of which is asked for in its own words). Type and category are looked
-- at on the way.
SELECT id, tenant_id, entry_type, category, amount_cents, currency,
       description, external_ref, meta, intent_id,
       coalesce(spend_micros_usd, 0), to_micros(occurred_at),
       to_micros(created_at)
FROM ledger_entries
WHERE tenant_id = $1::uuid
  AND ($2::uuid IS NULL OR id = $2)
  AND ($3::uuid IS NULL
       OR (intent_id = $3 AND spend_micros_usd IS NULL)
       OR (intent_id = $3 AND spend_micros_usd IS NOT NULL))
  AND ($4::"LedgerEntryType" IS NULL OR entry_type = $4)
  AND ($5::"LedgerCategory" IS NULL OR category = $5)
  AND ($6::bigint IS NULL OR occurred_at >= from_micros($6))
  AND ($7::bigint IS NULL OR occurred_at < from_micros($7))
  AND ($8::bigint IS NULL OR (occurred_at, id) < (from_micros($8), $9::uuid))
ORDER BY occurred_at DESC, id DESC
LIMIT $10::integer
