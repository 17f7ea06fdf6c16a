import { isTestFile } from '../formula/test-file.ts';
import type { DocumentKind } from '../schema/validate.ts';

/** What a file is, by its place and, in `formulas/`, by the key that it begins with. */
export function kindOfFile(path: string, text: string): DocumentKind {
  if (path === 'wf.yaml') return 'project';
  if (path === 'wf.lock') return 'lock';
  if (isTestFile(path)) return 'test';
  if (path.startsWith('molecules/')) return 'molecule';
  return /^aspect\s*:/m.test(text) ? 'aspect' : 'formula';
}
