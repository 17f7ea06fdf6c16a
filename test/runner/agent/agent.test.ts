import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { digestPlan } from '../../../src/plan/digest.ts';
import type { PlanStep } from '../../../src/plan/plan.ts';
import { digestOf } from '../../../src/support/digest.ts';
import type { JsonObject } from '../../../src/support/json.ts';
import type { Reply, Script } from '../../support/messages-server.ts';
import { messagesServer } from '../../support/messages-server.ts';
import { testProject } from '../../support/project.ts';
import { proof } from '../../support/proof.ts';

const MODELS =
  'models: {small: {id: claude-haiku-4-5}, large: {id: claude-opus-5-5}, cheap: {id: nobody-knows}}\n';

/** A project with an agent, a repository, and a server that answers for the model. */
async function agentProject(agent: string, script: Script, files: Readonly<Record<string, string>> = {}) {
  const server = await messagesServer(script);
  onTestFinished(() => server.close());
  const project = testProject({
    'wf.yaml': MODELS,
    'formulas/a.yaml': `formula: a\n${agent}`,
    'src/a.txt': 'one\ntwo\nthree\n',
    ...files,
  }).commit();
  const env = { ANTHROPIC_API_KEY: 'sk-made-up-key', ANTHROPIC_BASE_URL: server.url };
  return { project, server, env, run: () => project.run('a', { env }) };
}

const submit = (input: JsonObject): Reply => ({ content: [{ tool: 'submit', input }] });
const call = (tool: string, input: JsonObject): Reply => ({ content: [{ tool, input }] });
const messagesOf = (body: JsonObject | undefined) => (body?.['messages'] ?? []) as readonly JsonObject[];
const lastContent = (body: JsonObject | undefined) => JSON.stringify(messagesOf(body).at(-1)?.['content']);

const FIX = `steps:
  - id: fix
    agent:
      model: small
      prompt: Make it four in {{file 'src/a.txt'}}
      tools: [workspace/read, workspace/edit]
    outputs: {summary: {type: string}}
    verify:
      - changes: {only: [src/a.txt]}
outputs: {said: steps.fix.outputs.summary}
`;

const retried = (retry: string) => `steps:
  - id: fix
    agent: {model: small, prompt: Make it four., tools: [workspace/edit]}
    outputs: {summary: {type: string}}
    verify:
      - run: grep -q four src/a.txt
    retry: {attempts: 2, on: [verify]${retry}}
`;

