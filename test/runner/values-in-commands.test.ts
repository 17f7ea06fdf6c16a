import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PlanRun } from '../../src/plan/plan.ts';
import { launch } from '../../src/runner/launch.ts';
import { renderCommand } from '../../src/runner/render-command.ts';
import { compile } from '../support/bash.ts';
import { hostileText, inUtf8, plainlyHostile } from '../support/hostile.ts';
import { proof, proving } from '../support/proof.ts';
import { testProject } from '../support/project.ts';

interface Values {
  readonly a: string;
  readonly b: string;
  readonly list: readonly string[];
}

/** A script that prints its values, each closed by NUL, and what it has to print. `exported`: as long as a variable of the environment may be. */
interface Printing {
  readonly script: string;
  readonly prints: (values: Values) => readonly string[];
  readonly exported?: true;
}

const a = ({ a: text }: Values) => [text];
const printing = (script: string, prints: Printing['prints'] = a, exported?: true): Printing => ({
  script,
  prints,
  ...(exported && { exported }),
});
/** What `$(…)` leaves of a text. */
const caught = (text: string) => text.replace(/\n+$/, '');

const templates: readonly Printing[] = [
  printing(String.raw`printf '%s\0' {{a}}`),
  printing(String.raw`printf '%s\0' "{{a}}"`),
  printing(String.raw`printf '%s\0' '{{a}}'`),
  printing(String.raw`printf '%s\0' x{{a}}y"{{b}}"'{{a}}'`, ({ a, b }) => [`x${a}y${b}${a}`]),
  printing(String.raw`printf '%s\0' {{a}}{{b}} "{{a}} {{b}}" '{{a}} {{b}}'`, ({ a, b }) => [
    a + b,
    `${a} ${b}`,
    `${a} ${b}`,
  ]),
  printing(String.raw`printf '%s\0' "it's {{a}}" '"{{a}}"' "\"{{a}}\""`, ({ a }) => [
    `it's ${a}`,
    `"${a}"`,
    `"${a}"`,
  ]),
  printing(String.raw`printf '%s\0' {{a}}* ~{{a}} a#{{a}}`, ({ a }) => [`${a}*`, `~${a}`, `a#${a}`]),
  printing(String.raw`printf '%s\0' {{args list}} end`, ({ list }) => [...list, 'end']),
  printing(String.raw`l=({{args list}}); printf '%s\0' "${'$'}{#l[@]}" "${'$'}{l[@]}" end`, ({ list }) => [
    String(list.length),
    ...list,
    'end',
  ]),
  printing(String.raw`l=({{a}} "{{b}}"); l+=('{{a}}'); printf '%s\0' "${'$'}{l[@]}"`, ({ a, b }) => [
    a,
    b,
    a,
  ]),
  printing(String.raw`for x in {{a}} {{args list}}; do printf '%s\0' "$x"; done`, ({ a, list }) => [
    a,
    ...list,
  ]),
  printing(String.raw`x={{a}}; printf '%s\0' "$x"`),
  printing(String.raw`x="{{a}}"'{{b}}'{{a}}; printf '%s\0' "$x" "${'$'}{#x}" | head -zn 1`, ({ a, b }) => [
    a + b + a,
  ]),
  printing(String.raw`x={{a}}; y=$x; z="<$y>"; printf '%s\0' "$z"`, ({ a }) => [`<${a}>`]),
  printing(String.raw`f() { local x=$1; printf '%s\0' "$x" "$@"; }; f {{a}} {{args list}}`, ({ a, list }) => [
    a,
    a,
    ...list,
  ]),
  printing(String.raw`set -- {{args list}} {{a}}; printf '%s\0' "$#" "$@"`, ({ a, list }) => [
    String(list.length + 1),
    ...list,
    a,
  ]),
  printing(String.raw`printf -v x '%s' {{a}}; printf '%s\0' "$x"`),
  printing("cat <<E\n{{a}} '{{b}}' \"{{a}}\"\nE\nprintf '\\0'", ({ a, b }) => [`${a} '${b}' "${a}"\n`]),
  printing("cat <<-E\n\t{{a}}\n\tE\nprintf '\\0'", ({ a }) => [`${a}\n`]),
  printing("cat <<E | cat\n$(printf '%s.' {{a}})\nE\nprintf '\\0'", ({ a }) => [`${a}.\n`]),
  printing(String.raw`cat <<< {{a}}; printf '\0'`, ({ a }) => [`${a}\n`]),
  printing(String.raw`cat <<< "<{{a}}>"; printf '\0'`, ({ a }) => [`<${a}>\n`]),
  printing(String.raw`printf '%s\0' "$(printf '%s' {{a}})"`, ({ a }) => [caught(a)]),
  printing(String.raw`printf '%s\0' "$(printf '%s' "$(printf '%s.' '{{a}}')")"`, ({ a }) => [`${a}.`]),
  printing('printf \'%s\\0\' "`printf %s. {{a}}`" "`printf %s. "{{a}}"`"', ({ a }) => [`${a}.`, `${a}.`]),
  printing(String.raw`x=$(printf '%s.' {{a}}); printf '%s\0' "$x"`, ({ a }) => [`${a}.`]),
  printing(String.raw`cat <(printf '%s' {{a}}) <(printf '%s' "{{b}}"); printf '\0'`, ({ a, b }) => [a + b]),
  printing(String.raw`printf '%s' {{a}} | cat | { cat; printf '\0'; }`),
  printing(
    String.raw`printf '%s\0' {{args list}} end | while IFS= read -r -d '' x; do printf '%s\0' "$x"; done`,
    ({ list }) => [...list, 'end'],
  ),
  printing(
    String.raw`mapfile -d '' -t l < <(printf '%s\0' {{a}} {{b}}); printf '%s\0' "${'$'}{l[@]}"`,
    ({ a, b }) => [a, b],
  ),
  printing(
    String.raw`if [[ {{a}} == "{{b}}" ]]; then printf 'same\0'; else printf 'other\0'; fi`,
    ({ a, b }) => [inUtf8(a) === inUtf8(b) ? 'same' : 'other'],
  ),
  printing(
    String.raw`if [[ {{a}} == {{a}} && -n x{{a}} && ! {{a}} != '{{a}}' ]]; then printf 'same\0'; fi`,
    () => ['same'],
  ),
  printing(String.raw`x={{a}}; y={{a}}; [[ "$x" == "$y" ]] && printf 'same\0'`, () => ['same']),
  printing(String.raw`if [ {{a}} = {{b}} ]; then printf 'same\0'; else printf 'other\0'; fi`, ({ a, b }) => [
    inUtf8(a) === inUtf8(b) ? 'same' : 'other',
  ]),
  printing(String.raw`if [ {{a}} ]; then printf 'some\0'; else printf 'none\0'; fi`, ({ a }) => [
    a === '' ? 'none' : 'some',
  ]),
  printing(
    String.raw`if [ {{a}} -gt 3 ] 2> /dev/null; then printf 'more\0'; else printf 'no\0'; fi`,
    ({ a }) => [/^\s*\+?0*([4-9]|[1-9]\d+)\s*$/.test(a) ? 'more' : 'no'],
  ),
  printing(String.raw`case {{a}} in "{{a}}") printf 'same\0' ;; *) printf 'other\0' ;; esac`, () => ['same']),
  printing(String.raw`case x{{a}} in x'{{a}}'|y) printf 'same\0' ;; esac`, () => ['same']),
  printing(String.raw`# {{a}}` + '\n' + String.raw`printf '%s\0' {{b}} # {{a}}`, ({ b }) => [b]),
  printing(
    String.raw`x={{a}}; printf '%s\0' "${'$'}{x%.nothing}" "${'$'}{x:-none}" "${'$'}{x/%.nothing/}"`,
    ({ a }) => [a, a === '' ? 'none' : a, a],
  ),
  printing(String.raw`{ printf '%s\0' {{a}}; } 2>&1 && ( printf '%s\0' "{{b}}" )`, ({ a, b }) => [a, b]),
  printing(String.raw`until false; do printf '%s\0' {{a}}; break; done`),
  printing(String.raw`printf '%s\0' \"{{a}}\"`, ({ a }) => [`"${a}"`]),
  printing(String.raw`V={{a}} bash -c 'printf "%s\0" "$V"'`, a, true),
  printing(
    String.raw`export V={{a}} W="{{b}}"; bash -c 'printf "%s\0" "$V" "$W"'`,
    ({ a, b }) => [a, b],
    true,
  ),
  printing(String.raw`env V={{a}} bash -c 'printf "%s\0" "$V"'`, a, true),
  printing(
    String.raw`xargs -0 printf '%s\0' < <(printf '%s\0' {{a}} {{args list}})`,
    ({ a, list }) => [a, ...list],
    true,
  ),
];

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'wf-values-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const plans = new Map<string, PlanRun>();

