import { formulaName, usesOf } from '../../formula/names.ts';
import type { JsonValue } from '../../support/json.ts';
import type {
  PlanAction,
  PlanAgent,
  PlanBudget,
  PlanCheck,
  PlanModel,
  PlanStep,
  PlanTool,
  PlanWorkspace,
} from '../plan.ts';
import type { Difference } from './change.ts';
import { alike, difference, differencesByName } from './differences.ts';

/** How the two values of a key differ, and what that means. Both are plain JSON, undefined where there is none. */
type Describe<T> = (before: T | undefined, after: T | undefined) => readonly Difference[];

/** Keys of a step that are not compared by themselves: its place, what people see, and what is compared as order. */
type Apart = 'id' | 'title' | 'tags' | 'source' | 'needs';

type StepKeys = { readonly [K in Exclude<keyof PlanStep, Apart>]-?: Describe<NonNullable<PlanStep[K]>> };

/** For each key of a step what a difference in it means. A key that is missing here does not compile. */
export const STEP_KEYS: StepKeys = {
  action: describeAction,
  when: as('when'),
  forEach: as('for_each'),
  parallel: as('parallel', (before = 1, after = 1) =>
    after > before ? 'more of it may run at once' : undefined,
  ),
  join: (before, after) => {
    const weaker = successesNeeded(after) < successesNeeded(before);
    return difference(
      'join',
      json(before),
      json(after),
      weaker ? { grows: 'it succeeds although more of its items fail' } : {},
    );
  },
  repeat: as('repeat', (before, after) =>
    after && after.max > (before?.max ?? 1) ? 'it may go round more often' : undefined,
  ),
  inputs: (before, after) => differencesByName('inputs', before, after),
  with: (before, after) => differencesByName('with', before, after),
  env: (before, after) => differencesByName('env', before, after),
  secrets: (before, after) =>
    differencesByName('secrets', before, after, (_, __, secret) =>
      secret === undefined ? {} : { grows: `it is given the secret ${String(secret)}` },
    ),
  effects: describeEffects,
  tools: describeTools,
  outputs: (before, after) => differencesByName('outputs', before, after),
  verify: describeChecks,
  retry: as('retry', (before, after) =>
    (after?.attempts ?? 1) > (before?.attempts ?? 1) ? 'it may be tried more often' : undefined,
  ),
  timeout: as('timeout', (before, after) =>
    before !== undefined && (after === undefined || after > before) ? 'it may take longer' : undefined,
  ),
  budget: describeBudget,
  once: (before, after) =>
    difference('once', before, after, before === true ? { grows: 'it may run twice' } : {}),
  cache: describeCache,
  onFailure: (before, after) =>
    difference(
      'on_failure',
      before,
      after,
      after === 'continue' ? { grows: 'the run goes on when it fails' } : {},
    ),
  concurrency: (before, after) =>
    difference(
      'concurrency',
      json(before),
      json(after),
      before && !after ? { grows: 'it may run beside others of its group' } : {},
    ),
  workspace: describeWorkspace,
  target: as('target'),
  beside: (before, after) => differencesByName('beside', before, after),
};

/** What a step that was not there brings along. */
export function privilegesOf(step: PlanStep): readonly string[] {
  const secrets = Object.values(step.secrets ?? {}).map((secret) => `is given the secret ${secret}`);
  const external = step.effects?.includes('external') && secrets.length === 0;
  return [
    ...secrets,
    ...(step.action.kind === 'agent' ? [`asks the model ${modelName(step.action.model)}`] : []),
    ...(step.tools ?? []).map((tool) => `may use ${tool.server}/${tool.name}`),
    ...(external ? ['acts outside of the workspace (`effects: [external]`)'] : []),
    ...placeOf(step.workspace),
  ];
}

/** Of fewer files a change is noticed: what was recorded stands in the place of more that might have been done. */
function describeCache(before: PlanStep['cache'], after: PlanStep['cache']): readonly Difference[] {
  const fewer = after && (!before || before.files.some((glob) => !after.files.includes(glob)));
  return difference(
    'cache',
    json(before),
    json(after),
    fewer ? { grows: 'it is not done again when other files change' } : {},
  );
}

