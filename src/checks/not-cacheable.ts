import { effectsOf } from '../formula/effects.ts';
import type { ResolvedStep } from '../formula/resolve.ts';
import type { Span } from '../diagnostics/diagnostic.ts';
import type { Check } from './check.ts';

export const notCacheable: Check = {
  rule: 'not-cacheable',
  summary: 'A step with `cache` does nothing but change files, and needs no secret for it.',

  *run(subject) {
    for (const step of subject.steps) {
      const { cache } = step.body;
      if (!cache || step.body.action?.kind !== 'run') continue;
      const reason = reasonAgainst(step);
      if (!reason) continue;
      yield {
        span:
          step.step.body.keys.get('cache') ??
          (cache.span.file === subject.file ? cache.span : step.step.id.span),
        message: `the result of step "${step.step.id.value}" cannot be put in its place: ${reason.why}`,
        help: reason.help,
        ...(reason.span && { related: [{ message: 'it says so here', span: reason.span }] }),
      };
    }
  },
};

interface Reason {
  readonly why: string;
  readonly help: string;
  readonly span?: Span | undefined;
}

function reasonAgainst({ body }: ResolvedStep): Reason | undefined {
  if (body.once?.value) {
    return {
      why: '`once` is for what has to happen, and happen once',
      help: 'keep one of `once` and `cache`',
      span: body.once.span,
    };
  }
  const [secret] = body.secrets;
  if (secret) {
    return {
      why: `it is given the secret ${secret.secret.value}, and what that brought about is not to be kept`,
      help: 'take `cache` away, or do what needs the secret in a step of its own',
      span: secret.name.span,
    };
  }
  if (effectsOf(body).includes('external')) {
    return {
      why: 'it acts outside of the workspace, and that would not happen again',
      help: 'take `cache` away; or `external`, if all that it does is read',
      span: body.effects?.span,
    };
  }
  return undefined;
}
