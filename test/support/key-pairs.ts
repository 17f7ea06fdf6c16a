import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { JsonObject, JsonValue } from '../../src/support/json.ts';
import { isJsonObject } from '../../src/support/json.ts';
import type { Files } from './memory-loader.ts';

/**
 * For every key of every schema two projects that differ only in that key. The one table of all keys: the tests of what
 * a key does read it. The keys come from walking the schemas, so that a new key without a pair is found.
 *
 * `behaviour`: the plans differ, and so do their digests. `people`: the plans differ in what people see, the digests
 * do not. `list`: only `wf list` differs. `refused`: one of the two is refused.
 */
export type Claim = 'behaviour' | 'people' | 'list' | 'refused';

export interface Pair {
  readonly claim: Claim;
  readonly a: Files;
  readonly b: Files;
}

/** Two formulas; `formulas/a.yaml` is the one that is compiled. */
function formula(claim: Claim, a: string, b: string, others: Files = {}): Pair {
  return { claim, a: { 'formulas/a.yaml': a, ...others }, b: { 'formulas/a.yaml': b, ...others } };
}

const twoSteps = (step: string) =>
  `formula: a\nsteps:\n  - {id: first, run: 'true', outputs: {list: {type: array}, n: {type: integer}}}\n  - {id: s, ${step}}\n`;

/** Two steps in flow style, without the id, after a step `first`. */
const step = (claim: Claim, a: string, b: string, others: Files = {}) =>
  formula(claim, twoSteps(a), twoSteps(b), others);

/** Keys that a step, a step of `finally` and a molecule share. */
const shared: Readonly<Record<string, readonly [Claim, string, string]>> = {
  title: ['people', 'run: ls, title: Look', 'run: ls, title: See'],
  tags: ['people', 'run: ls, tags: [x]', 'run: ls, tags: [y]'],
  run: ['behaviour', 'run: ls', 'run: pwd'],
  env: ['behaviour', 'run: ls, env: {A: x}', 'run: ls, env: {A: y}'],
  secrets: ['behaviour', 'run: ls, secrets: {A: X}', 'run: ls, secrets: {A: Y}'],
  effects: ['behaviour', 'run: ls, effects: []', 'run: ls'],
  exit: ['behaviour', 'run: ls, exit: [0, 1]', 'run: ls, exit: [0, 2]'],
  parse: ['behaviour', 'run: ls, parse: json', 'run: ls'],
  outputs: ['behaviour', 'run: ls, outputs: {x: {type: string}}', 'run: ls, outputs: {x: {type: integer}}'],
  verify: ['behaviour', 'run: ls, verify: [{run: test -f x}]', 'run: ls'],
  retry: ['behaviour', 'run: ls, retry: {attempts: 2}', 'run: ls'],
  timeout: ['behaviour', 'run: ls, timeout: 5s', 'run: ls, timeout: 6s'],
  budget: ['behaviour', 'run: ls, budget: {minutes: 1}', 'run: ls, budget: {minutes: 2}'],
  once: ['behaviour', 'run: ls, once: true', 'run: ls, once: false'],
  workspace: ['behaviour', 'run: ls, workspace: empty', 'run: ls, workspace: clone'],
};

/** Keys that a step and a step of `finally` share. */
const stepKeys: Readonly<Record<string, readonly [Claim, string, string]>> = {
  uses: ['behaviour', 'uses: m', 'uses: other'],
  with: ['behaviour', 'uses: m, with: {x: 1}', 'uses: m, with: {x: 2}'],
  when: ['behaviour', 'run: ls, when: inputs.x', "run: ls, when: '!inputs.x'"],
  for_each: ['behaviour', 'run: ls, for_each: [a]', 'run: ls, for_each: [b]'],
  parallel: ['behaviour', 'run: ls, for_each: [a, b], parallel: 2', 'run: ls, for_each: [a, b], parallel: 3'],
  join: ['behaviour', 'run: ls, for_each: [a], join: any', 'run: ls, for_each: [a], join: all'],
  repeat: ['behaviour', 'run: ls, repeat: {until: outputs.exit_code == 0, max: 2}', 'run: ls'],
  on_failure: ['behaviour', 'run: ls, on_failure: continue', 'run: ls, on_failure: handoff'],
  concurrency: ['behaviour', 'run: ls, concurrency: {group: g}', 'run: ls'],
};

const molecules: Files = {
  'molecules/m.yaml': "molecule: m\ninputs: {x: {type: integer, default: 0}}\nrun: 'echo {{inputs.x}}'\n",
  'molecules/other.yaml': 'molecule: other\nrun: pwd\n',
};

const inputX = 'inputs: {x: {type: boolean, default: true}}\n';

const inStep = (pair: readonly [Claim, string, string]): Pair =>
  formula(
    pair[0],
    `formula: a\n${inputX}steps:\n  - {id: first, run: ls, when: inputs.x}\n  - {id: s, ${pair[1]}}\n`,
    `formula: a\n${inputX}steps:\n  - {id: first, run: ls, when: inputs.x}\n  - {id: s, ${pair[2]}}\n`,
    molecules,
  );