function planOf(script: string): PlanRun {
  const known = plans.get(script);
  if (known) return known;
  const compiled = compile(script);
  if (!compiled.ok)
    throw new Error(`${script}: ${compiled.findings.map(({ message }) => message).join('; ')}`);
  const plan: PlanRun = { kind: 'run', bash: compiled.bash, values: compiled.values };
  plans.set(script, plan);
  return plan;
}

/** Compiles, renders, launches, and runs with real bash in an empty folder, which has to be empty afterwards. */
function run(plan: PlanRun, values: Values, inside = 'empty') {
  const here = join(folder, inside);
  mkdirSync(join(folder, 'scratch'), { recursive: true });
  mkdirSync(here, { recursive: true });
  const rendered = renderCommand(plan, { ...values }, { readFile: () => '' });
  const [program, ...args] = launch(rendered, (name) => join(folder, 'scratch', name));
  const ended = spawnSync(program, args, {
    cwd: here,
    env: { PATH: process.env['PATH'], HOME: here, LANG: 'C.UTF-8' },
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 2 ** 30,
  });
  expect(ended.error).toBeUndefined();
  return {
    status: ended.status,
    stdout: ended.stdout,
    stderr: ended.stderr.toString(),
    files: readdirSync(here),
  };
}

function expectPrinted(all: readonly Printing[], values: Values): void {
  const plan = planOf(all.map(({ script }) => script).join('\n'));
  const { status, stdout, stderr, files } = run(plan, values);
  const expected = all.flatMap(({ prints }) => prints(values)).map((text) => `${text}\0`);
  expect({ status, stderr, files }).toEqual({ status: 0, stderr: '', files: [] });
  expect(stdout.equals(Buffer.from(expected.join('')))).toBe(true);
}

