import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { CheckedPart } from '../plan/check-project.ts';
import { scriptBeside } from './script-beside.ts';

/** A thread costs about what it takes to check so many files. */
const FEWEST_PER_THREAD = 200;

const MOST_THREADS = 8;

/** What a thread is given. */
export interface ThreadTask {
  readonly root: string;
  readonly paths: readonly string[];
}

/**
 * Checks files of the project at `root` in as many threads as there are processors for; undefined when they are too few
 * to be worth a second one. Throws what a thread has thrown.
 */
export function checkInThreads(
  root: string,
  paths: readonly string[],
): Promise<readonly CheckedPart[]> | undefined {
  const threads = Math.min(
    availableParallelism(),
    MOST_THREADS,
    Math.floor(paths.length / FEWEST_PER_THREAD),
  );
  if (threads < 2) return undefined;
  const script = scriptBeside(import.meta.url, 'check-thread-main');
  return Promise.all(
    Array.from({ length: threads }, (_, index) => {
      const task: ThreadTask = { root, paths: paths.filter((__, at) => at % threads === index) };
      return inThread<CheckedPart>(script, task);
    }),
  );
}

function inThread<T>(script: string, task: ThreadTask): Promise<T> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(script, {
      workerData: task,
      // What a file was made into is seldom looked at after it was checked: it dies young when there is room to.
      resourceLimits: { maxYoungGenerationSizeMb: 64 },
    });
    thread.once('message', resolve);
    thread.once('error', reject);
    thread.once('exit', (code) => reject(new Error(`a thread that checks ended with ${code}`)));
  });
}
