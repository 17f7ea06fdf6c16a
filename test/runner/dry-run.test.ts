import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadBashParser } from '../../src/formula/bash/load-parser.ts';
import { RenderError } from '../../src/formula/render-error.ts';
import { completeInputs } from '../../src/runner/bind-inputs.ts';
import { dryRun } from '../../src/runner/dry-run.ts';
import type { DryCommand, DryInstance, DryRun, DryStep } from '../../src/runner/dry-run.ts';
import type { JsonObject } from '../../src/support/json.ts';
import type { TestProject } from '../support/project.ts';
import { testProject } from '../support/project.ts';
import { proof } from '../support/proof.ts';

/** Looks ahead at formula `a`. `files` are those that its workspace begins with. */
async function ahead(
  project: TestProject | string,
  given: JsonObject = {},
  files: Readonly<Record<string, string>> = {},
): Promise<DryRun> {
  const plan = await (typeof project === 'string' ? testProject(project) : project).compile();
  const inputs = completeInputs(plan.inputs, given);
  if (!inputs.ok) throw new Error(inputs.message);
  const readFile = (path: string): string => {
    const text = files[path];
    if (text === undefined) throw new RenderError(`there is no file ${path}`);
    return text;
  };
  return dryRun({ plan, inputs: inputs.value, bash: await loadBashParser(), files: () => ({ readFile }) });
}

/** Every step in order, groups opened: what it would start. */
function told({ steps, finally: last = [] }: Pick<DryRun, 'steps' | 'finally'>): readonly string[] {
  return [...steps, ...last].flatMap((step) => toldStep(step));
}

function toldStep(step: DryStep): readonly string[] {
  if (step.instances.length === 0) return [`${step.path} ${step.would}`];
  return step.instances.flatMap((instance) => {
    const name = `${step.path}${instance.index === undefined ? '' : `[${instance.index}]`}${step.would === 'open' ? '?' : ''}`;
    const { action } = instance;
    switch (action.kind) {
      case 'run':
        return [`${name}: ${commandText(action.command)}`];
      case 'agent':
        return [`${name}: agent ${action.model}`];
      case 'approve':
        return [`${name}: ask ${JSON.stringify(action.ask)}`];
      case 'wait':
        return [`${name}: ${JSON.stringify(action)}`];
      case 'group':
        return [`${name}:`, ...told(action)];
    }
  });
}

function commandText(command: DryCommand): string {
  return command.is === 'failure' ? `fails: ${command.message}` : command.text;
}

