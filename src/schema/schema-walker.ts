import type { Finding, Misspelt, Span } from '../diagnostics/diagnostic.ts';
import { meantBy, misspelling, nearestName, suggest } from '../diagnostics/suggest.ts';
import type { SourceEntry, SourceList, SourceMap, SourceNode } from '../source/source-document.ts';
import { toJson } from '../source/source-document.ts';
import { checkSchema } from './check-schema.ts';
import { describeNode, describeTypes, oneOf, quotedList, typeHelp, typeOfNode } from './words.ts';

/**
 * The part of JSON Schema 2020-12 that our own schemas in `schemas/` are written in, and that {@link SchemaWalker}
 * reads. The `x-` keywords say a violation in the words of the language; other validators ignore them.
 */
export interface WalkedSchema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, WalkedSchema>>;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly items?: WalkedSchema;
  readonly minItems?: number;
  readonly uniqueItems?: boolean;
  readonly properties?: Readonly<Record<string, WalkedSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: false | WalkedSchema;
  readonly propertyNames?: WalkedSchema;
  readonly minProperties?: number;
  readonly dependentRequired?: Readonly<Record<string, readonly string[]>>;
  readonly anyOf?: readonly WalkedSchema[];
  /** Only ever a choice of keys: exactly one of them. */
  readonly oneOf?: readonly { readonly required: readonly string[] }[];
  /** Only ever `{}`: the key may not be here, for the reason in `x-message`. */
  readonly not?: object;
  /** The rule of a violation of `pattern` or `not`, instead of `not-allowed`. */
  readonly 'x-rule'?: string;
  /** Follows the value: `"x" is not a duration`. For `not` the whole message. */
  readonly 'x-message'?: string;
  readonly 'x-help'?: string;
  /** What the keys of `oneOf` are: "action". */
  readonly 'x-what'?: string;
}

/** The reference with which our schemas say "a JSON Schema that the author wrote". */
const metaSchema = 'https://json-schema.org/draft/2020-12/schema';

/** What people who come from other tools write, and what it is called here. */
const otherNames: Readonly<Record<string, readonly string[]>> = {
  if: ['when'],
  name: ['formula', 'molecule', 'id', 'title'],
  depends_on: ['needs'],
  depends: ['needs'],
  after: ['needs'],
  command: ['run'],
  cmd: ['run'],
  shell: ['run'],
  script: ['run'],
  jobs: ['steps'],
  tasks: ['steps'],
  'timeout-minutes': ['timeout'],
  retries: ['retry', 'attempts'],
  environment: ['env'],
  loop: ['for_each'],
  'continue-on-error': ['on_failure'],
  params: ['inputs', 'with'],
  args: ['with'],
  arguments: ['with'],
};

/** Actions of other places or of a later language; who writes one where it is refused knows that an action is due. */
const otherActions: ReadonlySet<string> = new Set(['agent', 'tool', 'judge', 'approve', 'wait']);

/** Keys that only a step has, since a molecule does not know where it will stand. */
const keysOfSteps: ReadonlySet<string> = new Set([
  'id',
  'with',
  'needs',
  'when',
  'for_each',
  'parallel',
  'join',
  'repeat',
  'on_failure',
  'concurrency',
]);

/** Where a node stands, in words. */
interface Place {
  /** `step "lint"`, `the formula`: completes "… lacks "id"". */
  readonly what: string;
  /** The nearest step or other thing with a name of its own. */
  readonly owner: string | undefined;
}

interface Resolved {
  readonly schema: WalkedSchema;
  /** The file the schema is from, for its `#/…` references. */
  readonly home: WalkedSchema;
}

/**
 * Checks a tree against one of our schemas and tells each violation once, at the smallest thing to edit and in the
 * author's own names. A validator for all of JSON Schema reports every branch of a choice and knows no places.
 */
export class SchemaWalker {
  readonly #text: string;
  readonly #root: WalkedSchema;
  readonly #others: Readonly<Record<string, WalkedSchema>>;
  #findings: Finding[] = [];

