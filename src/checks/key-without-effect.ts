import type { Span } from '../diagnostics/diagnostic.ts';
import { constantOutcome } from '../formula/constant.ts';
import type { ResolvedBody, ResolvedStep } from '../formula/resolve.ts';
import { WORKSPACE_SERVER } from '../formula/workspace-tools.ts';
import type { Check, CheckFinding, Subject } from './check.ts';

export const keyWithoutEffect: Check = {
  rule: 'key-without-effect',
  summary: 'Every key of a step does something beside the others.',

  *run(subject) {
    for (const resolved of subject.steps) {
      // In a formula, what a molecule says is checked with the molecule.
      const own = subject.kind === 'molecule' ? resolved.body : resolved.step.body;
      for (const { key, part = key, place, why, help, severity } of idleKeys(resolved, subject)) {
        const span = own.keys.get(key);
        if (!span) continue;
        yield {
          span: place ?? span,
          message: `\`${part}\` has no effect here: ${why}`,
          help,
          ...(severity && { severity }),
        };
      }
    }
    if (subject.kind === 'formula') yield* idleWorkspaces(subject);
  },
};

interface Idle {
  readonly key: string;
  /** What in it is idle, when that is not the whole. */
  readonly part?: string;
  /** Something smaller than the key, when only a part of it is idle. */
  readonly place?: Span | undefined;
  readonly why: string;
  readonly help: string;
  readonly severity?: 'warning';
}

function* idleKeys(resolved: ResolvedStep, subject: Subject): Generator<Idle> {
  yield* beyondTheAction(resolved, subject);
  yield* besideTheAction(resolved);
  yield* ofRetry(resolved);
}

/** Keys of a step that are about its place in the formula. */
function* beyondTheAction({ step }: ResolvedStep, subject: Subject): Generator<Idle> {
  if (!step.forEach && !step.broken) {
    for (const key of ['parallel', 'join'])
      yield { key, why: 'there is no `for_each`', help: 'add `for_each`, or remove it' };
  }
  if (!step.uses && subject.kind !== 'molecule') {
    yield {
      key: 'with',
      why: 'the step uses nothing that takes arguments',
      help: 'add `uses`; a command gets values in `{{…}}` or `env`',
    };
  }
  if (step.place && (subject.kind !== 'formula' || subject.formula.extends.length === 0)) {
    yield {
      key: step.place.side,
      why: 'it says where a step goes in a formula that this one extends, and it extends none',
      help: `move the step there, or say \`needs\``,
    };
  }
  if (step.when && constantOutcome(step.when.tree) === true) {
    yield { key: 'when', why: 'it is always true', help: 'remove it', severity: 'warning' };
  }
  if (step.repeat?.max === 1) {
    yield { key: 'repeat', why: '`max: 1` runs the step once', help: 'raise `max`, or leave `repeat` out' };
  } else if (step.repeat && constantOutcome(step.repeat.until.tree) === true) {
    yield {
      key: 'repeat',
      place: step.repeat.until.span,
      why: '`until` is always true, so the step runs once',
      help: 'say what has to hold, or leave `repeat` out',
    };
  }
}

