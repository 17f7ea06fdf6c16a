import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openJournal } from '../../../src/journal/journal.ts';
import type { RunState } from '../../../src/journal/run-state.ts';
import type { JsonObject } from '../../../src/support/json.ts';
import type { Reply } from '../../support/messages-server.ts';
import { messagesServer } from '../../support/messages-server.ts';
import { testProject } from '../../support/project.ts';
import { proving } from '../../support/proof.ts';
import type { DriveOptions } from '../crash/drive-formula.ts';

const script = join(import.meta.dirname, '..', 'crash', 'drive-formula.ts');

const FORMULA = `formula: a
steps:
  - id: fix
    agent:
      model: small
      prompt: Make it four.
      tools: [workspace/read, workspace/edit, workspace/run]
    outputs: {summary: {type: string}}
    verify:
      - run: grep -q four src/a.txt
    retry: {attempts: 2, on: [verify], feedback: true}
outputs: {said: steps.fix.outputs.summary}
`;

/** What the model does depends on nothing but how far the conversation has come. */
const TURNS: readonly Reply[] = [
  { content: [{ tool: 'read', input: { path: 'src/a.txt' } }] },
  {
    content: [
      { tool: 'edit', input: { path: 'src/a.txt', old: 'three', new: 'five' } },
      { tool: 'run', input: { command: 'echo x >> count.txt' } },
    ],
  },
  { content: [{ tool: 'submit', input: { summary: 'five' } }] },
  { content: [{ tool: 'edit', input: { path: 'src/a.txt', old: 'five', new: 'four' } }] },
  { content: [{ tool: 'submit', input: { summary: 'four' } }] },
];
const turnOf = (body: JsonObject) =>
  (body['messages'] as readonly JsonObject[]).filter(({ role }) => role === 'assistant').length;

interface Ended {
  readonly killed: boolean;
  readonly state: RunState | undefined;
  readonly stderr: string;
}

function drive(root: string, env: Readonly<Record<string, string>>, args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [script, root, ...args], { env: { ...process.env, ...env } });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.on('close', (_code, signal) => {
      const state = stdout.trim() === '' ? undefined : (JSON.parse(stdout) as RunState);
      resolve({ killed: signal === 'SIGKILL', state, stderr });
    });
  });
}

/** One run that dies after the event of this number, and is carried on. */
async function life(killAt: number): Promise<boolean> {
  const server = await messagesServer((body) => TURNS[turnOf(body)] ?? { status: 400 });
  try {
    const project = testProject({
      'wf.yaml': 'models: {small: {id: claude-haiku-4-5}}\n',
      'formulas/a.yaml': FORMULA,
      'src/a.txt': 'one\ntwo\nthree\n',
    }).commit();
    const env = { ANTHROPIC_API_KEY: 'k', ANTHROPIC_AUTH_TOKEN: '', ANTHROPIC_BASE_URL: server.url };
    const options: DriveOptions = { killAt };
    const first = await drive(project.root, env, ['start', 'a', JSON.stringify(options)]);
    const journal = await openJournal(project.root);
    const run = journal.listRuns()[0]?.run ?? '';
    const before = journal.readEvents(run);
    journal.close();
    const askedBefore = server.asked.length;
    const last = first.killed ? await drive(project.root, env, ['resume', run]) : first;
    expect(last.stderr).toBe('');
    const { state } = last;
    expect(state?.status, `killed after event ${killAt}`).toBe('succeeded');
    expect(project.git('show', `${String(state?.branch)}:src/a.txt`)).toBe('one\ntwo\nfour\n');
    // A call whose result is on record is made once; so is one that was under way, in the workspace as it was before.
    expect(project.git('show', `${String(state?.branch)}:count.txt`)).toBe('x\n');
    const replied = before.filter(({ type }) => type === 'model.replied').length;
    const turns = server.asked.map(({ body }) => turnOf(body));
    // No recorded reply is asked for again, and at most the one request that was under way is.
    expect(turns.slice(askedBefore).every((turn) => turn >= replied)).toBe(true);
    expect(turns.length - TURNS.length).toBeLessThanOrEqual(1);
    expect(state?.usage.repeated).toBeGreaterThanOrEqual(turns.length - TURNS.length);
    expect(state?.usage.turns).toBe(TURNS.length);
    return first.killed;
  } finally {
    await server.close();
  }
}

it(
  'killed after any event of an agent, a run asks for no recorded reply again and repeats no recorded call',
  { timeout: 3_600_000 },
  async () => {
    const every = proving ? 1 : 5;
    let kills = 0;
    for (let at = 2; ; at += every) {
      if (!(await life(at))) break;
      kills += 1;
    }
    expect(kills).toBeGreaterThan(5);
    console.log(`an agent killed after every ${every === 1 ? '' : `${every}th `}event: ${kills} kills`);
  },
);
