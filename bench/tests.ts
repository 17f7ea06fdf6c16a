/**
 * How long tests of formulas take: 1,000 of a formula with a fan-out, a check, an approval and a timer, in one process.
 * `node bench/tests.ts [rounds]`
 */
import { memoryLoader } from '../test/support/memory-loader.ts';
import { runTests } from '../src/testing/run-tests.ts';
import { interleave, print } from './support.ts';

const count = 1000;
const rounds = Number(process.argv[2] ?? 3);

const formula = `formula: a
inputs: {n: {type: integer}}
steps:
  - {id: list, run: 'ls {{inputs.n}}', outputs: {files: {type: array, items: {type: string}}}}
  - {id: each, for_each: steps.list.outputs.files, parallel: 2, run: 'lint {{item}}', verify: [{check: outputs.exit_code == 0}]}
  - {id: ask, when: inputs.n > 3, approve: {ask: 'Well, {{inputs.n}}?'}, timeout: 1h}
  - {id: end, run: 'echo end'}
`;

const tests = Array.from(
  { length: count },
  (_, n) => `  - name: test ${n}
    inputs: {n: ${n}}
    stubs: {list: {outputs: {files: [a, b]}}, each: {}, end: {}}
    answers: {ask: {decision: approve, after: 5m}}
    expect: {started: [list, each${n > 3 ? ', ask' : ''}, end], rendered: {list: ls ${n}}}
`,
);
const loader = memoryLoader({
  'formulas/a.yaml': formula,
  'formulas/a.test.yaml': `tests:\n${tests.join('')}`,
});

const [measured] = await interleave(
  [
    {
      name: `${count} tests`,
      run: async () => {
        const report = await runTests(loader, { signal: new AbortController().signal, env: process.env });
        if (!report.ok)
          throw new Error(JSON.stringify(report.tests.find(({ ok }) => !ok) ?? report.diagnostics));
      },
    },
  ],
  { rounds },
);
if (!measured) throw new Error('nothing was measured');
print({
  bench: 'Tests of formulas',
  rows: [{ what: measured.name, seconds: measured.median / 1000, 'ms per test': measured.median / count }],
  aims: [{ what: `${count} tests`, is: measured.median / 1000, atMost: 10, unit: ' s' }],
  notes: [
    'Each test is a run of four steps on the real interpreter, with an expectation of order and of a rendered command.',
  ],
  details: { measured },
});