describe('an agent', () => {
  it('works with its tools until it submits, and what it changed is the run', async () => {
    const { server, run } = await agentProject(FIX, [
      call('read', { path: 'src/a.txt' }),
      call('edit', { path: 'src/a.txt', old: 'three', new: 'four' }),
      submit({ summary: 'done' }),
    ]);
    const ran = await run();
    expect(ran.status, ran.told).toBe('succeeded');
    expect(ran.outputs).toEqual({ said: 'done' });
    expect(ran.file('src/a.txt')).toBe('one\ntwo\nfour\n');
    expect(lastContent(server.asked[1]?.body)).toContain('one\\ntwo');
    expect(ran.state.usage).toMatchObject({ turns: 3, unpriced: [], repeated: 0 });
    expect(ran.state.usage.usd).toBeGreaterThan(0);
    expect(ran.step('fix').usage?.turns).toBe(3);
  });

  it('is given exactly its prompt and its tools', async () => {
    const { project, server, run } = await agentProject(FIX, [submit({ summary: 'x' })]);
    await run();
    const raw = server.asked[0]?.raw ?? '';
    const dry = JSON.parse((await project.wf('run a --dry-run --json')).stdout) as {
      readonly steps: readonly { readonly instances: readonly { readonly action: JsonObject }[] }[];
    };
    expect(dry.steps[0]?.instances[0]?.action['request']).toBe(raw);
    expect(JSON.parse(raw)).toMatchInlineSnapshot(`
      {
        "max_tokens": 8192,
        "messages": [
          {
            "content": "Make it four in one
      two
      three
      ",
            "role": "user",
          },
        ],
        "model": "claude-haiku-4-5",
        "stream": true,
        "tools": [
          {
            "description": "Replace text in a file. \`old\` must occur exactly once, unless \`all\` is true.",
            "input_schema": {
              "additionalProperties": false,
              "properties": {
                "all": {
                  "type": "boolean",
                },
                "new": {
                  "type": "string",
                },
                "old": {
                  "minLength": 1,
                  "type": "string",
                },
                "path": {
                  "description": "relative to the workspace",
                  "type": "string",
                },
              },
              "required": [
                "path",
                "old",
                "new",
              ],
              "type": "object",
            },
            "name": "edit",
          },
          {
            "description": "Read a text file.",
            "input_schema": {
              "additionalProperties": false,
              "properties": {
                "limit": {
                  "description": "number of lines",
                  "minimum": 1,
                  "type": "integer",
                },
                "offset": {
                  "description": "first line",
                  "minimum": 1,
                  "type": "integer",
                },
                "path": {
                  "description": "relative to the workspace",
                  "type": "string",
                },
              },
              "required": [
                "path",
              ],
              "type": "object",
            },
            "name": "read",
          },
          {
            "description": "Hand in the result. Call it once, when the task is done.",
            "input_schema": {
              "additionalProperties": false,
              "properties": {
                "summary": {
                  "type": "string",
                },
              },
              "required": [
                "summary",
              ],
              "type": "object",
            },
            "name": "submit",
          },
        ],
      }
    `);
  });

  it('costs little more than what its author wrote', async () => {
    const { server, run } = await agentProject(
      `steps:
  - id: fix
    agent: {model: small, system: Be brief., prompt: Fix it., tools: [workspace/edit]}
    outputs: {summary: {type: string}}
`,
      [submit({ summary: 'x' })],
    );
    await run();
    const own = ['Be brief.', 'Fix it.', '{"type":"string"}'].join('').length;
    expect(Buffer.byteLength(server.asked[0]?.raw ?? '') - own).toBeLessThanOrEqual(2_100);
    expect(Buffer.byteLength(server.asked[0]?.raw ?? '')).toBeGreaterThan(500);
  });

  it('ends by saying nothing more when it has nothing to submit', async () => {
    const { run } = await agentProject('steps:\n  - {id: s, agent: {model: small, prompt: Look.}}\n', [
      { content: ['I have looked.'] },
    ]);
    const ran = await run();
    expect(ran.status, ran.told).toBe('succeeded');
  });

  it('is reminded of its result, and fails when it has none', async () => {
    const { server, run } = await agentProject(FIX, [{ content: ['Well.'] }]);
    const ran = await run();
    expect(ran.state.error?.message).toBe('it stopped without a result, and was told so 2 times');
    expect(server.asked).toHaveLength(3);
    expect(lastContent(server.asked[1]?.body)).toContain('The result is still missing');
  });

  it('is told what is wrong with what it submits', async () => {
    const { server, run } = await agentProject(FIX, [
      submit({ summary: 4, more: true }),
      submit({ summary: 'x' }),
    ]);
    const ran = await run();
    expect(ran.status, ran.told).toBe('succeeded');
    expect(lastContent(server.asked[1]?.body)).toContain('must be text, not 4\\n\\"more\\" is not asked for');
  });

  it('is refused what it was not given', async () => {
    const { server, run } = await agentProject(FIX, [
      call('run', { command: 'touch /tmp/never' }),
      call('write', { path: 'x', content: 'y' }),
      submit({ summary: 'x' }),
    ]);
    const ran = await run();
    expect(lastContent(server.asked[1]?.body)).toContain('There is no tool \\"run\\" here');
    expect(ran.events.filter((event) => event.type === 'tool.returned' && event.refused)).toHaveLength(2);
    expect(ran.status, ran.told).toBe('succeeded');
  });

  it('is told that its arguments are not JSON', async () => {
    const { server, run } = await agentProject(FIX, [
      { content: [{ tool: 'read', json: '{"path": "src/a' }] },
      submit({ summary: 'x' }),
    ]);
    expect((await run()).status).toBe('succeeded');
    expect(lastContent(server.asked[1]?.body)).toContain('the arguments are not JSON');
  });

  it('is told head and tail of a long result, and where the rest is', async () => {
    const { server, run } = await agentProject(
      FIX,
      (body, n) => {
        if (n === 0) return call('read', { path: 'long.txt' });
        const [rest = ''] = /result:[0-9a-f]{16}/.exec(lastContent(body)) ?? [];
        return n === 1 ? call('read', { path: rest, offset: 5_000, limit: 1 }) : submit({ summary: 'x' });
      },
      {
        'long.txt': `${'0123456789\n'.repeat(4_999)}in the middle\n${'0123456789\n'.repeat(5_000)}the end\n`,
      },
    );
    expect((await run()).status).toBe('succeeded');
    expect(lastContent(server.asked[1]?.body)).not.toContain('in the middle');
    expect(lastContent(server.asked[2]?.body)).toContain('in the middle');
    const told = lastContent(server.asked[1]?.body);
    expect(told.length).toBeLessThan(40_000);
    expect(told).toMatch(/characters left out; the whole is in result:[0-9a-f]{16}/);
    expect(told).toContain('the end');
  });

  it('goes on in its conversation when a check fails, if the step says so', async () => {
    const { server, run } = await agentProject(retried(', feedback: true'), [
      call('edit', { path: 'src/a.txt', old: 'three', new: 'five' }),
      submit({ summary: 'five' }),
      call('edit', { path: 'src/a.txt', old: 'five', new: 'four' }),
      submit({ summary: 'four' }),
    ]);
    const ran = await run();
    expect(ran.status, ran.told).toBe('succeeded');
    expect(ran.file('src/a.txt')).toBe('one\ntwo\nfour\n');
    expect(messagesOf(server.asked[2]?.body)).toHaveLength(5);
    expect(lastContent(server.asked[2]?.body)).toContain('This does not hold yet');
    expect(lastContent(server.asked[2]?.body)).toContain('grep -q four src/a.txt');
  });

  it('starts over without it, in the workspace as it was', async () => {
    const { server, run } = await agentProject(retried(''), [
      call('edit', { path: 'src/a.txt', old: 'three', new: 'five' }),
      submit({ summary: 'five' }),
      call('edit', { path: 'src/a.txt', old: 'three', new: 'four' }),
      submit({ summary: 'four' }),
    ]);
    const ran = await run();
    expect(ran.status, ran.told).toBe('succeeded');
    expect(messagesOf(server.asked[2]?.body)).toHaveLength(1);
  });

  it.each([
    ['max_tokens', 'error', 'its reply was longer than the 8192 tokens that `max_output_tokens` allows'],
    ['refusal', 'denied', 'the model refused to do this'],
    [
      'model_context_window_exceeded',
      'error',
      'the conversation has become longer than what the model can read',
    ],
  ])('has an end for %s', async (stop, kind, message) => {
    const { run } = await agentProject(FIX, [{ content: ['Well.'], stop }]);
    expect((await run()).state.error).toMatchObject({ kind, message });
  });

  it('goes on after a pause', async () => {
    const { server, run } = await agentProject(FIX, [
      { content: ['Wait.'], stop: 'pause_turn' },
      submit({ summary: 'x' }),
    ]);
    expect((await run()).status).toBe('succeeded');
    expect(messagesOf(server.asked[1]?.body).map(({ role }) => role)).toEqual(['user', 'assistant']);
  });

  it('is asked no more often than `max_turns`', async () => {
    const { server, run } = await agentProject(FIX.replace('tools:', 'max_turns: 4\n      tools:'), [
      call('read', { path: 'src/a.txt' }),
    ]);
    const ran = await run();
    expect(ran.state.error).toMatchObject({
      kind: 'exhausted',
      message: 'it was asked 4 times (`max_turns`) and has not submitted its result',
    });
    expect(server.asked).toHaveLength(4);
  });

  it('is asked again when the infrastructure fails, and no attempt is used', async () => {
    const { server, run } = await agentProject(FIX, [
      { status: 529, message: 'overloaded' },
      { status: 429, retryAfter: 7 },
      { content: ['cut'], cutAfter: 3 },
      submit({ summary: 'x' }),
    ]);
    const ran = await run();
    expect(ran.status, ran.told).toBe('succeeded');
    expect(server.asked).toHaveLength(4);
    expect(ran.step('fix').attempts).toBe(1);
    const failed = ran.events.filter((event) => event.type === 'model.failed');
    expect(failed.map(({ why }) => why)).toEqual(['trouble', 'trouble', 'trouble']);
    expect(failed[1]).toMatchObject({ retryAfter: 7_000 });
  });

  it('is not asked again for what will not work', async () => {
    const { server, run } = await agentProject(FIX.replace('verify:', 'retry: {attempts: 3}\n    verify:'), [
      { status: 400, message: 'no such thing' },
    ]);
    const ran = await run();
    expect(ran.state.error?.kind).toBe('denied');
    expect(ran.state.error?.message).toContain('no such thing');
    expect(server.asked).toHaveLength(1);
  });

  it('marks what a provider may keep where it is long, and nothing where it is not', async () => {
    const long = FIX.replace('prompt:', `system: "${'Be careful. '.repeat(1_500)}"\n      prompt:`);
    const { server, run } = await agentProject(long, [
      call('read', { path: 'src/a.txt' }),
      submit({ summary: 'x' }),
    ]);
    expect((await run()).status).toBe('succeeded');
    const marked = server.asked.map(({ body }) => [
      JSON.stringify(body['system']).includes('cache_control'),
      lastContent(body).includes('cache_control'),
    ]);
    expect(marked).toEqual([
      [true, true],
      [true, true],
    ]);
    // Byte for byte the same beginning, so that it is found again.
    const begins = server.asked.map(({ raw }) => raw.slice(0, raw.indexOf('"messages"')));
    expect(begins[1]).toBe(begins[0]);
    const short = await agentProject(FIX, [submit({ summary: 'x' })]);
    await short.run();
    expect(short.server.asked[0]?.raw).not.toContain('cache_control');
  });

  it('works beside others of its kind, each in a copy, and their changes come together', async () => {
    const { run } = await agentProject(
      `steps:
  - id: fix
    for_each: [a, b, c]
    parallel: 3
    agent: {model: small, prompt: 'Write {{item}}', tools: [workspace/write]}
    outputs: {name: {type: string}}
outputs: {names: 'steps.fix.outputs.map(o, o.name)'}
`,
      (body) => {
        const name = String(messagesOf(body)[0]?.['content']).replace('Write ', '');
        return messagesOf(body).length === 1
          ? call('write', { path: `${name}.txt`, content: name })
          : submit({ name });
      },
    );
    const ran = await run();
    expect(ran.outputs, ran.told).toEqual({ names: ['a', 'b', 'c'] });
    expect(['a', 'b', 'c'].map((name) => ran.file(`${name}.txt`))).toEqual(['a', 'b', 'c']);
  });

  it('leaves a transcript, and a test can be written from it', async () => {
    const { project, env } = await agentProject(
      FIX.replace("Make it four in {{file 'src/a.txt'}}", 'Look, and then tell.'),
      [
        { content: ['I look.', { tool: 'read', input: { path: 'src/a.txt', limit: 1 } }] },
        call('write', { path: 'x', content: 'y' }),
        submit({ summary: 'done' }),
      ],
    );
    const run = await project.wf('run a', { env });
    expect(run.stderr).toContain('fix: calls workspace/read\n');
    expect(run.stderr).toContain('fix: called write, which it was not given\n');
    expect(run.stdout).toMatch(/a succeeded in .*, 3 turns, [0-9.k]+ tokens, [0-9.]+ USD/);
    expect((await project.wf('logs latest fix')).stdout).toBe(`prompt: Look, and then tell.
turn 1: I look.
calls: workspace/read {"path":"src/a.txt","limit":1}
answer:
  one
  [2 more lines]
turn 2:${' '}
calls: write {"path":"x","content":"y"}
refused: There is no tool "write" here. There is: edit, read, submit.
turn 3: submits {"summary":"done"}
`);
    const written = await project.wf(['test', '--stubs-from', 'latest']);
    expect(written.stdout, written.stderr).toContain('it passes');
    expect(project.read('formulas/a.').join('\n')).toContain('summary: done');
    const again = await project.wf('test');
    expect([again.exitCode, again.stdout]).toEqual([0, expect.stringContaining('1 passed')]);
  });

  it('is not begun when its tools are not those that the plan was compiled with', async () => {
    const { project, server, env } = await agentProject(FIX, [submit({ summary: 'x' })]);
    const plan = await project.compile();
    const [step] = plan.steps;
    const tools = (step?.tools ?? []).map((tool) => ({ ...tool, digest: digestOf('another') }));
    const { plan: _, bounds: __, ...body } = { ...plan, steps: [{ ...(step as PlanStep), tools }] };
    project.write({ 'other.json': JSON.stringify({ plan: digestPlan(body), ...body }) });
    const ran = await project.wf('run --plan other.json', { env });
    expect([ran.exitCode, ran.stderr]).toEqual([
      3,
      expect.stringContaining('workspace/edit of this wf is not the one that the plan was compiled with'),
    ]);
    expect(server.asked).toHaveLength(0);
  });

  it('says what to do without a key', async () => {
    const { project } = await agentProject(FIX, []);
    const ran = await project.run('a');
    expect(ran.state.error?.message).toBe(
      'there is no key for the model; export ANTHROPIC_AUTH_TOKEN or ANTHROPIC_API_KEY where the run is started',
    );
  });

  it('takes no longer than its timeout', async () => {
    const { run } = await agentProject(FIX.replace('verify:', 'timeout: 300ms\n    verify:'), [
      { hang: true },
    ]);
    expect((await run()).state.error).toMatchObject({
      kind: 'timeout',
      message: 'it took longer than 300ms',
    });
  });

  it('runs commands with the environment and the secrets of its step, and the key nowhere', async () => {
    const { project, server, env } = await agentProject(
      `steps:
  - id: s
    agent: {model: small, prompt: Look., tools: [workspace/run]}
    env: {WHO: ann}
    secrets: {TOKEN: MY_TOKEN}
    outputs: {ok: {type: boolean}}
`,
      [call('run', { command: 'echo "$WHO $TOKEN"; env' }), submit({ ok: true })],
    );
    const ran = await project.run('a', { env: { ...env, MY_TOKEN: 'hush-hush' } });
    expect(ran.status, ran.told).toBe('succeeded');
    const told = lastContent(server.asked[1]?.body);
    expect(told).toContain('ann ***');
    const everything = [
      ...server.asked.map(({ raw }) => raw),
      JSON.stringify(ran.events),
      ...project.read('.wf/'),
    ].join('\n');
    expect(everything).not.toContain('hush-hush');
    expect(everything).not.toContain('sk-made-up-key');
    expect(server.asked[0]?.headers.authorization).toBe('Bearer sk-made-up-key');
  });
});

