import { join, noFacts, type Facts } from './facts.ts';
import { readProperty, readRoot, standIn, type Reader } from './read-path.ts';
import { any, bool, int, membersOf, readStep, string, unionOf, withoutNull } from './read-type.ts';
import type { Problem } from './reference.ts';
import { showType } from './show-type.ts';
import { factsOfSubject, pathOfOperand } from './template-facts.ts';
import { helpers, mayBe, showParameter } from './template-helpers.ts';
import type {
  BlockPart,
  CallOperand,
  Operand,
  PathOperand,
  PathStep,
  TemplatePart,
  TemplateTree,
} from './template-tree.ts';
import type { Scope, Type } from './types.ts';

/**
 * What becomes of a whole template: its value is passed on, or printed like any text. `optional`: it is passed on to
 * something that has a value of its own when there is none.
 */
export type TemplateUse = 'value' | 'optional' | 'text';

/** The type of a template's value, and what is wrong with what it reads. */
export function typeTemplate(
  tree: TemplateTree,
  scope: Scope,
  use: TemplateUse,
): { type: Type; problems: readonly Problem[] } {
  if (tree.literal) return { type: string, problems: [] };
  const typing = new Typing(tree.text, scope);
  const place: Place = { frames: [], params: new Map(), facts: noFacts };
  const [only] = tree.parts;
  if (tree.whole && use !== 'text' && only?.kind === 'value') {
    const tolerant = use === 'optional';
    return { type: typing.typeOf(only.value, { ...place, tolerant }), problems: typing.problems };
  }
  typing.parts(tree.parts, place);
  return { type: string, problems: typing.problems };
}

/** The blocks around a part, and what they tell. */
interface Place {
  readonly frames: readonly Frame[];
  readonly params: ReadonlyMap<string, Type>;
  readonly facts: Facts;
  /** Absence is provided for, as in the first argument of `default`. */
  readonly tolerant?: boolean;
  /** An argument of a helper. */
  readonly nested?: boolean;
}

interface Frame {
  readonly type: Type;
  /** Of `@key`, in an `each`. */
  readonly key: Type;
}

/** One pass over one template. Goes on after a mistake with a type of `any`, so that one mistake is told once. */
class Typing {
  readonly problems: Problem[] = [];
  readonly #text: string;
  readonly #scope: Scope;

  constructor(text: string, scope: Scope) {
    this.#text = text;
    this.#scope = scope;
  }

  parts(parts: readonly TemplatePart[], place: Place): void {
    for (const part of parts) {
      switch (part.kind) {
        case 'text':
          break;
        case 'value':
          this.#refuseUnprintable(part.value, this.typeOf(part.value, place));
          break;
        case 'block':
          this.#block(part, place);
          break;
      }
    }
  }

  typeOf(operand: Operand, place: Place): Type {
    switch (operand.kind) {
      case 'literal':
        return literalType(operand.value);
      case 'path':
        return this.#path(operand, place);
      case 'call':
        return this.#call(operand, { ...place, tolerant: false });
    }
  }

  #path(operand: PathOperand, place: Place): Type {
    const { base, baseStart, baseEnd, steps } = operand;
    let type = any;
    let broken = false;
    switch (base.kind) {
      case 'root': {
        const span = { start: baseStart, end: baseEnd };
        const root = readRoot(base.name, span, this.#scope);
        if (root.problem !== undefined) this.#report(root.problem);
        ({ type, broken } = root);
        break;
      }
      case 'param':
        type = place.params.get(base.id) ?? any;
        break;
      case 'this':
        type = place.frames.at(-1 - base.up)?.type ?? any;
        break;
      case 'data':
        return base.name === 'index'
          ? int
          : base.name === 'key'
            ? (place.frames.at(-1 - base.up)?.key ?? any)
            : bool;
    }
    const path = pathOfOperand(operand);
    let reader = this.#reader(operand, type, place);
    for (const [at, step] of steps.entries()) {
      if (broken) break;
      const before = at === 0 ? baseEnd : (steps[at - 1]?.end ?? baseEnd);
      // The first step of a bare name in a block has nothing written before it.
      const text = before === baseStart ? 'this' : this.#text.slice(operand.start, before);
      const read = { step: stepOf(step), start: step.start, end: step.end };
      const result = readProperty({ type, text }, read, path.slice(0, at + 2), reader);
      if (result.problem !== undefined) {
        this.#report(result.problem);
        // One guard is enough for the whole path.
        reader = { ...reader, tolerant: true };
      }
      ({ type, broken } = result);
    }
    return type;
  }