/** A command that does not say may change files; that it is given secrets is told by itself. */
function describeEffects(before: PlanStep['effects'], after: PlanStep['effects']): readonly Difference[] {
  const more = (after ?? ['files']).filter((effect) => !(before ?? ['files']).includes(effect));
  const says = { files: 'it may change files', external: 'it may act outside of the workspace' };
  return difference(
    'effects',
    json(before),
    json(after),
    more.length > 0 ? { grows: more.map((effect) => says[effect]).join(' and ') } : {},
  );
}

/** What it means to work in such a place, where it is not the usual clone. */
export function placeOf(workspace: PlanWorkspace | undefined): readonly string[] {
  if (workspace?.from === 'checkout') return ['works in the checkout itself'];
  return typeof workspace?.from === 'object' ? [`works on ${workspace.from.git}`] : [];
}

/** Of a list of unknown length: how many of its items have to succeed. A count that is only known later is the weakest. */
function successesNeeded(join: PlanStep['join']): number {
  if (join === undefined) return Infinity;
  if (join === 'any') return 1;
  return typeof join.quorum === 'number' ? join.quorum : 0;
}

function as<T extends JsonValue | object>(
  what: string,
  grows: (before: T | undefined, after: T | undefined) => string | undefined = () => undefined,
): Describe<T> {
  return (before, after) => {
    const why = grows(before, after);
    return difference(what, json(before), json(after), why === undefined ? {} : { grows: why });
  };
}

/** Parts of a plan are JSON by their nature. */
function json(value: unknown): JsonValue | undefined {
  return value as JsonValue | undefined;
}

function describeAction(
  before: PlanAction | undefined,
  after: PlanAction | undefined,
): readonly Difference[] {
  if (!before || !after || before.kind !== after.kind) {
    const grows = before?.kind === 'approve' ? 'nobody is asked any more' : undefined;
    return difference(
      after?.kind ?? before?.kind ?? 'action',
      json(before),
      json(after),
      grows === undefined ? {} : { grows },
    );
  }
  switch (after.kind) {
    case 'run':
      return describeRun(before as typeof after, after);
    case 'agent':
      return describeAgent(before as typeof after, after);
    case 'approve':
      return describeApprove(before as typeof after, after);
    case 'wait':
      return difference('wait', json(before), json(after));
    case 'group':
      return describeGroup(before as typeof after, after);
  }
}

function describeRun(
  before: Extract<PlanAction, { kind: 'run' }>,
  after: Extract<PlanAction, { kind: 'run' }>,
): readonly Difference[] {
  const { exit: exitBefore, parse: parseBefore, ...commandBefore } = before;
  const { exit, parse, ...command } = after;
  const accepted = (exit ?? [0]).filter((code) => !(exitBefore ?? [0]).includes(code));
  return [
    ...difference('run', json(commandBefore), json(command)),
    ...difference(
      'exit',
      json(exitBefore),
      json(exit),
      accepted.length > 0 ? { grows: `exit code ${accepted.join(', ')} is a success` } : {},
    ),
    ...difference('parse', parseBefore, parse),
  ];
}

function describeApprove(
  before: Extract<PlanAction, { kind: 'approve' }>,
  after: Extract<PlanAction, { kind: 'approve' }>,
): readonly Difference[] {
  const anybody = before.by !== undefined && after.by === undefined;
  return [
    ...difference('approve.ask', before.ask, after.ask),
    ...difference(
      'approve.show',
      json(before.show),
      json(after.show),
      (before.show ?? []).some((one) => !(after.show ?? []).includes(one))
        ? { grows: 'less is shown with the question' }
        : {},
    ),
    ...(anybody || before.by === undefined
      ? difference(
          'approve.by',
          json(before.by),
          json(after.by),
          anybody ? { grows: 'anybody may say yes' } : {},
        )
      : differencesByName(
          'approve.by',
          json(before.by) as Record<string, JsonValue>,
          json(after.by) as Record<string, JsonValue>,
          (_, old, young) => {
            const more = ((young ?? []) as string[]).filter(
              (member) => !((old ?? []) as string[]).includes(member),
            );
            return more.length > 0 ? { grows: `${more.join(', ')} may say yes` } : {};
          },
        )),
    ...difference(
      'approve.count',
      before.count,
      after.count,
      after.count < before.count
        ? { grows: `${after.count} instead of ${before.count} have to say yes` }
        : {},
    ),
  ];
}

