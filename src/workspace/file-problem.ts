import { UserError } from '../support/user-error.ts';

/** What a file system says when the world, and not we, is at fault. */
const PROBLEMS: Readonly<Record<string, { readonly what: string; readonly hint: string }>> = {
  ENOSPC: { what: 'there is no space left', hint: 'free some space, then `wf resume`' },
  EDQUOT: { what: 'the quota is used up', hint: 'free some space, then `wf resume`' },
  EROFS: { what: 'the file system is read-only', hint: 'make it writable, then try again' },
  EACCES: { what: 'permission denied', hint: 'change its owner or its permissions, then try again' },
  EPERM: { what: 'permission denied', hint: 'change its owner or its permissions, then try again' },
};

/** An error of the file system as something a person can act on; any other error as it is. */
export function fileProblem(error: unknown, path: string): unknown {
  const { code, path: at } = error as NodeJS.ErrnoException;
  const problem = PROBLEMS[code ?? ''];
  if (!problem) return error;
  return new UserError(`${at ?? path} cannot be used: ${problem.what}`, { hint: problem.hint, cause: error });
}

/** Does something with files, and tells their problems as {@link fileProblem} does. */
export async function withFiles<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw fileProblem(error, path);
  }
}
