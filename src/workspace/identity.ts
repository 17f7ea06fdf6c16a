import { git } from './git.ts';

/**
 * Who somebody says to be on this machine: git's `user.email`, unproved. Undefined when it is not set, or there is no
 * git to ask.
 */
export async function identityOf(folder: string): Promise<string | undefined> {
  try {
    const answer = await git(['config', '--get', 'user.email'], { cwd: folder, accept: [0, 1] });
    const email = answer.stdout.toString('utf8').trim();
    return email === '' ? undefined : email;
  } catch {
    return undefined;
  }
}
