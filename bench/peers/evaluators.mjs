// The workloads on other evaluators, each as near to its documented use as the
// rules allow. A peer is {name, note, prepare(workload)}; prepare returns
// decide(request), which returns the numbers of the rules that apply, or a
// promise of them.
//
// A request is what bench/peers/run.mjs reads from a request line:
// {type, actor, spend, dataClass, amount, vendor}, amounts in cents.

import {createRequire} from 'node:module';

const require = createRequire(import.meta.url);

const REGULATED = ['GOV_FILING_IRS', 'BANK_TRANSFER', 'CRYPTO_TRADE_EXECUTE',
                   'CONTRACT_SIGN', 'PAYROLL_RUN', 'INSURANCE_CLAIM'];
const TAIL = '[A-Z][A-Z][0-9]';
const TAIL_REGEX = new RegExp(`^.{8}${TAIL}`);

const quoted = text => JSON.stringify(text);

// Rule conditions in CEL, where `type` is a function.
function celConditions(workload) {
  if (workload.kind === 'guardrail') {
    return ['actor != "ATLAS"', `intentType in ${JSON.stringify(REGULATED)}`,
            'dataClass == "PHI"', 'spend >= 25000'];
  }
  return workload.rules.map(
      rule => `intentType == ${quoted(rule.type)} && amount > ${
          rule.amount_cents} && ` +
          (rule.is_regex ?
               `vendor.matches("^${rule.vendor_prefix}${TAIL}")` :
               `vendor.startsWith(${quoted(rule.vendor_prefix)})`));
}

async function prepareCel(workload) {
  const {Environment} = await import('@marcbachmann/cel-js');
  const environment = new Environment();
  for (const name of ['intentType', 'actor', 'dataClass', 'vendor']) {
    environment.registerVariable(name, 'string');
  }
  for (const name of ['spend', 'amount']) {
    environment.registerVariable(name, 'int');
  }
  const programs =
      celConditions(workload).map(text => environment.parse(text));
  // CEL's ints are BigInts in JavaScript.
  return {
    adapt: ({type, ...rest}) => ({...rest, intentType: type,
                                  spend: BigInt(rest.spend),
                                  amount: BigInt(rest.amount)}),
    decide: context => {
      const applied = [];
      for (let i = 0; i < programs.length; ++i) {
        if (programs[i](context) === true) applied.push(i);
      }
      return applied;
    },
  };
}

// Cedar has no regexes: whether the tail fits is told in the context, at no
// cost to it.
function cedarConditions(workload) {
  if (workload.kind === 'guardrail') {
    return ['context.actor != "ATLAS"',
            `${JSON.stringify(REGULATED)}.contains(context.type)`,
            'context.dataClass == "PHI"', 'context.spend >= 25000'];
  }
  return workload.rules.map(
      rule => `context.type == ${quoted(rule.type)} && context.amount > ${
          rule.amount_cents} && context.vendor like "${rule.vendor_prefix}*"` +
          (rule.is_regex ? ' && context.tailFits' : ''));
}

async function prepareCedar(workload) {
  const cedar = require('@cedar-policy/cedar-wasm/nodejs');
  const policies = {};
  cedarConditions(workload).forEach((condition, i) => {
    policies[`r${i}`] =
        `forbid(principal, action, resource) when { ${condition} };`;
  });
  policies.otherwise = 'permit(principal, action, resource);';
  const parsed =
      cedar.preparsePolicySet('bench', {staticPolicies: policies});
  if (parsed.type !== 'success') throw new Error(JSON.stringify(parsed));
  return {
    adapt: request => ({
      principal: {type: 'Agent', id: request.actor},
      action: {type: 'Action', id: 'submit'},
      resource: {type: 'Intent', id: 'i'},
      context: {...request, tailFits: TAIL_REGEX.test(request.vendor)},
      preparsedPolicySetId: 'bench',
      validateRequest: false,
      entities: [],
    }),
    decide: call => {
      const answer = cedar.statefulIsAuthorized(call);
      if (answer.type !== 'success') throw new Error(JSON.stringify(answer));
      if (answer.response.decision === 'allow') return [];
      return answer.response.diagnostics.reason.map(id => +id.slice(1));
    },
  };
}

