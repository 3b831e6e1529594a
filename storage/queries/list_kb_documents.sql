-- One page, newest first (kb_documents_list_idx, or the index of the state), or
-- the one of an id or a slug (kb_documents_tenant_id_key,
-- kb_documents_slug_key), which alone comes with its text.
SELECT d.id, d.tenant_id, d.title, d.slug,
       CASE WHEN $2::uuid IS NOT NULL OR $3::text IS NOT NULL
            THEN d.body END,
       d.status,
       ARRAY(SELECT t.name
             FROM kb_tag_on_document AS o
             JOIN kb_tags AS t
               ON t.tenant_id = o.tenant_id AND t.id = o.tag_id
             WHERE o.tenant_id = d.tenant_id AND o.document_id = d.id
             ORDER BY t.name
             LIMIT 100),
       to_micros(d.created_at), to_micros(d.updated_at)
FROM kb_documents AS d
WHERE d.tenant_id = $1::uuid
  AND ($2::uuid IS NULL OR d.id = $2)
  AND ($3::text IS NULL OR d.slug = $3)
  AND ($4::"KbDocumentStatus" IS NULL OR d.status = $4)
  AND ($5::bigint IS NULL OR (d.created_at, d.id) < (from_micros($5), $6::uuid))
ORDER BY d.created_at DESC, d.id DESC
LIMIT $7::integer
