import fc from 'fast-check';
import { expect, it } from 'vitest';
import { proof } from '../../support/proof.ts';
import { testProject } from '../../support/project.ts';

interface Node {
  /** Places of steps above; undefined: the step says nothing, and waits for all of them. */
  readonly needs: readonly number[] | undefined;
  readonly when: boolean;
  readonly fails: boolean;
  readonly goesOn: boolean;
}

const graph = fc
  .array(
    fc.record({
      needs: fc.option(fc.array(fc.nat(20), { maxLength: 3 }), { nil: undefined }),
      skipped: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
      fails: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
      goesOn: fc.boolean(),
    }),
    { minLength: 1, maxLength: 7 },
  )
  .map((nodes) =>
    nodes.map(({ needs, skipped, fails, goesOn }, place): Node => ({
      needs: needs && [...new Set(needs.map((need) => need % Math.max(place, 1)))].filter((n) => n < place),
      when: !skipped,
      fails,
      goesOn,
    })),
  );

const id = (place: number) => `s${place}`;

function formula(nodes: readonly Node[]): string {
  const steps = nodes.map(({ needs, when, fails, goesOn }, place) => {
    const keys = [
      `id: ${id(place)}`,
      ...(needs ? [`needs: [${needs.map(id).join(', ')}]`] : []),
      ...(when ? [] : ["when: run.id == ''"]),
      ...(goesOn ? ['on_failure: continue'] : []),
      `run: 'touch ${id(place)}; ls | tr "\\n" " "; exit ${fails ? 1 : 0}'`,
    ];
    return `  - {${keys.join(', ')}}`;
  });
  return `steps:\n${steps.join('\n')}\nfinally: [{id: last, run: 'echo {{run.status}}'}]\n`;
}

/** Everything a step waits for, itself excluded, directly or not. */
function ancestors(nodes: readonly Node[], place: number): ReadonlySet<number> {
  const direct = nodes[place]?.needs ?? nodes.slice(0, place).map((_, above) => above);
  return new Set(direct.flatMap((need) => [need, ...ancestors(nodes, need)]));
}

it(
  'random graphs keep their order, see what came before them, and end as their failures say',
  { timeout: 1_800_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(graph, async (nodes) => {
        const run = await testProject(formula(nodes)).run();
        const status = (place: number) => run.step(id(place)).status;
        const stops = nodes.filter(({ fails, goesOn, when }) => fails && !goesOn && when);
        const stopped = nodes.some(
          (_, place) => status(place) === 'failed' && nodes[place]?.goesOn === false,
        );
        expect(run.status).toBe(stopped ? 'failed' : 'succeeded');
        expect(run.output('last')).toBe(run.status);
        if (stops.length === 0) expect(stopped).toBe(false);

        const at = (what: string, place: number) =>
          run.events.findIndex((event) => event.type === what && 'step' in event && event.step === id(place));
        for (const [place, node] of nodes.entries()) {
          const before = [...ancestors(nodes, place)];
          const ended = status(place);
          // Without a failure that stops, each comes out as it is written.
          if (!stopped) expect(ended).toBe(!node.when ? 'skipped' : node.fails ? 'failed' : 'succeeded');
          if (ended === 'succeeded') expect(node.when && !node.fails).toBe(true);
          if (ended === 'failed') expect(node.when && node.fails).toBe(true);
          // Whatever comes after a failure that stops was not begun.
          if (before.some((above) => status(above) === 'failed' && nodes[above]?.goesOn === false))
            expect(ended).toBe('skipped');
          if (at('step.started', place) < 0) continue;
          // It began when everything before it had ended.
          for (const above of before) {
            const ends = ['step.succeeded', 'step.failed', 'step.skipped'].map((what) => at(what, above));
            expect(Math.max(...ends)).toBeGreaterThanOrEqual(0);
            expect(Math.max(...ends)).toBeLessThan(at('step.started', place));
          }
          // And saw the files of what ran before it, and of nothing that may run at the same time.
          if (ended !== 'succeeded') continue;
          const files = before.filter((above) => nodes[above]?.when).map(id);
          expect(
            String(run.output(id(place)))
              .split(' ')
              .filter(Boolean)
              .sort(),
          ).toEqual([...files, id(place)].sort());
        }
      }),
      proof({ few: 12, many: 500 }),
    );
  },
);