const inFinally = (pair: readonly [Claim, string, string]): Pair =>
  formula(
    pair[0],
    `formula: a\n${inputX}steps:\n  - {id: first, run: ls, when: inputs.x}\nfinally:\n  - {id: s, ${pair[1]}}\n`,
    `formula: a\n${inputX}steps:\n  - {id: first, run: ls, when: inputs.x}\nfinally:\n  - {id: s, ${pair[2]}}\n`,
    molecules,
  );

const inMolecule = (pair: readonly [Claim, string, string]): Pair => ({
  claim: pair[0],
  a: {
    'formulas/a.yaml': 'formula: a\nsteps:\n  - {id: s, uses: m}\n',
    'molecules/m.yaml': `{molecule: m, ${pair[1]}}\n`,
  },
  b: {
    'formulas/a.yaml': 'formula: a\nsteps:\n  - {id: s, uses: m}\n',
    'molecules/m.yaml': `{molecule: m, ${pair[2]}}\n`,
  },
});

const prefixed = <T, U>(
  prefix: string,
  table: Readonly<Record<string, T>>,
  make: (value: T) => U,
): Record<string, U> =>
  Object.fromEntries(Object.entries(table).map(([key, value]) => [`${prefix}.${key}`, make(value)]));

const approve: readonly [Claim, string, string] = [
  'behaviour',
  'approve: {ask: Now?}',
  'approve: {ask: Sure?}',
];
const wait: readonly [Claim, string, string] = ['behaviour', 'wait: {for: 1s}', 'wait: {for: 2s}'];
const people: Files = { 'wf.yaml': 'people: {g: [ann], h: [bob]}\n' };
const service = (text: string) => `formula: a\nworkspace: {services: [${text}]}\nsteps: [{id: s, run: ls}]\n`;

const underPolicy = (strict: string, loose: string): Pair => ({
  claim: 'refused',
  a: {
    'formulas/a.yaml': 'formula: a\nsteps: [{id: s, run: ls, timeout: 5m, retry: {attempts: 2}}]\n',
    'wf.yaml': `policy: {${strict}}\n`,
  },
  b: {
    'formulas/a.yaml': 'formula: a\nsteps: [{id: s, run: ls, timeout: 5m, retry: {attempts: 2}}]\n',
    'wf.yaml': loose === '' ? 'env: [CI]\n' : `policy: {${loose}}\n`,
  },
});
/** A formula that extends `base`, written in flow style, beside its own name. */
const extending = (claim: Claim, a: string, b: string): Pair =>
  formula(claim, `{formula: a, ${a}}\n`, `{formula: a, ${b}}\n`, {
    'formulas/base.yaml':
      'formula: base\nsteps: [{id: s, run: ls}, {id: t, run: pwd}]\nfinally: [{id: u, run: ls}, {id: v, run: pwd}]\n',
  });
/** Two rules of an aspect, written in flow style, around a formula of two steps. */
const aspect = (a: string, b: string): Pair => {
  const steps =
    'formula: a\naspects: [x]\nsteps: [{id: s, run: ls, tags: [p]}, {id: t, run: pwd, secrets: {A: B}}, {id: w, wait: {for: 1s}}]\n';
  const file = (rule: string) => `aspect: x\nrules: [{${rule}}]\n`;
  return {
    claim: 'behaviour',
    a: { 'formulas/a.yaml': steps, 'formulas/x.yaml': file(a) },
    b: { 'formulas/a.yaml': steps, 'formulas/x.yaml': file(b) },
  };
};
const look = '[{id: look, run: date}]';
const elsewhere = (allowed: string): Files => ({
  'formulas/a.yaml':
    'formula: a\nworkspace: {from: {git: https://a.example.com/x}}\nsteps: [{id: s, run: ls}]\n',
  'wf.yaml': `policy: {allow: {repositories: ['${allowed}']}}\n`,
});

/** A project that imports one with some files, as `wf.yaml` and `wf.lock` say it. */
const importing = (entry: string, files: Files, locked: object, settings = ''): Files => {
  const commit = 'c'.repeat(40);
  const digest = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;
  const digests = Object.fromEntries(Object.entries(files).map(([path, text]) => [path, digest(text)]));
  const imports = { std: { git: 'g', ref: 'v1', ...locked, commit, files: digests } };
  return {
    'wf.yaml': `imports: {std: {${entry}}}\n${settings}`,
    'wf.lock': JSON.stringify({ lock: 1, imports }),
    'formulas/a.yaml': 'formula: a\nsteps: [{id: s, uses: std/m}]\n',
    ...Object.fromEntries(
      Object.entries(files).map(([path, text]) => [`.wf/imports/std@${commit.slice(0, 12)}/${path}`, text]),
    ),
  };
};
const imported: Files = {
  'molecules/m.yaml': 'molecule: m\nrun: ls\n',
  'wf.yaml': 'policy: {require: [budget]}\n',
};
/** What wf.yaml says of an import beside what wf.lock pins: only the same is used. */
const pinned = (a: string, b: string, locked: object = {}): Pair => ({
  claim: 'refused',
  a: importing(a, imported, locked),
  b: importing(b, imported, locked),
});

