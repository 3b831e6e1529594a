// Times other evaluators and ours on one workload after another, in turns, by
// processor time, and prints ratios. See bench/peers/run, which prepares what this reads:
//
//   node run.mjs [--json] SGL FOLDER...
//
// Each FOLDER has policy.sgl, requests.jsonl, rules.json, and decisions.jsonl,
// as `sgl eval` gave them: a peer that decides any request otherwise ends the
// run. Its name is the workload's: `scaled-10000`.

import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';

import {EVALUATORS} from './evaluators.mjs';

// Turns that all evaluators take; medians are over them.
const TURNS = 5;
// One turn of one evaluator, and the time that its check may take.
const TURN_MS = 200;
const CHECK_MS = 3000;
const SEVERITIES = {BLOCK: 2, REVIEW: 1, ALLOW: 0};
const GUARDRAIL_CODES = ['ONLY_ATLAS_EXECUTES', 'REGULATED_ACTION',
                         'PHI_PRESENT', 'SPEND_THRESHOLD'];

function readLines(file) {
  return fs.readFileSync(file, 'utf8').trimEnd().split('\n').map(JSON.parse);
}

// Cents, exactly: the workloads' amounts have two decimals.
const cents = usd => Math.round(usd * 100);

function plainRequest({intent, agent}) {
  return {
    type: intent.type,
    actor: agent.name,
    spend: cents(intent.spend_usd),
    dataClass: intent.data_class,
    amount: cents(intent.payload.amount ?? 0),
    vendor: intent.payload.vendor ?? '',
  };
}

function readWorkload(folder) {
  const name = path.basename(folder);
  return {
    name,
    folder,
    kind: name.split('-')[0],
    rules: JSON.parse(fs.readFileSync(path.join(folder, 'rules.json'), 'utf8')),
    requests:
        readLines(path.join(folder, 'requests.jsonl')).map(plainRequest),
    decisions: readLines(path.join(folder, 'decisions.jsonl')),
  };
}

// The decision that the rules that applied give, as text: kind and rules.
function decisionOf(workload, applied) {
  let kind = 'ALLOW';
  const kindOf = i => workload.kind === 'guardrail' ?
      (i === 0 ? 'BLOCK' : 'REVIEW') :
      (workload.rules[i].is_block ? 'BLOCK' : 'REVIEW');
  for (const i of applied) {
    if (SEVERITIES[kindOf(i)] > SEVERITIES[kind]) kind = kindOf(i);
  }
  const rules = applied.filter(i => kindOf(i) === kind).sort((a, b) => a - b);
  return `${kind} ${rules}`;
}

function expectedDecision(workload, decision) {
  const rules = decision.reasons.map(
      ({code}) => workload.kind === 'guardrail' ?
          GUARDRAIL_CODES.indexOf(code) :
          +code.slice(1));
  return `${decision.decision} ${rules.sort((a, b) => a - b)}`;
}

// Returns how many requests were checked; ends the process where one differs.
async function check(workload, name, decide, inputs) {
  const end = performance.now() + CHECK_MS;
  let checked = 0;
  for (; checked < inputs.length && performance.now() < end; ++checked) {
    const got = decisionOf(workload, await decide(inputs[checked]));
    const want = expectedDecision(workload, workload.decisions[checked]);
    if (got !== want) {
      console.error(`${name} on ${workload.name}, line ${checked + 1}: ` +
                    `${got}, where sgl says ${want}`);
      process.exit(1);
    }
  }
  return checked;
}

// Processor time of this process, all its threads, in ms: waiting while others
// use the machine does not count.
function processorTime() {
  const {user, system} = process.cpuUsage();
  return (user + system) / 1000;
}

// Returns ns a decision, over one turn. Only what gives promises is waited for.
async function time(decide, inputs, state) {
  const begin = processorTime();
  let count = 0;
  let elapsed = 0;
  do {
    // More and more between looks at the clock, which cost as much as some
    // decisions.
    const stride = Math.max(1, Math.floor(count / 64));
    for (let i = 0; i < stride; ++i) {
      const result = decide(inputs[state.next++ % inputs.length]);
      if (result instanceof Promise) await result;
    }
    count += stride;
    elapsed = processorTime() - begin;
  } while (elapsed < TURN_MS);
  return elapsed * 1e6 / count;
}

const median = values => values.sort((a, b) => a - b)[values.length >> 1];

function benchOurs(sgl, folder) {
  return JSON.parse(execFileSync(sgl, [
    'bench', '--policy', path.join(folder, 'policy.sgl'), '--input',
    path.join(folder, 'requests.jsonl'), '--json',
  ], {encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit']}));
}

async function runWorkload(sgl, folder) {
  const workload = readWorkload(folder);
  const rows = [];
  for (const evaluator of EVALUATORS) {
    const begin = performance.now();
    const {adapt, decide} = await evaluator.prepare(workload);
    const prepared = performance.now() - begin;
    // What the evaluator wants to be called with is made before the clock
    // runs: the comparison is from parsed requests.
    const inputs = workload.requests.map(adapt);
    const checked = await check(workload, evaluator.name, decide, inputs);
    rows.push({name: evaluator.name, decide, inputs, checked, prepared,
               times: [], state: {next: 0}});
  }
  const ours = {parsed: [], json: []};
  for (let turn = 0; turn < TURNS; ++turn) {
    for (const row of rows) {
      row.times.push(await time(row.decide, row.inputs, row.state));
    }
    const measured = benchOurs(sgl, folder);
    ours.parsed.push(measured.ns_per_decision_parsed);
    ours.json.push(measured.ns_per_decision_json);
    ours.compile = measured.compile_ms;
  }
  return {
    workload: workload.name,
    ours: {parsed: median(ours.parsed), json: median(ours.json),
           compile_ms: ours.compile},
    peers: rows.map(row => ({name: row.name, ns: median(row.times),
                             checked: row.checked,
                             prepare_ms: row.prepared})),
  };
}

function shown(ns) {
  for (const [unit, size] of [['ms', 1e6], ['us', 1e3]]) {
    if (ns >= size) return `${(ns / size).toPrecision(3)} ${unit}`;
  }
  return `${ns.toPrecision(3)} ns`;
}

function printTable(result) {
  console.log(`### ${result.workload}\n`);
  console.log('| evaluator | a decision | ours/theirs | prepared in | ' +
              'decisions checked |');
  console.log('|---|---|---|---|---|');
  const {ours} = result;
  console.log(`| sgl, from parsed | ${shown(ours.parsed)} | 1 | ` +
              `${ours.compile_ms.toFixed(0)} ms | all |`);
  console.log(`| sgl, from JSON bytes | ${shown(ours.json)} | | | |`);
  for (const peer of result.peers) {
    console.log(`| ${peer.name} | ${shown(peer.ns)} | ` +
                `${(ours.parsed / peer.ns).toPrecision(2)} | ` +
                `${peer.prepare_ms.toFixed(0)} ms | ${peer.checked} |`);
  }
  console.log('');
}

async function main() {
  const args = process.argv.slice(2);
  const isJson = args[0] === '--json';
  if (isJson) args.shift();
  const [sgl, ...folders] = args;
  if (folders.length === 0) {
    console.error('usage: node run.mjs [--json] SGL FOLDER...');
    process.exit(2);
  }
  const results = [];
  for (const folder of folders) {
    results.push(await runWorkload(sgl, folder));
    if (!isJson) printTable(results.at(-1));
  }
  if (isJson) console.log(JSON.stringify(results, null, 1));
  process.exit(0);
}

await main();
