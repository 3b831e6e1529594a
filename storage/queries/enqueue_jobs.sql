-- The jobs of intents that were just settled into VALIDATING, in the same
-- transaction, with their entries; wakes workers at the commit. $1-$9 are
-- columns of jobs. Answers the intents.
WITH draft AS (
  SELECT *
  FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::integer[],
              $6::integer[], $7::text[], $8::text[], $9::text[])
    AS d (id, tenant_id, intent_id, job_type, priority, max_retries, level,
          action, meta)
), job AS (
  INSERT INTO jobs (id, tenant_id, intent_id, job_type, priority, max_retries,
                    input)
  SELECT d.id, d.tenant_id, d.intent_id, d.job_type, d.priority,
         d.max_retries, i.payload
  FROM draft AS d
  JOIN intents AS i ON i.tenant_id = d.tenant_id AND i.id = d.intent_id
  RETURNING id, tenant_id, intent_id, job_type
), linked AS (
  UPDATE intents AS i SET job_id = j.id
  FROM job AS j
  WHERE i.tenant_id = j.tenant_id AND i.id = j.intent_id
), memo AS (
  UPDATE decision_memos AS m SET job_id = j.id
  FROM job AS j
  WHERE m.tenant_id = j.tenant_id AND m.intent_id = j.intent_id
), entry AS (
  INSERT INTO audit_log
    (tenant_id, actor_type, level, action, entity_type, entity_id, meta)
  SELECT j.tenant_id, 'system', d.level::"AuditLevel", d.action, 'job', j.id,
         d.meta::jsonb
  FROM job AS j
  JOIN draft AS d ON d.id = j.id
)
SELECT j.intent_id,
       (SELECT count(notify_job(t.tenant_id, t.job_type))
        FROM (SELECT DISTINCT tenant_id, job_type FROM job) AS t)
FROM job AS j
