/**
 * How long a chain of steps takes to check and compile, beside parsing the same text: 1,025 steps, as moving ten disks
 * takes, and four times as many, which shows how it grows. `node bench/chain.ts [rounds]`
 */
import { compileFormula } from '../src/plan/compile.ts';
import { parseYaml } from '../src/source/parse-yaml.ts';
import { memoryLoader } from '../test/support/memory-loader.ts';
import { interleave, print } from './support.ts';

const rounds = Number(process.argv[2] ?? 7);
const lengths = [1_025, 4_100];

/** Each step waits for the one before, and reads what it put out. */
function chain(length: number): string {
  const steps = Array.from({ length }, (_, n) =>
    n === 0
      ? '  - {id: s0, run: echo begin}'
      : `  - {id: s${n}, needs: [s${n - 1}], run: 'echo "{{steps.s${n - 1}.outputs.stdout}}"'}`,
  );
  return `formula: chain\nsteps:\n${steps.join('\n')}\n`;
}

const measured = await interleave(
  lengths.flatMap((length) => {
    const text = chain(length);
    return [
      {
        name: `${length} steps, compiled`,
        run: async () => {
          const { plan } = await compileFormula(memoryLoader({ 'formulas/chain.yaml': text }), 'chain');
          if (!plan) throw new Error('the chain has mistakes');
        },
      },
      { name: `${length} steps, parsed`, run: () => void parseYaml('chain.yaml', text) },
    ];
  }),
  { rounds, warmUp: 1 },
);
const [first, parsed, longer] = measured;
if (!first || !parsed || !longer) throw new Error('nothing was measured');
print({
  bench: 'A chain of steps',
  rows: measured.map(({ name, median, least, most }) => ({ what: name, ms: median, least, most })),
  aims: [
    { what: '1,025 steps, checked and compiled', is: first.median, atMost: 1000, unit: ' ms' },
    { what: 'four times as many, per step', is: longer.median / first.median / 4, atMost: 1.5, unit: ' ×' },
  ],
  notes: [`compiled ${(first.median / parsed.median).toFixed(1)} times as long as parsed`],
});
