-- The sealed tokens that go with jobs under lease: of the provider that the
-- executor of the intent's own type and the job's names ($3 to $5, three by
-- three), where the intent was let through and the tenant has the provider
-- connected (jobs_tenant_id_key, intents_tenant_id_key,
-- integrations_provider_key, integration_secrets_pkey). There is no job of an
-- intent that nobody decided; made by hand, it gets none. Unlocked: the job's
-- row is held by the lease.
SELECT j.id, s.tenant_id, s.integration_id, g.provider, s.key_id,
       encode(s.access_token, 'hex'), to_micros(s.token_expires_at)
FROM jobs AS j
JOIN intents AS i
  ON i.tenant_id = j.tenant_id AND i.id = j.intent_id
  AND i.status = 'VALIDATING'
JOIN unnest($3::text[], $4::text[], $5::text[])
  AS d (job_type, intent_type, provider)
  ON d.job_type = j.job_type AND d.intent_type = i.intent_type
JOIN integrations AS g
  ON g.tenant_id = j.tenant_id AND g.provider = d.provider AND g.connected
JOIN integration_secrets AS s
  ON s.tenant_id = g.tenant_id AND s.integration_id = g.id
WHERE j.tenant_id = $1::uuid AND j.id = ANY ($2::uuid[])