describe('what is known', () => {
  it('is in its place, and what is not is named', async () => {
    const dry = await ahead(
      `
inputs: {name: {type: string}, paths: {type: array, items: {type: string}, default: [src, my lib]}}
steps:
  - {id: lint, run: 'eslint {{args inputs.paths}} --name {{inputs.name}}', outputs: {files: {type: array, items: {type: string}}}}
  - {id: say, run: [echo, '{{inputs.name}} has {{size steps.lint.outputs.files}} files', '{{args steps.lint.outputs.files}}']}
outputs: {name: inputs.name, files: steps.lint.outputs.files}
`,
      { name: "it's" },
    );
    expect(told(dry)).toEqual([
      "lint: eslint src 'my lib' --name 'it'\\''s'",
      "say: echo 'it'\\''s has ‹size steps.lint.outputs.files› files' ‹steps.lint.outputs.files›",
    ]);
    expect(dry.outputs).toEqual({
      name: { is: 'known', value: "it's" },
      files: { is: 'unknown', text: 'steps.lint.outputs.files', missing: ['steps.lint.outputs.files'] },
    });
    expect(dry.missing).toEqual(['steps.lint.outputs.files']);
  });

  it('goes through molecules and formulas, with their own inputs and defaults', async () => {
    const project = testProject({
      'formulas/a.yaml': `
formula: a
workspace: empty
inputs: {name: {type: string, default: x}}
steps:
  - {id: make, run: 'echo "{\\"tag\\": \\"v1\\"}" > "$WF_OUTPUT"', outputs: {tag: {type: string}}}
  - {id: fix, uses: say, with: {text: '{{inputs.name}} of {{steps.make.outputs.tag}}', list: ['{{inputs.name}}', '{{steps.make.outputs.tag}}']}}
  - {id: publish, uses: formula/publish, with: {tag: '{{steps.make.outputs.tag}}'}}
`,
      'molecules/say.yaml': `
molecule: say
inputs: {text: {type: string}, list: {type: array, items: {type: string}}, times: {type: integer, default: 2}}
run: [echo, '{{inputs.text}}', '{{inputs.times}}', '{{json inputs.list}}']
verify: [{run: 'test {{inputs.times}} = 2'}]
`,
      'formulas/publish.yaml': `
formula: publish
inputs: {tag: {type: string}, draft: {type: boolean, default: false}}
steps:
  - {id: tag, run: 'echo {{inputs.tag}} {{inputs.draft}}'}
  - {id: notify, when: inputs.draft, run: echo draft}
  - {id: again, run: [echo, '{{inputs.tag}}', '{{steps.tag.outputs.stdout}}']}
finally:
  - {id: tell, run: 'echo {{run.status}}'}
`,
    });
    const dry = await ahead(project);
    expect(told(dry).slice(1)).toEqual([
      "fix: echo 'x of ‹steps.make.outputs.tag›' 2 ‹json inputs.list›",
      'publish:',
      'publish.tag: echo ‹steps.make.outputs.tag› false',
      'publish.notify skip',
      'publish.again: echo ‹steps.make.outputs.tag› ‹publish.steps.tag.outputs.stdout›',
      'publish.tell: echo ‹run.status›',
    ]);
    expect(dry.missing).toEqual(['steps.make.outputs.tag', 'publish.steps.tag.outputs.stdout', 'run.status']);
    const [fix] = dry.steps[1]?.instances as [DryInstance];
    expect(fix.inputs).toEqual({
      text: { is: 'unknown', text: 'x of ‹steps.make.outputs.tag›', missing: ['steps.make.outputs.tag'] },
      list: {
        is: 'unknown',
        text: '["x","‹steps.make.outputs.tag›"]',
        missing: ['steps.make.outputs.tag'],
      },
      times: { is: 'known', value: 2 },
    });
    expect(fix.verify).toMatchObject([{ kind: 'run', command: { is: 'known', text: 'test 2 = 2' } }]);
  });

  it('has every item of a known list, and stands for those of another', async () => {
    const dry = await ahead(
      `
inputs: {names: {type: array, items: {type: string}}}
steps:
  - {id: find, run: ls, outputs: {files: {type: array, items: {type: object, required: [path], properties: {path: {type: string}}}}}}
  - {id: known, for_each: inputs.names, run: 'echo {{index}} {{item}}'}
  - {id: written, for_each: [one, '{{inputs.names.[0]}}'], run: 'echo {{item}}'}
  - {id: unknown, for_each: steps.find.outputs.files, run: 'echo {{index}} {{item.path}}'}
`,
      { names: ['a', 'b c'] },
    );
    expect(told(dry).slice(1)).toEqual([
      'known[0]: echo 0 a',
      "known[1]: echo 1 'b c'",
      'written[0]: echo one',
      'written[1]: echo a',
      'unknown: echo ‹index› ‹item.path›',
    ]);
    expect(dry.missing).toEqual(['steps.find.outputs.files', 'index', 'item.path']);
  });

  it('says of a condition what it can: also where one side is enough', async () => {
    const dry = await ahead(`
inputs: {deploy: {type: boolean, default: false}}
steps:
  - {id: test, run: npm test, on_failure: continue}
  - {id: no, when: inputs.deploy, run: echo no}
  - {id: never, when: "inputs.deploy && steps.test.status == 'succeeded'", run: echo never}
  - {id: never_either, when: "steps.test.status == 'succeeded' && inputs.deploy", run: echo never}
  - {id: sure, when: "steps.test.status == 'succeeded' || !inputs.deploy", run: echo sure}
  - {id: maybe, when: "!inputs.deploy && steps.test.status == 'succeeded'", run: echo maybe}
  - {id: after, run: 'echo {{default steps.no.outputs.stdout "nothing"}} {{steps.no.status}}'}
`);
    expect(told(dry).slice(1)).toEqual([
      'no skip',
      'never skip',
      'never_either skip',
      'sure: echo sure',
      'maybe?: echo maybe',
      'after: echo nothing skipped',
    ]);
    expect(dry.steps[5]?.when?.outcome).toEqual({
      is: 'unknown',
      text: "!inputs.deploy && steps.test.status == 'succeeded'",
      missing: ['steps.test.status'],
    });
  });

  it('shows a block whose list is known with its items, and one whose list is not as itself', async () => {
    const dry = await ahead(
      `
inputs: {names: {type: array, items: {type: string}}}
steps:
  - {id: find, run: ls, outputs: {files: {type: array, items: {type: string}}}}
  - id: say
    run: echo "$KNOWN$UNKNOWN"
    env:
      KNOWN: '{{#each inputs.names as |n|}}{{n}} of {{size steps.find.outputs.files}};{{/each}}'
      UNKNOWN: 'files:{{#each steps.find.outputs.files as |f|}} {{f}}{{/each}}'
`,
      { names: ['a', 'b'] },
    );
    expect(dry.steps[1]?.instances[0]?.env).toEqual({
      KNOWN: {
        is: 'unknown',
        text: 'a of ‹size steps.find.outputs.files›;b of ‹size steps.find.outputs.files›;',
        missing: ['steps.find.outputs.files'],
      },
      UNKNOWN: {
        is: 'unknown',
        text: 'files:‹#each steps.find.outputs.files›',
        missing: ['steps.find.outputs.files'],
      },
    });
  });

  it('is a file until a command could have changed it', async () => {
    const dry = await ahead(
      `
steps:
  - {id: first, run: 'echo {{file "a.txt"}}'}
  - {id: beside, needs: [], run: 'echo {{file "a.txt"}}'}
  - {id: second, needs: [first], run: 'echo {{file "a.txt"}}'}
  - {id: alone, workspace: empty, run: 'echo {{file "a.txt"}}'}
  - {id: lost, needs: [], run: 'echo {{file "b.txt"}}'}
`,
      {},
      { 'a.txt': 'A' },
    );
    expect(told(dry)).toEqual([
      'first: echo A',
      'beside: echo A',
      'second: echo ‹file "a.txt"›',
      'alone: echo A',
      'lost: fails: there is no file b.txt',
    ]);
    expect(dry.failures).toEqual([{ step: 'lost', message: 'there is no file b.txt' }]);
    expect(dry.missing).toEqual(['file a.txt']);
  });

  it('may be a file that `prepare` is going to make', async () => {
    const dry = await ahead(
      `
workspace: {from: empty, prepare: {run: 'echo made > made.txt', files: [a.txt]}}
steps: [{id: read, run: 'echo {{file "a.txt"}} {{file "made.txt"}}'}]
`,
      {},
      { 'a.txt': 'A' },
    );
    expect(told(dry)).toEqual(['read: echo A ‹file "made.txt"›']);
    expect(dry.failures).toEqual([]);
  });

  it('tells questions, waits, checks and workspaces, and names secrets', async () => {
    const dry = await ahead(
      `
inputs: {tag: {type: string}}
workspace: {from: {git: 'https://example.com/{{inputs.tag}}.git', ref: main}, prepare: {run: 'echo {{inputs.tag}}', files: [a]}}
steps:
  - {id: build, run: make, secrets: {TOKEN: MY_TOKEN}, verify: [{check: "outputs.exit_code == 0"}, {check: "inputs.tag != ''"}, {changes: {only: ['{{inputs.tag}}/**']}}]}
  - {id: ask, approve: {ask: 'Release {{inputs.tag}}?', show: [inputs.tag, run.diff], count: 2}}
  - {id: until, wait: {until: '{{inputs.tag}}'}}
`,
      { tag: 'v1' },
    );
    expect(dry.workspace).toMatchObject({
      from: { git: { value: 'https://example.com/v1.git' }, ref: { value: 'main' } },
      prepare: { command: { text: 'echo v1' } },
    });
    expect(dry.steps.map(({ instances }) => instances[0])).toMatchObject([
      {
        secrets: { TOKEN: 'MY_TOKEN' },
        verify: [
          { outcome: { is: 'unknown', missing: ['outputs.exit_code'] } },
          { outcome: { is: 'known', value: true } },
          { only: [{ is: 'known', value: 'v1/**' }] },
        ],
      },
      {
        action: {
          ask: { is: 'known', value: 'Release v1?' },
          show: [
            { value: { is: 'known', value: 'v1' } },
            { value: { is: 'unknown', missing: ['run.diff'] } },
          ],
        },
      },
      { action: { until: { is: 'known', value: 'v1' } } },
    ]);
  });

  it('includes what would fail', async () => {
    const dry = await ahead(
      testProject({
        'formulas/a.yaml': `
formula: a
inputs: {text: {type: string}}
steps: [{id: use, uses: one, with: {word: '{{inputs.text}}'}}, {id: nul, run: 'echo {{inputs.text}}'}]
`,
        'molecules/one.yaml':
          'molecule: one\ninputs: {word: {type: string, maxLength: 2}}\nrun: echo {{inputs.word}}\n',
      }),
      { text: 'a\0b' },
    );
    expect(dry.failures).toMatchInlineSnapshot(`
      [
        {
          "message": "input "word" must have at most 2 characters",
          "step": "use",
        },
        {
          "message": "the value of {{inputs.text}} holds a NUL character, which no command can take",
          "step": "nul",
        },
      ]
    `);
  });

  it('puts a long value beside the script instead of amid it', async () => {
    const text = 'line\n'.repeat(20);
    const dry = await ahead(
      'inputs: {text: {type: string}}\nsteps: [{id: say, run: "echo {{inputs.text}}"}]\n',
      {
        text,
      },
    );
    expect(dry.steps[0]?.instances[0]?.action).toMatchObject({
      command: { is: 'known', text: 'echo "${__wf_0}"', beside: [{ name: '__wf_0', value: text }] },
    });
  });
});

