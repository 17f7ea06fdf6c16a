import type { Loader } from '../formula/loader.ts';
import { named } from '../formula/names.ts';
import { Project } from '../formula/project.ts';
import { showType } from '../formula/show-type.ts';
import { concurrencyTexts, referencesOf, textsOf, workspaceTexts } from '../formula/texts.ts';
import type { TextUse } from '../formula/texts.ts';
import { scopedSteps } from '../checks/check-file.ts';
import type { ResolvedStep } from '../formula/resolve.ts';
import type { Scope } from '../formula/types.ts';
import { descriptionOf, keysOf, schemasAt } from '../schema/schema-at.ts';
import { typeOfPath } from './complete.ts';
import { kindOfFile } from './kind-of-file.ts';
import { segmentOf } from './occurrences.ts';
import { scalarAt } from './scalar-at.ts';

/** What there is to say about a place: Markdown, and the characters that it is about. */
export interface Hovered {
  readonly markdown: string;
  readonly start: number;
  readonly end: number;
}

/** Says what stands at an offset: the type of a value, what a molecule is for, what a key means. */
export async function hoverAt(
  loader: Loader,
  path: string,
  text: string,
  offset: number,
): Promise<Hovered | undefined> {
  return (await valueAt(loader, path, text, offset)) ?? (await wordAt(loader, path, text, offset));
}

/** The name in a template or expression that an offset is on, with the type of what it leads to. */
async function valueAt(
  loader: Loader,
  path: string,
  text: string,
  offset: number,
): Promise<Hovered | undefined> {
  const project = await Project.open(loader);
  const content = (await project.closure(path))?.content;
  if (content?.kind !== 'formula' && content?.kind !== 'molecule' && content?.kind !== 'aspect')
    return undefined;
  for (const { steps, scopes } of scopedSteps(content, project.library)) {
    const uses: (readonly [TextUse, ResolvedStep | undefined])[] = steps.flatMap((step) =>
      [...textsOf(step)].map((use) => [use, step] as const),
    );
    if (content.kind === 'formula') {
      const workspace = content.workspace
        ? [...workspaceTexts({ owner: 'step', value: content.workspace })]
        : [];
      uses.push(
        ...[...workspace, ...concurrencyTexts(content.concurrency)].map((use) => [use, undefined] as const),
      );
    }
    for (const [use, step] of uses) {
      const found = referenceAt(use, path, text, offset, () =>
        scopes.of({ owner: content.kind === 'molecule' ? 'molecule' : use.owner, sees: use.sees }, step),
      );
      if (found) return found;
    }
    if (content.kind !== 'formula') continue;
    for (const { value } of content.outputs) {
      const use = { owner: 'step', kind: 'expression', expression: value } as TextUse;
      const found = referenceAt(use, path, text, offset, () => scopes.end);
      if (found) return found;
    }
  }
  return undefined;
}

function referenceAt(
  use: TextUse,
  path: string,
  text: string,
  offset: number,
  scope: () => Scope,
): Hovered | undefined {
  for (const reference of referencesOf(use)) {
    const { span } = reference;
    if (span.file !== path || offset < span.start || offset > span.end) continue;
    const names = reference.path.filter((part) => typeof part === 'string');
    for (const index of names.keys()) {
      const place = segmentOf(reference, text, index);
      if (!place || offset < place.start || offset > place.end) continue;
      const upTo = reference.path.slice(0, reference.path.indexOf(names[index] ?? '', index) + 1);
      const type = typeOfPath(scope(), upTo.map(String));
      const shown = upTo.reduce<string>(
        (all, part) => (typeof part === 'number' ? `${all}[${part}]` : all === '' ? part : `${all}.${part}`),
        '',
      );
      return (
        type && {
          markdown: `\`\`\`\n${shown}: ${showType(type)}\n\`\`\``,
          start: place.start,
          end: place.end,
        }
      );
    }
  }
  return undefined;
}

/** The key, or the value of `uses`, that an offset is on. */
async function wordAt(
  loader: Loader,
  path: string,
  text: string,
  offset: number,
): Promise<Hovered | undefined> {
  const found = scalarAt(text, offset);
  if (!found) return undefined;
  const { scalar, keys, isKey } = found;
  const place = { start: scalar.span.start, end: scalar.span.end };
  if (!isKey) {
    if (keys.at(-1) !== 'uses') return undefined;
    const project = await Project.open(loader);
    const content = (await project.file(project.usedFile(named(String(scalar.value)))))?.content;
    if (content?.kind !== 'molecule' && content?.kind !== 'formula') return undefined;
    const inputs = content.inputs.map(({ name, schema }) => `- \`${name.value}\` ${wordsOf(schema)}`);
    return {
      markdown: [content.description ?? '', inputs.join('\n')].filter((part) => part !== '').join('\n\n'),
      ...place,
    };
  }
  const kind = kindOfFile(path, text);
  const [part] = schemasAt(kind, keys);
  const description = part && descriptionOf(part);
  if (description === undefined) return undefined;
  const takes =
    keysOf(schemasAt(kind, keys.slice(0, -1))).find(({ name }) => name === keys.at(-1))?.takes ?? '';
  return { markdown: `${description}${takes === '' ? '' : `\n\n*${takes}*`}`, ...place };
}

function wordsOf(schema: unknown): string {
  const { type, description } = (schema ?? {}) as { readonly type?: unknown; readonly description?: unknown };
  return [
    type === undefined ? '' : [type].flat().join(' or '),
    typeof description === 'string' ? `— ${description}` : '',
  ]
    .filter((part) => part !== '')
    .join(' ');
}