describe('a value', () => {
  const values = fc.record({ a: hostileText, b: hostileText, list: fc.array(hostileText, { maxLength: 4 }) });

  it.each(templates.map((template) => [template.script, template] as const))(
    'arrives, whatever it is, in %s',
    (_, template) => {
      fc.assert(
        fc.property(values, (given) => expectPrinted([template], given)),
        proof({ few: 3, many: 40 }),
      );
    },
  );

  it(`arrives in ${templates.length} places of one script`, { timeout: 600_000 }, () => {
    const { numRuns, seed } = proof({ few: 6, many: 500 });
    fc.assert(
      fc.property(values, (given) => expectPrinted(templates, given)),
      { numRuns, seed },
    );
    const plain = plainlyHostile.filter((_, index) => proving || index % 5 === 0);
    for (const text of plain) expectPrinted(templates, { a: text, b: 'b', list: [text, '', text] });
    if (!proving) return;
    const together = (numRuns + plainlyHostile.length) * templates.length;
    const alone = templates.length * 40;
    console.log(
      `${together + alone} pairs of values and templates, ${alone} of them in a process of their own: 0 executed, 0 wrong`,
    );
  });

  it('of 1 MB arrives to the byte, alone and in a list', () => {
    const text = `\n'"$(touch canary)\`é😀\u0001\\\n`.repeat(45_000);
    expect(text.length).toBeGreaterThan(1_000_000);
    // Bash itself takes minutes for a pattern in so long a text.
    const quick = templates.filter(
      ({ script, exported }) =>
        !exported && !/%\.nothing|head|case|if |\[\[|while|mapfile|xargs|<-/.test(script),
    );
    expect(quick.length).toBeGreaterThan(20);
    expectPrinted(quick, { a: text, b: 'b', list: [text] });
  });

  it('is the name of a file that is written and read', () => {
    const plan = planOf(
      String.raw`printf '%s' {{b}} > {{a}}; cat < "{{a}}" >> '{{a}}.more'; cat <<E > x{{a}}` +
        '\n{{b}}\nE\nrm -- {{a}} {{a}}.more x{{a}}',
    );
    const names = plainlyHostile
      .map((text) => inUtf8(text).replaceAll('/', '_'))
      .filter((name) => name !== '' && Buffer.byteLength(name) < 200);
    for (const name of names.filter((_, index) => proving || index % 4 === 0)) {
      expect(run(plan, { a: name, b: name, list: [] })).toMatchObject({ status: 0, stderr: '', files: [] });
    }
  });

  it('that holds NUL is refused, since no command could take it', () => {
    const world = { readFile: () => '' };
    const values = { a: 'x\0y', list: ['x', 'y\0'] };
    const message = (template: string) =>
      `the value of ${template} holds a NUL character, which no command can take`;
    expect(() => renderCommand(planOf('echo {{a}}'), values, world)).toThrow(message('{{a}}'));
    expect(() => renderCommand(planOf('echo {{args list}}'), values, world)).toThrow(message('{{list}}'));
    expect(() => renderCommand({ kind: 'run', argv: ['echo', '{{a}}'] }, values, world)).toThrow(
      message('{{a}}'),
    );
  });
});

describe('a script with values in it', () => {
  const values: Values = { a: 'it\'s\n"$(touch canary)"', b: 'b', list: ['x', '\ny'] };
  const long = `: '${'é'.repeat(60_000)}'\n`;

  it.each([
    ['passed on the command line', ''],
    ['passed in a file', long],
  ])('ends at the first failure, also in a pipe, and at an unset variable, %s', (_, rest) => {
    for (const failing of ['false', 'false | cat', 'echo "$unset_variable"', 'cat < nothing']) {
      const { status, stdout, files } = run(
        planOf(`: {{a}} {{args list}}\n${rest}${failing}\necho reached`),
        values,
      );
      expect(status, failing).not.toBe(0);
      expect(stdout.toString(), failing).toBe('');
      expect(files, failing).toEqual([]);
    }
  });

  it.each([
    ['passed on the command line', ''],
    ['passed in a file', long],
  ])("names the author's lines in bash's messages, %s", (_, rest) => {
    const plan = planOf(
      `no_such_command {{a}} || :\n: {{args list}} "{{b}}"\n\ncat <<E\n{{a}}\nE\nno_such_command '{{b}}'\n${rest}`,
    );
    const { stderr } = run(plan, values);
    expect(stderr.match(/line \d+: .*/g)).toEqual([
      'line 1: no_such_command: command not found',
      'line 7: no_such_command: command not found',
    ]);
  });

  it('begins as bash begins: nothing of a start-up file, nothing to read', () => {
    const { stdout } = run(planOf('cat; printf "%s" {{b}} "${BASH_ENV-}" "$-"'), values);
    expect(stdout.toString()).toMatch(/^b[a-zA-Z]*$/);
  });
});

describe('through a whole run', () => {
  const text = `-n '"$(touch canary)\`touch canary\`\\ ~ * é😀\n\nend`;

  it('a value reaches scripts, words of a command, programs and the environment as it is', async () => {
    const project = testProject({
      'formulas/a.yaml': `
formula: a
workspace: empty
inputs: {x: {type: string}, list: {type: array, items: {type: string}}}
steps:
  - {id: bash, run: 'printf "%s|" {{inputs.x}} "{{inputs.x}}" {{args inputs.list}}'}
  - {id: argv, run: [printf, '%s|', '{{inputs.x}}', 'a{{inputs.x}}', '{{args inputs.list}}']}
  - id: program
    env: {X: '{{inputs.x}}', L: '{{json inputs.list}}'}
    run:
      program: node
      script: 'process.stdout.write(process.env.X + "|" + JSON.parse(process.env.L).join("|") + "|")'
  - {id: env, env: {X: '<{{inputs.x}}>'}, run: 'printf "%s|" "$X"; bash -c ''printf "%s|" "$X"'''}
  - {id: left, run: ls -A}
outputs:
  bash: steps.bash.outputs.stdout
  argv: steps.argv.outputs.stdout
  program: steps.program.outputs.stdout
  env: steps.env.outputs.stdout
  left: steps.left.outputs.stdout
`,
    });
    const run = await project.run('a', { inputs: { x: text, list: [text, '', 'z'] } });
    expect(run.state.outputs).toEqual({
      bash: `${text}|${text}|${text}||z|`,
      argv: `${text}|a${text}|${text}||z|`,
      program: `${text}|${text}||z|`,
      env: `<${text}>|<${text}>|`,
      left: '',
    });
  });

  it('NUL in a value fails the step and says where', async () => {
    const project = testProject(`
inputs: {x: {type: string}}
steps:
  - {id: s, env: {X: '{{inputs.x}}'}, run: 'echo "$X"'}
`);
    const run = await project.run('a', { inputs: { x: 'a\0b' } });
    expect(run.state.steps['s']?.error?.message).toBe(
      'the value of {{inputs.x}} holds a NUL character, which no command can take',
    );
  });
});