/** Of a used formula what stands around its steps, which are compared by themselves. */
function describeGroup(
  before: Extract<PlanAction, { kind: 'group' }>,
  after: Extract<PlanAction, { kind: 'group' }>,
): readonly Difference[] {
  return [
    ...difference('uses', usesOf(formulaName(before.formula)), usesOf(formulaName(after.formula))),
    ...differencesByName('outputs', before.outputs, after.outputs),
    ...describeBudget(before.budget, after.budget),
    ...STEP_KEYS.concurrency(before.concurrency, after.concurrency),
  ];
}

/** What may be spent. */
export function describeBudget(
  before: PlanBudget | undefined,
  after: PlanBudget | undefined,
): readonly Difference[] {
  return (['minutes', 'tokens', 'usd'] as const).flatMap((name) => {
    const [old, young] = [before?.[name], after?.[name]];
    const more = old !== undefined && (young === undefined || young > old);
    return difference(`budget.${name}`, old, young, more ? { grows: 'more may be spent' } : {});
  });
}

/** A model is another one when its id is: what formulas call it is of no account. */
function describeModel(what: string, before: PlanModel, after: PlanModel): readonly Difference[] {
  const other = before.id !== after.id;
  return [
    ...difference(
      what,
      modelName(before),
      modelName(after),
      other ? { grows: 'another model does the work' } : {},
    ),
    ...difference(`${what}.effort`, before.effort, after.effort),
    ...difference(`${what}.price`, json(before.price), json(after.price)),
  ];
}

function modelName({ role, id }: PlanModel): string {
  return `${role} (${id})`;
}

function describeAgent(before: PlanAgent, after: PlanAgent): readonly Difference[] {
  const more = (name: 'maxTurns' | 'maxOutputTokens' | 'contextTokens', why: string) => {
    const [old, young] = [before[name], after[name]];
    return old !== undefined && (young === undefined || young > old) ? { grows: why } : {};
  };
  return [
    ...describeModel('agent.model', before.model, after.model),
    ...difference('agent.system', before.system, after.system),
    ...difference('agent.prompt', before.prompt, after.prompt),
    ...difference(
      'agent.max_turns',
      before.maxTurns,
      after.maxTurns,
      more('maxTurns', 'it may be asked more often'),
    ),
    ...difference(
      'agent.max_output_tokens',
      before.maxOutputTokens,
      after.maxOutputTokens,
      more('maxOutputTokens', 'it may write more'),
    ),
    ...difference(
      'agent.context_tokens',
      before.contextTokens,
      after.contextTokens,
      more('contextTokens', 'it may be given more'),
    ),
  ];
}

/** What an agent may use, and what the servers say of it. */
function describeTools(
  before: readonly PlanTool[] | undefined,
  after: readonly PlanTool[] | undefined,
): readonly Difference[] {
  const byName = (tools: readonly PlanTool[] | undefined) =>
    Object.fromEntries(
      (tools ?? []).map(({ server, name, ...rest }) => [`${server}/${name}`, json(rest) as JsonValue]),
    );
  return differencesByName('tools', byName(before), byName(after), (name, old, young) => {
    if (young === undefined) return {};
    return {
      grows: old === undefined ? `it may use ${name}` : `what ${name} says or does is not what was reviewed`,
    };
  });
}