/** Keys that the step's kind of action does not look at. */
function* besideTheAction({ group, body }: ResolvedStep): Generator<Idle> {
  const { action } = body;
  if (!action && !group) return;
  const what = group ? `formula "${group.formula.name.value}"` : `\`${action?.kind ?? 'run'}\``;
  if (action?.kind === 'agent') yield* besideAnAgent(body);
  else if (action?.kind !== 'run') {
    for (const key of ['exit', 'parse', 'env', 'secrets', 'effects']) {
      yield {
        key,
        why: group ? `${what} does not see it; only its inputs pass in` : `${what} runs no command`,
        help: group ? `give it to the steps of ${what}, or pass a value in \`with\`` : 'it belongs to `run`',
      };
    }
    yield {
      key: 'cache',
      why: group ? `what is inside of ${what} is not recorded as one` : `${what} runs no command`,
      help: group ? `give it to the steps of ${what}` : 'remove it',
    };
    yield {
      key: 'outputs',
      why: group ? `the outputs are those of ${what}` : `the outputs of ${what} are fixed`,
      help: group
        ? 'declare them in that formula'
        : `remove it; ${what} puts out ${action?.kind === 'approve' ? '`decision`, `by` and `comment`' : '`event`, when it waits for one'}`,
    };
  }
  if (action?.kind === 'approve' || action?.kind === 'wait') {
    for (const key of ['once', 'workspace']) {
      yield {
        key,
        why: `${what} does nothing that could be done twice, and changes no files`,
        help: 'remove it',
      };
    }
  }
  if (
    action?.kind === 'wait' &&
    action.wait.kind === 'for' &&
    body.timeout &&
    body.timeout.value >= action.wait.for
  ) {
    yield { key: 'timeout', why: 'the wait ends before it', help: 'remove it' };
  }
  for (const { value } of action?.kind === 'run' ? body.env : []) {
    const secret = body.secrets.find(({ name }) => name.value === value.name.value);
    if (!secret) continue;
    yield {
      key: 'env',
      part: value.name.value,
      place: value.name.span,
      why: '`secrets` sets it too',
      help: 'keep one of the two',
    };
  }
}

/** Keys that say something of commands alone, or of what follows from the tools. */
function* besideAnAgent({ tools, outputs }: ResolvedBody): Generator<Idle> {
  const runs = tools.some(({ server, name }) => server === WORKSPACE_SERVER && name === 'run');
  for (const key of ['exit', 'parse'])
    yield { key, why: 'an agent is no command', help: 'remove it; its result is what it submits' };
  yield {
    key: 'effects',
    why: 'what an agent touches is what its tools do',
    help: 'give it other tools',
  };
  yield {
    key: 'cache',
    why: 'what a model answers is not the same each time',
    help: 'remove it; what can be kept can be a step of its own',
  };
  yield {
    key: 'once',
    why: 'a run goes on in the middle of its conversation, and makes no call twice',
    help: 'remove it',
  };
  if (!runs) {
    for (const key of ['env', 'secrets'])
      yield {
        key,
        why: 'only commands see it, and the agent can run none',
        help: 'give it `workspace/run`, or remove this',
      };
  }
  if (outputs?.declarations.length === 0)
    yield { key: 'outputs', why: 'it names none', help: 'name what the agent has to submit, or remove it' };
}

function* ofRetry({ group, body }: ResolvedStep): Generator<Idle> {
  const { retry } = body;
  if (!retry) return;
  const key = 'retry';
  if (retry.attempts === 1) {
    yield { key, why: '`attempts` counts the first one too, so 1 never tries again', help: 'say 2 or more' };
    return;
  }
  const { backoff, on, places } = retry;
  if (backoff && backoff.max < backoff.initial) {
    yield {
      key,
      part: 'backoff',
      place: places.get('backoff'),
      why: '`initial` is longer than `max`, so every pause is `max`',
      help: 'raise `max`, or write the one duration: `backoff: 10s`',
    };
  }
  if (group || !places.has('on')) return;
  const never = on.filter(
    (reason) => (reason === 'verify' && body.verify.length === 0) || (reason === 'timeout' && !body.timeout),
  );
  if (never.length < on.length) return;
  yield {
    key,
    part: 'on',
    place: places.get('on'),
    why: `there is no ${never.map((reason) => `\`${reason}\``).join(' and no ')} that could fail an attempt`,
    help: `add ${never.map((reason) => `\`${reason}\``).join(' or ')}, or retry on \`error\``,
  };
}

function* idleWorkspaces(subject: Extract<Subject, { kind: 'formula' }>): Generator<CheckFinding> {
  for (const { step, group } of subject.steps) {
    const inner = group?.formula.workspace;
    if (!inner || !(inner.prepare || inner.services.length > 0)) continue;
    yield {
      severity: 'warning',
      span: step.uses?.span ?? step.id.span,
      message: `formula "${group.formula.name.value}" prepares a workspace or starts services of its own, and as a step it works in the workspace of "${subject.formula.name.value}"`,
      help: `say the same \`prepare\` and \`services\` under \`workspace\` of "${subject.formula.name.value}", if its steps need them`,
      related: [{ message: 'its own workspace is described here', span: inner.span }],
    };
  }
}
