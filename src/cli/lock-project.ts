import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { toDiagnostics } from '../diagnostics/to-diagnostics.ts';
import { suggest } from '../diagnostics/suggest.ts';
import type { Loader } from '../formula/loader.ts';
import { Project } from '../formula/project.ts';
import { newId } from '../support/ids.ts';
import { UserError } from '../support/user-error.ts';
import { fileProblem } from '../workspace/file-problem.ts';
import type { LockedOne } from '../workspace/lock-imports.ts';
import { lockImports, lockText } from '../workspace/lock-imports.ts';

/** What `wf lock --json` prints. */
export interface LockReport {
  /** With `check`: wf.lock says what it should. Without: it does now. */
  readonly ok: boolean;
  readonly imports: readonly Omit<LockedOne, 'files'>[];
  /** Imports that were in wf.lock, and are not in wf.yaml. */
  readonly removed: readonly string[];
  /** Mistakes in wf.yaml or wf.lock that stand in the way. Then nothing was done. */
  readonly diagnostics: readonly Diagnostic[];
}

/** A report with the texts that its diagnostics point into, by path. */
export interface LockResult {
  readonly report: LockReport;
  readonly sources: ReadonlyMap<string, string>;
  /** Whether there is anything to lock. */
  readonly isEmpty: boolean;
}

export interface LockRequest {
  readonly root: string;
  /** Where wf.yaml and wf.lock are read from. */
  readonly loader: Loader;
  /** Imports to look up anew; `all`. */
  readonly update: readonly string[] | 'all';
  /** `write`: wf.lock is written. `check`: it has to say already what it would. `fetch`: it is left alone. */
  readonly mode: 'write' | 'check' | 'fetch';
  readonly signal: AbortSignal;
  readonly onFetch: (name: string, git: string, ref: string) => void;
}

/** Brings wf.lock, and the files of imports that are kept here, to what wf.yaml says. See {@link lockImports}. */
export async function lockProject(request: LockRequest): Promise<LockResult> {
  const { root, loader, update, mode } = request;
  const project = await Project.open(loader);
  const [settings, locked] = await Promise.all(['wf.yaml', 'wf.lock'].map((path) => project.file(path)));
  const broken = [settings, locked].flatMap((file) =>
    (file?.findings ?? []).filter(({ severity }) => severity === 'error'),
  );
  if (broken.length > 0) {
    const diagnostics = toDiagnostics(broken, project.sources);
    const report = { ok: false, imports: [], removed: [], diagnostics };
    return { report, sources: project.sources, isEmpty: false };
  }
  const imports =
    settings?.content?.kind === 'project' ? settings.content.settings.imports : new Map<string, never>();
  const lock = locked?.content?.kind === 'lock' ? locked.content.lock : undefined;
  const unknown = update === 'all' ? undefined : update.find((name) => !imports.has(name));
  if (unknown !== undefined)
    throw new UserError(`wf.yaml imports no "${unknown}"`, {
      hint:
        suggest(unknown, [...imports.keys()]) ?? `it imports ${[...imports.keys()].join(', ') || 'nothing'}`,
    });
  const done = await lockImports({
    root,
    imports,
    lock,
    update: (name) => update === 'all' || update.includes(name),
    signal: request.signal,
    onFetch: request.onFetch,
  });
  const removed = [...(lock?.imports.keys() ?? [])].filter((name) => !imports.has(name));
  const isEmpty = imports.size === 0 && !locked;
  const isSame = removed.length === 0 && done.every(({ did }) => did === 'kept' || did === 'fetched');
  if (mode === 'write' && !isEmpty) await writeLock(root, lockText(done));
  const report = {
    ok: mode !== 'check' || isSame,
    imports: done.map(({ files: _, ...one }) => one),
    removed,
    diagnostics: [],
  };
  return { report, sources: project.sources, isEmpty };
}

async function writeLock(root: string, text: string): Promise<void> {
  const file = join(root, 'wf.lock');
  if ((await readFile(file, 'utf8').catch(() => undefined)) === text) return;
  const fresh = `${file}.${newId()}`;
  try {
    await writeFile(fresh, text);
    await rename(fresh, file);
  } catch (error) {
    await rm(fresh, { force: true }).catch(() => undefined);
    throw fileProblem(error, file);
  }
}