/** A step with a check that is to fail in a test of this name. */
const tested = (name: string): Files => ({
  'formulas/a.yaml': `formula: a\nsteps: [{id: s, run: ls, verify: [{run: test -e x, fails_on: ${name}}]}]\n`,
  'formulas/a.test.yaml': 'tests: [{name: fails, stubs: {s: {checks: fail}}, expect: {status: failed}}]\n',
});

const cached: readonly [Claim, string, string] = [
  'behaviour',
  'run: ls, cache: {files: [a]}',
  'run: ls, cache: {files: [b]}',
];

/** An agent, in flow style beside its prompt, in a project with models. */
const roles: Files = { 'wf.yaml': 'models: {small: {id: x}, large: {id: y}}\n' };
const agentOf = (a: string, b: string): Pair =>
  step(
    'behaviour',
    `agent: {model: small, prompt: Do it., ${a}}`,
    `agent: {model: small, prompt: Do it., ${b}}`,
    roles,
  );
const judgeOf = (a: string, b: string): Pair =>
  step(
    'behaviour',
    `run: ls, verify: [{judge: {model: small, rubric: Good?, pass: score > 1, ${a}}}]`,
    `run: ls, verify: [{judge: {model: small, rubric: Good?, pass: score > 1, ${b}}}]`,
    roles,
  );
/** What wf.yaml says of the model that a step asks. */
const modelOf = (a: string, b: string): Pair => ({
  claim: 'behaviour',
  a: { ...agentFormula, 'wf.yaml': `models: {small: {${a}}}\n` },
  b: { ...agentFormula, 'wf.yaml': `models: {small: {${b}}}\n` },
});
const agentFormula: Files = {
  'formulas/a.yaml':
    'formula: a\nsteps: [{id: s, agent: {model: small, prompt: Do it., context_tokens: 1000}}]\n',
};
/** A policy that refuses the agent, and one that does not. */
const agentUnder = (strict: string, loose: string): Pair => ({
  claim: 'refused',
  a: { ...agentFormula, 'wf.yaml': `models: {small: {id: claude-opus-5-5}}\npolicy: {${strict}}\n` },
  b: { ...agentFormula, 'wf.yaml': `models: {small: {id: claude-opus-5-5}}\npolicy: {${loose}}\n` },
});

