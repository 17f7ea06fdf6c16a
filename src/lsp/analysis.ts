import { scopedSteps } from '../checks/check-file.ts';
import type { Aspect, Formula, Molecule } from '../formula/formula.ts';
import type { Loader } from '../formula/loader.ts';
import { Project } from '../formula/project.ts';
import type { ResolvedStep } from '../formula/resolve.ts';
import type { Sees } from '../formula/texts.ts';
import type { Scope } from '../formula/types.ts';
import type { Path } from './cursor.ts';

/** A file of a project with what its texts can read. */
export interface Analysis {
  readonly project: Project;
  readonly content: Formula | Molecule | Aspect;
  /** The step whose text an offset is in. */
  stepAt(offset: number): ResolvedStep | undefined;
  /** The names that a text sees which stands at a path, at an offset. */
  scopeAt(path: Path, offset: number): Scope;
}

/** Reads a file with all it uses. Undefined for one that is no formula, molecule or aspect, or cannot be read as one. */
export async function analyse(loader: Loader, path: string): Promise<Analysis | undefined> {
  const project = await Project.open(loader);
  const content = (await project.closure(path))?.content;
  if (content?.kind !== 'formula' && content?.kind !== 'molecule' && content?.kind !== 'aspect')
    return undefined;
  const parts = scopedSteps(content, project.library);
  const found = (offset: number) => {
    for (const { steps, scopes } of parts) {
      const step =
        content.kind === 'molecule'
          ? steps[0]
          : steps.find(
              ({ step: { span } }) => span.file === path && span.start <= offset && offset <= span.end,
            );
      if (step) return { step, scopes };
    }
    return undefined;
  };
  return {
    project,
    content,
    stepAt: (offset) => found(offset)?.step,
    scopeAt: (keys, offset) => {
      const at = found(offset);
      const [first] = parts;
      if (!at)
        return keys[0] === 'outputs' && first
          ? first.scopes.end
          : (first?.scopes.of(OUTSIDE, undefined) ?? new Map());
      return at.scopes.of(
        { owner: content.kind === 'molecule' ? 'molecule' : 'step', sees: seesAt(keys) },
        at.step,
      );
    },
  };
}

const OUTSIDE = { owner: 'step', sees: { loop: false, outputs: false, event: false } } as const;

function seesAt(path: Path): Sees {
  const keys = path.map(String);
  const last = keys.at(-1);
  return {
    loop: !['when', 'for_each', 'quorum'].includes(last ?? '') && !keys.includes('for_each'),
    outputs: keys.includes('verify') || last === 'until',
    event: last === 'match' || last === 'pass',
  };
}