// One decision table that collects all rows that match.
async function prepareZen(workload) {
  const {ZenEngine} = require('@gorules/zen-engine');
  const inputs = workload.kind === 'guardrail' ?
      ['actor', 'type', 'dataClass', 'spend'] :
      ['type', 'amount', 'vendor'];
  const cells = workload.kind === 'guardrail' ?
      [
        {actor: '$ != "ATLAS"'}, {type: REGULATED.map(quoted).join(', ')},
        {dataClass: '"PHI"'}, {spend: '>= 25000'},
      ] :
      workload.rules.map(rule => ({
        type: quoted(rule.type),
        amount: `> ${rule.amount_cents}`,
        vendor: rule.is_regex ?
            `matches($, "^${rule.vendor_prefix}${TAIL}")` :
            `startsWith($, ${quoted(rule.vendor_prefix)})`,
      }));
  const decision = new ZenEngine().createDecision({
    nodes: [
      {id: 'in', name: 'in', type: 'inputNode'},
      {id: 'table', name: 'table', type: 'decisionTableNode', content: {
        hitPolicy: 'collect',
        inputs: inputs.map(field => ({id: field, name: field, field})),
        outputs: [{id: 'rule', name: 'rule', field: 'rule'}],
        rules: cells.map((cell, i) => ({
          _id: `r${i}`,
          ...Object.fromEntries(inputs.map(name => [name, cell[name] ?? ''])),
          rule: String(i),
        })),
      }},
      {id: 'out', name: 'out', type: 'outputNode'},
    ],
    edges: [
      {id: 'a', type: 'edge', sourceId: 'in', targetId: 'table'},
      {id: 'b', type: 'edge', sourceId: 'table', targetId: 'out'},
    ],
  });
  return {
    adapt: request => request,
    decide: async request => {
      const {result} = await decision.evaluate(request);
      return Array.isArray(result) ? result.map(row => row.rule) : [];
    },
  };
}

// Every policy line is matched by one expression; a function in it notes which
// did, since casbin names one line at most.
async function prepareCasbin(workload) {
  const {newEnforcer, newModel, MemoryAdapter} = require('casbin');
  const isGuardrail = workload.kind === 'guardrail';
  const fields = isGuardrail ? 'actor, type, dataClass, spend' :
                               'type, amount, vendor';
  const columns = isGuardrail ? 'rule, test' :
                                'rule, type, amount, vendor, regex';
  const matcher = isGuardrail ?
      'applies(p.test, r.actor, r.type, r.dataClass, r.spend) && ' +
          'note(p.rule)' :
      'r.type == p.type && above(r.amount, p.amount) && ' +
          'startsWith(r.vendor, p.vendor) && ' +
          'tailFits(p.regex, r.vendor) && note(p.rule)';
  const model = newModel(`
[request_definition]
r = ${fields}
[policy_definition]
p = ${columns}
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = ${matcher}
`);
  const lines = isGuardrail ?
      ['actor', 'type', 'dataClass', 'spend'].map((test, i) => [`${i}`, test]) :
      workload.rules.map((rule, i) => [`${i}`, rule.type,
                                       `${rule.amount_cents}`,
                                       rule.vendor_prefix,
                                       rule.is_regex ? 'yes' : 'no']);
  const enforcer = await newEnforcer(model);
  enforcer.enableLog(false);
  await enforcer.addPolicies(lines);
  let applied = [];
  // False, so that the effect asks for the next line too.
  enforcer.addFunction('note', rule => {
    applied.push(+rule);
    return false;
  });
  enforcer.addFunction('above', (amount, bound) => amount > +bound);
  enforcer.addFunction('startsWith', (text, start) => text.startsWith(start));
  enforcer.addFunction('tailFits', (regex, vendor) =>
    regex === 'no' || TAIL_REGEX.test(vendor));
  const regulated = new Set(REGULATED);
  const tests = {
    actor: actor => actor !== 'ATLAS',
    type: (actor, type) => regulated.has(type),
    dataClass: (actor, type, dataClass) => dataClass === 'PHI',
    spend: (actor, type, dataClass, spend) => spend >= 25000,
  };
  enforcer.addFunction('applies', (test, ...rest) => tests[test](...rest));
  return {
    adapt: request => isGuardrail ?
        [request.actor, request.type, request.dataClass, request.spend] :
        [request.type, request.amount, request.vendor],
    decide: values => {
      applied = [];
      enforcer.enforceSync(...values);
      return applied;
    },
  };
}

