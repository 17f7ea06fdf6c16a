import { isJsonObject, type JsonObject, type JsonValue } from '../support/json.ts';
import { missingNames, NotKnown } from './not-known.ts';
import type { FoundReference } from './reference.ts';
import { RenderError } from './render-error.ts';
import { helpers, isA, showParameter, type RenderWorld, type UnknownPart } from './template-helpers.ts';
import { parseTemplateText } from './template-syntax.ts';
import type {
  BlockPart,
  CallOperand,
  Operand,
  PathOperand,
  TemplatePart,
  TemplateTree,
} from './template-tree.ts';

export { RenderError };
export type { RenderWorld, UnknownPart };

/**
 * Renders a checked template as text: strings as they are, numbers, booleans and null as JSON writes them.
 *
 * @param values what the root names hold
 * @throws {RenderError} when a value is absent or cannot be printed
 */
export function renderTemplate(text: string, values: JsonObject, world: RenderWorld): string {
  const tree = usable(text);
  return new Rendering(tree, values, world).parts(tree.parts, { frames: [], params: new Map() });
}

/**
 * The value of a checked template: of one `{{…}}` and nothing else the value itself with its type, `undefined` when it
 * is absent; of any other text the rendered string.
 *
 * @throws {RenderError} as {@link renderTemplate}
 */
export function evaluateTemplate(
  text: string,
  values: JsonObject,
  world: RenderWorld,
): JsonValue | undefined {
  const tree = usable(text);
  const [only] = tree.parts;
  const rendering = new Rendering(tree, values, world);
  const place: Place = { frames: [], params: new Map() };
  return tree.whole && only?.kind === 'value'
    ? rendering.value(only.value, place)
    : rendering.parts(tree.parts, place);
}

/** A template as a part that is not known, as reading it found. */
export function unknownPart(text: string, values: JsonObject, error: NotKnown): UnknownPart {
  const { references } = usable(text);
  return partOf(text.replace(/^\{\{|\}\}$/g, ''), true, error, references, values);
}

function partOf(
  text: string,
  plain: boolean,
  error: NotKnown,
  references: readonly FoundReference[],
  values: JsonObject,
): UnknownPart {
  const missing = missingNames(references, values);
  const names = missing.length > 0 ? missing : error.names;
  // What is known of a value says nothing about a property of it.
  const shown = names.join() === error.names.join() ? error.shown : undefined;
  return { text, plain, names, shown };
}

function usable(text: string): TemplateTree {
  const tree = parseTemplateText(text);
  const [problem] = tree.problems;
  if (problem !== undefined) throw new RenderError(`${text}: ${problem.message}`);
  return tree;
}

/** The blocks around a part that is being rendered. */
interface Place {
  readonly frames: readonly Frame[];
  readonly params: ReadonlyMap<string, JsonValue>;
}

interface Frame {
  readonly value: JsonValue;
  /** Of an `each`. */
  readonly loop: Loop | undefined;
}

interface Loop {
  readonly index: number;
  readonly key: string | number;
  readonly first: boolean;
  readonly last: boolean;
}

/** One rendering of one text. */
class Rendering {
  readonly #tree: TemplateTree;
  readonly #values: JsonObject;
  readonly #world: RenderWorld;

  constructor(tree: TemplateTree, values: JsonObject, world: RenderWorld) {
    this.#tree = tree;
    this.#values = values;
    this.#world = world;
  }

  parts(parts: readonly TemplatePart[], place: Place): string {
    let text = '';
    for (const part of parts) {
      switch (part.kind) {
        case 'text':
          text += part.value;
          break;
        case 'value':
          text += this.#known(part.value, '', () => this.#print(part.value, place));
          break;
        case 'block':
          text += this.#known(part.subject, part.block, () => this.#block(part, place));
          break;
      }
    }
    return text;
  }

  /** What a part prints, or what stands for it when it is not known before the run. */
  #known(operand: Operand, block: BlockPart['block'] | '', print: () => string): string {
    const { hole } = this.#world;
    if (!hole) return print();
    try {
      return print();
    } catch (error) {
      if (!(error instanceof NotKnown)) throw error;
      const { start, end } = operand;
      const references = this.#tree.references.filter((one) => one.start >= start && one.end <= end);
      const text = this.#textOf(operand).replace(/^\{\{~?\s*|\s*~?\}\}$/g, '');
      const plain = block === '' && operand.kind === 'path';
      return hole(partOf(block === '' ? text : `#${block} ${text}`, plain, error, references, this.#values));
    }
  }

  /** `undefined` when it is absent. */
  value(operand: Operand, place: Place): JsonValue | undefined {
    switch (operand.kind) {
      case 'literal':
        return operand.value;
      case 'path':
        return this.#read(operand, place);
      case 'call':
        return this.#call(operand, place);
    }
  }

  #print(operand: Operand, place: Place): string {
    const value = this.#present(operand, place);
    if (typeof value === 'string') return value;
    if (value === null || typeof value !== 'object') return JSON.stringify(value);
    const kind = Array.isArray(value) ? 'a list' : 'an object';
    throw new RenderError(
      `${this.#textOf(operand)} is ${kind} and needs a helper such as {{json …}} to be printed`,
    );
  }

