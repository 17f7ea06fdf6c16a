import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runTests } from '../../src/testing/run-tests.ts';
import type { Files } from '../support/memory-loader.ts';
import { memoryLoader } from '../support/memory-loader.ts';
import { testProject } from '../support/project.ts';
import { keysOfSchemas } from '../support/key-pairs.ts';

const RELEASE = `formula: release
inputs: {version: {type: string}, publish: {type: boolean, default: true}}
workspace: clone
steps:
  - id: build
    run: 'npm run build -- {{inputs.version}}'
    outputs: {size: {type: integer}}
    retry: {attempts: 2, backoff: 1m}
    timeout: 10m
    verify:
      - check: outputs.size > 0
      - changes: {only: ['dist/**']}
      - run: '[ ! -e dist/broken ] && [ "\${CI:-}" != broken ]'
  - {id: ask, when: inputs.publish, approve: {ask: 'Publish {{inputs.version}}?', by: [team]}, timeout: 24h}
  - {id: publish, when: steps.ask.status == 'succeeded', run: "npm publish --tag '{{inputs.version}}'", env: {CI: '{{run.id}}'}}
  - {id: ci, when: inputs.publish, wait: {event: ci.finished, pass: event.ok}, timeout: 1h}
finally:
  - {id: report, run: 'echo {{run.status}}'}
outputs: {size: steps.build.outputs.size}
`;

/** Results of one test of `release`, in short; a test is given without its name. */
async function resultOf(test: string, more: Files = {}): Promise<string> {
  const tests = `tests:\n  - name: t\n${test.replace(/^/gm, '    ').trimEnd()}\n`;
  const report = await runTests(
    memoryLoader({
      'wf.yaml': 'people: {team: [ann@example.com, bob@example.com]}\nenv: [CI]\n',
      'formulas/release.yaml': RELEASE,
      'formulas/release.test.yaml': tests,
      ...more,
    }),
    { signal: new AbortController().signal, env: process.env },
  );
  const told = report.diagnostics.map(({ rule, message }) => `${rule}: ${message}`);
  const results = report.tests.map(({ ok, problem, mismatches }) =>
    ok
      ? 'passes'
      : (problem ??
        mismatches.map(({ what, expected, actual }) => `${what}: ${expected} ≠ ${actual}`).join('; ')),
  );
  return [...told, ...results].join('\n');
}

const GOOD = `inputs: {version: v1}
stubs: {build: {outputs: {size: 3}}, publish: {}, report: {}}
answers: {ask: {decision: approve, after: 2h}}
events: [{event: ci.finished, data: {ok: true}, after: 5m}]
expect: {status: succeeded}
`;
const SHORT = 'inputs: {version: v1, publish: false}\n';
const BUILT = 'stubs: {build: {outputs: {size: 3}}, report: {}}\n';

describe('a test of an agent', () => {
  const AGENT: Files = {
    'wf.yaml': 'models: {small: {id: x}}\n',
    'formulas/a.yaml': `formula: a
inputs: {who: {type: string, default: Ann}}
steps:
  - id: s
    agent: {model: small, prompt: 'Write to {{inputs.who}}.', tools: [workspace/write]}
    outputs: {text: {type: string}}
    verify:
      - check: outputs.text != ''
      - changes: {only: [letter.txt]}
      - judge: {model: small, rubric: Is it kind?, pass: score >= 4}
    timeout: 5m
outputs: {text: steps.s.outputs.text}
`,
  };
  const result = async (test: string) => {
    const { tests } = await runTests(
      memoryLoader({ ...AGENT, 'formulas/a.test.yaml': `tests:\n  - {name: t, ${test}}\n` }),
      { signal: new AbortController().signal, env: process.env },
    );
    return tests.map(({ ok, problem, mismatches }) =>
      ok ? 'passes' : (problem ?? mismatches.map(({ what, actual }) => `${what}: ${actual}`).join('; ')),
    );
  };

  it.each([
    [
      "stubs: {s: {outputs: {text: Hello}, writes: {letter.txt: Hello}}}, expect: {status: succeeded, outputs: {text: Hello}, rendered: {s: 'Write to Ann.'}}",
      'passes',
    ],
    ['stubs: {s: {outputs: {text: Hello}, checks: fail}}, expect: {status: failed}', 'passes'],
    ['stubs: {s: {outputs: {text: Hello}, writes: {other.txt: x}}}, expect: {status: failed}', 'passes'],
    ["stubs: {s: {outputs: {text: ''}}}, expect: {status: failed}", 'passes'],
    [
      'stubs: {s: {outputs: {text: Hello}, after: 6m}}, expect: {status: failed, error: it took longer than 5m}',
      'passes',
    ],
    ['stubs: {s: {exit: 1, stderr: it gave up}}, expect: {status: failed, error: it gave up}', 'passes'],
    ['stubs: {s: real}, expect: {status: failed, error: a test asks no model}', 'passes'],
  ])('%s', async (test, expected) => {
    expect(await result(test)).toEqual([expected]);
  });

  it('says that a stub is missing', async () => {
    expect(await result('expect: {status: succeeded}')).toEqual([expect.stringContaining('s')]);
  });
});

