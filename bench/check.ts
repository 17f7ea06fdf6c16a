/**
 * How fast a project is checked: 1,000 and 10,000 generated formulas that use shared molecules, in a new process (cold)
 * and again in the same one (warm). `node bench/check.ts [rounds] [large]`; `large`: 100,000 too, which shows how it grows.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { interleave, print } from './support.ts';

const sizes = process.argv[3] === 'large' ? [1000, 10_000, 100_000] : [1000, 10_000];
const molecules = 40;

const [mode, argument] = process.argv.slice(2);
if (mode === 'here') await checkHere(String(argument));
else await measure(Number(mode ?? 5));

async function measure(rounds: number): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'wf-bench-check-'));
  try {
    const warm = new Map<number, number[]>(sizes.map((size) => [size, []]));
    const busy = new Map<number, number[]>(sizes.map((size) => [size, []]));
    const loading: number[] = [];
    const projects = new Map(sizes.map((size) => [size, newProject(root, size)]));
    const command = join(import.meta.dirname, '../bin/run.js');
    const isBuilt = existsSync(join(import.meta.dirname, '../dist/commands/check.js'));
    const measured = await interleave(
      sizes.flatMap((size) => {
        const project = String(projects.get(size));
        const cold = {
          name: `${size} cold`,
          run: () => {
            const times = inNewProcess(project);
            warm.get(size)?.push(times.warm);
            busy.get(size)?.push(times.busy);
            loading.push(times.loading);
            return times.cold;
          },
        };
        const check = () =>
          void execFileSync(process.execPath, [command, 'check', '--quiet'], { cwd: project });
        const whole = {
          name: `${size} wf check`,
          run: () => {
            rmSync(join(project, '.wf'), { recursive: true, force: true });
            const start = performance.now();
            check();
            return performance.now() - start;
          },
        };
        const again = { name: `${size} wf check again`, run: check };
        return isBuilt ? [cold, whole, again] : [cold];
      }),
      { rounds, warmUp: 1 },
    );
    const rows = sizes.flatMap((size) => {
      const row = (what: string, samples: readonly number[]) => ({
        files: size + molecules,
        what,
        ms: middle(samples),
        'files/s': Math.round((size + molecules) / (middle(samples) / 1000)),
        'µs per file': (middle(samples) * 1000) / (size + molecules),
      });
      const samplesOf = (name: string) => measured.find((one) => one.name === name)?.samples ?? [];
      return [
        row('cold', samplesOf(`${size} cold`)),
        row('cold, processor time', busy.get(size) ?? []),
        row('warm', warm.get(size) ?? []),
        ...(isBuilt
          ? [
              row('whole `wf check`', samplesOf(`${size} wf check`)),
              row('whole `wf check`, again', samplesOf(`${size} wf check again`)),
            ]
          : []),
      ];
    });
    const rate = (files: number, what: string) =>
      rows.find((row) => row.files === files + molecules && row.what === what)?.['files/s'] ?? 0;
    const perFile = (files: number) =>
      rows.find((row) => row.files === files + molecules && row.what === 'warm')?.['µs per file'] ?? 0;
    print({
      bench: 'check of generated formulas that use shared molecules',
      rows,
      aims: [
        ...sizes.map((size) => ({
          what: `${size} formulas, cold`,
          is: rate(size, 'cold'),
          atLeast: 3000,
          unit: ' files/s',
        })),
        ...(isBuilt
          ? [
              {
                what: '10000 formulas, when nothing has changed, with the start of Node',
                is: rate(10_000, 'whole `wf check`, again'),
                atLeast: 50_000,
                unit: ' files/s',
              },
            ]
          : []),
        {
          what: 'cost per file of 10,000 against 1,000',
          is: perFile(10_000) / perFile(1000),
          atMost: 1.5,
          unit: ' ×',
        },
      ],
      notes: [
        `Cold: the first check of a new process, files read from disk, modules loaded (from sources, ${Math.round(middle(loading))} ms) before the clock starts.`,
        'Processor time: what the process used, whoever else was at work; its helper threads counted.',
        'Warm: the second check of the same files in that process, from disk again.',
        isBuilt
          ? 'Whole: `wf check` from start to end, with nothing remembered in `.wf/cache`; again: with what the one before has left there.'
          : '`wf check` as a whole was not measured: `npm run build` first.',
      ],
      details: { measured, warm: Object.fromEntries(warm) },
    });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

interface Times {
  readonly loading: number;
  readonly cold: number;
  /** Milliseconds of processor time of the cold check. */
  readonly busy: number;
  readonly warm: number;
}

