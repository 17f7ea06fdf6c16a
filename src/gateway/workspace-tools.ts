import { compilePattern } from '../formula/pattern.ts';
import { WORKSPACE_TOOLS } from '../formula/workspace-tools.ts';
import { compileSchema } from '../schema/validate-value.ts';
import type { JsonObject, JsonValue } from '../support/json.ts';
import { isJsonObject } from '../support/json.ts';
import type { ToolOutcome } from './tool-outcome.ts';
import { PathRefused } from './workspace/confined.ts';
import { filesUnder, LARGEST, readConfined, writeConfined } from './workspace/files.ts';

export interface WorkspaceToolOptions {
  /** Absolute path of the workspace: nothing outside of it is read or changed. */
  readonly directory: string;
  /** A folder with results that were too long to be told; `read` finds them as `result:<name>`. */
  readonly results: string;
  readonly signal: AbortSignal;
  /** Runs a bash command in the directory. */
  readonly execute: (command: string, signal: AbortSignal) => Promise<CommandOutcome>;
}

/** What a command of `run` came to. */
export interface CommandOutcome {
  readonly exitCode: number | undefined;
  readonly output: string;
  /** Why there is no exit code. */
  readonly problem?: string;
}

const MOST_FILES = 1_000;
const MOST_MATCHES = 200;
const LONGEST_LINE = 400;

/**
 * Calls a tool of the built-in server. The arguments are what a model wrote, and nobody has checked them: what is wrong with
 * them is a result that says so, never an exception.
 */
export async function callWorkspaceTool(
  name: string,
  args: JsonValue,
  options: WorkspaceToolOptions,
): Promise<ToolOutcome> {
  if (options.signal.aborted) return { kind: 'cancelled' };
  const problem = problemOf(name, args);
  if (problem !== undefined) return wrong(problem);
  try {
    return await TOOLS[name as keyof typeof TOOLS](args as JsonObject, options);
  } catch (error) {
    if (options.signal.aborted) return { kind: 'cancelled' };
    if (error instanceof PathRefused) return wrong(error.message);
    throw error;
  }
}

function problemOf(name: string, args: JsonValue): string | undefined {
  const definition = WORKSPACE_TOOLS.find((tool) => tool.name === name);
  if (!definition || !(name in TOOLS)) return `there is no tool ${name}`;
  if (typeof args === 'string') return `the arguments are not JSON: ${args.slice(0, 200)}`;
  if (!isJsonObject(args)) return 'the arguments have to be an object';
  const [first] = compileSchema(definition.inputSchema, 'the arguments')(args);
  return first?.message;
}