  /** References are looked up in the schema they stand in (`#/…`) and in `others`, by file (`common.schema.json#/…`). */
  constructor(text: string, root: WalkedSchema, others: Readonly<Record<string, WalkedSchema>>) {
    this.#text = text;
    this.#root = root;
    this.#others = others;
  }

  walk(node: SourceNode, what: string): Finding[] {
    this.#findings = [];
    this.#check(this.#root, this.#root, node, { what, owner: undefined });
    // An alias is walked at each place it stands, under other names, and is one mistake.
    const told = new Set<string>();
    return this.#findings.filter(({ rule, span }) => {
      const place = `${rule} ${span.start} ${span.end}`;
      return !told.has(place) && told.add(place);
    });
  }

  #check(schema: WalkedSchema, home: WalkedSchema, node: SourceNode, place: Place): void {
    if (schema.$ref === metaSchema) {
      this.#findings.push(...checkSchema(node));
      return;
    }
    if (schema.$ref !== undefined) {
      const target = this.#lookUp(schema.$ref, home);
      this.#check(target.schema, target.home, node, place);
    }
    if (schema.anyOf !== undefined && !saysWhichKeys(schema.anyOf)) {
      this.#checkAnyOf(schema.anyOf, home, node, place);
    } else if (schema.type !== undefined && !hasType(node, schema.type)) {
      this.#reportType(schema, node, place);
    } else if (schema.enum !== undefined && !schema.enum.some((value) => value === valueOf(node))) {
      this.#reportEnum(schema.enum, node, place);
    } else {
      switch (node.kind) {
        case 'scalar':
          this.#checkScalar(schema, node.value, node.span, place);
          break;
        case 'list':
          this.#checkList(schema, home, node, place);
          break;
        case 'map':
          this.#checkMap(schema, home, node, place);
          break;
      }
    }
  }

  #lookUp(reference: string, home: WalkedSchema): Resolved {
    const name = reference.slice(reference.lastIndexOf('/') + 1);
    const file = reference.slice(0, reference.indexOf('#'));
    const target = file === '' ? home : this.#others[file];
    const schema = target?.$defs?.[name];
    if (target === undefined || schema === undefined) throw new Error(`no schema "${reference}"`);
    return { schema, home: target };
  }

  #resolved(schema: WalkedSchema, home: WalkedSchema): Resolved {
    return schema.$ref === undefined ? { schema, home } : this.#lookUp(schema.$ref, home);
  }

  /** Findings of a branch that are not told, to see whether it fits. */
  #try({ schema, home }: Resolved, node: SourceNode, place: Place): Finding[] {
    const outer = this.#findings;
    this.#findings = [];
    this.#check(schema, home, node, place);
    const found = this.#findings;
    this.#findings = outer;
    return found;
  }

  #checkAnyOf(branches: readonly WalkedSchema[], home: WalkedSchema, node: SourceNode, place: Place): void {
    const all = branches.map((branch) => this.#resolved(branch, home));
    const tried = all
      .filter(({ schema }) => couldBe(schema, node))
      .map((branch) => ({ schema: branch.schema, found: this.#try(branch, node, place) }));
    if (tried.some(({ found }) => found.length === 0)) return;
    // The branch that knows most of the keys is the one that was meant.
    const keys = node.kind === 'map' ? node.entries.map((entry) => String(entry.key.value)) : [];
    const known = (schema: WalkedSchema): number => keys.filter((key) => own(schema.properties, key)).length;
    const [best] = tried.toSorted(
      (a, b) => known(b.schema) - known(a.schema) || a.found.length - b.found.length,
    );
    if (best !== undefined) {
      this.#findings.push(...best.found);
      return;
    }
    const types = all.flatMap(({ schema }) => schema.type ?? 'string');
    this.#reportType({ type: [...new Set(types)] }, node, place);
  }

  #checkScalar(schema: WalkedSchema, value: unknown, span: Span, place: Place): void {
    if (typeof value === 'string') {
      if (schema.minLength !== undefined && value.length < schema.minLength) {
        this.#report('not-allowed', span, `${place.what} must not be empty`);
      } else if (schema.pattern !== undefined && !regExp(schema.pattern).test(value)) {
        this.#reportPattern(schema, value, span);
      }
    }
    if (typeof value === 'number') {
      const limit = brokenLimit(schema, value);
      if (limit !== undefined) {
        this.#report('not-allowed', span, `${place.what} must be ${limit}, not ${value}`);
      }
    }
  }

  #reportPattern(schema: WalkedSchema, value: string, span: Span): void {
    this.#report(
      schema['x-rule'] ?? 'not-allowed',
      span,
      `"${value}" ${schema['x-message'] ?? `does not match ${schema.pattern}`}`,
      schema['x-help'],
    );
  }

  #checkList(schema: WalkedSchema, home: WalkedSchema, node: SourceList, place: Place): void {
    if (schema.minItems !== undefined && node.items.length < schema.minItems) {
      this.#report('not-allowed', node.span, `${place.what} must not be empty`);
    }
    if (schema.uniqueItems === true) this.#checkUnique(node, place);
    if (schema.items === undefined) return;
    for (const [index, item] of node.items.entries()) {
      this.#check(schema.items, home, item, itemPlace(place, item, index));
    }
  }

  #checkUnique(node: SourceList, place: Place): void {
    const seen = new Map<string, Span>();
    for (const item of node.items) {
      const value = JSON.stringify(toJson(item));
      const first = seen.get(value);
      if (first === undefined) {
        seen.set(value, item.span);
        continue;
      }
      this.#findings.push({
        rule: 'not-allowed',
        severity: 'error',
        message: `${value} is in ${place.what} twice`,
        help: 'remove one of the two',
        span: item.span,
        related: [{ message: `${value} is first here`, span: first }],
      });
    }
  }

  #checkMap(schema: WalkedSchema, home: WalkedSchema, node: SourceMap, place: Place): void {
    /** Keys that unknown ones were probably meant to be. */
    const meant = new Set<string>();
    let hasRefusedAction = false;
    for (const entry of node.entries) {
      const key = String(entry.key.value);
      const property = own(schema.properties, key);
      const isRefused =
        property === undefined ? schema.additionalProperties === false : property.not !== undefined;
      hasRefusedAction ||= isRefused && otherActions.has(key);
      if (property?.not !== undefined) {
        const rule = property['x-rule'] ?? 'not-allowed';
        this.#report(rule, entry.key.span, property['x-message'] ?? '', property['x-help']);
        meant.add(key);
      } else if (property !== undefined) {
        this.#check(property, home, entry.value, entryPlace(place, key));
      } else if (schema.additionalProperties === false) {
        const nearest = this.#reportUnknown(schema, node, entry, place);
        if (nearest !== undefined) meant.add(nearest);
      } else {
        if (schema.propertyNames !== undefined) this.#checkName(schema.propertyNames, home, entry);
        if (schema.additionalProperties !== undefined) {
          this.#check(schema.additionalProperties, home, entry.value, entryPlace(place, key));
        }
      }
    }
    this.#checkKeys(schema, node, place, meant, hasRefusedAction);
  }

  #checkName(names: WalkedSchema, home: WalkedSchema, entry: SourceEntry): void {
    const { schema } = this.#resolved(names, home);
    const key = String(entry.key.value);
    if (schema.pattern !== undefined && !regExp(schema.pattern).test(key)) {
      this.#reportPattern(schema, key, entry.key.span);
    }
  }

  /** Returns the key that was probably meant. */
  #reportUnknown(
    schema: WalkedSchema,
    node: SourceMap,
    entry: SourceEntry,
    place: Place,
  ): string | undefined {
    const key = String(entry.key.value);
    const keys = Object.entries(schema.properties ?? {}).flatMap(([name, property]) =>
      property.not === undefined ? [name] : [],
    );
    const free = keys.filter((name) => node.get(name) === undefined);
    const nearest = own(otherNames, key)?.find((name) => free.includes(name)) ?? nearestName(key, free);
    const help =
      place.what === 'the molecule' && keysOfSteps.has(key)
        ? `it is a key of steps: write it where the molecule is used`
        : nearest !== undefined
          ? `did you mean "${nearest}"?`
          : (suggest(key, keys) ??
            `${keys.length === 1 ? 'the only key here is' : 'the keys here are'} ${quotedList(keys)}`);
    const misspelt =
      nearest === undefined || help !== meantBy(key, nearest).help
        ? undefined
        : { written: key, meant: nearest };
    this.#report('unknown-key', entry.key.span, `"${key}" is not a key of ${place.what}`, help, misspelt);
    return nearest;
  }

  /** Which keys must be there, together or alone. What an unknown key was probably meant to be is not missed. */
  #checkKeys(
    schema: WalkedSchema,
    node: SourceMap,
    place: Place,
    meant: ReadonlySet<string>,
    hasRefusedAction: boolean,
  ): void {
    const has = (key: string): boolean => node.get(key) !== undefined || meant.has(key);
    // `<<` was to bring keys in, and where no key is known the author has something else in mind; both were told.
    if (node.get('<<') !== undefined || isForeign(schema, node)) return;
    for (const key of schema.required ?? []) {
      if (has(key)) continue;
      this.#report('missing-key', lackingPlace(node), `${place.what} lacks "${key}"`, `add "${key}: …"`);
    }
    if (saysWhichKeys(schema.anyOf ?? [])) {
      const some = (schema.anyOf ?? []).flatMap(({ required = [] }) => required);
      if (some.length > 0 && !some.some(has)) {
        const [first = ''] = some;
        const help = `add ${some.map((key) => `"${key}: …"`).join(' or ')}`;
        this.#report('missing-key', lackingPlace(node), `${place.what} lacks "${first}"`, help);
      }
    }
    if (schema.minProperties !== undefined && node.entries.length < schema.minProperties) {
      const keys = quotedList(Object.keys(schema.properties ?? {}));
      this.#report('missing-key', node.span, `${place.what} is empty`, `write at least one of ${keys}`);
    }
    const choices = schema.oneOf?.flatMap(({ required }) => required) ?? [];
    const isLacking = choices.length > 0 && !choices.some(has) && !hasRefusedAction;
    if (isLacking) {
      const what = schema['x-what'] ?? 'key';
      const help = `add one of ${quotedList(choices)}`;
      this.#report('exactly-one', lackingPlace(node), `${place.what} has no ${what}`, help);
    } else this.#checkOneChoice(schema, node, place, choices);

    for (const [key, needed] of Object.entries(schema.dependentRequired ?? {})) {
      if (node.get(key) === undefined) continue;
      const absent = needed.find((other) => !has(other));
      if (absent === undefined || (choices.includes(absent) && (isLacking || hasRefusedAction))) continue;
      this.#report(
        'key-without-effect',
        keySpan(node, key),
        `"${key}" of ${place.what} has no effect without "${absent}"`,
        `add "${absent}", or remove "${key}"`,
      );
    }
  }

  #checkOneChoice(schema: WalkedSchema, node: SourceMap, place: Place, choices: readonly string[]): void {
    const present = choices.filter((key) => node.get(key) !== undefined);
    const [first, second] = present;
    if (first === undefined || second === undefined) return;
    const what = (schema['x-what'] ?? 'key').replace(/^\S+/, (noun) =>
      noun.endsWith('s') ? noun : `${noun}s`,
    );
    const count = present.length === 2 ? 'two' : String(present.length);
    this.#findings.push({
      rule: 'exactly-one',
      severity: 'error',
      message: `${place.what} has ${count} ${what}: ${present.join(' and ')}`,
      help: 'keep one of them',
      span: keySpan(node, second),
      related: [{ message: `"${first}" is here`, span: keySpan(node, first) }],
    });
  }

  #reportType(schema: WalkedSchema, node: SourceNode, place: Place): void {
    const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? []);
    const ownHelp = node.kind === 'scalar' && node.value !== null ? schema['x-help'] : undefined;
    this.#report(
      'wrong-type',
      node.span,
      `${place.what} must be ${describeTypes(types)}, not ${describeNode(node)}`,
      ownHelp ?? typeHelp(types, node, this.#text),
    );
  }

  #reportEnum(values: readonly unknown[], node: SourceNode, place: Place): void {
    const names = values.map(String);
    const value = valueOf(node);
    const near = typeof value === 'string' ? misspelling(value, names) : undefined;
    const message = `${place.what} must be ${oneOf(names)}, not ${describeNode(node)}`;
    this.#report('not-allowed', node.span, message, near?.help, near?.misspelt);
  }

  #report(rule: string, span: Span, message: string, help?: string, misspelt?: Misspelt): void {
    this.#findings.push({
      rule,
      severity: 'error',
      message,
      ...(help === undefined ? {} : { help }),
      ...(misspelt && { misspelt }),
      span,
    });
  }
}

