import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Step } from '../../src/formula/formula.ts';
import type { StepRead } from '../../src/formula/order.ts';
import { orderSteps } from '../../src/formula/order.ts';
import { proof } from '../support/proof.ts';

const span = (start: number) => ({ file: 'formulas/a.yaml', start, end: start + 1 });

/** Only what the order looks at: ids and needs, each need with a place of its own. */
function steps(...needs: readonly (readonly string[] | undefined)[]): readonly Step[] {
  return needs.map((ids, position) => {
    const id = { value: `s${position}`, span: span(position * 100) };
    return {
      id,
      needs: ids?.map((value, at) => ({ value, span: span(position * 100 + 10 + at) })),
    } as unknown as Step;
  });
}

const read = (step: number, target: number): StepRead => ({ step, target, span: span(step * 100 + 50) });

describe('what a step waits for', () => {
  it('is every step above it, when it says nothing', () => {
    const { order, findings } = orderSteps(steps(undefined, undefined, undefined), []);
    expect(order.needs).toEqual([[], [0], [1]]);
    expect(order.isBefore(0, 2)).toBe(true);
    expect(findings).toEqual([]);
  });

  it('is what it says, when it says something', () => {
    const { order } = orderSteps(steps([], [], ['s0'], undefined), []);
    expect(order.needs).toEqual([[], [], [0], [1, 2]]);
    expect(order.isBefore(0, 1)).toBe(false);
  });

  it('leaves out what follows from the rest', () => {
    expect(orderSteps(steps([], ['s0'], ['s0', 's1']), []).order.needs).toEqual([[], [0], [1]]);
  });

  it('is also what it reads, even a step that stands below', () => {
    const { order, findings } = orderSteps(steps([], []), [read(0, 1)]);
    expect(order.needs).toEqual([[1], []]);
    expect(findings).toEqual([]);
  });

  it('cannot be a step that waits for the reader', () => {
    const { findings } = orderSteps(steps(undefined, undefined), [read(0, 1)]);
    expect(findings.map((finding) => [finding.rule, finding.span.start])).toEqual([['read-before', 50]]);
  });

  it('cannot be itself', () => {
    expect(orderSteps(steps(undefined), [read(0, 0)]).findings.map((finding) => finding.message)).toEqual([
      'step "s0" reads itself, before there is anything to read',
    ]);
  });

  it('tells a circle with each of its hops, the implied ones too', () => {
    const [finding, ...others] = orderSteps(steps([], ['s2'], undefined), []).findings;
    expect(others).toEqual([]);
    expect(finding?.message).toBe('steps wait for each other in a circle: s1 → s2 → s1');
    expect(finding?.span.start).toBe(110);
    expect(finding?.related?.map((hop) => hop.message)).toEqual([
      '"s1" needs "s2"',
      '"s2" has no `needs`, so it waits for every step above it, "s1" too',
    ]);
  });

  it('goes on after a broken need', () => {
    const { order, findings } = orderSteps(steps([], ['s0', 'nope'], ['s1']), []);
    expect(findings.map((finding) => finding.rule)).toEqual(['unknown-need']);
    expect(order.needs).toEqual([[], [0], [1]]);
  });

  it('is found for 10,000 steps without a deep stack', () => {
    const chain = steps(...Array.from({ length: 10_000 }, () => undefined));
    expect(orderSteps(chain, []).order.needs[9_999]).toEqual([9_998]);
    const wide = steps(...Array.from({ length: 9_999 }, () => []), undefined);
    expect(orderSteps(wide, []).order.needs[9_999]).toHaveLength(9_999);
  });
});

describe('the reduced order', () => {
  const graph = fc.array(fc.option(fc.array(fc.nat(14), { maxLength: 4 }), { nil: undefined }), {
    minLength: 1,
    maxLength: 15,
  });

  it('lets nothing start earlier than what was written', () => {
    fc.assert(
      fc.property(graph, fc.array(fc.tuple(fc.nat(14), fc.nat(14)), { maxLength: 6 }), (needs, pairs) => {
        const size = needs.length;
        const written = needs.map((ids) => ids?.map((id) => `s${id % size}`));
        const reads = pairs.map(([step, target]) => read(step % size, target % size));
        const { order, findings } = orderSteps(steps(...written), reads);
        fc.pre(findings.length === 0);
        // The plain definition, computed the slow way.
        const direct = needs.map((ids, position) => {
          const explicit =
            ids?.map((id) => id % size) ?? Array.from({ length: position }, (_, above) => above);
          return new Set([
            ...explicit,
            ...reads.filter((one) => one.step === position).map((one) => one.target),
          ]);
        });
        const closure = (edges: readonly Iterable<number>[], start: number) => {
          const seen = new Set<number>();
          const visit = (node: number) => {
            for (const next of edges[node] ?? []) {
              if (seen.has(next)) continue;
              seen.add(next);
              visit(next);
            }
          };
          visit(start);
          return [...seen].sort((a, b) => a - b);
        };
        for (let step = 0; step < size; step++) {
          const expected = closure(direct, step);
          expect(closure(order.needs, step)).toEqual(expected);
          expect(
            Array.from({ length: size }, (_, other) => other).filter((other) => order.isBefore(other, step)),
          ).toEqual(expected);
        }
      }),
      proof({ few: 300, many: 20_000 }),
    );
  });

  it('finds a circle exactly when there is one', () => {
    fc.assert(
      fc.property(graph, (needs) => {
        const size = needs.length;
        const direct = needs.map(
          (ids, position) =>
            ids?.map((id) => id % size) ?? Array.from({ length: position }, (_, above) => above),
        );
        const { findings } = orderSteps(steps(...needs.map((ids) => ids?.map((id) => `s${id % size}`))), []);
        const remaining = new Set(direct.keys());
        for (let before = -1; before !== remaining.size;) {
          before = remaining.size;
          for (const node of remaining)
            if (direct[node]?.every((target) => !remaining.has(target))) remaining.delete(node);
        }
        expect(findings.some((finding) => finding.rule === 'needs-cycle')).toBe(remaining.size > 0);
      }),
      proof({ few: 300, many: 20_000 }),
    );
  });
});
