import { renderDiagnostics } from '../diagnostics/code-frame.ts';
import type { LockResult } from './lock-project.ts';
import type { TextStyle } from './text-style.ts';

/** What a locking came to: a line for each import, with the files that changed below it. */
export function renderLock({ report, sources, isEmpty }: LockResult, style: TextStyle): string {
  const { ok, imports, removed, diagnostics } = report;
  if (diagnostics.length > 0) return renderDiagnostics(diagnostics, sources, { style });
  if (isEmpty) return 'wf.yaml imports nothing, so there is nothing to lock';
  const width = Math.max(...[...imports.map(({ name }) => name), ...removed].map((name) => name.length));
  const lines = imports.flatMap(({ name, ref, commit, before, did, changed }) => {
    const place = before === undefined ? short(commit) : `${short(before)} → ${short(commit)}`;
    const head = `${name.padEnd(width)}  ${ref}  ${place}  ${WORDS[did]}`;
    return [head, ...changed.map((path) => `  ${style.faint(path)}`)];
  });
  const gone = removed.map((name) => `${name.padEnd(width)}  is imported no more`);
  const end = ok
    ? []
    : ['', style.error('wf.lock is not what wf.yaml says: run `wf lock`, and commit wf.lock')];
  return [...lines, ...gone, ...end].join('\n');
}

const WORDS = {
  kept: 'is pinned, and here',
  fetched: 'is pinned, and was fetched',
  pinned: 'is pinned now',
  moved: 'has moved',
} as const;

function short(commit: string): string {
  return commit.slice(0, 12);
}
