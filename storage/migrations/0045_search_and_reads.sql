-- Reading what effects wrote: lists that page by index, and the search over
-- published documents.
--
-- Under row level security an index serves a condition only where its operator
-- is leakproof, and that of an enum, `lower()` and `@@` are not. So a list by
-- state has an index for each state, an e-mail is looked up as it is written,
-- and the search is a function that row level security lets through and that
-- asks for the tenant itself.

-- list_tickets.sql; the first for all states, the others for one.
DROP INDEX tickets_status_idx;
CREATE INDEX tickets_list_idx
  ON tickets (tenant_id, created_at DESC, id DESC);
CREATE INDEX tickets_open_idx
  ON tickets (tenant_id, created_at DESC, id DESC) WHERE status = 'OPEN';
CREATE INDEX tickets_triaged_idx
  ON tickets (tenant_id, created_at DESC, id DESC) WHERE status = 'TRIAGED';
CREATE INDEX tickets_in_progress_idx
  ON tickets (tenant_id, created_at DESC, id DESC)
  WHERE status = 'IN_PROGRESS';
CREATE INDEX tickets_closed_idx
  ON tickets (tenant_id, created_at DESC, id DESC) WHERE status = 'CLOSED';

-- list_kb_documents.sql, likewise.
DROP INDEX kb_documents_status_idx;
CREATE INDEX kb_documents_list_idx
  ON kb_documents (tenant_id, created_at DESC, id DESC);
CREATE INDEX kb_documents_draft_idx
  ON kb_documents (tenant_id, created_at DESC, id DESC) WHERE status = 'draft';
CREATE INDEX kb_documents_published_idx
  ON kb_documents (tenant_id, created_at DESC, id DESC)
  WHERE status = 'published';
CREATE INDEX kb_documents_archived_idx
  ON kb_documents (tenant_id, created_at DESC, id DESC)
  WHERE status = 'archived';

-- list_crm_contacts.sql, list_crm_companies.sql, list_crm_segments.sql.
CREATE INDEX crm_contacts_list_idx
  ON crm_contacts (tenant_id, created_at DESC, id DESC);
CREATE INDEX crm_contacts_email_idx ON crm_contacts (tenant_id, email);
CREATE INDEX crm_companies_list_idx
  ON crm_companies (tenant_id, created_at DESC, id DESC);
CREATE INDEX crm_companies_domain_idx ON crm_companies (tenant_id, domain);
CREATE INDEX crm_segments_list_idx
  ON crm_segments (tenant_id, created_at DESC, id DESC);

-- list_memos.sql, for what waits for votes: few among all that there were.
CREATE INDEX decision_memos_open_idx
  ON decision_memos (tenant_id, created_at DESC, id DESC)
  WHERE status = 'PROPOSED';

-- What a document is found by: its title, then its text, and its tenant, so
-- that a search passes over other tenants' documents within the index. The text
-- counts as far as a tsvector surely holds it: 1 MiB, where each character takes
-- fewer than 8 bytes, since a word with a hyphen is there whole and in parts.
-- Beyond it the row itself would be refused, whoever writes it.
CREATE FUNCTION kb_search_vector(tenant uuid, title text, body text)
RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT setweight(to_tsvector('pg_catalog.english', title), 'A')
         || setweight(to_tsvector('pg_catalog.english', left(body, 100000)),
                      'B')
         || array_to_tsvector(ARRAY['tenant:' || tenant::text])
$$;
-- search_kb_documents().
CREATE INDEX kb_documents_search_idx
  ON kb_documents USING gin (kb_search_vector(tenant_id, title, body))
  WHERE status = 'published';

-- Published documents of a tenant of the transaction, best first, in pages.
-- `words` are as people type them into a search: all must occur, "…" holds
-- together, `or` and `-` mean what they say.
--
-- Ranking reads texts, so it has a bound: the 500 matches that changed last,
-- by what the first 4,000 characters of each say.
CREATE FUNCTION search_kb_documents(tenant uuid, words text, after_rank bigint,
                                    after_id uuid, row_limit integer)
RETURNS TABLE (id uuid, tenant_id uuid, title text, slug text, snippet text,
               rank bigint, created_at timestamptz, updated_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path FROM CURRENT
SET plan_cache_mode = force_custom_plan
SET enable_seqscan = off
SET enable_indexscan = off
SET jit = off
AS $$
DECLARE
  wanted CONSTANT tsquery :=
    websearch_to_tsquery('pg_catalog.english', words);
  within CONSTANT tsquery := ('''tenant:' || tenant::text || '''')::tsquery;
BEGIN
  IF (tenant = ANY (NULLIF(current_setting('intent.tenants', true),
                           '')::uuid[])) IS NOT TRUE THEN
    RETURN;
  END IF;
  -- Nothing but words that are everywhere, such as `the`.
  IF numnode(wanted) = 0 THEN
    RETURN;
  END IF;
  RETURN QUERY
  WITH found AS MATERIALIZED (
    SELECT d.id, d.tenant_id, d.title, d.slug, left(d.body, 4000) AS beginning,
           d.created_at, d.updated_at
    FROM kb_documents AS d
    WHERE kb_search_vector(d.tenant_id, d.title, d.body) @@ (wanted && within)
      AND d.status = 'published'
      -- As texts, lest an index by tenant be taken, and the vector made anew of
      -- each document that it has.
      AND d.tenant_id::text = tenant::text
    ORDER BY d.updated_at DESC, d.id DESC
    LIMIT 500
  ), ranked AS (
    SELECT f.*,
           (ts_rank_cd(kb_search_vector(f.tenant_id, f.title, f.beginning),
                       wanted) * 1000000)::bigint AS rank
    FROM found AS f
  ), page AS (
    SELECT r.*
    FROM ranked AS r
    WHERE after_rank IS NULL OR (r.rank, r.id) < (after_rank, after_id)
    ORDER BY r.rank DESC, r.id DESC
    LIMIT row_limit
  )
  SELECT p.id, p.tenant_id, p.title, p.slug,
         ts_headline('pg_catalog.english', p.beginning, wanted,
                     'StartSel=**, StopSel=**, MaxWords=30, MinWords=10'),
         p.rank, p.created_at, p.updated_at
  FROM page AS p
  ORDER BY p.rank DESC, p.id DESC;
END
$$;

GRANT SELECT ON kb_documents TO intent_definer;
CREATE POLICY definer_rows ON kb_documents FOR SELECT TO intent_definer
  USING (true);

DO $$
DECLARE
  needs_membership CONSTANT boolean :=
    NOT (SELECT r.rolsuper FROM pg_roles AS r WHERE r.rolname = current_user);
  signature CONSTANT regprocedure :=
    'search_kb_documents(uuid, text, bigint, uuid, integer)';
BEGIN
  IF needs_membership THEN
    GRANT intent_definer TO CURRENT_USER;
  END IF;
  EXECUTE format('GRANT CREATE ON SCHEMA %I TO intent_definer',
                 current_schema());
  EXECUTE format('ALTER FUNCTION %s OWNER TO intent_definer', signature);
  EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', signature);
  EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO intent_runtime, %I',
                 signature, current_user);
  EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM intent_definer',
                 current_schema());
  IF needs_membership THEN
    REVOKE intent_definer FROM CURRENT_USER;
  END IF;
END
$$;
