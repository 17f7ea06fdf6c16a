import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { fileProblem } from './file-problem.ts';

/** Removes a folder with all that is in it, also folders that nobody may write to, as module caches have them. */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch {
    await promisify(execFile)('chmod', ['-R', 'u+rwX', '--', path]).catch(() => undefined);
    try {
      await rm(path, { recursive: true, force: true });
    } catch (error) {
      throw fileProblem(error, path);
    }
  }
}
