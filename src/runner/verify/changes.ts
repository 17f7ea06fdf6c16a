import { renderTemplate } from '../../formula/render-template.ts';
import type { PlanCheck } from '../../plan/plan.ts';
import type { JsonObject } from '../../support/json.ts';
import type { Attempt } from '../attempt.ts';
import { messageOf, NO_FILES } from '../scope.ts';
import type { Verdict } from './verify.ts';
import { globMatcher } from '../../support/globs.ts';

/** Compares what was changed from where the step began, by earlier attempts too, with what it may touch. Dot files count like others. */
export async function checkChanges(
  { only, never, maxFiles, maxLines }: Extract<PlanCheck, { kind: 'changes' }>,
  { workspace, base, state }: Attempt,
  values: JsonObject,
): Promise<Verdict> {
  const changes = await workspace.changes(base, state);
  const paths = changes.map((change) => change.path);
  let globs: { readonly only: readonly string[] | undefined; readonly never: readonly string[] };
  try {
    const rendered = (texts: readonly string[]) =>
      texts.map((text) => renderTemplate(text, values, NO_FILES));
    globs = { only: only && rendered(only), never: rendered(never ?? []) };
  } catch (error) {
    return { passed: false, message: messageOf(error) };
  }
  const isAllowed = globs.only && globMatcher(globs.only);
  const outside = isAllowed ? paths.filter((path) => !isAllowed(path)) : [];
  const forbidden = globs.never.length > 0 ? paths.filter(globMatcher(globs.never)) : [];
  const lines = changes.reduce((sum, change) => sum + (change.added ?? 0) + (change.removed ?? 0), 0);
  const problems = [
    ...(outside.length > 0 ? [`it changed ${list(outside)}, outside of ${list(globs.only ?? [])}`] : []),
    ...(forbidden.length > 0 ? [`it changed ${list(forbidden)}, which it must not`] : []),
    ...(maxFiles === 0 && paths.length > 0
      ? [`it changed ${list(paths)}, and may change no files`]
      : maxFiles !== undefined && paths.length > maxFiles
        ? [`it changed ${paths.length} files, and at most ${maxFiles} are allowed`]
        : []),
    ...(maxLines !== undefined && lines > maxLines
      ? [`it changed ${lines} lines, and at most ${maxLines} are allowed`]
      : []),
  ];
  return { passed: problems.length === 0, message: problems.join('; ') };
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(', ');
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}
