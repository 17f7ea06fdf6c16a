import { NotKnown } from '../formula/not-known.ts';
import { evaluateTemplate, renderTemplate, unknownPart } from '../formula/render-template.ts';
import type { RenderWorld } from '../formula/render-template.ts';
import { parseTemplateText } from '../formula/template-syntax.ts';
import { listTemplate, wordsOf } from '../formula/words-of-list.ts';
import type { PlanRun } from '../plan/plan.ts';
import type { JsonObject, JsonValue } from '../support/json.ts';

/** A command with its values: what a dry run shows and a run starts. */
export type Rendered =
  | { readonly kind: 'bash'; readonly script: string; readonly values: readonly RenderedValue[] }
  | { readonly kind: 'argv'; readonly argv: readonly string[] }
  | {
      readonly kind: 'program';
      readonly program: string;
      readonly args: readonly string[];
      readonly script: string;
    };

/** A shell variable: one value, or the words of a list. */
export interface RenderedValue {
  readonly name: string;
  readonly value: string | readonly string[];
}

/** Renders a command. Throws a RenderError when a value is absent, is no list where words are asked for, or holds NUL. */
export function renderCommand(run: PlanRun, values: JsonObject, world: RenderWorld): Rendered {
  if ('bash' in run) {
    return {
      kind: 'bash',
      script: run.bash,
      values: (run.values ?? []).map(({ name, value, words }) => ({
        name,
        value: words
          ? itemsOf(value, values, world)
          : withoutNul(renderTemplate(value, values, world), value),
      })),
    };
  }
  if ('argv' in run) return { kind: 'argv', argv: run.argv.flatMap((word) => argument(word, values, world)) };
  return {
    kind: 'program',
    program: run.program,
    args: (run.args ?? []).flatMap((word) => argument(word, values, world)),
    script: run.script,
  };
}

/** A word of an argv; `{{args list}}` alone becomes as many as the list has items. */
function argument(word: string, values: JsonObject, world: RenderWorld): readonly string[] {
  const list = wordsOf(parseTemplateText(word));
  if (list)
    return itemsOf(
      listTemplate(list, (start, end) => word.slice(start, end)),
      values,
      world,
    );
  return [withoutNul(renderTemplate(word, values, world), word)];
}

function itemsOf(template: string, values: JsonObject, world: RenderWorld): readonly string[] {
  try {
    const value = evaluateTemplate(template, values, world);
    if (!Array.isArray(value)) throw new RenderValueError(`${template} is not a list of words`);
    return (value as readonly JsonValue[]).map((item) =>
      withoutNul(typeof item === 'string' ? item : JSON.stringify(item), template),
    );
  } catch (error) {
    // How many words it is going to be is part of what is not known.
    if (!world.hole || !(error instanceof NotKnown)) throw error;
    return [world.hole(unknownPart(template, values, error))];
  }
}

/** The value of an environment variable. */
export function renderVariable(template: string, values: JsonObject, world: RenderWorld): string {
  return withoutNul(renderTemplate(template, values, world), template);
}

function withoutNul(text: string, template: string): string {
  if (text.includes('\0'))
    throw new RenderValueError(`the value of ${template} holds a NUL character, which no command can take`);
  return text;
}

/** A value that no command can take. */
export class RenderValueError extends Error {
  override readonly name = 'RenderValueError';
}
