import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { testProject } from './project.ts';
import type { TestProject } from './project.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A project that has the formulas and molecules that ship with wf, as somebody would who copied them; not committed. */
export function shippedProject(): TestProject {
  const project = testProject({});
  for (const folder of ['formulas', 'molecules']) {
    cpSync(join(root, folder), join(project.root, folder), { recursive: true });
  }
  return project;
}
