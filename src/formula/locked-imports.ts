import type { Finding, Located } from '../diagnostics/diagnostic.ts';
import { suggest } from '../diagnostics/suggest.ts';
import type { Import } from './formula.ts';
import { importRoot } from './imports.ts';
import type { LockEntry, Lockfile } from './lockfile.ts';

/** An import that `wf.lock` pins as `wf.yaml` wants it. */
export interface LockedImport extends LockEntry {
  readonly name: string;
  /** Where its files are kept. See {@link importRoot}. */
  readonly root: string;
}

/** The imports of a project as far as its lockfile pins them, and where the two are not at one. */
export function lockedImports(
  imports: ReadonlyMap<string, Import>,
  lock: Lockfile | undefined,
): { readonly value: ReadonlyMap<string, LockedImport>; readonly findings: readonly Finding[] } {
  const findings: Finding[] = [];
  const value = new Map<string, LockedImport>();
  for (const [name, wanted] of imports) {
    const entry = lock?.imports.get(name);
    const differs =
      entry && (['git', 'ref', 'path'] as const).find((key) => !isSame(wanted[key], entry[key]));
    if (!entry) findings.push(notLocked(wanted));
    else if (differs) findings.push(lockedOtherwise(wanted, entry, differs));
    else value.set(name, { ...entry, name, root: importRoot(name, entry.commit.value) });
  }
  for (const [name, entry] of lock?.imports ?? []) {
    if (!imports.has(name)) findings.push(lockedForNothing(name, entry));
  }
  return { value, findings };
}

function isSame(one: Located<string> | undefined, other: Located<string> | undefined): boolean {
  return one?.value === other?.value;
}

function notLocked({ name }: Import): Finding {
  return {
    rule: 'lock-outdated',
    severity: 'error',
    message: `import "${name.value}" is not in wf.lock`,
    help: 'run `wf lock`, and commit wf.lock',
    span: name.span,
  };
}

function lockedOtherwise(wanted: Import, entry: LockEntry, key: 'git' | 'ref' | 'path'): Finding {
  const value = wanted[key];
  const said = (one: Located<string> | undefined) => (one ? `"${one.value}"` : `no \`${key}\``);
  return {
    rule: 'lock-outdated',
    severity: 'error',
    message: `import "${wanted.name.value}" says ${key === 'path' && !value ? '' : `${key} `}${said(value)}, and wf.lock pins it with ${said(entry[key])}`,
    help: 'run `wf lock`, and commit wf.lock',
    span: (value ?? wanted.name).span,
    related: [{ message: 'it is pinned here', span: (entry[key] ?? entry).span }],
  };
}

function lockedForNothing(name: string, entry: LockEntry): Finding {
  return {
    rule: 'lock-outdated',
    severity: 'error',
    message: `wf.lock pins "${name}", which wf.yaml does not import`,
    help: 'run `wf lock`, and commit wf.lock',
    span: entry.span,
  };
}

/** The files of an import are not in this folder, or not all of them. */
export function notFetched({ name, commit, span }: LockedImport): Finding {
  return {
    rule: 'lock-mismatch',
    severity: 'error',
    message: `the files of import "${name}" at ${commit.value.slice(0, 12)} are not here`,
    help: 'run `wf lock`: it fetches what wf.lock pins',
    span,
  };
}

/** A file of an import is not the one that was pinned. */
export function lockMismatch({ name, root }: LockedImport, path: string, { span }: Located<string>): Finding {
  return {
    rule: 'lock-mismatch',
    severity: 'error',
    message: `${path} of import "${name}" is not what wf.lock pins`,
    help: 'run `wf lock`: it fetches the file again, and says if it is the entry that was changed',
    span,
    related: [{ message: 'this is the file', span: { file: `${root}${path}`, start: 0, end: 0 } }],
  };
}

/** `policy.from` leads to no policy. */
export function noPolicy(
  from: Located<string>,
  target: Import | undefined,
  names: readonly string[],
): Finding {
  return {
    rule: 'unknown-import',
    severity: 'error',
    message: target
      ? `import "${from.value}" has no policy: there is no \`policy\` in its wf.yaml`
      : `there is no import "${from.value}"`,
    help: target
      ? 'take out `from`, or import a ref that has one'
      : (suggest(from.value, names) ?? 'name it under `imports`'),
    span: from.span,
  };
}

/** A policy that is taken from an import takes from another itself. */
export function policyOfPolicy(from: Located<string>, further: Located<string>): Finding {
  return {
    rule: 'unknown-import',
    severity: 'error',
    message: `the policy of import "${from.value}" is itself \`from\` an import, "${further.value}", and imports of an import are not followed`,
    help: 'its owners can write out what they take from there',
    span: from.span,
    related: [{ message: 'it is taken from here', span: further.span }],
  };
}
