-- One page, best first (kb_documents_search_idx, inside the function).
SELECT id, tenant_id, title, slug, snippet, rank, to_micros(created_at),
       to_micros(updated_at)
FROM search_kb_documents($1::uuid, $2, $3::bigint, $4::uuid, $5::integer)