describe('a test of a formula', () => {
  it('runs it with stubs in the place of actions, people and events, on a clock of its own', async () => {
    const expected = `expect:
  started: [build, ask, publish, ci, report]
  steps: {build: succeeded, ask: succeeded}
  attempts: {build: 1}
  outputs: {size: 3}
  results: {build: {size: 3}, ask: {decision: approved, by: ann@example.com}}
  rendered:
    build: npm run build -- v1
    ask: Publish v1?
    publish: "npm publish --tag 'v1'"
    report: echo succeeded
`;
    expect(await resultOf(GOOD.replace(/expect.*\n/, expected))).toBe('passes');
  });

  it.each([
    [
      'a check that fails',
      `${SHORT}stubs: {build: {outputs: {size: 0}}, report: {}}\nexpect: {status: failed, error: outputs.size, attempts: {build: 2}}`,
      'passes',
    ],
    [
      'changes that are not allowed',
      `${SHORT}stubs: {build: {outputs: {size: 1}, writes: {src/a.js: x}}, report: {}}\nexpect: {status: failed, error: src/a.js}`,
      'passes',
    ],
    [
      'a command of a check, which runs for real',
      `${SHORT}stubs: {build: {outputs: {size: 1}, writes: {dist/broken: x}}, report: {}}\nexpect: {status: failed, error: dist/broken}`,
      'passes',
    ],
    [
      'a command of a check that a stub stands for',
      `${SHORT}stubs: {build: {outputs: {size: 1}, checks: fail}, report: {}}\nexpect: {status: failed, error: exit code 1}`,
      'passes',
    ],
    [
      'tries one after the other',
      `${SHORT}stubs: {build: [{exit: 1}, {outputs: {size: 1}}], report: {}}\nexpect: {attempts: {build: 2}, status: succeeded}`,
      'passes',
    ],
    [
      'a file that is removed',
      `${SHORT}files: {dist/a.js: x, dist/broken: y}\nstubs: {build: {outputs: {size: 1}, writes: {dist/broken: null}}, report: {}}\nexpect: {status: succeeded}`,
      'passes',
    ],
    [
      'an action that takes too long',
      `${SHORT}stubs: {build: {after: 11m}, report: {}}\nexpect: {status: failed, error: took longer than 10m}`,
      'passes',
    ],
    [
      'the infrastructure, which uses no attempt',
      `${SHORT}stubs: {build: [{exit: 75}, {outputs: {size: 1}}], report: {}}\nexpect: {attempts: {build: 1}, status: succeeded}`,
      'passes',
    ],
    [
      'a no',
      GOOD.replace('approve,', 'reject, by: ann@example.com, comment: not today,').replace(
        'succeeded',
        "failed, error: 'ann@example.com said no: not today'",
      ),
      'passes',
    ],
    [
      'nobody who answers',
      GOOD.replace(/answers.*\n/, '').replace('succeeded', 'failed, steps: {ask: failed, publish: skipped}'),
      'passes',
    ],
    [
      'an event that says no',
      GOOD.replace('ok: true', 'ok: false').replace('succeeded', 'failed, steps: {ci: failed}'),
      'passes',
    ],
    [
      'an action for real',
      `${SHORT}stubs: {build: {outputs: {size: 1}}, report: real}\nexpect: {status: succeeded, results: {report: {stdout: succeeded}}}`,
      'passes',
    ],
  ])('can play %s', async (_, test, expected) => {
    expect(await resultOf(test)).toBe(expected);
  });

  it.each([
    ['status', `${SHORT}${BUILT}expect: {status: failed}`, 'status: failed ≠ succeeded'],
    [
      'how it ended, where nothing is said about that',
      `${SHORT}stubs: {build: {exit: 1}, report: {}}\nexpect: {attempts: {build: 2}}`,
      'status: succeeded ≠ failed',
    ],
    ['steps', `${SHORT}${BUILT}expect: {steps: {ask: succeeded}}`, 'steps.ask: succeeded ≠ skipped'],
    ['order', `${SHORT}${BUILT}expect: {started: [report, build]}`, 'started: report, build ≠ build, report'],
    ['outputs', `${SHORT}${BUILT}expect: {outputs: {size: 4}}`, 'outputs.size: 4 ≠ 3'],
    [
      'outputs that are not there',
      `${SHORT}${BUILT}expect: {outputs: {sizes: 4}}`,
      'outputs.sizes: 4 ≠ nothing',
    ],
    [
      'results',
      `${SHORT}${BUILT}expect: {results: {build: {size: 4}}}`,
      'results.build: {"size":4} ≠ {"size":3}',
    ],
    ['attempts', `${SHORT}${BUILT}expect: {attempts: {build: 2}}`, 'attempts.build: 2 ≠ 1'],
    [
      'text',
      `${SHORT}${BUILT}expect: {rendered: {build: npm run build}}`,
      'rendered.build: npm run build ≠ npm run build -- v1',
    ],
    [
      'text of what was not reached',
      `${SHORT}${BUILT}expect: {rendered: {ask: 'Publish?'}}`,
      'rendered.ask: Publish? ≠ not reached',
    ],
    ['error', `${SHORT}${BUILT}expect: {error: broken}`, 'error: broken ≠ no error'],
  ])('says what is not as expected: %s', async (_, test, expected) => {
    expect(await resultOf(test)).toBe(expected);
  });

  it('has to have a stub for each action that it reaches', async () => {
    expect(await resultOf(`${SHORT}expect: {status: failed}`)).toMatch(
      /^nothing stands for the action of "build", "report": give it a stub, `build: {}`/,
    );
  });

  it('that waits for something the test does not have, waits', async () => {
    const formula = 'formula: release\nsteps: [{id: ask, approve: {ask: Well?}}]\n';
    expect(
      await resultOf('expect: {status: waiting, steps: {ask: waiting}}', {
        'formulas/release.yaml': formula,
      }),
    ).toBe('passes');
    expect(await resultOf('expect: {status: succeeded}', { 'formulas/release.yaml': formula })).toBe(
      'status: succeeded ≠ waiting',
    );
  });

  it('names a step inside of a used formula by its path, and an item by its index', async () => {
    const files = {
      'formulas/release.yaml':
        'formula: release\nsteps: [{id: sub, uses: formula/inner}, {id: each, for_each: [a, b], run: "echo {{item}}"}]\n',
      'formulas/inner.yaml': 'formula: inner\nsteps: [{id: one, run: ls}]\n',
    };
    const test =
      "stubs: {sub.one: {stdout: x}, 'each[1]': {exit: 1}, each: {}}\nexpect: {status: failed, results: {sub.one: {stdout: x}}, steps: {'each[0]': succeeded, 'each[1]': failed}, rendered: {each: echo b}}";
    expect(await resultOf(test, files)).toBe('passes');
  });
});

