import { createRequire } from 'node:module';
import type { Ajv2020, ErrorObject, ValidateFunction } from 'ajv/dist/2020.js';
import { suggest } from '../diagnostics/suggest.ts';
import type { JsonObject, JsonSchema, JsonValue } from '../support/json.ts';
import { isJsonObject } from '../support/json.ts';
import { BoundedRegExp, PatternTimeout } from './bounded-reg-exp.ts';
import { formatNames } from './check-schema.ts';
import { surelyFits } from './plain-fit.ts';
import { findPointer } from './resolve-refs.ts';
import { describeTypes, quotedList } from './words.ts';

/** One thing about a value that its schema does not allow. */
export interface ValueProblem {
  /** Keys and indexes that lead to the part that is wrong; empty for the value itself. */
  readonly path: readonly (string | number)[];
  /** In plain words, with the part's name: `"platform" must be one of "linux", "macos"`. */
  readonly message: string;
}

/** Problems told of one value; more would not be read. */
const mostProblems = 20;

/**
 * A check of values against a schema that {@link checkSchema} finds no fault with and whose references are resolved;
 * for another the check throws. `name` is what messages call the value. A `pattern` that cannot be decided within a
 * second is a problem of the value.
 */
export function compileSchema(schema: JsonSchema, name = 'the value'): (value: JsonValue) => ValueProblem[] {
  return (value) => {
    // The validator behind this takes some 25 ms to load, and most files have nothing that needs it.
    if (surelyFits(schema, value)) return [];
    const validate = compiled(schema);
    try {
      if (validate(value)) return [];
    } catch (error) {
      if (!(error instanceof PatternTimeout)) throw error;
      const message = `${quotedName(name, [])} takes too long to compare with a "pattern" of its schema`;
      return [{ path: [], message }];
    }
    return problems(validate.errors ?? [], value, name, validate.schema);
  };
}

let ajv: Ajv2020 | undefined;
const validators = new Map<string, ValidateFunction>();

// By text, since the same schema arrives as different objects; a run validates few different ones.
function compiled(schema: JsonSchema): ValidateFunction {
  const key = JSON.stringify(schema);
  let validate = validators.get(key);
  if (validate === undefined) {
    ajv ??= createAjv();
    validate = ajv.compile(schema);
    validators.set(key, validate);
  }
  return validate;
}

function createAjv(): Ajv2020 {
  const { Ajv2020: Validator } = createRequire(import.meta.url)(
    'ajv/dist/2020.js',
  ) as typeof import('ajv/dist/2020.js');
  const { fullFormats } = createRequire(import.meta.url)(
    'ajv-formats/dist/formats.js',
  ) as typeof import('ajv-formats/dist/formats.js');
  const regExp = Object.assign((source: string, flags: string) => new BoundedRegExp(source, flags), {
    code: 'new BoundedRegExp',
  });
  const created = new Validator({
    strict: false,
    allErrors: true,
    verbose: true,
    logger: false,
    // Whoever asks has checked the schema in our own words; to compile the schema of schemas costs 100 ms.
    validateSchema: false,
    // Two schemas may say the same `$id`.
    addUsedSchema: false,
    code: { regExp: regExp },
  });
  for (const name of formatNames) created.addFormat(name, fullFormats[name as keyof typeof fullFormats]);
  return created;
}

function problems(
  errors: readonly ErrorObject[],
  value: JsonValue,
  name: string,
  root: JsonSchema,
): ValueProblem[] {
  const told = withoutBranches(errors, root).flatMap((error): ValueProblem[] => {
    const path = pathOf(error.instancePath, value);
    const message = describe(error, quotedName(name, path));
    return message === undefined ? [] : [{ path, message }];
  });
  const seen = new Set<string>();
  return told.filter(({ message }) => !seen.has(message) && seen.add(message)).slice(0, mostProblems);
}

/**
 * The validator reports every branch of `anyOf` and `oneOf` that does not fit, then the choice itself. Of the branches
 * only one is told: that which fits best, if it was meant (the value has its type); otherwise only the choice is.
 */
