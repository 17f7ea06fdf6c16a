import { enableCompileCache } from 'node:module';

/** Runs the command line. `url`: of the script in `bin/`, from which the package is found. */
export async function start(url: string): Promise<void> {
  // Parsing our own code again at every start would cost more than most commands do.
  enableCompileCache();
  const { execute } = await import('@oclif/core');
  await execute({ dir: url });
}