describe('what is shown is what runs', () => {
  // The commands print what they are given, so what they put out is what they were started with.
  const formula = `
inputs:
  text: {type: string}
  list: {type: array, items: {type: string}}
  deep: {type: object, required: [name], properties: {name: {type: string}}}
  on: {type: boolean}
steps:
  - {id: bare, run: "printf '<%s>' {{inputs.text}} x{{inputs.deep.name}} {{args inputs.list}}"}
  - {id: quoted, run: "printf '<%s>' \\"a {{inputs.text}} $(printf %s '{{inputs.deep.name}}')\\""}
  - {id: here, run: "cat <<E\\n{{inputs.text}} \\"{{json inputs.deep}}\\"\\nE\\n"}
  - {id: argv, run: [printf, '<%s>', '{{inputs.text}}', '{{args inputs.list}}', '{{json inputs}}']}
  - {id: each, for_each: inputs.list, run: "printf '<%s>' {{item}} {{index}}"}
  - {id: maybe, when: inputs.on, run: "printf '<%s>' {{inputs.text}}"}
  - {id: used, uses: say, with: {text: '{{inputs.text}}', also: 'of {{inputs.deep.name}}', list: '{{inputs.list}}'}}
  - {id: group, uses: formula/inner, with: {list: '{{inputs.list}}', name: '{{inputs.deep.name}}'}}
finally:
  - {id: last, run: "printf '<%s>' {{inputs.text}} {{default steps.maybe.outputs.nothing 'none'}}"}
`;
  const project = () =>
    testProject({
      'formulas/a.yaml': `formula: a\nworkspace: empty\n${formula.replace(/ {2}- \{id: last.*\n/, '  - {id: last, run: "printf \'<%s>\' {{inputs.text}} {{size inputs.list}}"}\n')}`,
      'formulas/inner.yaml': `
formula: inner
inputs: {list: {type: array, items: {type: string}}, name: {type: string}, more: {type: string, default: $HOME}}
steps:
  - {id: one, for_each: inputs.list, parallel: 2, run: "printf '<%s>' {{item}} {{inputs.name}} {{inputs.more}}"}
`,
      'molecules/say.yaml': `
molecule: say
inputs: {text: {type: string}, also: {type: string}, list: {type: array}, times: {type: integer, default: 3}}
run: "printf '<%s>' {{inputs.text}} {{inputs.also}} {{json inputs.list}} {{inputs.times}}"
`,
    });

  it('to the byte, whatever the values', { timeout: 300_000 }, async () => {
    const text = fc.oneof(
      fc.constantFrom(
        '',
        '-n',
        '$(id)',
        '`id`',
        "it's",
        'a\nb',
        '‹inputs.text›',
        '{{inputs.text}}',
        'é✓ 🎉',
        '\\',
        '"',
      ),
      fc
        .string({ unit: 'binary', maxLength: 10 })
        .filter((value) => !value.includes('\0') && Buffer.from(value).toString() === value),
    );
    const shape = project();
    let commands = 0;
    await fc.assert(
      fc.asyncProperty(
        text,
        fc.array(text, { maxLength: 3 }),
        text,
        fc.boolean(),
        async (value, list, name, on) => {
          const inputs = { text: value, list, deep: { name }, on };
          const dry = await ahead(shape, inputs);
          expect(dry.missing).toEqual([]);
          const ran = await shape.run('a', { inputs });
          expect(ran.status).toBe('succeeded');
          const started = new Map(
            ran.events.flatMap((event) =>
              event.type === 'attempt.succeeded' && 'outputs' in event && 'stdout' in event.outputs
                ? [
                    [
                      `${event.step}${event.item === undefined ? '' : `[${event.item}]`}`,
                      event.outputs['stdout'],
                    ],
                  ]
                : [],
            ),
          );
          const shown = new Map(dry.steps.concat(dry.finally ?? []).flatMap(shownCommands));
          expect([...shown.keys()].sort()).toEqual([...started.keys()].sort());
          for (const [path, command] of shown) {
            commands += 1;
            // The text is what a person would paste: bash has to make the same of it.
            expect([path, bash(command)]).toEqual([path, started.get(path)]);
          }
        },
      ),
      proof({ few: 3, many: 100 }),
    );
    console.log(`dry runs: ${commands} shown commands did in bash what the run's did`);
  });
});

function shownCommands(step: DryStep): (readonly [string, string])[] {
  return step.instances.flatMap(({ index, action }) => {
    if (action.kind === 'group') return action.steps.flatMap(shownCommands);
    if (action.kind !== 'run' || action.command.is === 'failure') return [];
    expect(action.command.beside).toBeUndefined();
    return [[`${step.path}${index === undefined ? '' : `[${index}]`}`, action.command.text] as const];
  });
}

function bash(script: string): string {
  const out = execFileSync('bash', ['--norc', '--noprofile', '-c', `set -euo pipefail; ${script}`], {
    encoding: 'utf8',
  });
  return out.replace(/\n+$/, '');
}
