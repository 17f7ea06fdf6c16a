import { describe, expect, it } from 'vitest';
import { codeFrame } from '../../src/diagnostics/code-frame.ts';
import { toDiagnostics } from '../../src/diagnostics/to-diagnostics.ts';
import { type DocumentKind, validateDocument } from '../../src/schema/validate.ts';
import { parseYaml } from '../../src/source/parse-yaml.ts';

function told(text: string, kind: DocumentKind = 'formula'): string {
  const document = parseYaml('a.yaml', text);
  const findings = [...document.findings, ...validateDocument(document, kind)];
  const frames = toDiagnostics(findings, new Map([['a.yaml', text]])).map((found) => codeFrame(found, text));
  return `\n${frames.join('\n')}\n`;
}

const steps = (text: string): string => `formula: a\nsteps:\n${text}`;

describe('a formula', () => {
  it.each([
    ['an unknown key', steps('  - {id: a, run: x, tmeout: 5m}\n')],
    ['a key of another tool', steps('  - id: a\n    run: x\n    if: inputs.x\n    depends_on: [b]\n')],
    ['an unknown key that is the missing one', 'formla: a\nsteps: [{id: a, rnu: x}]\n'],
    ['missing keys', 'formula: a\ntags: [x]\n'],
    ['a step without an id', steps('  - run: x\n')],
    ['two actions', steps('  - id: a\n    run: x\n    uses: y\n')],
    ['no action', steps('  - id: a\n    title: A\n')],
    ['an action of a later language', steps('  - {id: a, agent: {prompt: x}}\n')],
    ['a value of the wrong type', steps('  - {id: a, run: x, needs: b, timeout: 5, title: 3, once: yes}\n')],
    ['an empty value', steps('  - id: a\n    run:\n')],
    ['a map that was meant as text', steps('  - {id: a, run: [echo, a: b]}\n')],
    ['a list that was meant as text', steps('  - id: a\n    run:\n      - - x\n')],
    ['a number in quotes', steps("  - {id: a, run: x, for_each: y, parallel: '4'}\n")],
    [
      'values that are not among the allowed',
      steps('  - {id: a, run: x, on_failure: stopp, workspace: clon}\n'),
    ],
    ['a bad duration', steps('  - {id: a, run: x, timeout: 5 minutes, retry: {attempts: 2, backoff: 5x}}\n')],
    ['a number out of bounds', steps('  - {id: a, run: x, exit: [0, 256], retry: {attempts: 0}}\n')],
    ['an item twice', steps('  - {id: a, run: x, needs: [b, b]}\n')],
    ['a bad id', steps('  - {id: In, run: x}\n  - {id: in, run: x}\n')],
    [
      'keys that have no effect alone',
      steps(
        '  - {id: a, run: x, verify: [{run: y, from: base}, {check: z, timeout: 1m}]}\n  - {id: b, wait: {for: 1m, match: c}}\n',
      ),
    ],
    ['two kinds of one thing', steps('  - {id: a, wait: {for: 1m, event: x}}\n')],
    [
      'keys inside the long form',
      steps('  - {id: a, run: x, workspace: {form: clone, services: [{id: db, run: x, ready: {}}]}}\n'),
    ],
    [
      'steps in finally that wait',
      `${steps('  - {id: a, run: x}\n')}finally:\n  - {id: b, approve: {ask: x}, needs: [a]}\n`,
    ],
    [
      'several things at once, in several steps',
      steps('  - {id: a, rum: x}\n  - {id: b, run: x, verify: [{cmd: x}]}\n  - x\n'),
    ],
    [
      'schemas of inputs',
      'formula: a\nsteps: [{id: a, run: x}]\ninputs:\n  a: {type: strnig, defualt: 1}\n  B: string\n',
    ],
    ['no map', '- a\n'],
    ['nothing', '# nothing yet\n'],
  ])('with %s', (_, text) => {
    expect(told(text)).toMatchSnapshot();
  });
});

describe('a molecule', () => {
  it.each([
    ['a bad name', 'molecule: Fix File\nrun: x\n'],
    ['no action', 'molecule: a\ninputs: {}\n'],
    ['keys of steps', 'molecule: a\nrun: x\nneeds: [b]\non_failure: stop\nid: x\n'],
  ])('with %s', (_, text) => {
    expect(told(text, 'molecule')).toMatchSnapshot();
  });
});

describe('wf.yaml', () => {
  it.each([
    ['nothing', ''],
    ['an unknown key', 'polices: {}\n'],
    ['a list that is a map', 'env: {A: b}\n'],
    ['a bad profile', 'profiles:\n  CI: {env: [A]}\n  local: {peple: {}}\n  none:\n'],
  ])('with %s', (_, text) => {
    expect(told(text, 'project')).toMatchSnapshot();
  });
});

it('does not tell again what parsing told', () => {
  const rules = (text: string): string[] =>
    validateDocument(parseYaml('a.yaml', text), 'formula').map(({ rule }) => rule);
  expect(rules(steps('  - {id: a, run: x, when: size(a, b)}\n'))).toEqual([]);
  expect(rules(steps('  - {id: a, run: x, when: !b}\n'))).toEqual([]);
  expect(rules(steps('  - {id: a, run: {{x}}}\n'))).toEqual([]);
  expect(rules('formula: [\n')).toEqual([]);
});

it('checks 10,000 steps quickly', () => {
  const text = steps(
    Array.from(
      { length: 10_000 },
      (_, i) => `  - {id: s${i}, run: echo, needs: [], retry: {attempts: 2}}\n`,
    ).join(''),
  );
  const document = parseYaml('a.yaml', text);
  const started = performance.now();
  expect(validateDocument(document, 'formula')).toEqual([]);
  // About 60 ms on two slow cores; a limit that only something quadratic would miss.
  expect(performance.now() - started).toBeLessThan(2000);
});
