import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import planSchema from '../../schemas/plan.schema.json' with { type: 'json' };
import { compileFormula } from '../../src/plan/compile.ts';
import type {
  Plan,
  PlanAction,
  PlanAgent,
  PlanBounds,
  PlanBash,
  PlanBudget,
  PlanCheck,
  PlanConcurrency,
  PlanGroup,
  PlanModel,
  PlanPrice,
  PlanRetry,
  PlanRun,
  PlanService,
  PlanSource,
  PlanStep,
  PlanTool,
  PlanWait,
  PlanWorkspace,
} from '../../src/plan/plan.ts';
import { compileSchema } from '../../src/schema/validate-value.ts';
import type { JsonObject, JsonSchema, JsonValue } from '../../src/support/json.ts';
import { openProject } from '../../src/workspace/project-loader.ts';
import { PAIRS } from '../support/key-pairs.ts';
import { memoryLoader } from '../support/memory-loader.ts';
import { proof, proving } from '../support/proof.ts';

const problems = compileSchema(planSchema as unknown as JsonSchema, 'plan');

/** Every key of a type, and whether it has to be there. The compiler holds this to `plan.ts`. */
type Keys<T> = { readonly [K in keyof T]-?: object extends Pick<T, K> ? false : true };
type Of<T, K extends PropertyKey> = Extract<T, Readonly<Record<K, unknown>>>;
type Kind<T, K extends string> = Extract<T, { readonly kind: K }>;
type Repository = Extract<PlanWorkspace['from'], object>;
type Unbounded = NonNullable<NonNullable<PlanBounds['unbounded']>['minutes']>;
type Quorum = Extract<PlanStep['join'], object>;

const plan: Keys<Plan> = {
  plan: true,
  schema: true,
  compiler: true,
  formula: true,
  description: false,
  profile: false,
  inputs: true,
  outputs: false,
  env: false,
  workspace: true,
  budget: false,
  concurrency: false,
  steps: true,
  finally: false,
  bounds: false,
};
const step: Keys<PlanStep> = {
  id: true,
  title: false,
  tags: false,
  needs: true,
  action: true,
  when: false,
  forEach: false,
  parallel: false,
  join: false,
  repeat: false,
  inputs: false,
  with: false,
  env: false,
  secrets: false,
  effects: false,
  tools: false,
  target: false,
  beside: false,
  outputs: false,
  verify: false,
  retry: false,
  timeout: false,
  budget: false,
  once: false,
  cache: false,
  onFailure: false,
  concurrency: false,
  workspace: false,
  source: true,
};
const end = { kind: true, exit: false, parse: false } as const;
const definitions = {
  step,
  source: { file: true, line: true, column: true } satisfies Keys<PlanSource>,
  quorum: { quorum: true } satisfies Keys<Quorum>,
  bash: { ...end, bash: true, values: false } satisfies Keys<Of<PlanRun, 'bash'>>,
  value: { name: true, value: true, words: false } satisfies Keys<NonNullable<PlanBash['values']>[number]>,
  argv: { ...end, argv: true } satisfies Keys<Of<PlanRun, 'argv'>>,
  program: { ...end, program: true, args: false, script: true } satisfies Keys<Of<PlanRun, 'program'>>,
  approve: { kind: true, ask: true, show: false, by: false, count: true } satisfies Keys<
    Kind<PlanAction, 'approve'>
  >,
  wait_for: { kind: true, for: true } satisfies Keys<Of<PlanWait, 'for'>>,
  wait_until: { kind: true, until: true } satisfies Keys<Of<PlanWait, 'until'>>,
  wait_event: { kind: true, event: true, match: false, pass: false } satisfies Keys<Of<PlanWait, 'event'>>,
  group: {
    kind: true,
    formula: true,
    steps: true,
    finally: false,
    outputs: false,
    budget: false,
    concurrency: false,
  } satisfies Keys<PlanGroup>,
  check_run: { kind: true, run: true, from: false, files: false } satisfies Keys<Kind<PlanCheck, 'run'>>,
  check_expression: { kind: true, check: true } satisfies Keys<Kind<PlanCheck, 'check'>>,
  check_changes: {
    kind: true,
    only: false,
    never: false,
    maxFiles: false,
    maxLines: false,
    implied: false,
  } satisfies Keys<Kind<PlanCheck, 'changes'>>,
  check_wait: { kind: true, wait: true, timeout: false } satisfies Keys<Kind<PlanCheck, 'wait'>>,
  agent: {
    kind: true,
    model: true,
    system: false,
    prompt: true,
    maxTurns: true,
    maxOutputTokens: true,
    contextTokens: false,
  } satisfies Keys<PlanAgent>,
  model: { role: true, id: true, effort: false, price: false } satisfies Keys<PlanModel>,
  price: {
    input: true,
    output: true,
    cacheRead: true,
    cacheWrite: true,
    above: false,
  } satisfies Keys<PlanPrice>,
  price_above: {
    tokens: true,
    input: true,
    output: true,
    cacheRead: true,
    cacheWrite: true,
  } satisfies Keys<NonNullable<PlanPrice['above']>>,
  tool: { server: true, name: true, digest: true, effects: true } satisfies Keys<PlanTool>,
  check_judge: {
    kind: true,
    model: true,
    rubric: true,
    pass: true,
    maxOutputTokens: true,
  } satisfies Keys<Kind<PlanCheck, 'judge'>>,
  retry: { attempts: true, on: true, backoff: false, feedback: false } satisfies Keys<PlanRetry>,
  bounds: {
    agentTurns: true,
    usd: true,
    minutes: true,
    attempts: true,
    unbounded: false,
  } satisfies Keys<PlanBounds>,
  unbounded: { step: true, why: true } satisfies Keys<Unbounded>,
  budget: { minutes: false, tokens: false, usd: false } satisfies Keys<PlanBudget>,
  concurrency: { group: true, then: true } satisfies Keys<PlanConcurrency>,
  workspace: { from: true, prepare: false, services: false } satisfies Keys<PlanWorkspace>,
  repository: { git: true, ref: false } satisfies Keys<Repository>,
  service: { id: true, run: true, ready: true, env: false } satisfies Keys<PlanService>,
  ready_port: { port: true } satisfies Keys<Of<PlanService['ready'], 'port'>>,
  ready_log: { log: true } satisfies Keys<Of<PlanService['ready'], 'log'>>,
  ready_run: { run: true } satisfies Keys<Of<PlanService['ready'], 'run'>>,
};
/** Each may be there, and one is. */
const byBound = { minutes: false, attempts: false, usd: false, agentTurns: false };
const unnamed = {
  repeat: { until: true, max: true, or: true } satisfies Keys<NonNullable<PlanStep['repeat']>>,
  prepare: { run: true, files: true, timeout: false } satisfies Keys<NonNullable<PlanWorkspace['prepare']>>,
  backoff: { initial: true, factor: true, max: true } satisfies Keys<NonNullable<PlanRetry['backoff']>>,
};

