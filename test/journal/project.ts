import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Plan } from '../../src/plan/plan.ts';

/** A plan that does nothing. */
export const emptyPlan: Plan = {
  plan: `sha256:${'0'.repeat(64)}`,
  schema: 1,
  compiler: 'test',
  formula: 'nothing',
  inputs: {},
  workspace: { from: 'empty' },
  steps: [],
};

/** A directory that goes when the test ends. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'wf-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