async function prepareJsonLogic(workload) {
  const {LogicEngine} = await import('json-logic-engine');
  const engine = new LogicEngine();
  engine.addMethod('startsWith', ([text, start]) => text.startsWith(start),
                   {deterministic: true, sync: true});
  const regexes = new Map();
  engine.addMethod('matches', ([text, pattern]) => {
    let regex = regexes.get(pattern);
    if (!regex) regexes.set(pattern, regex = new RegExp(pattern));
    return regex.test(text);
  }, {deterministic: true, sync: true});
  const variable = name => ({var: name});
  const conditions = workload.kind === 'guardrail' ?
      [
        {'!==': [variable('actor'), 'ATLAS']},
        {in: [variable('type'), REGULATED]},
        {'===': [variable('dataClass'), 'PHI']},
        {'>=': [variable('spend'), 25000]},
      ] :
      workload.rules.map(rule => ({and: [
        {'===': [variable('type'), rule.type]},
        {'>': [variable('amount'), rule.amount_cents]},
        rule.is_regex ?
            {matches: [variable('vendor'), `^${rule.vendor_prefix}${TAIL}`]} :
            {startsWith: [variable('vendor'), rule.vendor_prefix]},
      ]}));
  const programs = conditions.map(condition => engine.build(condition));
  return {
    adapt: request => request,
    decide: request => {
      const applied = [];
      for (let i = 0; i < programs.length; ++i) {
        if (programs[i](request)) applied.push(i);
      }
      return applied;
    },
  };
}

// No engine: what V8 makes of an index written by hand, for the measure of the
// others.
async function prepareJavaScript(workload) {
  const regulated = new Set(REGULATED);
  if (workload.kind === 'guardrail') {
    return {
      adapt: request => request,
      decide: request => {
        const applied = [];
        if (request.actor !== 'ATLAS') applied.push(0);
        if (regulated.has(request.type)) applied.push(1);
        if (request.dataClass === 'PHI') applied.push(2);
        if (request.spend >= 25000) applied.push(3);
        return applied;
      },
    };
  }
  const byPrefix = new Map();
  workload.rules.forEach(
      (rule, i) => byPrefix.set(rule.type + rule.vendor_prefix, {...rule, i}));
  return {
    adapt: request => request,
    decide: request => {
      const rule = byPrefix.get(request.type + request.vendor.slice(0, 8));
      if (rule === undefined || request.amount <= rule.amount_cents) return [];
      if (rule.is_regex && !TAIL_REGEX.test(request.vendor)) return [];
      return [rule.i];
    },
  };
}

export const EVALUATORS = [
  {name: 'JavaScript by hand', package: null, prepare: prepareJavaScript},
  {name: 'json-logic-engine', package: 'json-logic-engine',
   prepare: prepareJsonLogic},
  {name: 'cel-js', package: '@marcbachmann/cel-js', prepare: prepareCel},
  {name: 'zen-engine', package: '@gorules/zen-engine', prepare: prepareZen},
  {name: 'cedar-wasm', package: '@cedar-policy/cedar-wasm',
   prepare: prepareCedar},
  {name: 'casbin', package: 'casbin', prepare: prepareCasbin},
];