/** Where something works, what is prepared there and what runs beside it. */
export function describeWorkspace(
  before: PlanWorkspace | undefined,
  after: PlanWorkspace | undefined,
): readonly Difference[] {
  const { from, prepare, services, ...rest } = after ?? ({} as Partial<PlanWorkspace>);
  const {
    from: fromBefore,
    prepare: prepareBefore,
    services: servicesBefore,
    ...restBefore
  } = before ?? ({} as Partial<PlanWorkspace>);
  const grows =
    from === 'checkout' && fromBefore !== 'checkout'
      ? 'it works in the checkout itself'
      : typeof from === 'object' && !alike(json(fromBefore), json(from))
        ? `it works on ${from.git}`
        : undefined;
  const byId = (list: PlanWorkspace['services']) =>
    Object.fromEntries((list ?? []).map(({ id, ...service }) => [id, json(service) as JsonValue]));
  return [
    ...difference('workspace.from', json(fromBefore), json(from), grows === undefined ? {} : { grows }),
    ...difference('workspace.prepare', json(prepareBefore), json(prepare)),
    ...differencesByName('workspace.services', byId(servicesBefore), byId(services)),
    ...orderOnly('workspace.services', servicesBefore, services),
    ...difference('workspace', json(restBefore), json(rest)),
  ];
}

/** The same services in another order are started in another order. */
function orderOnly(
  what: string,
  before: PlanWorkspace['services'],
  after: PlanWorkspace['services'],
): readonly Difference[] {
  const ids = (list: PlanWorkspace['services']) => (list ?? []).map(({ id }) => id);
  const [old, young] = [ids(before), ids(after)];
  return alike(old, young) || !alike([...old].sort(), [...young].sort())
    ? []
    : [{ kind: 'moved', what, before: old, after: young }];
}

/** Checks have no names: those that are the same on both sides are, and the others go in pairs of a kind, in order. */
function describeChecks(
  before: readonly PlanCheck[] | undefined,
  after: readonly PlanCheck[] | undefined,
): readonly Difference[] {
  const left = [...written(before)];
  const fresh: PlanCheck[] = [];
  for (const check of written(after)) {
    const same = left.findIndex((other) => alike(json(other), json(check)));
    if (same < 0) fresh.push(check);
    else left.splice(same, 1);
  }
  if (left.length === 0 && fresh.length === 0)
    return alike(json(before), json(after))
      ? []
      : [{ kind: 'moved', what: 'verify', before: json(before) ?? [], after: json(after) ?? [] }];
  const found: Difference[] = [];
  for (const check of left) {
    const at = fresh.findIndex((other) => other.kind === check.kind);
    const other = at < 0 ? undefined : fresh.splice(at, 1)[0];
    const grows = other ? loosened(check, other) : 'it is not checked any more';
    found.push(
      ...difference(`verify.${check.kind}`, json(check), json(other), grows === undefined ? {} : { grows }),
    );
  }
  return [...found, ...fresh.flatMap((check) => difference(`verify.${check.kind}`, undefined, json(check)))];
}

/** Without what follows from `effects`, which is told by itself. */
function written(checks: readonly PlanCheck[] | undefined): readonly PlanCheck[] {
  return (checks ?? []).filter((check) => !(check.kind === 'changes' && check.implied));
}

/** What a changed check lets through that it did not let through before, as far as that can be told without running it. */
function loosened(before: PlanCheck, after: PlanCheck): string | undefined {
  if (before.kind === 'run' && after.kind === 'run') {
    const files = (before.files ?? []).filter((file) => !(after.files ?? []).includes(file));
    if (before.from === 'base' && (after.from !== 'base' || files.length > 0))
      return 'the step may change what judges it';
    return alike(json(before.run), json(after.run)) ? undefined : 'something else judges it';
  }
  if (before.kind === 'check' && after.kind === 'check') return 'something else judges it';
  if (before.kind === 'judge' && after.kind === 'judge') return 'something else judges it';
  if (before.kind !== 'changes' || after.kind !== 'changes') return undefined;
  const more = (old: number | undefined, young: number | undefined) =>
    old !== undefined && (young === undefined || young > old);
  const wider = before.only && (!after.only || after.only.some((glob) => !before.only?.includes(glob)));
  const unguarded = before.never?.some((glob) => !after.never?.includes(glob));
  return wider || unguarded || more(before.maxFiles, after.maxFiles) || more(before.maxLines, after.maxLines)
    ? 'more may be changed'
    : undefined;
}
