import type { PlanCheck } from '../../plan/plan.ts';
import { JUDGE_CONTEXT_TOKENS } from '../../plan/limits.ts';
import { compileSchema } from '../../schema/validate-value.ts';
import { evaluateExpression } from '../../formula/evaluate-expression.ts';
import { renderTemplate } from '../../formula/render-template.ts';
import type { JsonObject, JsonValue } from '../../support/json.ts';
import { askModel } from '../agent/ask-model.ts';
import { Conversation, frameOf } from '../agent/conversation.ts';
import type { Attempt } from '../attempt.ts';
import { messageOf, NO_FILES } from '../scope.ts';
import { authored } from './authored-command.ts';
import type { Verdict } from './verify.ts';

type Judge = Extract<PlanCheck, { readonly kind: 'judge' }>;

/** What a judge has to answer. Providers take no limits of numbers here, so that of the score is looked at by us. */
const VERDICT = {
  type: 'object',
  properties: {
    verdict: { type: 'string', description: 'why, in a few sentences' },
    score: { type: 'integer', description: '0 (not at all) to 5 (fully)' },
  },
  required: ['verdict', 'score'],
  additionalProperties: false,
} as const;

const FIT = compileSchema(
  {
    ...VERDICT,
    properties: { ...VERDICT.properties, score: { type: 'integer', minimum: 0, maximum: 5 } },
  },
  'the verdict',
);

/** Characters of the diff and outputs that are shown. With the rubric they stay under what a judge is given. */
const MOST_CHARACTERS = 60_000;

/**
 * Has another model judge what a step came to: it is given the rubric, the outputs and the changes of files, and no tool. A
 * verdict that is none has not passed.
 */
export async function checkJudge(
  check: Judge,
  index: number,
  attempt: Attempt,
  outputs: JsonObject,
): Promise<Verdict> {
  const { at, workspace, base, state, scope, scopes, world, engine } = attempt;
  const stood = world.judged?.({ step: at.path, ...(at.item !== undefined && { item: at.item }) });
  if (stood !== undefined)
    return stood === 'pass' ? { passed: true, message: '' } : { passed: false, message: failedText(check) };
  const values = await scopes.values(check.rubric, scope, state);
  let rubric: string;
  try {
    rubric = renderTemplate(check.rubric, values, NO_FILES);
  } catch (error) {
    return { passed: false, message: messageOf(error) };
  }
  const diff = await engine.unrecorded(() => workspace.diff(base, state));
  const conversation = new Conversation(
    frameOf(check, undefined, []),
    [rubric, part('Outputs', JSON.stringify(outputs, null, 1)), part('Changes', diff)].join('\n\n'),
  );
  const asked = await askModel(attempt, {
    key: `${at.key}:judge`,
    turn: 1,
    check: index,
    action: { ...check, contextTokens: JUDGE_CONTEXT_TOKENS },
    request: {
      ...conversation.request,
      output_config: {
        ...conversation.request.output_config,
        format: { type: 'json_schema', schema: VERDICT as unknown as JsonObject },
      },
    },
    known: 0,
  });
  if (!asked.ok) {
    const { kind, message } = asked.error;
    const ended = kind === 'timeout' || kind === 'budget' ? { ended: kind } : {};
    return { passed: false, message: `its judge ${check.model.role} gave no verdict: ${message}`, ...ended };
  }
  if (asked.stop === 'refusal')
    return { passed: false, message: `its judge ${check.model.role} refused to give a verdict` };
  const text = asked.content.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join('');
  const read = verdictOf(text);
  if ('problem' in read)
    return { passed: false, message: `its judge ${check.model.role} gave no verdict: ${read.problem}` };
  const { score, verdict } = read;
  const passes = evaluateExpression(check.pass, { ...values, outputs, score, verdict });
  const output = `${score} of 5: ${verdict}`;
  return passes === true
    ? { passed: true, message: '', output }
    : { passed: false, message: `${failedText(check)} (score ${score})`, output };
}

function failedText({ model, pass }: Judge): string {
  return `its judge ${model.role} is not content: \`${authored(pass)}\` is not true`;
}

function part(title: string, text: string): string {
  const shown =
    text.length > MOST_CHARACTERS
      ? `${text.slice(0, MOST_CHARACTERS)}\n[… ${text.length - MOST_CHARACTERS} characters left out …]`
      : text;
  return `${title}:\n${shown === '' ? 'none' : shown}`;
}

function verdictOf(
  text: string,
): { readonly score: number; readonly verdict: string } | { readonly problem: string } {
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch {
    return { problem: 'what it wrote is not JSON' };
  }
  const [problem] = FIT(value);
  return problem ? { problem: problem.message } : (value as { score: number; verdict: string });
}
