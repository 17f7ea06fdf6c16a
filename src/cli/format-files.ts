import { randomUUID } from 'node:crypto';
import { readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeUtf8 } from '../source/decode-utf8.ts';
import { formatYaml } from '../source/format-yaml.ts';
import { UserError } from '../support/user-error.ts';

/** What became of one file. */
export interface FormattedFile {
  readonly file: string;
  /** `left`: it does not parse or cannot be read, and stays as it is. */
  readonly did: 'same' | 'changed' | 'left';
  /** Why it was left. */
  readonly why?: string;
}

/**
 * Brings files of a project into their canonical layout; with `check`, only tells which are not. A file is replaced as a
 * whole, with its mode, behind a link where it leads to. Throws a {@link UserError} for one that cannot be written.
 */
export async function formatFiles(
  root: string,
  paths: readonly string[],
  { check }: { readonly check: boolean },
): Promise<readonly FormattedFile[]> {
  const done: FormattedFile[] = [];
  for (const file of paths) done.push(await formatFile(root, file, check));
  return done;
}

async function formatFile(root: string, file: string, check: boolean): Promise<FormattedFile> {
  const path = join(root, file);
  const bytes = await readFile(path).catch((cause: unknown) => codeOf(cause));
  // The others need not wait for it.
  if (typeof bytes === 'string') return { file, did: 'left', why: `it cannot be read: ${bytes}` };
  const decoded = decodeUtf8(file, bytes);
  if ('finding' in decoded) return { file, did: 'left', why: decoded.finding.message };
  const formatted = formatYaml(decoded.text);
  if (!formatted.ok) return { file, did: 'left', why: formatted.why };
  if (Buffer.from(formatted.text).equals(bytes)) return { file, did: 'same' };
  if (!check) await replaceFile(path, formatted.text, file);
  return { file, did: 'changed' };
}

async function replaceFile(path: string, text: string, name: string): Promise<void> {
  const target = await realpath(path);
  const fresh = `${target}.${randomUUID()}`;
  try {
    const { mode } = await stat(target);
    await writeFile(fresh, text, { mode });
    await rename(fresh, target);
  } catch (cause) {
    await rm(fresh, { force: true });
    throw new UserError(`${name} cannot be written: ${codeOf(cause)}`, {
      hint: 'make it and its folder writable; nothing of it was changed',
      cause,
    });
  }
}

function codeOf(cause: unknown): string {
  return (cause as NodeJS.ErrnoException).code ?? String(cause);
}