/** Objects of a plan in which every key is ours, each with its keys. What is data, or is by name, is not among them. */
function* records(
  value: JsonValue | undefined,
  keys: Readonly<Record<string, boolean>>,
): Generator<{
  readonly record: Record<string, JsonValue>;
  readonly keys: Readonly<Record<string, boolean>>;
}> {
  const record = value as Record<string, JsonValue>;
  yield { record, keys };
  for (const [key, inner] of Object.entries(record)) {
    const items = Array.isArray(inner) ? (inner as readonly JsonValue[]) : [inner];
    for (const item of items) {
      const shape = shapeOf(key, item);
      if (shape) yield* records(item, shape);
    }
  }
}

function shapeOf(key: string, item: JsonValue): Readonly<Record<string, boolean>> | undefined {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return undefined;
  const one = item as JsonObject;
  const pick = (...names: readonly (keyof typeof definitions)[]) => {
    const name = names.find((each) => (each.split('_').at(-1) ?? '') in one);
    return name === undefined ? undefined : definitions[name];
  };
  switch (key) {
    case 'steps':
    case 'finally':
      return step;
    case 'action':
    case 'run':
    case 'wait':
      switch (one['kind']) {
        case 'run':
          return pick('bash', 'argv', 'program');
        case 'wait':
          return pick('wait_for', 'wait_until', 'wait_event');
        case 'agent':
          return definitions.agent;
        case 'approve':
          return definitions.approve;
        default:
          return definitions.group;
      }
    case 'verify':
      switch (one['kind']) {
        case 'run':
          return definitions.check_run;
        case 'check':
          return definitions.check_expression;
        case 'changes':
          return definitions.check_changes;
        case 'judge':
          return definitions.check_judge;
        default:
          return definitions.check_wait;
      }
    case 'bounds':
      return definitions.bounds;
    case 'unbounded':
      return byBound;
    case 'minutes':
    case 'attempts':
      return definitions.unbounded;
    case 'ready':
      return pick('ready_port', 'ready_log', 'ready_run');
    case 'values':
      return definitions.value;
    case 'services':
      return definitions.service;
    case 'from':
      return definitions.repository;
    case 'join':
      return definitions.quorum;
    case 'above':
      return definitions.price_above;
    case 'tools':
      return definitions.tool;
    case 'model':
    case 'price':
    case 'source':
    case 'retry':
    case 'budget':
    case 'concurrency':
    case 'workspace':
      return definitions[key];
    case 'repeat':
    case 'prepare':
    case 'backoff':
      return unnamed[key];
    default:
      return undefined;
  }
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const fixtures = readdirSync(`${root}test/plan`).filter((name) => name.endsWith('.plan.json'));

/** Plans of the fixtures, of everything that ships with wf, and of every key that changes behaviour. */
async function corpus(): Promise<readonly (readonly [string, JsonObject])[]> {
  const plans: (readonly [string, JsonObject])[] = fixtures.map((name) => [
    name,
    JSON.parse(readFileSync(`${root}test/plan/${name}`, 'utf8')) as JsonObject,
  ]);
  const add = (name: string, compiled: Plan | undefined) => {
    if (compiled) plans.push([name, JSON.parse(JSON.stringify(compiled)) as JsonObject]);
    return compiled !== undefined;
  };
  for (const folder of [
    '',
    ...readdirSync(`${root}examples`)
      .map((name) => `examples/${name}/`)
      .filter((name) => existsSync(`${root}${name}formulas`)),
  ]) {
    const names = readdirSync(`${root}${folder}formulas`).filter((name) => name.endsWith('.yaml'));
    for (const name of names) {
      const { plan } = await compileFormula(openProject(`${root}${folder}`), name.replace(/\.yaml$/, ''));
      expect(add(`${folder}${name}`, plan), `${folder}${name} compiles`).toBe(true);
    }
  }
  for (const [key, { a, b }] of Object.entries(PAIRS)) {
    for (const files of [a, b]) {
      const profile = files['wf.yaml']?.includes('profiles') ? { profile: 'p' } : {};
      add(key, (await compileFormula(memoryLoader(files), 'a', profile)).plan);
    }
  }
  return plans;
}
const plans = await corpus();

describe('the schema of plans', () => {
  it('has every key of `plan.ts`, and asks for those that are always there', () => {
    const told = (schema: JsonObject) => {
      const required = (schema['required'] ?? []) as readonly string[];
      expect(schema['additionalProperties']).toBe(false);
      return Object.fromEntries(
        Object.keys(schema['properties'] as JsonObject).map((key) => [key, required.includes(key)]),
      );
    };
    const schemas = planSchema.$defs as unknown as Readonly<Record<string, JsonObject>>;
    const strict = Object.entries(schemas).filter(
      ([, schema]) => 'properties' in schema && !('allOf' in schema),
    );
    expect(told(planSchema as unknown as JsonObject)).toEqual(plan);
    expect(Object.fromEntries(strict.map(([name, schema]) => [name, told(schema)]))).toEqual(definitions);
    const inner = (name: string, key: string) =>
      told((schemas[name]?.['properties'] as JsonObject)[key] as JsonObject);
    expect({
      repeat: inner('step', 'repeat'),
      prepare: inner('workspace', 'prepare'),
      backoff: inner('retry', 'backoff'),
    }).toEqual(unnamed);
  });

  it('takes every plan there is', () => {
    expect(plans.length).toBeGreaterThan(200);
    for (const [name, value] of plans) expect(problems(value), name).toEqual([]);
    // Together they have an object of every kind, so that each is changed below.
    const met = new Set(plans.flatMap(([, value]) => [...records(value, plan)].map(({ keys }) => keys)));
    const all = Object.entries({ ...definitions, ...unnamed });
    expect(all.filter(([, keys]) => !met.has(keys)).map(([name]) => name)).toEqual([]);
  });

  it('takes no plan that lacks a key, has one more, or has a value of another type', () => {
    const { numRuns, seed } = proof({ few: 400, many: 20_000 });
    const counts = { removed: 0, added: 0, retyped: 0 };
    const change = fc.record({
      plan: fc.nat(plans.length - 1),
      at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      key: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      how: fc.constantFrom('removed' as const, 'added' as const, 'retyped' as const),
      name: fc.constantFrom('x', 'Kind', 'note', '$comment', 'constructor', 'toString'),
      as: fc.constantFrom('null', 'flag', 'shape'),
    });
    fc.assert(
      fc.property(change, ({ plan: index, at, key, how, name, as }) => {
        const [label, value] = plans[index] as (typeof plans)[number];
        const copy = structuredClone(value);
        const all = [...records(copy, plan)];
        const { record, keys } = all[Math.floor(at * all.length)] as (typeof all)[number];
        const present = Object.keys(record).filter((one) => how !== 'removed' || keys[one] === true);
        const chosen = present[Math.floor(key * present.length)];
        if (how === 'added') record[name] = 1;
        else if (chosen === undefined) return;
        else if (how === 'removed') delete record[chosen];
        // A bound may be null: there is none.
        else record[chosen] = another(record[chosen] as JsonValue, chosen in byBound ? 'flag' : as);
        counts[how] += 1;
        expect(problems(copy), `${label}: ${chosen ?? name} ${how} ${JSON.stringify(record)}`).not.toEqual(
          [],
        );
      }),
      { numRuns, seed },
    );
    expect(Math.min(...Object.values(counts))).toBeGreaterThan(50);
    if (proving) console.log(`plans changed and refused: ${JSON.stringify(counts)}`);
  });
});

/** A value of a type that no key takes which had this one. */
function another(value: JsonValue, as: 'null' | 'flag' | 'shape' | (string & {})): JsonValue {
  if (as === 'null') return null;
  if (as === 'flag') return value === true ? 'yes' : true;
  return typeof value === 'object' && !Array.isArray(value) ? [] : {};
}
