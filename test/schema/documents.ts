import type { JsonObject } from '../../src/support/json.ts';

/** Documents that are right and together use every key of their schemas. */
export const formulas: readonly JsonObject[] = [
  {
    formula: 'fix-lint',
    description: 'Make the linter pass.',
    tags: ['lint', 'nightly'],
    inputs: {
      paths: { type: 'array', items: { type: 'string' }, default: ['src'] },
      issue: { type: 'string', pattern: '^#[0-9]+$', examples: ['#1'] },
      anything: true,
    },
    workspace: {
      from: 'clone',
      prepare: { run: 'npm ci', files: ['package-lock.json'] },
      services: [
        { id: 'db', run: ['postgres', '-p', 5432], ready: { port: 5432 }, env: { A: 'b', N: 1 } },
        { id: 'stack', run: 'make up', ready: { log: 'ready' } },
        { id: 'api', run: 'make api', ready: { run: 'curl -f localhost' } },
      ],
    },
    budget: { minutes: 30 },
    concurrency: { group: 'lint-{{inputs.issue}}', then: 'cancel' },
    steps: [
      {
        id: 'lint',
        title: 'Run the linter',
        tags: ['fast'],
        run: 'npx eslint {{args inputs.paths}} > "$WF_OUTPUT"',
        needs: [],
        when: 'size(inputs.paths) > 0',
        env: { CI: true },
        secrets: { NODE_AUTH_TOKEN: 'NPM_TOKEN' },
        exit: [0, 1],
        parse: 'json',
        outputs: { files: { type: 'array' }, count: { type: 'integer', minimum: 0 } },
        verify: [
          { run: 'npm test', from: 'base', files: ['test/**'] },
          { check: "outputs.count != '1'" },
          { changes: { only: ['src/**'], never: ['{{inputs.issue}}'], max_files: 3, max_lines: 80 } },
          { wait: { event: 'ci.finished', match: 'event.ok', pass: 'true' }, timeout: '1h' },
        ],
        retry: { attempts: 3, on: ['verify', 'error'], backoff: '10s', feedback: true },
        timeout: '1h30m',
        budget: { minutes: 1.5 },
        on_failure: 'continue',
        concurrency: { group: 'x' },
        workspace: 'empty',
      },
      {
        id: 'fix',
        for_each: 'steps.lint.outputs.files',
        parallel: 4,
        join: { quorum: 2 },
        uses: 'fix-file',
        with: { path: '{{item}}', nested: { a: [1, null, true] } },
        retry: { attempts: 2, backoff: { initial: '1s', factor: 2, max: '1m' } },
      },
      {
        id: 'again',
        for_each: ['a', 1],
        join: 'any',
        uses: 'formula/release',
        repeat: { until: 'true', max: 3, or: 'keep' },
      },
      {
        id: 'review',
        approve: { ask: 'Land it?', show: ['run.diff'], by: ['maintainers'], count: 2 },
        timeout: '24h',
      },
      { id: 'pause', wait: { for: '10m' }, once: true },
      {
        id: 'until',
        wait: { until: '2026-12-01T09:00:00Z' },
        workspace: { git: 'https://git.example.com/a.git', ref: 'main' },
      },
      {
        id: 'python',
        run: { program: 'python3', args: ['-u', 1], script: 'print(1)' },
        workspace: { from: { git: 'x' } },
      },
    ],
    finally: [
      { id: 'report', run: 'echo done', when: "run.status == 'failed'" },
      { id: 'tidy', uses: 'tidy', with: {} },
    ],
    outputs: { fixed: 'size(steps.fix.outputs)', three: 3 },
  },
  { formula: 'tiny', workspace: 'checkout', steps: [{ id: 'a', run: 'true' }] },
];

export const molecules: readonly JsonObject[] = [
  {
    molecule: 'fix-file',
    description: 'Fix one file.',
    title: 'Fix {{inputs.path}}',
    tags: ['fix'],
    inputs: { path: { type: 'string' } },
    run: 'npx eslint --fix {{inputs.path}}',
    outputs: { summary: { type: 'string', maxLength: 200 } },
    verify: [{ changes: { only: ['{{inputs.path}}'] } }],
    retry: { attempts: 3 },
    timeout: '5m',
    env: { A: 'b' },
    secrets: { T: 'TOKEN' },
    exit: [0],
    parse: 'json',
    budget: { minutes: 5 },
    workspace: 'clone',
  },
  { molecule: 'ask', approve: { ask: 'Well?' }, once: true },
  { molecule: 'hold', wait: { event: 'go' } },
];

export const projects: readonly JsonObject[] = [
  {},
  {
    env: ['CI'],
    people: { maintainers: ['ann@example.com', 'team:platform'] },
    profiles: { ci: { env: ['CI'], people: { maintainers: ['bot@example.com'] } }, local: null },
  },
];