describe('a budget', () => {
  const withBudget = (budget: string, model = 'small') =>
    `budget: {${budget}}\nsteps:\n  - id: s\n    agent: {model: ${model}, prompt: Look., max_output_tokens: 100}\n    outputs: {ok: {type: boolean}}\n`;

  it('of tokens is set aside before a turn, and the turn that may not fit is not sent', async () => {
    const { server, run } = await agentProject(withBudget('tokens: 3000'), [
      { content: ['Well.'], usage: { input: 900, output: 100 } },
    ]);
    const ran = await run();
    expect(ran.state.error?.kind).toBe('budget');
    expect(ran.state.error?.message).toMatch(
      /^the budget of 3000 tokens has \d+ left, and a turn may use \d+$/,
    );
    const { tokens } = ran.state.usage;
    expect(tokens.input + tokens.output).toBeLessThanOrEqual(3000);
    expect(server.asked.length).toBeGreaterThan(0);
  });

  it('of money refuses a model without a price', async () => {
    const { server, run } = await agentProject(withBudget('usd: 5', 'cheap'), [submit({ ok: true })]);
    expect((await run()).state.error?.message).toBe(
      'there is a budget of 5 USD, and nobody knows what the model costs',
    );
    expect(server.asked).toHaveLength(0);
  });

  it('without one, a model that nobody knows the price of is listed', async () => {
    const { run } = await agentProject(withBudget('minutes: 5', 'cheap'), [submit({ ok: true })]);
    expect((await run()).state.usage).toMatchObject({ usd: 0, unpriced: ['nobody-knows'] });
  });

  it('holds for agents that work at the same time', async () => {
    const { run } = await agentProject(
      `budget: {tokens: 9000}\nsteps:\n  - id: s\n    for_each: [1, 2, 3, 4, 5, 6, 7, 8]\n    parallel: 8\n    join: {quorum: 1}\n    agent: {model: small, prompt: Look., max_output_tokens: 300}\n    outputs: {ok: {type: boolean}}\n    on_failure: continue\n`,
      () => ({ ...submit({ ok: true }), usage: { input: 1100, output: 300 } }),
    );
    const { tokens } = (await run()).state.usage;
    expect(tokens.input + tokens.output).toBeLessThanOrEqual(9000);
    expect(tokens.output).toBeGreaterThan(0);
    expect(tokens.output).toBeLessThan(8 * 300);
  });

  it('refuses what is longer than `context_tokens` before it is sent', async () => {
    const { server, run } = await agentProject(
      `steps:\n  - id: s\n    agent: {model: small, prompt: "${'word '.repeat(2000)}", context_tokens: 500}\n    outputs: {ok: {type: boolean}}\n`,
      [submit({ ok: true })],
    );
    expect((await run()).state.error?.message).toMatch(
      /^the request has \d+ tokens, and `context_tokens` allows 500; it was not sent$/,
    );
    expect(server.asked).toHaveLength(0);
  });
});

