// What it costs to start: whole processes of the built command against a Node that does nothing.
// `npm run build && node bench/startup.ts [--rounds 21]`
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { interleave, print } from './support.ts';
import type { Subject } from './support.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '21' } } });
const wf = fileURLToPath(new URL('../bin/run.js', import.meta.url));
if (!existsSync(new URL('../dist/cli/start.js', import.meta.url)))
  throw new Error('build first: npm run build');

const project = mkdtempSync(join(tmpdir(), 'wf-bench-startup-'));
mkdirSync(join(project, 'formulas'));
const steps = (run: string) =>
  `inputs: {name: {type: string, default: world}}\nsteps:\n${Array.from(
    { length: 8 },
    (_, at) => `  - {id: step_${at}, when: inputs.name != 'x${at}', run: ${run}, timeout: 5m}`,
  ).join('\n')}\n`;
writeFileSync(join(project, 'formulas', 'plain.yaml'), `formula: plain\n${steps('npm test')}`);
writeFileSync(
  join(project, 'formulas', 'values.yaml'),
  `formula: values\n${steps(`'echo "{{inputs.name}}"'`)}`,
);

const start = (name: string, ...args: readonly string[]): Subject => ({
  name,
  run: () => void execFileSync(process.execPath, args, { cwd: project, stdio: 'ignore' }),
});

try {
  const measured = await interleave(
    [
      start('node -e 0', '-e', '0'),
      start('wf --version', wf, '--version'),
      start('wf --help', wf, '--help'),
      start('wf check, one file', wf, 'check', 'formulas/plain.yaml'),
      start('wf check, one file with values in bash', wf, 'check', 'formulas/values.yaml'),
      start('wf list', wf, 'list'),
    ],
    { rounds: Number(values.rounds), warmUp: 2 },
  );
  const bare = measured[0]?.median ?? Number.NaN;
  const times = (name: string) => (measured.find((one) => one.name === name)?.median ?? Number.NaN) / bare;
  print({
    bench: 'start-up: whole processes',
    rows: measured.map(({ name, median, least, most }) => ({
      what: name,
      'median ms': median,
      'least ms': least,
      'most ms': most,
      'times node': median / bare,
    })),
    aims: [
      { what: 'wf --version', is: times('wf --version'), atMost: 3, unit: ' × node -e 0' },
      { what: 'wf check of one file', is: times('wf check, one file'), atMost: 5, unit: ' × node -e 0' },
    ],
    notes: ['A file with values in bash loads a parser of bash as well: some 35 ms of WebAssembly.'],
    details: measured,
  });
} finally {
  rmSync(project, { recursive: true, force: true });
}
