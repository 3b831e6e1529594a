-- A new revision of an intent whose lock is held (primary key). What it
-- replaces goes to intent_revisions by trigger.
UPDATE intents
SET revision = revision + 1,
    intent_type = $3,
    payload = $4::text::jsonb,
    payload_raw = $4::text,
    payload_sha256 = $5,
    spend_micros_usd = $6::bigint,
    data_class = $7,
    edited_by = $8::uuid
WHERE tenant_id = $1::uuid AND id = $2::uuid AND status = 'AWAITING_HUMAN'
RETURNING revision