describe('a test of a molecule', () => {
  it('runs it as the one step of a formula, with its inputs and outputs', async () => {
    const report = await runTests(
      memoryLoader({
        'molecules/count-words.yaml': `molecule: count-words
inputs: {text: {type: string}, least: {type: integer, default: 1}}
run: 'printf "{\\"count\\": %d}" "$(printf %s {{inputs.text}} | wc -w)" > "$WF_OUTPUT"'
outputs: {count: {type: integer}}
verify: [{check: 'outputs.count >= inputs.least'}]
`,
        'molecules/count-words.test.yaml': `tests:
  - name: counts
    inputs: {text: "it's {{two}} $(words)"}
    stubs: {count_words: real}
    expect: {outputs: {count: 3}, rendered: {count_words: 'printf "{\\"count\\": %d}" "$(printf %s ''it''\\''''s {{two}} $(words)'' | wc -w)" > "$WF_OUTPUT"'}}
  - name: wants enough
    inputs: {text: one, least: 2}
    stubs: {count_words: {outputs: {count: 1}}}
    expect: {status: failed, error: inputs.least}
`,
      }),
      { signal: new AbortController().signal, env: process.env },
    );
    expect(report.diagnostics).toEqual([]);
    expect(report.tests.map(({ ok, mismatches, problem }) => ({ ok, mismatches, problem }))).toEqual([
      { ok: true, mismatches: [], problem: undefined },
      { ok: true, mismatches: [], problem: undefined },
    ]);
  });
});

