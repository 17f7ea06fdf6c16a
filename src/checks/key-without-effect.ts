import type { ResolvedStep } from '../formula/resolve.ts';
import type { Check } from './check.ts';

export const keyWithoutEffect: Check = {
  rule: 'key-without-effect',
  summary: 'Every key of a step does something beside the others.',

  *run(subject) {
    for (const resolved of subject.steps) {
      const own = resolved.step.body.keys;
      for (const { key, why, help } of idleKeys(resolved)) {
        const span = own.get(key);
        if (span) yield { span, message: `\`${key}\` has no effect here: ${why}`, help };
      }
    }
    if (subject.kind !== 'formula') return;
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
  },
};

interface Idle {
  readonly key: string;
  readonly why: string;
  readonly help: string;
}

function* idleKeys({ step, group, molecule, body }: ResolvedStep): Generator<Idle> {
  const run = body.action?.kind === 'run';
  const known = run || body.action !== undefined || group !== undefined;
  if (!known) return;
  const what = group ? `formula "${group.formula.name.value}"` : `\`${body.action?.kind ?? 'run'}\``;
  if (!run) {
    for (const key of ['exit', 'parse', 'env', 'secrets']) {
      yield {
        key,
        why: group ? `${what} does not see it; only its inputs pass in` : `${what} runs no command`,
        help: group ? `give it to the steps of ${what}, or pass a value in \`with\`` : 'it belongs to `run`',
      };
    }
    yield {
      key: 'outputs',
      why: group ? `the outputs are those of ${what}` : `the outputs of ${what} are fixed`,
      help: group ? 'declare them in that formula' : 'leave it out; the language page lists them',
    };
  }
  if (body.action?.kind === 'approve' || body.action?.kind === 'wait') {
    for (const key of ['once', 'workspace']) {
      yield {
        key,
        why: `${what} does nothing that could be done twice or changes files`,
        help: 'take it away',
      };
    }
  }
  if (step.repeat && step.repeat.max === 1) {
    yield { key: 'repeat', why: '`max: 1` runs the step once', help: 'raise `max`, or leave `repeat` out' };
  }
  if (body.retry?.attempts === 1 && step.body.retry && !molecule) {
    yield {
      key: 'retry',
      why: '`attempts` counts the first one too, so 1 never tries again',
      help: 'say 2 or more',
    };
  }
}