const TOOLS = {
  async read({ path, offset = 1, limit }: JsonObject, { directory, results }: WorkspaceToolOptions) {
    const kept = /^result:([0-9a-f]{16})$/.exec(String(path));
    const { content } = kept
      ? await readConfined(results, `${kept[1]}.txt`)
      : await readConfined(directory, String(path));
    if (isBinary(content)) return wrong(`"${String(path)}" is no text`);
    const lines = content.toString('utf8').split('\n');
    // A line break at the end ends a line; it does not begin one.
    if (lines.at(-1) === '') lines.pop();
    const first = Number(offset) - 1;
    const count = limit === undefined ? lines.length : Number(limit);
    if (first >= lines.length && first > 0) return wrong(`it has ${lines.length} lines`);
    const shown = lines.slice(first, first + count);
    const left = lines.length - first - shown.length;
    const more = left > 0 ? `\n[${left} more lines]` : '';
    return told(`${shown.join('\n')}${more}`);
  },

  async list({ path, glob }: JsonObject, { directory, signal }: WorkspaceToolOptions) {
    const found: string[] = [];
    let more = 0;
    for await (const file of filesUnder(directory, text(path), text(glob), signal)) {
      if (found.length < MOST_FILES) found.push(file);
      else more += 1;
    }
    if (found.length === 0) return told('no files');
    return told([...found, ...(more > 0 ? [`[${more} more files]`] : [])].join('\n'));
  },

  async search({ pattern, path, glob }: JsonObject, { directory, signal }: WorkspaceToolOptions) {
    const compiled = compilePattern(String(pattern));
    if (!compiled.ok) return wrong(`the pattern cannot be read: ${compiled.problem}`);
    const found: string[] = [];
    let more = 0;
    for await (const file of filesUnder(directory, text(path), text(glob), signal)) {
      const content = await readConfined(directory, file).then(
        (read) => read.content,
        () => undefined,
      );
      if (!content || isBinary(content)) continue;
      for (const [index, line] of content.toString('utf8').split('\n').entries()) {
        if (!compiled.finds(line)) continue;
        if (found.length === MOST_MATCHES) more += 1;
        else found.push(`${file}:${index + 1}: ${line.slice(0, LONGEST_LINE)}`);
      }
      if (signal.aborted) return { kind: 'cancelled' } as const;
    }
    if (found.length === 0) return told('no matches');
    return told([...found, ...(more > 0 ? [`[${more} more matches]`] : [])].join('\n'));
  },

  async edit({ path, old, new: fresh, all }: JsonObject, { directory }: WorkspaceToolOptions) {
    const { content, mode } = await readConfined(directory, String(path));
    if (isBinary(content)) return wrong(`"${String(path)}" is no text`);
    const before = content.toString('utf8');
    // A model writes \n, whatever the file has.
    const isCrlf = before.includes('\r\n') && !/[^\r]\n/.test(before);
    const asIn = (part: JsonValue | undefined) =>
      isCrlf ? String(part).replace(/\r?\n/g, '\r\n') : String(part);
    const [wanted, given] = [asIn(old), asIn(fresh)];
    const count = before.split(wanted).length - 1;
    if (count === 0) return wrong(`\`old\` is not in "${String(path)}"${nearly(before, wanted)}`);
    if (count > 1 && all !== true)
      return wrong(
        `\`old\` is ${count} times in "${String(path)}": give more of its surroundings, or say all`,
      );
    const after = before.split(wanted).join(given);
    if (Buffer.byteLength(after) > LARGEST)
      return wrong(`"${String(path)}" would have more than ${LARGEST} bytes`);
    await writeConfined(directory, String(path), after, mode);
    return told(count === 1 ? 'done' : `done, ${count} times`);
  },

  async write({ path, content }: JsonObject, { directory }: WorkspaceToolOptions) {
    const bytes = Buffer.byteLength(String(content));
    if (bytes > LARGEST) return wrong(`it has ${bytes} bytes, and at most ${LARGEST} are written`);
    await writeConfined(directory, String(path), String(content));
    return told('done');
  },

  async run({ command }: JsonObject, { execute, signal }: WorkspaceToolOptions) {
    if (String(command).includes('\0')) return wrong('the command holds a NUL');
    const { exitCode, output, problem } = await execute(String(command), signal);
    if (signal.aborted) return { kind: 'cancelled' } as const;
    const end = problem ?? `exit code ${exitCode}`;
    const isError = problem !== undefined || exitCode !== 0;
    return {
      kind: 'returned',
      isError,
      text: output === '' ? end : `${output.trimEnd()}\n[${end}]`,
    } as const;
  },
} satisfies Readonly<
  Record<string, (args: JsonObject, options: WorkspaceToolOptions) => Promise<ToolOutcome>>
>;

function told(text: string): ToolOutcome {
  return { kind: 'returned', isError: false, text };
}

function wrong(text: string): ToolOutcome {
  return { kind: 'returned', isError: true, text };
}

function text(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function isBinary(content: Buffer): boolean {
  return content.subarray(0, 8_192).includes(0);
}

/** What may be the matter with a text that is not found. */
function nearly(content: string, wanted: string): string {
  const loose = (part: string) => part.replace(/\s+/g, ' ').trim();
  return loose(wanted) !== '' && loose(content).includes(loose(wanted))
    ? ': it is, with other spaces or line breaks'
    : '';
}