/** Whether the branches of a choice only name keys, at least one of which must be there. */
function saysWhichKeys(branches: readonly WalkedSchema[]): boolean {
  return branches.every((branch) => Object.keys(branch).join() === 'required');
}

/** Whether all keys of a map are unknown. */
function isForeign(schema: WalkedSchema, node: SourceMap): boolean {
  if (schema.additionalProperties !== false || node.entries.length === 0) return false;
  return node.entries.every(({ key }) => own(schema.properties, String(key.value)) === undefined);
}

/** Where a key is missing: the map's first key, since the map as a whole would be too much to look at. */
function lackingPlace(node: SourceMap): Span {
  return node.entries[0]?.key.span ?? node.span;
}

function keySpan(node: SourceMap, key: string): Span {
  return node.get(key)?.key.span ?? node.span;
}

function entryPlace(place: Place, key: string): Place {
  return {
    what: place.owner === undefined ? `"${key}"` : `"${key}" of ${place.owner}`,
    owner: place.owner,
  };
}

/** Steps and services are called by their ids, other items by their number. */
function itemPlace(place: Place, item: SourceNode, index: number): Place {
  const list = /^"(steps|finally|services|before|after)"/.exec(place.what)?.[1];
  if (list === undefined || item.kind !== 'map') {
    return { what: `item ${index + 1} of ${place.what}`, owner: place.owner };
  }
  const noun = list === 'services' ? 'service' : 'step';
  const id = item.get('id')?.value;
  const hasId = id?.kind === 'scalar' && id.value !== null;
  const what = hasId ? `${noun} "${id.value}"` : `${noun} ${index + 1} of ${place.what}`;
  return { what, owner: what };
}