function withoutBranches(errors: readonly ErrorObject[], root: JsonSchema): ErrorObject[] {
  let kept: ErrorObject[] = [];
  for (const error of errors) {
    // Why an item or a name did not fit is no mistake by itself.
    if (error.propertyName !== undefined && error.keyword !== 'propertyNames') continue;
    if (error.keyword === 'contains') {
      const inside = new Set(errorsOf(error.schema as JsonSchema, error, kept, root));
      kept = kept.filter((other) => !inside.has(other));
    }
    const isChoice =
      error.keyword === 'anyOf' || (error.keyword === 'oneOf' && !error.params['passingSchemas']);
    if (!isChoice) {
      kept.push(error);
      continue;
    }
    const branches = (error.schema as JsonSchema[]).map((branch) => errorsOf(branch, error, kept, root));
    const inside = new Set(branches.flat());
    kept = kept.filter((other) => !inside.has(other));
    const meant = branches.filter((branch) => !branch.some((other) => isTypeMismatch(other, error)));
    const [best] = meant.toSorted((a, b) => depth(b) - depth(a) || a.length - b.length);
    if (best !== undefined && best.length > 0) kept.push(...best);
    else kept.push(error);
  }
  return kept;
}

/** Errors at the place of a choice or below it that schemas inside of the branch gave. */
function errorsOf(
  branch: JsonSchema,
  choice: ErrorObject,
  errors: readonly ErrorObject[],
  root: JsonSchema,
): ErrorObject[] {
  const schemas = schemasWithin(branch, root);
  return errors.filter(
    ({ instancePath, parentSchema }) =>
      isAtOrBelow(instancePath, choice.instancePath) &&
      parentSchema !== undefined &&
      schemas.has(parentSchema),
  );
}

// By identity, since the paths that the validator tells begin anew at each reference.
function schemasWithin(branch: JsonSchema, root: JsonSchema): ReadonlySet<unknown> {
  const found = new Set<unknown>();
  const visit = (value: JsonValue | undefined): void => {
    if (typeof value !== 'object' || value === null || found.has(value)) return;
    found.add(value);
    for (const inner of Object.values<JsonValue>(value)) visit(inner);
    if (isJsonObject(value) && typeof value['$ref'] === 'string') visit(findPointer(root, value['$ref']));
  };
  visit(branch);
  return found;
}

function isTypeMismatch(error: ErrorObject, choice: ErrorObject): boolean {
  return error.instancePath === choice.instancePath && ['type', 'const', 'enum'].includes(error.keyword);
}

function depth(errors: readonly ErrorObject[]): number {
  return Math.max(0, ...errors.map((error) => error.instancePath.length));
}

function isAtOrBelow(path: string, parent: string): boolean {
  return path === parent || path.startsWith(`${parent}/`);
}

/** What an error means, or `undefined` when another error says it better. */
function describe(error: ErrorObject, name: string): string | undefined {
  const { params, data } = error;
  const schema: unknown = error.schema;
  const property = (key: string): string => String(params[key]);
  switch (error.keyword) {
    case 'type': {
      const types = [params['type']].flat().map(String);
      return `${name} must be ${describeTypes(types)}, not ${describeValue(data)}`;
    }
    case 'enum': {
      const values = (params['allowedValues'] as JsonValue[])
        .map((value) => JSON.stringify(value))
        .join(', ');
      const hint =
        typeof data === 'string'
          ? suggest(data, (params['allowedValues'] as JsonValue[]).map(String))
          : undefined;
      return `${name} must be one of ${values}${hint === undefined ? '' : `; ${hint}`}`;
    }
    case 'const':
      return `${name} must be ${JSON.stringify(params['allowedValue'])}`;
    case 'required':
      return `${name} lacks ${JSON.stringify(property('missingProperty'))}`;
    case 'dependentRequired':
      return `${name} has ${JSON.stringify(property('property'))} and so must have ${JSON.stringify(property('missingProperty'))}`;
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const extra = property(
        error.keyword === 'additionalProperties' ? 'additionalProperty' : 'unevaluatedProperty',
      );
      const known = Object.keys((error.parentSchema?.['properties'] as JsonObject | undefined) ?? {});
      const hint = suggest(extra, known);
      return `${name} must not have ${JSON.stringify(extra)}${hint === undefined ? '' : `; ${hint}`}`;
    }
    case 'propertyNames':
      return `${name} must not have a property named ${JSON.stringify(property('propertyName'))}`;
    case 'minLength':
      return schema === 1
        ? `${name} must not be empty`
        : `${name} must have at least ${String(schema)} characters`;
    case 'maxLength':
      return `${name} must have at most ${String(schema)} characters`;
    case 'pattern':
      return `${name} must match ${String(schema)}`;
    case 'format':
      return `${name} must be ${formatWords[String(schema)] ?? `a ${String(schema)}`}`;
    case 'minimum':
      return `${name} must be at least ${String(schema)}, not ${String(data)}`;
    case 'maximum':
      return `${name} must be at most ${String(schema)}, not ${String(data)}`;
    case 'exclusiveMinimum':
      return `${name} must be more than ${String(schema)}, not ${String(data)}`;
    case 'exclusiveMaximum':
      return `${name} must be less than ${String(schema)}, not ${String(data)}`;
    case 'multipleOf':
      return `${name} must be a multiple of ${String(schema)}, not ${String(data)}`;
    case 'minItems':
      return schema === 1
        ? `${name} must not be empty`
        : `${name} must have at least ${String(schema)} items`;
    case 'maxItems':
      return `${name} must have at most ${counted(schema, 'item')}`;
    case 'uniqueItems':
      return `${name} must not have an item twice: items ${Number(params['j']) + 1} and ${Number(params['i']) + 1} are equal`;
    case 'minProperties':
      return schema === 1
        ? `${name} must not be empty`
        : `${name} must have at least ${String(schema)} properties`;
    case 'maxProperties':
      return `${name} must have at most ${String(schema)} properties`;
    case 'contains':
      return `${name} has not the items that its schema asks for under "contains"`;
    case 'items':
    case 'unevaluatedItems':
      return `${name} must have at most ${counted(params['limit'] ?? params['len'], 'item')}`;
    case 'not':
      return `${name} is one of the values that its schema rules out`;
    case 'false schema':
      return `${name} must not be there`;
    case 'anyOf':
      return describeChoice(error, name);
    case 'oneOf':
      return params['passingSchemas'] === null
        ? describeChoice(error, name)
        : `${name} fits more than one of the shapes that exclude each other`;
    case 'if':
      return undefined;
  }
  return `${name} ${error.message ?? 'is not allowed'}`;
}