export const PAIRS: Readonly<Record<string, Pair>> = {
  'project.imports': {
    claim: 'refused',
    a: importing('git: g, ref: v1', imported, {}),
    b: {
      ...importing('git: g, ref: v1', imported, {}),
      'wf.yaml': 'env: []\n',
      'wf.lock': '{"lock": 1, "imports": {}}',
    },
  },
  'import.git': pinned('git: g, ref: v1', 'git: h, ref: v1'),
  'import.ref': pinned('git: g, ref: v1', 'git: g, ref: v2'),
  'import.path': pinned('git: g, ref: v1, path: x', 'git: g, ref: v1', { path: 'x' }),
  'policy.from': {
    claim: 'refused',
    a: importing('git: g, ref: v1', imported, {}, 'policy: {from: std}\n'),
    b: importing('git: g, ref: v1', imported, {}, 'policy: {effects: [files]}\n'),
  },
  'project.policy': underPolicy('require: [budget]', ''),
  'policy.effects': underPolicy('effects: []', 'effects: [files]'),
  'policy.aspects': {
    claim: 'behaviour',
    a: {
      'wf.yaml': 'policy: {aspects: [x]}\n',
      'formulas/a.yaml': 'formula: a\nsteps: [{id: s, run: ls}]\n',
      'formulas/x.yaml': `aspect: x\nrules: [{match: {id: [s]}, before: ${look}}]\n`,
    },
    b: { 'formulas/a.yaml': 'formula: a\nsteps: [{id: s, run: ls}]\n' },
  },
  'aspect.aspect': {
    claim: 'refused',
    a: {
      'formulas/a.yaml': 'formula: a\naspects: [x]\nsteps: [{id: s, run: ls}]\n',
      'formulas/x.yaml': `aspect: x\nrules: [{match: {id: [s]}, before: ${look}}]\n`,
    },
    b: {
      'formulas/a.yaml': 'formula: a\naspects: [x]\nsteps: [{id: s, run: ls}]\n',
      'formulas/x.yaml': `aspect: y\nrules: [{match: {id: [s]}, before: ${look}}]\n`,
    },
  },
  'aspect.description': {
    claim: 'list',
    a: {
      'formulas/a.yaml': 'formula: a\nsteps: [{id: s, run: ls}]\n',
      'formulas/x.yaml': `aspect: x\ndescription: p\nrules: [{match: {id: [s]}, before: ${look}}]\n`,
    },
    b: {
      'formulas/a.yaml': 'formula: a\nsteps: [{id: s, run: ls}]\n',
      'formulas/x.yaml': `aspect: x\ndescription: q\nrules: [{match: {id: [s]}, before: ${look}}]\n`,
    },
  },
  'aspect.rules': aspect(`match: {id: [s]}, before: ${look}`, `match: {id: [t]}, before: ${look}`),
  'rule.match': aspect(`match: {id: [s]}, before: ${look}`, `match: {id: [t]}, before: ${look}`),
  'rule.before': aspect(`match: {id: [s]}, before: ${look}`, `match: {id: [s]}, after: ${look}`),
  'rule.after': aspect(`match: {id: [s]}, after: ${look}`, `match: {id: [s]}, after: [{id: look, run: pwd}]`),
  'match.tags': aspect(`match: {tags: [p]}, after: ${look}`, `match: {tags: [q, r]}, after: ${look}`),
  'match.effects': aspect(
    `match: {effects: [external]}, after: ${look}`,
    `match: {effects: [files]}, after: ${look}`,
  ),
  'match.action': aspect(`match: {action: [run]}, after: ${look}`, `match: {action: [wait]}, after: ${look}`),
  'match.id': aspect(`match: {id: ['*']}, after: ${look}`, `match: {id: [w]}, after: ${look}`),
  'formula.extends': extending('behaviour', 'extends: base', 'steps: [{id: s, run: ls}]'),
  'formula.remove': extending('behaviour', 'extends: base, remove: [t]', 'extends: base, remove: [s]'),
  'formula.aspects': formula(
    'behaviour',
    'formula: a\naspects: [x]\nsteps: [{id: s, run: ls}]\n',
    'formula: a\nsteps: [{id: s, run: ls}]\n',
    { 'formulas/x.yaml': `aspect: x\nrules: [{match: {id: [s]}, before: ${look}}]\n` },
  ),
  'step.before': extending(
    'behaviour',
    'extends: base, steps: [{id: n, before: s, run: ls}]',
    'extends: base, steps: [{id: n, before: t, run: ls}]',
  ),
  'step.after': extending(
    'behaviour',
    'extends: base, steps: [{id: n, after: s, run: ls}]',
    'extends: base, steps: [{id: n, after: t, run: ls}]',
  ),
  'finally.before': extending(
    'behaviour',
    'extends: base, finally: [{id: n, before: u, run: ls}]',
    'extends: base, finally: [{id: n, before: v, run: ls}]',
  ),
  'finally.after': extending(
    'behaviour',
    'extends: base, finally: [{id: n, after: u, run: ls}]',
    'extends: base, finally: [{id: n, after: v, run: ls}]',
  ),
  'policy.require': underPolicy('require: [verify]', 'max_bounds: {attempts: 9}'),
  'policy.max_bounds': underPolicy('max_bounds: {attempts: 1}', 'max_bounds: {attempts: 2}'),
  'max_bounds.minutes': underPolicy('max_bounds: {minutes: 59}', 'max_bounds: {minutes: 60}'),
  'max_bounds.attempts': underPolicy('max_bounds: {attempts: 1}', 'max_bounds: {attempts: 2}'),
  'policy.allow': {
    claim: 'refused',
    a: elsewhere('https://a.example.com/*'),
    b: elsewhere('https://b.example.com/*'),
  },
  'allow.repositories': {
    claim: 'refused',
    a: elsewhere('https://a.example.com/**'),
    b: elsewhere('https://a.example.com'),
  },
  'formula.formula': formula(
    'refused',
    'formula: a\nsteps: [{id: s, run: ls}]\n',
    'formula: b\nsteps: [{id: s, run: ls}]\n',
  ),
  'formula.description': formula(
    'people',
    'formula: a\ndescription: x\nsteps: [{id: s, run: ls}]\n',
    'formula: a\ndescription: y\nsteps: [{id: s, run: ls}]\n',
  ),
  'formula.tags': formula(
    'list',
    'formula: a\ntags: [x]\nsteps: [{id: s, run: ls}]\n',
    'formula: a\ntags: [y]\nsteps: [{id: s, run: ls}]\n',
  ),
  'formula.inputs': formula(
    'behaviour',
    "formula: a\ninputs: {x: {type: string}}\nsteps: [{id: s, run: 'echo {{inputs.x}}'}]\n",
    "formula: a\ninputs: {x: {type: integer}}\nsteps: [{id: s, run: 'echo {{inputs.x}}'}]\n",
  ),
  'formula.workspace': formula(
    'behaviour',
    'formula: a\nworkspace: empty\nsteps: [{id: s, run: ls}]\n',
    'formula: a\nworkspace: checkout\nsteps: [{id: s, run: ls}]\n',
  ),
  'formula.budget': formula(
    'behaviour',
    'formula: a\nbudget: {minutes: 1}\nsteps: [{id: s, run: ls}]\n',
    'formula: a\nbudget: {minutes: 2}\nsteps: [{id: s, run: ls}]\n',
  ),
  'formula.concurrency': formula(
    'behaviour',
    'formula: a\nconcurrency: {group: g}\nsteps: [{id: s, run: ls}]\n',
    'formula: a\nsteps: [{id: s, run: ls}]\n',
  ),
  'formula.steps': formula(
    'behaviour',
    'formula: a\nsteps: [{id: s, run: ls}]\n',
    'formula: a\nsteps: [{id: t, run: ls}]\n',
  ),
  'formula.finally': formula(
    'behaviour',
    'formula: a\nsteps: [{id: s, run: ls}]\nfinally: [{id: t, run: ls}]\n',
    'formula: a\nsteps: [{id: s, run: ls}]\n',
  ),
  'formula.outputs': formula(
    'behaviour',
    'formula: a\nsteps: [{id: s, run: ls}]\noutputs: {x: steps.s.outputs.stdout}\n',
    'formula: a\nsteps: [{id: s, run: ls}]\noutputs: {x: steps.s.outputs.stderr}\n',
  ),

  'step.id': formula(
    'behaviour',
    'formula: a\nsteps: [{id: s, run: ls}]\n',
    'formula: a\nsteps: [{id: t, run: ls}]\n',
  ),
  'step.needs': step('behaviour', 'run: ls, needs: []', 'run: ls'),
  'step.approve': inStep(approve),
  'step.wait': inStep(wait),
  ...prefixed('step', shared, inStep),
  ...prefixed('step', stepKeys, inStep),

  'finally.id': formula(
    'behaviour',
    'formula: a\nsteps: [{id: s, run: ls}]\nfinally: [{id: t, run: ls}]\n',
    'formula: a\nsteps: [{id: s, run: ls}]\nfinally: [{id: u, run: ls}]\n',
  ),
  'finally.agent': inFinally(['refused', 'agent: {model: small, prompt: x}', 'run: ls']),
  'finally.approve': inFinally(['refused', 'approve: {ask: Now?}', 'run: ls']),
  'finally.wait': inFinally(['refused', 'wait: {for: 1s}', 'run: ls']),
  'finally.needs': inFinally(['refused', 'run: ls, needs: []', 'run: ls']),
  'step.cache': inStep(cached),
  'molecule.cache': inMolecule(cached),
  'cache.files': inStep(cached),
  'check.fails_on': {
    claim: 'refused',
    a: tested('fails'),
    b: tested('is never fooled'),
  },
  ...prefixed('finally', shared, inFinally),
  ...prefixed('finally', stepKeys, inFinally),

  'molecule.molecule': {
    claim: 'refused',
    a: {
      'formulas/a.yaml': 'formula: a\nsteps: [{id: s, uses: m}]\n',
      'molecules/m.yaml': 'molecule: m\nrun: ls\n',
    },
    b: {
      'formulas/a.yaml': 'formula: a\nsteps: [{id: s, uses: m}]\n',
      'molecules/m.yaml': 'molecule: n\nrun: ls\n',
    },
  },
  'molecule.description': inMolecule(['list', 'run: ls, description: x', 'run: ls, description: y']),
  'molecule.inputs': inMolecule([
    'behaviour',
    "run: 'echo {{inputs.x}}', inputs: {x: {type: string, default: p}}",
    "run: 'echo {{inputs.x}}', inputs: {x: {type: string, default: q}}",
  ]),
  'molecule.approve': inMolecule(approve),
  'molecule.wait': inMolecule(wait),
  ...prefixed('molecule', shared, inMolecule),

  'join.quorum': inStep([
    'behaviour',
    'run: ls, for_each: [a, b], join: {quorum: 1}',
    'run: ls, for_each: [a, b], join: {quorum: 2}',
  ]),
  'repeat.until': inStep([
    'behaviour',
    'run: ls, repeat: {until: outputs.exit_code == 0, max: 2}',
    'run: ls, repeat: {until: outputs.exit_code == 1, max: 2}',
  ]),
  'repeat.max': inStep([
    'behaviour',
    'run: ls, repeat: {until: outputs.exit_code == 0, max: 2}',
    'run: ls, repeat: {until: outputs.exit_code == 0, max: 3}',
  ]),
  'repeat.or': inStep([
    'behaviour',
    'run: ls, repeat: {until: outputs.exit_code == 0, max: 2, or: keep}',
    'run: ls, repeat: {until: outputs.exit_code == 0, max: 2, or: fail}',
  ]),
  'command.program': step('behaviour', 'run: {program: sh, script: ls}', 'run: {program: bash, script: ls}'),
  'command.args': step(
    'behaviour',
    'run: {program: sh, args: [-e], script: ls}',
    'run: {program: sh, args: [-x], script: ls}',
  ),
  'command.script': step('behaviour', 'run: {program: sh, script: ls}', 'run: {program: sh, script: pwd}'),
  'approve.ask': step(...approve),
  'approve.show': step(
    'behaviour',
    'approve: {ask: Now?, show: [run.diff]}',
    'approve: {ask: Now?, show: [run.id]}',
  ),
  'approve.by': step('behaviour', 'approve: {ask: Now?, by: [g]}', 'approve: {ask: Now?, by: [h]}', people),
  'approve.count': step('behaviour', 'approve: {ask: Now?, count: 1}', 'approve: {ask: Now?, count: 2}'),
  'wait.for': step(...wait),
  'wait.until': step('behaviour', "wait: {until: '2026-12-01T09:00Z'}", "wait: {until: '2026-12-01T09:01Z'}"),
  'wait.event': step('behaviour', 'wait: {event: e}', 'wait: {event: f}'),
  'wait.match': step(
    'behaviour',
    'wait: {event: e, match: event.x == 1}',
    'wait: {event: e, match: event.x == 2}',
  ),
  'wait.pass': step(
    'behaviour',
    'wait: {event: e, pass: event.x == 1}',
    'wait: {event: e, pass: event.x == 2}',
  ),
  'check.run': step(
    'behaviour',
    'run: ls, verify: [{run: test -f x}]',
    'run: ls, verify: [{run: test -f y}]',
  ),
  'check.check': step(
    'behaviour',
    'run: ls, verify: [{check: outputs.exit_code == 0}]',
    'run: ls, verify: [{check: outputs.exit_code == 1}]',
  ),
  'check.changes': step(
    'behaviour',
    'run: ls, verify: [{changes: {max_files: 1}}]',
    'run: ls, verify: [{changes: {max_files: 2}}]',
  ),
  'check.wait': step(
    'behaviour',
    'run: ls, verify: [{wait: {event: e}}]',
    'run: ls, verify: [{wait: {event: f}}]',
  ),
  'check.from': step(
    'behaviour',
    'run: ls, verify: [{run: test -f x, from: base, files: [x]}]',
    'run: ls, verify: [{run: test -f x}]',
  ),
  'check.files': step(
    'behaviour',
    'run: ls, verify: [{run: test -f x, from: base, files: [x]}]',
    'run: ls, verify: [{run: test -f x, from: base, files: [y]}]',
  ),
  'check.timeout': step(
    'behaviour',
    'run: ls, verify: [{wait: {event: e}, timeout: 1s}]',
    'run: ls, verify: [{wait: {event: e}, timeout: 2s}]',
  ),
  'changes.only': step(
    'behaviour',
    'run: ls, verify: [{changes: {only: [x]}}]',
    'run: ls, verify: [{changes: {only: [y]}}]',
  ),
  'changes.never': step(
    'behaviour',
    'run: ls, verify: [{changes: {never: [x]}}]',
    'run: ls, verify: [{changes: {never: [y]}}]',
  ),
  'changes.max_files': step(
    'behaviour',
    'run: ls, verify: [{changes: {max_files: 1}}]',
    'run: ls, verify: [{changes: {max_files: 2}}]',
  ),
  'changes.max_lines': step(
    'behaviour',
    'run: ls, verify: [{changes: {max_lines: 1}}]',
    'run: ls, verify: [{changes: {max_lines: 2}}]',
  ),
  'retry.attempts': step('behaviour', 'run: ls, retry: {attempts: 2}', 'run: ls, retry: {attempts: 3}'),
  'retry.on': step(
    'behaviour',
    'run: ls, verify: [{run: make test}], retry: {attempts: 2, on: [error]}',
    'run: ls, verify: [{run: make test}], retry: {attempts: 2, on: [verify]}',
  ),
  'retry.backoff': step(
    'behaviour',
    'run: ls, retry: {attempts: 2, backoff: 1s}',
    'run: ls, retry: {attempts: 2, backoff: 2s}',
  ),
  'backoff.initial': step(
    'behaviour',
    'run: ls, retry: {attempts: 2, backoff: {initial: 1s}}',
    'run: ls, retry: {attempts: 2, backoff: {initial: 2s}}',
  ),
  'backoff.factor': step(
    'behaviour',
    'run: ls, retry: {attempts: 2, backoff: {initial: 1s, factor: 2}}',
    'run: ls, retry: {attempts: 2, backoff: {initial: 1s, factor: 3}}',
  ),
  'backoff.max': step(
    'behaviour',
    'run: ls, retry: {attempts: 2, backoff: {initial: 1s, max: 10s}}',
    'run: ls, retry: {attempts: 2, backoff: {initial: 1s, max: 20s}}',
  ),
  'retry.feedback': step(
    'behaviour',
    'run: ls, retry: {attempts: 2, feedback: true}',
    'run: ls, retry: {attempts: 2}',
  ),
  'step.agent': agentOf('max_turns: 1', 'max_turns: 2'),
  'molecule.agent': {
    claim: 'behaviour',
    a: {
      ...roles,
      'formulas/a.yaml': 'formula: a\nsteps: [{id: s, uses: m}]\n',
      'molecules/m.yaml': 'molecule: m\nagent: {model: small, prompt: Do it.}\n',
    },
    b: {
      ...roles,
      'formulas/a.yaml': 'formula: a\nsteps: [{id: s, uses: m}]\n',
      'molecules/m.yaml': 'molecule: m\nagent: {model: small, prompt: Do that.}\n',
    },
  },
  'agent.model': step(
    'behaviour',
    'agent: {model: small, prompt: x}',
    'agent: {model: large, prompt: x}',
    roles,
  ),
  'agent.prompt': step(
    'behaviour',
    'agent: {model: small, prompt: x}',
    'agent: {model: small, prompt: y}',
    roles,
  ),
  'agent.effort': agentOf('effort: low', 'effort: high'),
  'agent.system': agentOf('system: Be brief.', 'system: Be long.'),
  'agent.tools': agentOf('tools: [workspace/read]', 'tools: [workspace/list]'),
  'agent.max_turns': agentOf('max_turns: 3', 'max_turns: 4'),
  'agent.max_output_tokens': agentOf('max_output_tokens: 10', 'max_output_tokens: 20'),
  'agent.context_tokens': agentOf('context_tokens: 10', 'context_tokens: 20'),
  'check.judge': judgeOf('effort: low', 'effort: high'),
  'judge.model': step(
    'behaviour',
    'run: ls, verify: [{judge: {model: small, rubric: Good?, pass: score > 1}}]',
    'run: ls, verify: [{judge: {model: large, rubric: Good?, pass: score > 1}}]',
    roles,
  ),
  'judge.rubric': step(
    'behaviour',
    'run: ls, verify: [{judge: {model: small, rubric: Good?, pass: score > 1}}]',
    'run: ls, verify: [{judge: {model: small, rubric: Bad?, pass: score > 1}}]',
    roles,
  ),
  'judge.pass': step(
    'behaviour',
    'run: ls, verify: [{judge: {model: small, rubric: Good?, pass: score > 1}}]',
    'run: ls, verify: [{judge: {model: small, rubric: Good?, pass: score > 2}}]',
    roles,
  ),
  'judge.effort': judgeOf('effort: low', 'effort: high'),
  'judge.max_output_tokens': judgeOf('max_output_tokens: 10', 'max_output_tokens: 20'),
  'project.models': modelOf('id: x', 'id: y'),
  'profile.models': {
    claim: 'behaviour',
    a: {
      ...agentFormula,
      'wf.yaml': 'models: {small: {id: x}}\nprofiles: {p: {models: {small: {id: y}}}}\n',
    },
    b: {
      ...agentFormula,
      'wf.yaml': 'models: {small: {id: x}}\nprofiles: {p: {models: {small: {id: z}}}}\n',
    },
  },
  'model.id': modelOf('id: x', 'id: y'),
  'model.effort': modelOf('id: x, effort: low', 'id: x, effort: high'),
  'model.price': modelOf('id: x, price: {input: 1, output: 2}', 'id: x'),
  'price.input': modelOf('id: x, price: {input: 1, output: 2}', 'id: x, price: {input: 3, output: 2}'),
  'price.output': modelOf('id: x, price: {input: 1, output: 2}', 'id: x, price: {input: 1, output: 3}'),
  'price.cache_read': modelOf(
    'id: x, price: {input: 1, output: 2, cache_read: 1}',
    'id: x, price: {input: 1, output: 2, cache_read: 2}',
  ),
  'price.cache_write': modelOf(
    'id: x, price: {input: 1, output: 2, cache_write: 1}',
    'id: x, price: {input: 1, output: 2, cache_write: 2}',
  ),
  'allow.models': agentUnder('allow: {models: [large]}', 'allow: {models: [small]}'),
  'max_bounds.agent_turns': agentUnder('max_bounds: {agent_turns: 19}', 'max_bounds: {agent_turns: 20}'),
  'max_bounds.usd': agentUnder('max_bounds: {usd: 1}', 'max_bounds: {usd: 10}'),
  'budget.tokens': step('behaviour', 'run: ls, budget: {tokens: 1}', 'run: ls, budget: {tokens: 2}'),
  'budget.usd': step('behaviour', 'run: ls, budget: {usd: 1}', 'run: ls, budget: {usd: 2}'),
  'budget.minutes': inStep(shared['budget'] as readonly [Claim, string, string]),
  'concurrency.group': step(
    'behaviour',
    'run: ls, concurrency: {group: g}',
    'run: ls, concurrency: {group: h}',
  ),
  'concurrency.then': step(
    'behaviour',
    'run: ls, concurrency: {group: g, then: queue}',
    'run: ls, concurrency: {group: g, then: cancel}',
  ),
  'workspace.from': formula(
    'behaviour',
    'formula: a\nworkspace: {from: empty}\nsteps: [{id: s, run: ls}]\n',
    'formula: a\nworkspace: {from: checkout}\nsteps: [{id: s, run: ls}]\n',
  ),
  'workspace.prepare': formula(
    'behaviour',
    'formula: a\nworkspace: {prepare: {run: make, files: [x]}}\nsteps: [{id: s, run: ls}]\n',
    'formula: a\nsteps: [{id: s, run: ls}]\n',
  ),
  'workspace.services': formula(
    'behaviour',
    service('{id: db, run: db, ready: {port: 1}}'),
    'formula: a\nsteps: [{id: s, run: ls}]\n',
  ),
  'prepare.run': formula(
    'behaviour',
    'formula: a\nworkspace: {prepare: {run: make x, files: [x]}}\nsteps: [{id: s, run: ls}]\n',
    'formula: a\nworkspace: {prepare: {run: make y, files: [x]}}\nsteps: [{id: s, run: ls}]\n',
  ),
  'prepare.timeout': formula(
    'behaviour',
    'formula: a\nworkspace: {prepare: {run: make, files: [x], timeout: 5m}}\nsteps: [{id: s, run: ls}]\n',
    'formula: a\nworkspace: {prepare: {run: make, files: [x], timeout: 6m}}\nsteps: [{id: s, run: ls}]\n',
  ),
  'prepare.files': formula(
    'behaviour',
    'formula: a\nworkspace: {prepare: {run: make, files: [x]}}\nsteps: [{id: s, run: ls}]\n',
    'formula: a\nworkspace: {prepare: {run: make, files: [y]}}\nsteps: [{id: s, run: ls}]\n',
  ),
  'repository.git': formula(
    'behaviour',
    'formula: a\nworkspace: {git: x}\nsteps: [{id: s, run: ls}]\n',
    'formula: a\nworkspace: {git: y}\nsteps: [{id: s, run: ls}]\n',
  ),
  'repository.ref': formula(
    'behaviour',
    'formula: a\nworkspace: {git: x, ref: r}\nsteps: [{id: s, run: ls}]\n',
    'formula: a\nworkspace: {git: x, ref: s}\nsteps: [{id: s, run: ls}]\n',
  ),
  'service.id': formula(
    'behaviour',
    service('{id: db, run: db, ready: {port: 1}}'),
    service('{id: mq, run: db, ready: {port: 1}}'),
  ),
  'service.run': formula(
    'behaviour',
    service('{id: db, run: db, ready: {port: 1}}'),
    service('{id: db, run: mq, ready: {port: 1}}'),
  ),
  'service.ready': formula(
    'behaviour',
    service('{id: db, run: db, ready: {port: 1}}'),
    service('{id: db, run: db, ready: {log: up}}'),
  ),
  'service.env': formula(
    'behaviour',
    service('{id: db, run: db, ready: {port: 1}, env: {A: x}}'),
    service('{id: db, run: db, ready: {port: 1}, env: {A: y}}'),
  ),
  'ready.port': formula(
    'behaviour',
    service('{id: db, run: db, ready: {port: 1}}'),
    service('{id: db, run: db, ready: {port: 2}}'),
  ),
  'ready.log': formula(
    'behaviour',
    service('{id: db, run: db, ready: {log: up}}'),
    service('{id: db, run: db, ready: {log: on}}'),
  ),
  'ready.run': formula(
    'behaviour',
    service('{id: db, run: db, ready: {run: up}}'),
    service('{id: db, run: db, ready: {run: on}}'),
  ),

  'project.env': formula2('env: [CI]\n', 'env: [CD]\n'),
  'project.people': formula2('people: {g: [ann]}\n', 'people: {g: [bob]}\n'),
  'project.profiles': formula2(
    'people: {g: [ann]}\nprofiles: {p: {env: [CI]}}\n',
    'people: {g: [ann]}\nprofiles: {p: {env: [CD]}}\n',
  ),
  'profile.env': formula2(
    'people: {g: [ann]}\nprofiles: {p: {env: [CI]}}\n',
    'people: {g: [ann]}\nprofiles: {p: {env: [CD]}}\n',
  ),
  'profile.people': formula2(
    'people: {g: [x]}\nprofiles: {p: {people: {g: [ann]}}}\n',
    'people: {g: [x]}\nprofiles: {p: {people: {g: [bob]}}}\n',
  ),
};

