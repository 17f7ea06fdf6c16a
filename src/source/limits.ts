import type { Finding } from '../diagnostics/diagnostic.ts';

/** The most bytes (or UTF-16 units) a YAML file may have. Ten thousand steps fit several times. */
export const maxFileSize = 4 * 1024 * 1024;

/** The most nodes that aliases may add to a file, so that a few lines cannot grow into gigabytes. */
export const maxAliasNodes = 100_000;

/** The most levels of lists and maps inside each other. */
export const maxDepth = 100;

/** The finding for a file that is larger than {@link maxFileSize}; a loader that knows the size need not read it. */
export function fileTooLarge(file: string): Finding {
  return {
    rule: 'file-too-large',
    severity: 'error',
    message: `the file is larger than the ${maxFileSize / 1024 / 1024} MB a file may have`,
    help: 'split it, or keep data in a file of its own that a step reads',
    span: { file, start: 0, end: 0 },
  };
}