  #reader(operand: PathOperand, base: Type, place: Place): Reader {
    const text = this.#text.slice(operand.start, operand.end);
    return {
      facts: place.facts,
      tolerant: place.tolerant ?? false,
      guarded: () => {
        const type = readAll(base, operand.steps);
        const otherwise = type.kind === 'any' ? "''" : standIn(type);
        // There is no way to write a list or an object in a template; another value has to stand in.
        if (place.nested === true)
          return `(default ${text} ${/^(?:''|0|false|null)$/.test(otherwise) ? otherwise : '…'})`;
        const printed = membersOf(type).every((one) => one.kind !== 'list' && one.kind !== 'object');
        if (!printed) return `{{#if ${text}}} … {{/if}} around it`;
        return `{{default ${text} ${otherwise}}}`;
      },
    };
  }

  #call(call: CallOperand, place: Place): Type {
    const helper = helpers[call.helper];
    const parameters = [...helper.required, ...helper.optional];
    const types = call.args.map((operand, at) => {
      const tolerant = call.helper === 'default' && at === 0;
      const type = this.typeOf(operand, { ...place, tolerant, nested: true });
      const parameter = parameters[at] ?? 'any';
      if (!mayBe(parameter, type)) {
        const text = this.#textOf(operand);
        const single = call.helper === 'args' && membersOf(type).every((one) => one.kind !== 'list');
        this.#report({
          rule: 'template-helper',
          message: `"${call.helper}" takes ${showParameter(parameter)}, ${operand.kind === 'literal' ? `not ${text}` : `but "${text}" is ${showType(type)}`}`,
          help: single ? `write {{${text}}}` : `write ${helper.usage}`,
          start: operand.start,
          end: operand.end,
        });
      }
      return type;
    });
    return helper.result(types);
  }

  #block(part: BlockPart, place: Place): void {
    const { block, subject, hasElse } = part;
    const tolerant = block === 'if' || block === 'unless' || hasElse;
    const type = this.typeOf(subject, { ...place, tolerant });
    const facts = join(place.facts, factsOfSubject(subject));
    const guarded: Place = { ...place, facts };
    switch (block) {
      case 'if':
        this.parts(part.body, guarded);
        this.parts(part.otherwise, place);
        break;
      case 'unless':
        this.parts(part.body, place);
        this.parts(part.otherwise, guarded);
        break;
      case 'with':
      case 'each': {
        const frame =
          block === 'with' ? { type: withoutNull(type), key: any } : this.#elements(subject, type);
        const params = new Map(place.params);
        const [first, second] = part.params;
        if (first !== undefined) params.set(first.id, frame.type);
        if (second !== undefined) params.set(second.id, frame.key);
        this.parts(part.body, { frames: [...place.frames, frame], params, facts });
        this.parts(part.otherwise, place);
        break;
      }
    }
  }

  #elements(subject: Operand, type: Type): Frame {
    const items: Type[] = [];
    const keys: Type[] = [];
    for (const member of membersOf(type)) {
      if (member.kind === 'any') return { type: any, key: any };
      if (member.kind === 'list') {
        items.push(member.items);
        keys.push(int);
      }
      if (member.kind === 'object') {
        const values = [...member.properties.values()].map((property) => property.type);
        items.push(...values, ...(member.rest === undefined ? [] : [member.rest]));
        keys.push(string);
      }
    }
    if (keys.length > 0) return { type: unionOf(items), key: unionOf(keys) };
    this.#report({
      rule: 'template-helper',
      message: `"#each" takes a list or an object, but "${this.#textOf(subject)}" is ${showType(type)}`,
      start: subject.start,
      end: subject.end,
    });
    return { type: any, key: any };
  }

  #refuseUnprintable(operand: Operand, type: Type): void {
    const structured = membersOf(type).find((one) => one.kind === 'list' || one.kind === 'object');
    if (structured === undefined) return;
    const text = this.#textOf(operand);
    const list = structured.kind === 'list';
    const plain = list && mayBe('scalars', structured) && operand.kind === 'path';
    const argument = operand.kind === 'path' ? text : `(${text.replace(/^\{\{\s*|\s*\}\}$/g, '')})`;
    this.#report({
      rule: 'template-needs-helper',
      message: `"${argument}" is ${list ? 'a list' : 'an object'} and cannot be printed as it is`,
      help: plain
        ? `write {{json ${text}}}, {{join ${text} ', '}} or, in a command, {{args ${text}}}`
        : `write {{json ${argument}}}`,
      start: operand.start,
      end: operand.end,
    });
  }

  #textOf(operand: Operand): string {
    return this.#text.slice(operand.start, operand.end);
  }

  #report(problem: Problem): void {
    this.problems.push(problem);
  }
}

function stepOf({ name }: PathStep): string | number {
  return /^\d+$/.test(name) ? Number(name) : name;
}

// What a path ends in, whatever is wrong on the way.
function readAll(base: Type, steps: readonly PathStep[]): Type {
  return steps.reduce((type, step) => {
    const reading = readStep(withoutNull(type), stepOf(step));
    return reading.found ? withoutNull(reading.type) : any;
  }, base);
}

function literalType(value: string | number | boolean | null): Type {
  switch (typeof value) {
    case 'string':
      return { kind: 'string', values: [value] };
    case 'number':
      return Number.isInteger(value) ? { kind: 'int', values: [value] } : { kind: 'number', values: [value] };
    case 'boolean':
      return { kind: 'bool', values: [value] };
    default:
      return { kind: 'null' };
  }
}
