import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { showDuration } from '../../formula/duration.ts';
import type { PlanCheck } from '../../plan/plan.ts';
import type { JsonObject } from '../../support/json.ts';
import type { Attempt } from '../attempt.ts';
import { commandEnvironment } from '../command-environment.ts';
import { filesIn } from '../files-in.ts';
import { lastLines } from '../actions/run.ts';
import { renderCommand } from '../render-command.ts';
import { messageOf } from '../scope.ts';
import { timeLeft } from '../time-left.ts';
import { authoredCommand } from './authored-command.ts';
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
  signal: AbortSignal,
): Promise<Verdict> {
  const { world, workspace, state, at, step } = attempt;
  const directory = await workspace.enter(state, {
    ...(at.home !== undefined && { copy: at.home }),
    signal,
  });
  try {
    if (check.from === 'base') await putBack(check.files ?? [], attempt, directory.path);
    const files = filesIn(directory.path);
    const command = renderCommand(check.run, values, files);
    const environment = await commandEnvironment(attempt, values, files, {
      WF_OUTPUT: await world.scratch(`${at.key}.output`),
      WF_WORKSPACE: directory.path,
    });
    if (!environment.ok) return { passed: false, message: environment.message };
    const { milliseconds: limit, over } = timeLeft(attempt);
    const begun = attempt.world.elapsed();
    const ended = await world.execute(command, {
      cwd: directory.path,
      ...environment.value,
      signal,
      ...(limit !== Infinity && { timeout: limit }),
      log: at.key,
      place: { step: at.path, ...(at.item !== undefined && { item: at.item }) },
    });
    const milliseconds = Math.round(attempt.world.elapsed() - begun);
    const output = lastLines(
      [ended.stdout.text, ended.stderr.text].filter((text) => text !== '').join('\n'),
      40,
    );
    const name = `\`${authoredCommand(check.run)}\``;
    const failed = (what: string, why: Pick<Verdict, 'ended'> = {}): Verdict => ({
      passed: false,
      message: `${name}: ${what}`,
      output,
      milliseconds,
      ...why,
    });
    switch (ended.ended) {
      case 'failed':
        return failed(ended.message ?? 'it could not be started');
      case 'cancelled':
        return failed('cancelled');
      case 'timeout':
        return over.kind === 'budget'
          ? failed(over.message, { ended: 'budget' })
          : failed(`the step took longer than ${showDuration(step.timeout ?? 0)}`, { ended: 'timeout' });
      case 'exit': {
        const { exitCode, killedBy } = ended;
        if (exitCode === undefined) return failed(`it was ended by ${killedBy ?? 'a signal'}`);
        return exitCode === 0
          ? { passed: true, message: '', output, milliseconds }
          : failed(`exit code ${exitCode}`);
      }
    }
  } catch (error) {
    return { passed: false, message: messageOf(error) };
  } finally {
    await directory.restore(state);
    await directory.leave();
  }
}

async function putBack(
  globs: readonly string[],
  { workspace, state, base }: Attempt,
  directory: string,
): Promise<void> {
  const matches = globMatcher(globs);
  for (const { path } of await workspace.changes(base, state)) {
    if (!matches(path)) continue;
    const content = await workspace.fileAt(base, path);
    const file = join(directory, path);
    if (!content) await rm(file, { force: true });
    else {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
    }
  }
}