describe('every key of a test', () => {
  const one = (text: string) => `${SHORT}${BUILT}expect: ${text}`;
  const stub = (text: string, expected = '{status: succeeded}') =>
    `${SHORT}stubs: {build: ${text}, report: {}}\nexpect: ${expected}`;
  const answer = (text: string, expected: string) =>
    GOOD.replace(/answers.*\n/, `answers: {ask: ${text}}\n`).replace('{status: succeeded}', expected);
  /** Two tests that differ in one key, and so do their results. */
  const pairs: Readonly<Record<string, readonly [string, string]>> = {
    'test.name': [
      one('{status: succeeded}'),
      `${one('{status: succeeded}')}\n  - name: t\n    expect: {status: failed}`,
    ],
    'test.inputs': [one('{status: succeeded}'), one('{status: succeeded}').replace('v1', '7')],
    'test.env': [
      `env: {CI: whole}
${one('{status: succeeded}')}`,
      `env: {CI: broken}
${one('{status: succeeded}')}`,
    ],
    'test.files': [`files: {dist/broken: x}\n${one('{status: succeeded}')}`, one('{status: succeeded}')],
    'test.stubs': [one('{status: succeeded}'), `${SHORT}expect: {status: succeeded}`],
    'test.answers': [GOOD, GOOD.replace(/answers.*\n/, '')],
    'test.events': [GOOD, GOOD.replace(/events.*\n/, '')],
    'test.expect': [one('{status: succeeded}'), one('{status: failed}')],
    'events.event': [GOOD, GOOD.replace('event: ci.finished', 'event: ci.begun')],
    'events.data': [GOOD, GOOD.replace('ok: true', 'ok: false')],
    'events.after': [GOOD, GOOD.replace('after: 5m', 'after: 9h')],
    'try.outputs': [stub('{outputs: {size: 1}}'), stub('{outputs: {size: 0}}')],
    'try.stdout': [
      stub('{outputs: {size: 1}, stdout: x}', '{results: {build: {stdout: x}}}'),
      stub('{outputs: {size: 1}, stdout: y}', '{results: {build: {stdout: x}}}'),
    ],
    'try.stderr': [
      stub('{outputs: {size: 1}, stderr: x}', '{results: {build: {stderr: x}}}'),
      stub('{outputs: {size: 1}, stderr: y}', '{results: {build: {stderr: x}}}'),
    ],
    'try.exit': [stub('{outputs: {size: 1}, exit: 0}'), stub('{outputs: {size: 1}, exit: 2}')],
    'try.writes': [
      stub('{outputs: {size: 1}, writes: {dist/a: x}}'),
      stub('{outputs: {size: 1}, writes: {a: x}}'),
    ],
    'try.after': [stub('{outputs: {size: 1}, after: 9m}'), stub('{outputs: {size: 1}, after: 11m}')],
    'try.checks': [stub('{outputs: {size: 1}, checks: pass}'), stub('{outputs: {size: 1}, checks: fail}')],
    'answer.decision': [
      answer('{decision: approve}', '{status: succeeded}'),
      answer('{decision: reject}', '{status: succeeded}'),
    ],
    'answer.by': [
      answer('{decision: approve, by: bob@example.com}', '{results: {ask: {by: bob@example.com}}}'),
      answer('{decision: approve}', '{results: {ask: {by: bob@example.com}}}'),
    ],
    'answer.comment': [
      answer('{decision: approve, comment: x}', '{results: {ask: {comment: x}}}'),
      answer('{decision: approve, comment: y}', '{results: {ask: {comment: x}}}'),
    ],
    'answer.after': [
      answer('{decision: approve, after: 23h}', '{steps: {ask: succeeded}}'),
      answer('{decision: approve, after: 25h}', '{steps: {ask: succeeded}}'),
    ],
    'expect.status': [one('{status: succeeded}'), one('{status: failed}')],
    'expect.started': [one('{started: [build, report]}'), one('{started: [report]}')],
    'expect.steps': [one('{steps: {ask: skipped}}'), one('{steps: {ask: failed}}')],
    'expect.attempts': [one('{attempts: {build: 1}}'), one('{attempts: {build: 2}}')],
    'expect.outputs': [one('{outputs: {size: 3}}'), one('{outputs: {size: 4}}')],
    'expect.results': [one('{results: {build: {size: 3}}}'), one('{results: {build: {size: 4}}}')],
    'expect.error': [
      stub('{exit: 1}', '{status: failed, error: exit code 1}'),
      stub('{exit: 2}', '{status: failed, error: exit code 1}'),
    ],
    'expect.rendered': [one('{rendered: {build: npm run build -- v1}}'), one('{rendered: {build: npm}}')],
  };

  it.each(Object.entries(pairs))('makes a difference: %s', async (_, [a, b]) => {
    expect(await resultOf(a)).not.toBe(await resultOf(b));
  });

  it('is covered', () => {
    const keys = keysOfSchemas(undefined, [['test', 'test.schema.json']]).filter(
      (key) => key !== 'test.tests',
    );
    expect(keys.filter((key) => !(key in pairs))).toEqual([]);
    expect(Object.keys(pairs).filter((key) => !keys.includes(key))).toEqual([]);
  });
});

