import type { Located, Span } from '../diagnostics/diagnostic.ts';
import type { SourceDocument, SourceMap, SourceScalar } from '../source/source-document.ts';
import { scalarText } from './formula.ts';

/** What `wf.lock` says: what a project was resolved from, so that it resolves the same tomorrow. */
export interface Lockfile {
  readonly file: string;
  readonly imports: ReadonlyMap<string, LockEntry>;
}

/** An import at the commit that its ref led to. */
export interface LockEntry {
  /** Its name, as `wf.lock` has it. */
  readonly span: Span;
  readonly git: Located<string>;
  readonly ref: Located<string>;
  readonly path: Located<string> | undefined;
  /** All hexadecimal digits of it. */
  readonly commit: Located<string>;
  /** `sha256:<hexadecimal>` of each file's bytes, by its path in that repository's project. */
  readonly files: ReadonlyMap<string, Located<string>>;
}

/** Reads a document that satisfies the schema of `wf.lock`. */
export function readLockfile({ file, root }: SourceDocument): Lockfile {
  const imports = mapAt(root as SourceMap, 'imports')?.entries ?? [];
  return {
    file,
    imports: new Map(
      imports.map(({ key, value }) => {
        const entry = value as SourceMap;
        return [
          scalarText(key),
          {
            span: key.span,
            git: textAt(entry, 'git'),
            ref: textAt(entry, 'ref'),
            path: entry.get('path') && textAt(entry, 'path'),
            commit: textAt(entry, 'commit'),
            files: new Map(
              (mapAt(entry, 'files')?.entries ?? []).map((one) => [
                scalarText(one.key),
                { value: scalarText(one.value as SourceScalar), span: one.key.span },
              ]),
            ),
          },
        ];
      }),
    ),
  };
}

function mapAt(map: SourceMap, key: string): SourceMap | undefined {
  const value = map.get(key)?.value;
  return value?.kind === 'map' ? value : undefined;
}

function textAt(map: SourceMap, key: string): Located<string> {
  const { value, span } = map.get(key)?.value as SourceScalar;
  return { value: String(value), span };
}
