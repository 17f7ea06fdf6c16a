import { styleText } from 'node:util';
import type { FrameStyle } from '../diagnostics/code-frame.ts';

/** The few ways in which text for eyes is told apart. */
export interface TextStyle extends FrameStyle {
  readonly colour: boolean;
  good(text: string): string;
  strong(text: string): string;
  /** What waits for somebody. */
  attention(text: string): string;
}

/** Colours where a person looks at a terminal and has not said no (`--no-color`, `NO_COLOR`, `TERM=dumb`). */
export function textStyle(stream: NodeJS.WriteStream, argv: readonly string[] = []): TextStyle {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  const refused =
    argv.includes('--no-color') || (NO_COLOR ?? '') !== '' || TERM === 'dumb' || FORCE_COLOR === '0';
  const colour = !refused && (stream.isTTY || (FORCE_COLOR ?? '') !== '');
  const as = (format: Parameters<typeof styleText>[0]) => (text: string) =>
    colour ? styleText(format, text, { validateStream: false }) : text;
  return {
    colour,
    error: as('red'),
    warning: as('yellow'),
    faint: as('dim'),
    help: as('cyan'),
    good: as('green'),
    strong: as('bold'),
    attention: as('magenta'),
  };
}