function brokenLimit(schema: WalkedSchema, value: number): string | undefined {
  const { minimum, exclusiveMinimum, maximum } = schema;
  if (minimum !== undefined && value < minimum) return `at least ${minimum}`;
  if (exclusiveMinimum !== undefined && value <= exclusiveMinimum) return `more than ${exclusiveMinimum}`;
  if (maximum !== undefined && value > maximum) return `at most ${maximum}`;
  return undefined;
}

function hasType(node: SourceNode, type: string | readonly string[]): boolean {
  const types = typeof type === 'string' ? [type] : type;
  const found = typeOfNode(node);
  return types.includes(found) || (found === 'integer' && types.includes('number'));
}

/** Whether a branch of a choice is for nodes of this kind at all. */
function couldBe(schema: WalkedSchema, node: SourceNode): boolean {
  if (schema.type !== undefined) return hasType(node, schema.type);
  return schema.enum === undefined || schema.enum.some((value) => typeof value === typeof valueOf(node));
}

function valueOf(node: SourceNode): unknown {
  return node.kind === 'scalar' ? node.value : undefined;
}

const regExps = new Map<string, RegExp>();

function regExp(pattern: string): RegExp {
  let compiled = regExps.get(pattern);
  if (compiled === undefined) {
    compiled = new RegExp(pattern, 'u');
    regExps.set(pattern, compiled);
  }
  return compiled;
}

function own<T>(record: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}
