// A process that drives a run to its end: `node drive-run.ts <project> <run> <log>`. Exits 0 at the end, 3 when
// somebody else drives the run. Each piece of work leaves a line in the log when it begins.
import { appendFileSync } from 'node:fs';
import { openJournal } from '../../src/journal/journal.ts';
import type { Engine } from '../../src/runner/engine.ts';
import { openLocalEngine } from '../../src/runner/engines/local-engine.ts';
import { UserError } from '../../src/support/user-error.ts';

const [root = '', run = '', log = ''] = process.argv.slice(2);

async function interpret(engine: Engine): Promise<void> {
  const work = (step: string) =>
    engine.step(
      step,
      async ({ repeated }) => {
        appendFileSync(log, `${process.pid} ${step} ${repeated}\n`);
        await new Promise((resolve) => setTimeout(resolve, 2));
        return { type: 'attempt.succeeded', step, outputs: { text: 'x'.repeat(500) } };
      },
      { started: { type: 'attempt.started', step } },
    );
  await engine.record('start', { type: 'run.started', formula: 'f', plan: 'sha256:0', inputs: {} });
  for (let index = 0; index < 30; index += 1) {
    await engine.all([work(`a${index}`), work(`b${index}`)]);
    const now = await engine.now(`now${index}`);
    await engine.any(`race${index}`, [engine.sleep(`nap${index}`, now + 3), work(`c${index}`)]);
    await engine.record(`s${index}`, { type: 'step.succeeded', step: `s${index}`, outputs: {} });
  }
  await engine.lock('lock', 'group', 'queue');
  await work('last');
  await engine.release('release', 'group');
  await engine.record('end', { type: 'run.succeeded', outputs: {} });
}

try {
  const journal = await openJournal(root);
  const engine = openLocalEngine(journal, run);
  await interpret(engine);
  await engine.close();
  journal.close();
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exitCode = 3;
}
