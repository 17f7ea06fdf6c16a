import type { CompletionItem } from 'vscode-languageserver/node';
import { CompletionItemKind } from 'vscode-languageserver/node';
import { functions } from '../formula/expression-functions.ts';
import type { Loader } from '../formula/loader.ts';
import { formulaNameOf, named } from '../formula/names.ts';
import { Project } from '../formula/project.ts';
import { propertyNames, readStep } from '../formula/read-type.ts';
import { showType } from '../formula/show-type.ts';
import { helpers } from '../formula/template-helpers.ts';
import { isTestFile, subjectOf } from '../formula/test-file.ts';
import type { Scope, Type } from '../formula/types.ts';
import { keysOf, schemasAt, valuesOf } from '../schema/schema-at.ts';
import type { DocumentKind } from '../schema/validate.ts';
import type { Analysis } from './analysis.ts';
import { analyse } from './analysis.ts';
import type { Cursor, Path } from './cursor.ts';
import { cursorsAt } from './cursor.ts';
import { kindOfFile } from './kind-of-file.ts';

/** A word that may be meant, before it is placed. */
export type Proposal = Pick<
  CompletionItem,
  'label' | 'kind' | 'detail' | 'documentation' | 'insertText' | 'sortText'
>;

/** What may stand where somebody types, and how many characters before the cursor it takes the place of. */
export interface Proposals {
  readonly items: readonly Proposal[];
  readonly replaces: number;
}

/**
 * Keys with what they are for, values, ids, names of molecules and formulas, and in texts the names that can be read there
 * with their types.
 *
 * @param withText the project as it is with another text for the file
 */
export async function complete(
  path: string,
  text: string,
  offset: number,
  withText: (text: string) => Loader,
): Promise<Proposals> {
  for (const cursor of cursorsAt(text, offset)) {
    const found = await proposalsAt(path, cursor, withText(cursor.text));
    if (found.items.length > 0) return found;
  }
  return { items: [], replaces: 0 };
}

async function proposalsAt(path: string, cursor: Cursor, loader: Loader): Promise<Proposals> {
  const analysis = await analyse(loader, path);
  const kind = kindOfFile(path, cursor.text);
  switch (cursor.kind) {
    case 'text': {
      const scope = analysis?.scopeAt(cursor.path, cursor.offset) ?? new Map<string, Type>();
      return namesIn(scope, cursor.typed, cursor.language);
    }
    case 'key': {
      const own = await namedKeys(path, cursor.path, analysis, loader, cursor.offset);
      const items =
        own ??
        keysOf(schemasAt(kind, cursor.path)).map(({ name, description, takes }) => ({
          label: name,
          kind: CompletionItemKind.Property,
          insertText: `${name}: `,
          ...(takes !== '' && { detail: takes }),
          ...(description !== undefined && { documentation: description }),
        }));
      const fresh = items.filter(({ label }) => !cursor.taken.includes(label));
      return { items: numbered(fresh), replaces: cursor.typed.length };
    }
    case 'value': {
      const names = await namedValues(cursor.path, analysis, loader, kind, cursor.offset);
      const items =
        names ??
        valuesOf(schemasAt(kind, cursor.path)).map((label) => ({
          label,
          kind: CompletionItemKind.EnumMember,
        }));
      const fresh = items.filter(({ label }) => !cursor.siblings.includes(label));
      return { items: numbered(fresh), replaces: cursor.typed.length };
    }
  }
}

/** In the order that they are given in, which means more than the alphabet. */
function numbered(items: readonly Proposal[]): readonly Proposal[] {
  return items.map((item, index) => ({ ...item, sortText: String(index).padStart(4, '0') }));
}

/** Names that a text can go on with: of what was typed up to its last dot. */
function namesIn(scope: Scope, typed: string, language: 'template' | 'expression'): Proposals {
  const segments = typed.split('.');
  const word = segments.pop() ?? '';
  if (segments.length === 0) {
    const roots = [...scope].map(([label, type]) => ({
      label,
      kind: CompletionItemKind.Variable,
      detail: showType(type),
    }));
    const words =
      language === 'template'
        ? Object.keys(helpers)
        : [...functions.keys()].filter((name) => /^\w+$/.test(name));
    const others = words.map((label) => ({ label, kind: CompletionItemKind.Function }));
    return { items: numbered([...roots, ...others]), replaces: word.length };
  }
  const type = typeOfPath(scope, segments);
  const items = (type ? propertyNames(type) : []).map((label) => {
    const reading = type && readStep(type, label);
    return {
      label,
      kind: CompletionItemKind.Field,
      ...(reading?.found && { detail: showType(reading.type) + (reading.absent ? ' (may be absent)' : '') }),
      ...(reading?.found && reading.because !== undefined && { documentation: reading.because }),
    };
  });
  return { items: numbered(items), replaces: word.length };
}

/** The type that a path of names has; `items[0]` and `[0]` are read too. */
export function typeOfPath(scope: Scope, segments: readonly string[]): Type | undefined {
  const [root = '', ...rest] = segments.flatMap((segment) =>
    segment.split(/[[\]]+/).filter((part) => part !== ''),
  );
  let type = scope.get(root);
  for (const part of rest) {
    if (!type) return undefined;
    const reading = readStep(type, /^\d+$/.test(part) ? Number(part) : part);
    type = reading.found ? reading.type : undefined;
  }
  return type;
}

