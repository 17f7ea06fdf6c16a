import { expect, it } from 'vitest';
import { runTests } from '../../src/testing/run-tests.ts';
import type { Files } from '../support/memory-loader.ts';
import { memoryLoader } from '../support/memory-loader.ts';
import { testProject } from '../support/project.ts';

async function covered(formula: string, tests: string, more: Files = {}) {
  const report = await runTests(
    memoryLoader({
      'formulas/a.yaml': `formula: a\n${formula}`,
      'formulas/a.test.yaml': `tests:\n${tests}`,
      ...more,
    }),
    { signal: new AbortController().signal, env: process.env, coverage: true },
  );
  expect({
    ok: report.ok,
    diagnostics: report.diagnostics,
    failed: report.tests.filter(({ ok }) => !ok),
  }).toEqual({
    ok: true,
    diagnostics: [],
    failed: [],
  });
  const [{ missing, idle, branches, taken } = { missing: [], idle: [], branches: 0, taken: 0 }] =
    report.coverage ?? [];
  const told = ({ step, what }: { readonly step?: string; readonly what: string }) =>
    `${step ?? 'run'} ${what}`;
  return { missing: missing.map(told), idle: idle.map(told), branches, taken };
}

const FORMULA = `inputs: {n: {type: integer, default: 1}}
steps:
  - {id: maybe, when: inputs.n > 1, run: 'echo {{inputs.n}}'}
  - {id: again, run: try, retry: {attempts: 2}, verify: [{check: outputs.exit_code == 0}, {check: outputs.stdout != 'bad'}]}
  - {id: loop, run: look, repeat: {until: outputs.stdout == 'x', max: 3}}
  - {id: any, for_each: [1, 2], join: any, run: pick, on_failure: continue}
  - {id: ask, approve: {ask: Well?}, timeout: 1h}
  - {id: heard, wait: {event: e, pass: event.ok}, timeout: 1h}
  - {id: sub, uses: formula/b}
finally:
  - {id: report, run: tell}
`;
const INNER = {
  'formulas/b.yaml': 'formula: b\nsteps: [{id: one, run: ls, verify: [{check: outputs.exit_code < 3}]}]\n',
};
const STUBS = (again: string, loop: string, any: string) =>
  `stubs: {maybe: {}, again: ${again}, loop: ${loop}, any: ${any}, sub.one: {}, report: {}}`;
const HAPPY = `  - name: goes well
    ${STUBS('{}', '{stdout: x}', '{}')}
    answers: {ask: {decision: approve}}
    events: [{event: e, data: {ok: true}}]
    expect: {status: succeeded}
`;

it('tells which ways no test has gone', async () => {
  const { missing, branches, taken } = await covered(FORMULA, HAPPY, INNER);
  expect(missing).toEqual([
    'maybe runs',
    'again is tried again',
    'again has no attempt left',
    'again fails its check 1',
    'again fails its check 2',
    'loop goes round more than once',
    'loop reaches `max`',
    'any has too few successes for `join`',
    'any fails, with `on_failure: continue`',
    'ask is refused',
    'ask runs out of time',
    'heard gets an event that does not `pass`',
    'heard runs out of time',
    'sub.one fails its check 1',
    'run fails, and `finally` runs after that',
  ]);
  expect(branches - taken).toBe(missing.length);
});

it('knows a way when a test has gone it', async () => {
  const more = `${HAPPY}  - name: runs the first, tries again, goes round, has a failure passed over
    inputs: {n: 2}
    ${STUBS('[{stdout: bad}, {}]', '[{}, {stdout: x}]', '{exit: 1}')}
    answers: {ask: {decision: reject}}
    expect: {status: failed}
  - name: goes round too often
    ${STUBS('{}', '{}', '{}')}
    expect: {status: failed, error: after 3 iterations}
  - name: is not answered
    ${STUBS('{}', '{stdout: x}', '{}')}
    expect: {status: failed, steps: {ask: failed}}
`;
  const { missing } = await covered(FORMULA, more, INNER);
  expect(missing).toEqual([
    'again has no attempt left',
    'again fails its check 1',
    'heard gets an event that does not `pass`',
    'heard runs out of time',
    'sub.one fails its check 1',
  ]);
});

it('reports a check without which every test passes, and none that a test needs', async () => {
  const tests = `  - name: finds it
    stubs: {s: {stdout: good}}
    expect: {status: succeeded}
  - name: refuses it
    stubs: {s: {stdout: bad}}
    expect: {status: failed}
`;
  const formula =
    "steps: [{id: s, run: ls, verify: [{check: outputs.stdout != 'bad'}, {check: outputs.stdout != 'worse'}]}]\n";
  expect((await covered(formula, tests)).idle).toEqual(['s check 2 (`check`)']);
  const grouped = await covered(
    'steps: [{id: sub, uses: formula/b}]\n',
    '  - name: t\n    stubs: {sub.one: {}}\n    expect: {status: succeeded}\n',
    INNER,
  );
  expect(grouped.idle).toEqual(['sub.one check 1 (`check`)']);
});

it('is shown below the tests, with places', async () => {
  const project = testProject({
    'molecules/m-x.yaml': "molecule: m-x\nrun: ls\nverify: [{check: outputs.stdout != 'bad'}]\n",
    'molecules/m-x.test.yaml': 'tests:\n  - name: t\n    stubs: {m_x: {}}\n    expect: {status: succeeded}\n',
  });
  const { stdout } = await project.wf('test --coverage');
  expect(stdout.replace(/\(.*s\)/, '(0.1s)')).toMatchInlineSnapshot(`
    "1 passed in 1 file (0.1s)

    molecules/m-x.yaml  1 of 2 ways taken
      never  step m_x fails its check 1  molecules/m-x.yaml:1
      idle   step m_x: every test passes without its check 1 (\`check\`)  molecules/m-x.yaml:1
    "
  `);
});
