import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The page about a rule that ships with wf, in Markdown; `root` is the package's folder. */
export function readRulePage(root: string, rule: string): string | undefined {
  try {
    return readFileSync(join(root, 'docs', 'checks', `${rule}.md`), 'utf8');
  } catch {
    return undefined;
  }
}
