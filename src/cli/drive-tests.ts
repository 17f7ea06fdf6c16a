import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestReport } from '../testing/run-tests.ts';
import { runTests } from '../testing/run-tests.ts';
import { updateSnapshots } from '../testing/update-snapshots.ts';
import type { ProjectFolder } from '../workspace/project-loader.ts';

export interface TestsHere {
  readonly paths: readonly string[] | undefined;
  readonly filter: string | undefined;
  readonly update: boolean;
  readonly coverage: boolean;
  /** Shows on a terminal how many are done. */
  readonly progress: boolean;
}

/** Runs tests until they are done or somebody presses Ctrl-C; `stopped` tells which. */
export async function driveTests(
  project: ProjectFolder,
  { paths, filter, update, coverage, progress }: TestsHere,
): Promise<{ readonly report: TestReport; readonly stopped: boolean }> {
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  process.once('SIGINT', interrupt);
  try {
    const report = await runTests(project, {
      ...(paths && { paths }),
      ...(filter !== undefined && { filter }),
      coverage,
      signal: stop.signal,
      env: process.env,
      ...(progress && process.stderr.isTTY && { onResult: showProgress() }),
      ...(update && {
        update: (file, text, mismatches) =>
          writeFile(join(project.root, file), updateSnapshots(text, mismatches)),
      }),
    });
    return { report, stopped: stop.signal.aborted };
  } finally {
    process.off('SIGINT', interrupt);
  }
}

/** One line that counts, and goes when anything else is written. */
function showProgress(): () => void {
  let done = 0;
  return () => {
    done += 1;
    process.stderr.write(`\r${done} tests\u001b[K\r`);
  };
}