describe('wf test', () => {
  const files = {
    'formulas/a.yaml': "formula: a\nworkspace: empty\nsteps: [{id: s, run: 'echo hi'}]\n",
    'formulas/a.test.yaml': `tests:
  # kept
  - name: first
    stubs: {s: {}}
    expect: {rendered: {s: echo ho}}
  - name: second
    stubs: {s: {}}
    expect:
      rendered:
        s: |
          echo
          ho
  - name: third
    stubs: {s: {}}
    expect: {status: succeeded}
`,
  };

  it('tells what failed with its place, and how many did', async () => {
    const project = testProject(files);
    const { stdout, exitCode } = await project.wf('test');
    expect(stdout.replace(/\(.*\)/, '(0.1s)')).toMatchInlineSnapshot(`
      "✗ first  formulas/a.test.yaml:3
          rendered.s  formulas/a.test.yaml:5
            - echo ho
            + echo hi

      ✗ second  formulas/a.test.yaml:6
          rendered.s  formulas/a.test.yaml:10
            - echo
            - ho
            + echo hi

      1 passed, 2 failed in 1 file (0.1s)
      "
    `);
    expect(exitCode).toBe(1);
    expect((await project.wf('test --filter third')).stdout).toMatch(/^1 passed in 1 file/);
    expect((await project.wf('test molecules')).exitCode).toBe(3);
    expect((await testProject({ 'formulas/a.yaml': files['formulas/a.yaml'] }).wf('test')).stdout).toContain(
      'there are no tests here',
    );
  });

  it('writes snapshots where they differ, and nothing else', async () => {
    const project = testProject(files);
    expect((await project.wf('test --update')).stdout).toMatch(/^3 passed/);
    expect(readFileSync(join(project.root, 'formulas/a.test.yaml'), 'utf8')).toBe(
      files['formulas/a.test.yaml']
        .replace('echo ho}', "'echo hi'}")
        .replace('|\n          echo\n          ho\n', "'echo hi'\n"),
    );
    expect((await project.wf('test')).exitCode).toBe(0);
    project.write({
      'formulas/a.yaml': files['formulas/a.yaml'].replace(
        "'echo hi'",
        '"if true\\nthen echo \'hi\'\\nfi\\n"',
      ),
    });
    expect((await project.wf('test --update')).exitCode).toBe(0);
    expect((await project.wf('test')).exitCode).toBe(0);
    expect(readFileSync(join(project.root, 'formulas/a.test.yaml'), 'utf8')).toContain(
      "        s: |-\n          if true\n          then echo 'hi'\n          fi\n",
    );
  });

  it('gives a report to CI, and refuses what does not check', async () => {
    const project = testProject({
      ...files,
      'formulas/a.test.yaml': files['formulas/a.test.yaml'].replace('first', 'a "<b>" & c'),
    });
    const junit = await project.wf('test --format junit');
    expect(junit.stdout).toContain(
      '<testsuite name="formulas/a.test.yaml" tests="3" failures="2" errors="0"',
    );
    expect(junit.stdout).toContain('name="a &#34;&#60;b&#62;&#34; &#38; c"');
    project.write({ 'formulas/a.test.yaml': 'tests: [{name: x, expect: {statuss: failed}}]\n' });
    const report = await project.wf('test --json');
    expect(JSON.parse(report.stdout)).toMatchObject({
      ok: false,
      tests: [],
      diagnostics: [{ rule: 'unknown-key' }],
    });
    expect(report.exitCode).toBe(1);
    expect((await project.wf('check')).exitCode).toBe(1);
  });
});