function inNewProcess(project: string): Times {
  const output = execFileSync(process.execPath, [import.meta.filename, 'here', project], {
    encoding: 'utf8',
  });
  return JSON.parse(output) as Times;
}

async function checkHere(root: string): Promise<void> {
  const begun = performance.now();
  const { checkProject } = await import('../src/plan/check-project.ts');
  const { openProject } = await import('../src/workspace/project-loader.ts');
  const loading = performance.now() - begun;
  const once = async () => {
    const start = performance.now();
    const report = await checkProject(openProject(root));
    if (report.diagnostics.length > 0)
      throw new Error(JSON.stringify(report.diagnostics.slice(0, 3), null, 2));
    return performance.now() - start;
  };
  const before = process.cpuUsage();
  const cold = await once();
  const used = process.cpuUsage(before);
  const busy = (used.user + used.system) / 1000;
  const warm = await once();
  process.stdout.write(JSON.stringify({ loading, cold, busy, warm } satisfies Times));
}

function middle(samples: readonly number[]): number {
  return samples.toSorted((a, b) => a - b)[samples.length >> 1] ?? Number.NaN;
}

function newProject(root: string, size: number): string {
  const project = join(root, String(size));
  mkdirSync(join(project, 'formulas'), { recursive: true });
  mkdirSync(join(project, 'molecules'));
  writeFileSync(
    join(project, 'wf.yaml'),
    'env: [CI]\npeople: {maintainers: [ann@example.com, bob@example.com]}\n',
  );
  for (let index = 0; index < molecules; index++) {
    writeFileSync(join(project, `molecules/tidy-${index}.yaml`), molecule(index));
  }
  for (let index = 0; index < size; index++) {
    writeFileSync(join(project, `formulas/service-${index}.yaml`), formula(index));
  }
  return project;
}

function molecule(index: number): string {
  return `molecule: tidy-${index}
description: Tidy one file with rule ${index}.
inputs:
  path: {type: string}
  level: {type: integer, minimum: 0, default: ${index}}
run: npx tidy --rule ${index} --level {{inputs.level}} -- {{inputs.path}}
outputs:
  changed: {type: boolean}
verify:
  - run: npx tidy --check -- {{inputs.path}}
  - changes: {only: ['{{inputs.path}}'], max_lines: ${20 + index}}
retry: {attempts: 2, on: [verify], feedback: true}
timeout: 5m
`;
}

/** No two are alike, so that nothing is remembered that a real project would not repeat. */
function formula(index: number): string {
  return `formula: service-${index}
description: Release service ${index} after its checks.
tags: [release, team-${index % 12}]
inputs:
  version: {type: string, pattern: '^v[0-9]+', examples: [v${index}]}
  paths: {type: array, items: {type: string}, default: [services/s${index}]}
  publish: {type: boolean, default: false}
steps:
  - id: find
    run: >-
      git ls-files -- {{args inputs.paths}} | jq -R -n '{files: [inputs]}' > "$WF_OUTPUT"
    outputs: {files: {type: array, items: {type: string}}}
  - id: tidy
    for_each: steps.find.outputs.files.filter(f, f.startsWith('services/s${index}/'))
    parallel: ${(index % 6) + 2}
    uses: tidy-${index % molecules}
    with: {path: '{{item}}', level: ${index % 5}}
  - id: test
    needs: [find]
    run: |
      npm ci
      npm test --workspace services/s${index} | tee test-${index}.log
    env: {SERVICE: s${index}, VERSION: '{{inputs.version}}'}
    timeout: ${(index % 50) + 10}m
    verify:
      - run: test -s test-${index}.log
  - id: ask
    when: inputs.publish && size(steps.tidy.outputs) < ${100 + index}
    approve: {ask: 'Publish {{inputs.version}} of service ${index}?', show: [run.changed_files], by: [maintainers]}
    timeout: 24h
  - id: publish
    when: inputs.publish && steps.ask.status == 'succeeded'
    run: npm publish --workspace services/s${index} --tag "{{inputs.version}}"
    secrets: {NODE_AUTH_TOKEN: NPM_TOKEN}
    once: true
finally:
  - {id: report, run: 'echo "service ${index}: {{run.status}}, {{size run.changed_files}} files"'}
outputs:
  files: size(steps.find.outputs.files)
  tidied: size(steps.tidy.outputs)
`;
}
