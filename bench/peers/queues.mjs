// Drains a backlog of jobs with a queue that npm carries, at its best known
// configuration, and prints jobs a second: the other side of bench:e2e.
//
// usage: node bench/peers/queues.mjs QUEUE URL COUNT [audited]
//   QUEUE     graphile-worker or pg-boss
//   URL       a superuser's, of a database with the table bench_entries
//   audited   each job writes the audit entries that one of ours has; else a
//             job does nothing at all
import pg from 'pg';

const WRITE_ENTRIES = {
  name: 'write-entries',
  text: `INSERT INTO audit_log
    (tenant_id, actor_user_id, actor_external_id, actor_type, level, action,
     entity_type, entity_id, meta, transition_number)
  SELECT e.tenant_id, e.actor_user_id, e.actor_external_id, e.actor_type,
         e.level, e.action, 'intent', f.id, e.meta, e.transition_number
  FROM bench_entries AS e, (SELECT gen_random_uuid() AS id) AS f
  WHERE e.intent_type = 'EMAIL_SEND' AND e.action <> 'INTENT_SUBMITTED'`,
};
const CLIENTS = 24;

// Returns what says how many seconds went by since.
function stopwatch() {
  const start = process.hrtime.bigint();
  return () => Number(process.hrtime.bigint() - start) / 1e9;
}

// Resolves once `count` jobs have called `done`.
function counter(count) {
  let resolve;
  const all = new Promise((r) => (resolve = r));
  let left = count;
  return { all, done: (jobs = 1) => (left -= jobs) <= 0 && resolve() };
}

async function graphileWorker(pool, url, count, work) {
  const { run, runMigrations } = await import('graphile-worker');
  const quiet = { worker: { connectionString: url } };
  await runMigrations({ preset: quiet });
  await pool.query(
    `SELECT count(*) FROM graphile_worker.add_jobs(ARRAY(
       SELECT json_populate_record(NULL::graphile_worker.job_spec,
         json_build_object('identifier', 'act', 'payload',
                           json_build_object('n', n)))
       FROM generate_series(1, ${count}) AS n))`,
  );
  await pool.query('VACUUM ANALYZE');
  await pool.query('CHECKPOINT');
  const { all, done } = counter(count);
  const elapsed = stopwatch();
  const runner = await run({
    preset: {
      worker: {
        connectionString: url,
        concurrentJobs: CLIENTS,
        maxPoolSize: CLIENTS,
        localQueue: { size: 500 },
        completeJobBatchDelay: 0,
        failJobBatchDelay: 0,
        pollInterval: 2000,
      },
    },
    noHandleSignals: true,
    taskList: {
      act: async () => {
        await work();
        done();
      },
    },
  });
  await all;
  // Their completion is written in batches, after the last job ran.
  await runner.stop();
  return elapsed();
}

async function pgBoss(pool, url, count, work) {
  const { PgBoss } = await import('pg-boss');
  const boss = new PgBoss({ connectionString: url, max: CLIENTS });
  boss.on('error', (error) => {
    throw error;
  });
  await boss.start();
  await boss.createQueue('act');
  for (let i = 0; i < count; i += 1000) {
    const jobs = Array.from({ length: Math.min(1000, count - i) }, (_, n) => ({
      data: { n: i + n },
    }));
    await boss.insert('act', jobs);
  }
  await pool.query('VACUUM ANALYZE');
  await pool.query('CHECKPOINT');
  const elapsed = stopwatch();
  const workers = Array.from({ length: 2 }, async () => {
    while (true) {
      const jobs = await boss.fetch('act', { batchSize: 500 });
      if (jobs.length === 0) return;
      await Promise.all(jobs.map(work));
      await boss.complete(
        'act',
        jobs.map((job) => job.id),
      );
    }
  });
  await Promise.all(workers);
  const seconds = elapsed();
  await boss.stop({ graceful: false });
  return seconds;
}

const [queue, url, countText, audited] = process.argv.slice(2);
const drains = { 'graphile-worker': graphileWorker, 'pg-boss': pgBoss };
const count = Number(countText);
if (!(queue in drains) || !url || !(count > 0)) {
  console.error(
    'usage: node bench/peers/queues.mjs graphile-worker|pg-boss URL COUNT ' +
      '[audited]',
  );
  process.exit(2);
}
const pool = new pg.Pool({ connectionString: url, max: CLIENTS });
const work =
  audited === 'audited' ? () => pool.query(WRITE_ENTRIES) : async () => {};
const seconds = await drains[queue](pool, url, count, work);
await pool.end();
console.log(Math.round(count / seconds));