describe('a judge', () => {
  const judged = `steps:
  - id: s
    agent: {model: small, prompt: Say hello., tools: [workspace/write]}
    outputs: {text: {type: string}}
    verify:
      - check: outputs.text != ''
      - judge: {model: large, rubric: 'Is "{{outputs.text}}" polite?', pass: score >= 4}
`;

  it.each([
    ['{"verdict": "kind", "score": 5}', 'succeeded', undefined],
    [
      '{"verdict": "rude", "score": 1}',
      'failed',
      'a check failed: its judge large is not content: `score >= 4` is not true (score 1)',
    ],
    [
      '{"verdict": "wow", "score": 9}',
      'failed',
      'a check failed: its judge large gave no verdict: "the verdict.score" must be at most 5, not 9',
    ],
    ['I would say 5', 'failed', 'a check failed: its judge large gave no verdict: what it wrote is not JSON'],
  ])('that says %s', async (verdict, status, message) => {
    const { server, run } = await agentProject(judged, (body) =>
      body['model'] === 'claude-opus-5-5'
        ? { content: [verdict] }
        : { content: [{ tool: 'submit', input: { text: 'Good day' } }] },
    );
    const ran = await run();
    expect([ran.status, ran.state.error?.message]).toEqual([status, message]);
    const asked = server.asked.at(-1)?.body;
    expect(asked?.['tools']).toBeUndefined();
    expect(lastContent(asked)).toContain('Is \\"Good day\\" polite?');
  });
});