/** Keys that are names of something: arguments, steps in tests. Undefined: the schema says them. */
async function namedKeys(
  path: string,
  keys: Path,
  analysis: Analysis | undefined,
  loader: Loader,
  offset: number,
): Promise<readonly Proposal[] | undefined> {
  const last = keys.at(-1);
  if (
    isTestFile(path) &&
    ['stubs', 'answers', 'inputs', 'steps', 'attempts', 'rendered'].includes(String(last))
  )
    return namesOfSubject(path, String(last), loader);
  if (last !== 'with' || !analysis) return undefined;
  const step = analysis.stepAt(offset);
  const inputs = step?.molecule?.inputs ?? step?.group?.formula.inputs ?? [];
  return inputs.map(({ name, schema, default: fallback }) => ({
    label: name.value,
    kind: CompletionItemKind.Field,
    insertText: `${name.value}: `,
    detail: `${typeWords(schema)}${fallback === undefined ? '' : ', has a default'}`,
    ...documented(schema),
  }));
}

async function namesOfSubject(path: string, what: string, loader: Loader): Promise<readonly Proposal[]> {
  const subject = subjectOf(path);
  const about = subject && (await analyse(loader, subject.path));
  if (!about || about.content.kind === 'aspect') return [];
  const { content } = about;
  const names =
    what === 'inputs' || content.kind === 'molecule'
      ? content.inputs.map(({ name }) => name.value)
      : [...content.steps, ...content.finally].map(({ id }) => id.value);
  return names.map((label) => ({ label, kind: CompletionItemKind.Field, insertText: `${label}: ` }));
}

/** Values that are names of something. Undefined: the schema says them. */
async function namedValues(
  keys: Path,
  analysis: Analysis | undefined,
  loader: Loader,
  kind: DocumentKind,
  offset: number,
): Promise<readonly Proposal[] | undefined> {
  const word = keys.filter((key) => typeof key === 'string').at(-1);
  const step = analysis?.stepAt(offset);
  switch (word) {
    case 'needs':
    case 'before':
    case 'after':
    case 'remove': {
      if (analysis?.content.kind !== 'formula') return undefined;
      const ids = [...analysis.content.steps, ...analysis.content.finally].map(({ id }) => id.value);
      return ids
        .filter((id) => id !== step?.step.id.value)
        .map((label) => ({ label, kind: CompletionItemKind.Reference }));
    }
    case 'uses': {
      const project = analysis?.project ?? (await Project.open(loader));
      // A formula does not use itself; molecules first, as they mostly are what is meant.
      const names = project.library.names.filter(
        (name) => project.usedFile(named(name)) !== analysis?.content.file,
      );
      const isMolecule = (name: string) => formulaNameOf(name) === undefined;
      return Promise.all(
        [...names.filter(isMolecule), ...names.filter((name) => !isMolecule(name))].map((name) =>
          described(project, name),
        ),
      );
    }
    case 'extends':
    case 'aspects': {
      const project = analysis?.project ?? (await Project.open(loader));
      const names = project.library.names.filter((name) => formulaNameOf(name) !== undefined);
      const all = await Promise.all(
        names.map(async (name) => ({ name, file: await project.file(project.usedFile(named(name))) })),
      );
      const wanted = word === 'aspects' ? 'aspect' : 'formula';
      return all
        .filter(({ file }) => file?.content?.kind === wanted)
        .map(({ name }) => ({ label: String(formulaNameOf(name)), kind: CompletionItemKind.Reference }));
    }
    case 'by':
    case 'from': {
      const { settings } = analysis?.project ?? (await Project.open(loader));
      if (settings === undefined || settings === 'broken') return undefined;
      if (word === 'by')
        return [...settings.people.keys()].map((label) => ({ label, kind: CompletionItemKind.Reference }));
      return kind === 'project'
        ? [...settings.imports.keys()].map((label) => ({ label, kind: CompletionItemKind.Module }))
        : undefined;
    }
    default:
      return undefined;
  }
}

/** A molecule or formula, with what it is for and what it takes. */
async function described(project: Project, name: string): Promise<Proposal> {
  const content = (await project.file(project.usedFile(named(name))))?.content;
  const isKnown = content?.kind === 'molecule' || content?.kind === 'formula';
  return {
    label: name,
    kind: CompletionItemKind.Module,
    ...(isKnown &&
      content.inputs.length > 0 && { detail: content.inputs.map((input) => input.name.value).join(', ') }),
    ...(isKnown && content.description !== undefined && { documentation: content.description }),
  };
}

function typeWords(schema: unknown): string {
  const { type, enum: values } = (schema ?? {}) as { readonly type?: unknown; readonly enum?: unknown };
  if (Array.isArray(values)) return values.map((value) => JSON.stringify(value)).join(' | ');
  return [type ?? 'any'].flat().join(' or ');
}

function documented(schema: unknown): { readonly documentation?: string } {
  const { description } = (schema ?? {}) as { readonly description?: unknown };
  return typeof description === 'string' ? { documentation: description } : {};
}