describe('`fails_on`', () => {
  const molecule = (fixture: string) =>
    `molecule: greet\nrun: echo hi\nverify:\n  - {run: test -d .}\n  - {check: outputs.stdout != 'bye', fails_on: ${fixture}}\n`;
  const formula =
    "formula: a\nsteps:\n  - {id: one, uses: greet, verify: [{check: outputs.stdout != 'no', fails_on: says no}]}\n";
  const results = async (files: Files) => {
    const report = await runTests(memoryLoader(files), {
      signal: new AbortController().signal,
      env: process.env,
    });
    return [
      ...report.diagnostics.map(({ rule }) => rule),
      ...report.tests.map(({ name, ok, mismatches }) =>
        ok
          ? `${name}: passes`
          : `${name}: ${mismatches.map(({ what, expected, actual }) => `${what} ${expected}, ${actual}`).join('; ')}`,
      ),
    ];
  };
  const test = (name: string, stdout: string, status = 'failed') =>
    `  - {name: ${name}, stubs: {STEP: {stdout: '${stdout}', checks: pass}}, expect: {status: ${status}}}\n`;
  const of = (step: string, ...tests: readonly string[]) =>
    `tests:\n${tests.join('').replaceAll('STEP', step)}`;

  it('is proved by the test that it names: of a molecule, and of a step that adds a check to one', async () => {
    expect(
      await results({
        'molecules/greet.yaml': molecule('says bye'),
        'molecules/greet.test.yaml': of('greet', test('says bye', 'bye'), test('says hi', 'hi', 'succeeded')),
        'formulas/a.yaml': formula,
        'formulas/a.test.yaml': of('one', test('says no', 'no')),
      }),
    ).toEqual(['says no: passes', 'says bye: passes', 'says hi: passes']);
  });

  it('fails the test in which the check passes, or is never reached', async () => {
    expect(
      await results({
        'molecules/greet.yaml': molecule('says hi'),
        'molecules/greet.test.yaml': of('greet', test('says bye', 'bye'), test('says hi', 'hi', 'succeeded')),
        'formulas/a.yaml': formula,
        'formulas/a.test.yaml':
          'tests:\n  - {name: says no, stubs: {one: {exit: 1}}, expect: {status: failed}}\n',
      }),
    ).toEqual([
      'says no: check 3 of step "one" fails here, as its `fails_on` says, is not reached',
      'says bye: passes',
      'says hi: check 2 of step "greet" fails here, as its `fails_on` says, passes',
    ]);
  });
});

it('time that a stub takes is taken from budgets', async () => {
  const report = await runTests(
    memoryLoader({
      'formulas/a.yaml':
        'formula: a\nbudget: {minutes: 30}\nsteps:\n  - {id: one, run: work}\n  - {id: two, run: work, budget: {minutes: 5}, retry: {attempts: 3}}\n  - {id: three, run: work}\n',
      'formulas/a.test.yaml': `tests:
  - {name: fits, stubs: {one: {after: 20m}, two: {after: 4m}, three: {after: 5m}}, expect: {status: succeeded}}
  - {name: too long in all, stubs: {one: {after: 20m}, two: {after: 4m}, three: {after: 7m}}, expect: {status: failed, steps: {three: failed}, error: budget}}
  - {name: too long for one, stubs: {one: {}, two: [{after: 3m, exit: 1}, {after: 3m}]}, expect: {status: failed, attempts: {two: 2}, error: budget}}
`,
    }),
    { signal: new AbortController().signal, env: process.env },
  );
  expect(
    report.tests.map(({ name, ok, mismatches, problem }) => ({ name, ok, mismatches, problem })),
  ).toEqual(
    ['fits', 'too long in all', 'too long for one'].map((name) => ({
      name,
      ok: true,
      mismatches: [],
      problem: undefined,
    })),
  );
});