describe('whatever a model answers', () => {
  const block = fc.oneof(
    fc.string(),
    fc.record({
      tool: fc.constantFrom(
        'read',
        'edit',
        'submit',
        'run',
        'write',
        'workspace_run',
        '../x',
        'a'.repeat(64),
      ),
      input: fc.jsonValue({ maxDepth: 2 }).map((value) => value as JsonObject),
    }),
    fc.record({
      tool: fc.constantFrom('edit', 'read'),
      input: fc.record({
        path: fc.constantFrom(
          'src/a.txt',
          '../../etc/passwd',
          '.git/config',
          '/etc/passwd',
          'src/../../x',
          '',
        ),
        old: fc.constantFrom('one', 'two', ''),
        new: fc.string(),
      }),
    }),
    fc.record({ tool: fc.constantFrom('read', 'edit', 'submit'), json: fc.string() }),
  );
  const reply = fc.oneof(
    { weight: 8, arbitrary: fc.record({ content: fc.array(block, { maxLength: 4 }) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        content: fc.array(block, { maxLength: 2 }),
        stop: fc.constantFrom('max_tokens', 'refusal', 'pause_turn', 'nonsense'),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom<Reply>({ status: 400 }, { status: 500 }, { content: [], cutAfter: 1 }),
    },
  );

  it('the run ends within its limits, calls nothing else, and changes nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(reply, { minLength: 1, maxLength: 6 }), async (replies) => {
        const { project, server, env } = await agentProject(
          FIX.replace('tools:', 'max_turns: 6\n      tools:'),
          replies,
          { 'canary.txt': 'canary\n' },
        );
        const ran = await project.run('a', { env });
        expect(['succeeded', 'failed']).toContain(ran.status);
        // The server refuses what breaks the rules by which calls and results go in pairs.
        const refused = ran.events.flatMap((event) =>
          event.type === 'model.failed' && event.why === 'denied' ? [event.message] : [],
        );
        expect(refused.filter((message) => !message.includes('scripted'))).toEqual([]);
        expect(server.asked.length).toBeLessThanOrEqual(6 * 5);
        for (const event of ran.events)
          if (event.type === 'tool.returned' && !event.isError)
            expect(['workspace/read', 'workspace/edit']).toContain(event.tool);
        expect(project.git('status', '--porcelain')).toBe('');
        await server.close();
      }),
      proof({ few: 6, many: 500 }),
    );
  });
});