/** Two projects that differ in wf.yaml. */
function formula2(a: string, b: string): Pair {
  const asks = 'formula: a\nsteps: [{id: s, approve: {ask: Now?, by: [g]}}]\n';
  const plain = 'formula: a\nsteps: [{id: s, run: ls}]\n';
  const text = a.includes('g:') ? asks : plain;
  return {
    claim: 'behaviour',
    a: { 'formulas/a.yaml': text, 'wf.yaml': a },
    b: { 'formulas/a.yaml': text, 'wf.yaml': b },
  };
}

/** A schema that authors write by, from its file. */
export function readSchema(name: string): JsonObject {
  return JSON.parse(readFileSync(new URL(`../../schemas/${name}`, import.meta.url), 'utf8')) as JsonObject;
}

/** `<map>.<key>` for each key that the schemas offer; a map is named by the key or definition it stands under. */
export function keysOfSchemas(
  read: (name: string) => JsonObject = readSchema,
  kinds: readonly (readonly [kind: string, file: string])[] = [
    ['formula', 'formula.schema.json'],
    ['aspect', 'aspect.schema.json'],
    ['molecule', 'molecule.schema.json'],
    ['project', 'project.schema.json'],
  ],
): readonly string[] {
  const documents: Record<string, JsonObject> = {};
  const load = (name: string) => (documents[name] ??= read(name));
  const keys = new Set<string>();
  const names: Readonly<Record<string, string>> = {
    finally_step: 'finally',
    from: 'workspace',
    check: 'check',
  };

  const walk = (schema: JsonValue | undefined, map: string, file: string): void => {
    if (!isJsonObject(schema)) return;
    if (typeof schema['$ref'] === 'string') {
      const [target = '', pointer = ''] = schema['$ref'].split('#');
      if (!target.startsWith('https:')) {
        const name = target === '' ? file : target;
        const definition = pointer.split('/').at(-1) ?? '';
        const [, , key] = pointer.split('/');
        const inner = (load(name)['$defs'] as JsonObject)[key ?? ''];
        if (!visited.has(`${name}#${definition}`)) {
          visited.add(`${name}#${definition}`);
          walk(inner, names[definition] ?? definition, name);
        }
      }
    }
    for (const [key, value] of Object.entries((schema['properties'] ?? {}) as JsonObject)) {
      keys.add(`${map}.${key}`);
      walk(value, key === 'profiles' ? 'profile' : key, file);
    }
    for (const keyword of ['anyOf', 'oneOf', 'allOf']) {
      for (const option of (schema[keyword] ?? []) as readonly JsonValue[]) walk(option, map, file);
    }
    walk(schema['items'], map, file);
    if (!('propertyNames' in schema) || ['profile', 'imports', 'models'].includes(map))
      walk(schema['additionalProperties'], map, file);
  };
  const visited = new Set<string>();
  for (const [kind, file] of kinds) walk(load(file), kind, file);
  return [...keys].sort();
}