  #present(operand: Operand, place: Place): JsonValue {
    const value = this.value(operand, place);
    if (value === undefined) throw new RenderError(`${this.#textOf(operand)} is absent`);
    return value;
  }

  #read({ base, steps }: PathOperand, place: Place): JsonValue | undefined {
    let value: JsonValue | undefined;
    switch (base.kind) {
      case 'root':
        value = property(this.#values, base.name);
        break;
      case 'param':
        value = place.params.get(base.id);
        break;
      case 'this':
        value = place.frames.at(-1 - base.up)?.value;
        break;
      case 'data':
        return place.frames.at(-1 - base.up)?.loop?.[base.name];
    }
    for (const step of steps) value = property(value, step.name);
    return value;
  }

  #call(call: CallOperand, place: Place): JsonValue | undefined {
    if (call.helper === 'default') {
      const [value, otherwise] = call.args as [Operand, Operand];
      const present = this.value(value, place);
      // Null is present: only what is absent has a default.
      return present === undefined ? this.value(otherwise, place) : present;
    }
    const helper = helpers[call.helper];
    const parameters = [...helper.required, ...helper.optional];
    const args = call.args.map((operand, at) => {
      const value = this.#present(operand, place);
      const parameter = parameters[at] ?? 'any';
      if (isA(parameter, value)) return value;
      throw new RenderError(
        `{{${call.helper}}} takes ${showParameter(parameter)}, but ${this.#textOf(operand)} is not`,
      );
    });
    return helper.run(args, this.#world);
  }

  #block(part: BlockPart, place: Place): string {
    const subject = this.value(part.subject, place);
    switch (part.block) {
      case 'if':
      case 'unless': {
        const holds = isSomething(subject, part.includeZero) === (part.block === 'if');
        return this.parts(holds ? part.body : part.otherwise, place);
      }
      case 'with':
        if (!isSomething(subject, true)) return this.#without(part, subject, place);
        return this.#inside(part, place, subject as JsonValue, undefined);
      case 'each':
        return this.#each(part, subject, place);
    }
  }

  #each(part: BlockPart, subject: JsonValue | undefined, place: Place): string {
    if (typeof subject !== 'object' || subject === null) {
      if (subject !== undefined && subject !== null) {
        throw new RenderError(
          `{{#each}} takes a list or an object, but ${this.#textOf(part.subject)} is neither`,
        );
      }
      return this.#without(part, subject, place);
    }
    const entries: readonly (readonly [string | number, JsonValue])[] = Array.isArray(subject)
      ? (subject as readonly JsonValue[]).map((item, index) => [index, item] as const)
      : Object.entries(subject);
    if (entries.length === 0) return this.parts(part.otherwise, place);
    const last = entries.length - 1;
    return entries
      .map(([key, item], index) =>
        this.#inside(part, place, item, { index, key, first: index === 0, last: index === last }),
      )
      .join('');
  }

  #without(part: BlockPart, subject: JsonValue | undefined, place: Place): string {
    if (subject === undefined && !part.hasElse) {
      throw new RenderError(`${this.#textOf(part.subject)} is absent`);
    }
    return this.parts(part.otherwise, place);
  }

  #inside(part: BlockPart, place: Place, value: JsonValue, loop: Loop | undefined): string {
    const params = new Map(place.params);
    const [first, second] = part.params;
    if (first !== undefined) params.set(first.id, value);
    if (second !== undefined && loop !== undefined) params.set(second.id, loop.key);
    return this.parts(part.body, { frames: [...place.frames, { value, loop }], params });
  }

  #textOf(operand: Operand): string {
    return this.#tree.text.slice(operand.start, operand.end);
  }
}

// Own properties of plain JSON only: what a prototype brings is no data.
function property(value: JsonValue | undefined, name: string): JsonValue | undefined {
  if (Array.isArray(value))
    return /^\d+$/.test(name) ? (value as readonly JsonValue[])[Number(name)] : undefined;
  return isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

// As Handlebars has it: false, null, '', 0 and [] are nothing.
function isSomething(value: JsonValue | undefined, includeZero: boolean): boolean {
  if (value === 0) return includeZero;
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}