/** When no branch fits: their types or values, if that is all there is to them. */
function describeChoice(error: ErrorObject, name: string): string {
  const branches = error.schema as JsonSchema[];
  const types = branches.flatMap((branch) =>
    isJsonObject(branch) ? [branch['type'] as string | string[] | undefined] : [],
  );
  const known = types.flatMap((type) => type ?? []);
  if (types.length === branches.length && types.every((type) => type !== undefined)) {
    return `${name} must be ${describeTypes([...new Set(known)])}, not ${describeValue(error.data)}`;
  }
  const values = branches.flatMap((branch) =>
    isJsonObject(branch) && 'const' in branch ? [JSON.stringify(branch['const'])] : [],
  );
  if (values.length === branches.length) return `${name} must be one of ${values.join(', ')}`;
  return `${name} fits none of the shapes that its schema allows`;
}

const formatWords: Readonly<Record<string, string>> = {
  'date-time': 'a time such as 2026-12-01T09:00:00Z',
  date: 'a date such as 2026-12-01',
  time: 'a time of day such as 09:00:00Z',
  duration: 'an ISO duration such as PT10M',
  email: 'an e-mail address',
  hostname: 'a host name',
  ipv4: 'an IPv4 address',
  ipv6: 'an IPv6 address',
  uri: 'a URI such as https://example.com/',
  'uri-reference': 'a URI or a path',
  uuid: 'a UUID',
  regex: 'a regular expression',
};

function describeValue(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  switch (typeof value) {
    case 'object':
      return 'a map';
    case 'string':
      return value.length > 40 ? 'text' : JSON.stringify(value);
    default:
      return String(value);
  }
}

function counted(count: unknown, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** The keys of a JSON pointer; a segment is an index where the value has a list. */
function pathOf(pointer: string, value: JsonValue): (string | number)[] {
  let current: JsonValue | undefined = value;
  return pointer
    .split('/')
    .slice(1)
    .map((segment) => {
      const key = segment.replaceAll('~1', '/').replaceAll('~0', '~');
      if (Array.isArray(current)) {
        current = current[Number(key)] as JsonValue | undefined;
        return Number(key);
      }
      current = isJsonObject(current) ? current[key] : undefined;
      return key;
    });
}

/** `"platform"`, `"files[2].name"`, or the bare words `the value`. */
function quotedName(name: string, path: readonly (string | number)[]): string {
  const isNamed = name !== 'the value';
  let text = isNamed ? name : '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (/^[\w-]+$/.test(part)) text += text === '' ? part : `.${part}`;
    else text += `[${JSON.stringify(part)}]`;
  }
  return text === '' ? name : quotedList([text]);
}
