import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { StateId } from '../../journal/event.ts';
import type { PlanCheck } from '../../plan/plan.ts';
import type { JsonObject } from '../../support/json.ts';
import type { Attempt } from '../attempt.ts';
import { commandEnvironment } from '../command-environment.ts';
import { filesIn } from '../files-in.ts';
import { lastLines } from '../actions/run.ts';
import { renderCommand } from '../render-command.ts';
import { messageOf } from '../scope.ts';
import type { Verdict } from './verify.ts';
import { globMatcher } from '../../support/globs.ts';

/**
 * Runs a check's command in the state the action left. With `from: base` the files it names are first put back as they
 * were before the step. Whatever the command changes is undone: a check judges the work, it does not do any.
 */
export async function checkCommand(
  check: Extract<PlanCheck, { kind: 'run' }>,
  attempt: Attempt,
  values: JsonObject,
  before: StateId,
  signal: AbortSignal,
): Promise<Verdict> {
  const { world, state, at } = attempt;
  const directory = await world.workspace.enter(state, {
    ...(at.home !== undefined && { copy: at.home }),
    signal,
  });
  try {
    if (check.from === 'base') await putBack(check.files ?? [], attempt, before, directory.path);
    const files = filesIn(directory.path);
    const command = renderCommand(check.run, values, files);
    const environment = await commandEnvironment(attempt, values, files, {
      WF_OUTPUT: await world.scratch(`${at.key}.output`),
      WF_WORKSPACE: directory.path,
    });
    if (!environment.ok) return { passed: false, message: environment.message };
    const begun = performance.now();
    const ended = await world.execute(command, {
      cwd: directory.path,
      ...environment.value,
      signal,
      ...(attempt.limit !== Infinity && { timeout: attempt.limit }),
      log: at.key,
      place: { step: at.path, ...(at.item !== undefined && { item: at.item }) },
    });
    attempt.spend(performance.now() - begun);
    const output = lastLines(
      [ended.stdout.text, ended.stderr.text].filter((text) => text !== '').join('\n'),
      40,
    );
    const name = describe(check);
    if (ended.ended === 'failed')
      return { passed: false, message: `${name}: ${ended.message ?? 'could not be started'}`, output };
    if (ended.ended !== 'exit') return { passed: false, message: `${name}: ${ended.ended}`, output };
    const { exitCode } = ended;
    return {
      passed: exitCode === 0,
      message: `${name}: exit code ${exitCode ?? ended.killedBy ?? '?'}`,
      output,
    };
  } catch (error) {
    return { passed: false, message: messageOf(error) };
  } finally {
    await directory.restore(state);
    await directory.leave();
  }
}

/** The first line of a check's command, as people know it from the file. */
function describe({ run }: Extract<PlanCheck, { kind: 'run' }>): string {
  const text = 'bash' in run ? run.bash : 'argv' in run ? run.argv.join(' ') : `${run.program} script`;
  const [first = '', ...rest] = text.trim().split('\n');
  return `\`${first}${rest.length > 0 ? ' …' : ''}\``;
}

async function putBack(
  globs: readonly string[],
  { world, state }: Attempt,
  before: StateId,
  directory: string,
): Promise<void> {
  const matches = globMatcher(globs);
  for (const { path } of await world.workspace.changes(before, state)) {
    if (!matches(path)) continue;
    const content = await world.workspace.fileAt(before, path);
    const file = join(directory, path);
    if (!content) await rm(file, { force: true });
    else {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
    }
  }
}
