import { describe, expect, it } from 'vitest';
import { testProject } from '../../support/project.ts';

describe('outputs of `run`', () => {
  it('are the object written to $WF_OUTPUT, beside stdout without its line break, stderr and exit_code', async () => {
    const run = await testProject(`
steps:
  - id: a
    run: |
      echo '{"n": 5, "deep": {"list": [1, 2]}}' > "$WF_OUTPUT"
      printf 'out\\n\\n'
      echo err >&2
    outputs: {n: {type: integer}, deep: {type: object}}
  - {id: b, run: 'echo {{steps.a.outputs.n}} {{json steps.a.outputs.deep}} {{steps.a.outputs.stderr}} {{steps.a.outputs.exit_code}}'}
`).run();
    expect(run.step('a').outputs).toEqual({
      n: 5,
      deep: { list: [1, 2] },
      stdout: 'out',
      stderr: 'err',
      exit_code: 0,
    });
    expect(run.output('b')).toBe('5 {"list":[1,2]} err 0');
  });

  it('`parse: json` reads stdout; JSON that is no object is `value`', async () => {
    const run = await testProject(`
steps:
  - {id: object, run: 'echo "{\\"x\\": 1}"', parse: json}
  - {id: list, run: 'echo "[1, 2]"', parse: json}
outputs: {x: steps.object.outputs.x, list: steps.list.outputs.value}
`).run();
    expect(run.outputs).toEqual({ x: 1, list: [1, 2] });
  });

  it.each([
    ['run: echo nope, parse: json', 'its output is not JSON: '],
    ['run: \'echo nope > "$WF_OUTPUT"\'', 'what it wrote to $WF_OUTPUT is not JSON: '],
    ['run: \'echo "[1]" > "$WF_OUTPUT"\'', 'what it wrote to $WF_OUTPUT is not a JSON object'],
    ['run: "true", outputs: {n: {type: integer}}', 'it did not put out "n"'],
    [
      `run: 'echo "{\\"n\\": \\"x\\"}"', parse: json, outputs: {n: {type: integer}}`,
      'output "n" must be a whole number',
    ],
  ])('{%s} is a failed attempt', async (step, message) => {
    const run = await testProject(`steps: [{id: a, ${step}, retry: {attempts: 2}}]`).run();
    expect(run.step('a')).toMatchObject({ status: 'failed', attempts: 2 });
    expect(run.state.error?.message).toContain(message);
    expect(run.state.error?.kind).toBe('error');
  });

  it('`exit` says which codes count as success', async () => {
    const run = await testProject(`
steps:
  - {id: a, run: exit 3, exit: [0, 3]}
  - {id: b, run: 'echo {{steps.a.outputs.exit_code}}'}
  - {id: c, run: exit 0, exit: [1]}
`).run();
    expect(run.output('b')).toBe('3');
    expect(run.state.error).toMatchObject({ kind: 'error', message: 'exit code 0', step: 'c' });
  });

  it('are parsed before they are capped; reading what was capped is an error', async () => {
    const run = await testProject(`
steps:
  - {id: big, run: 'printf "{\\"n\\": 1, \\"text\\": \\""; head -c 300000 /dev/zero | tr "\\0" x; printf "\\"}"', parse: json}
  - {id: size, run: 'echo {{size steps.big.outputs.text}}'}
  - {id: loud, run: 'head -c 300000 /dev/zero | tr "\\0" y'}
  - {id: has, run: 'echo {{default steps.loud.outputs.stdout "none"}}', on_failure: continue}
  - {id: cel, when: 'has(steps.loud.outputs.stdout)', run: 'true', on_failure: continue}
  - {id: cut, run: 'echo {{steps.loud.outputs.stdout}}'}
`).run();
    expect(run.output('size')).toBe('300000');
    expect(run.state.error).toMatchObject({
      step: 'cut',
      message: expect.stringContaining('`stdout` was too long to be kept whole (234464 bytes are left out)'),
    });
    expect(run.steps).toBe('big:succeeded size:succeeded loud:succeeded has:failed cel:failed cut:failed');
    const loud = run.events.find((event) => event.type === 'attempt.succeeded' && event.step === 'loud');
    expect(loud).toMatchObject({ stdout: { omitted: 300000 - 65536 } });
  });

  it('a list is an argv without a shell, and {program, script} another interpreter', async () => {
    const run = await testProject(`
inputs: {words: {type: array, items: {type: string}, default: ['a b', '$x', '*']}}
steps:
  - {id: argv, run: [printf, '%s|', '{{args inputs.words}}', 'n={{size inputs.words}}']}
  - {id: node, run: {program: node, script: 'console.log(process.env.X, process.argv.length)'}, env: {X: '{{json inputs.words}}'}}
  - {id: trimmed, run: [printf, '%s|', '{{~ args (default inputs.words inputs.words) ~}}', 'a}}b{{join inputs.words "}}"}}']}
  - {id: bash, run: 'printf "%s|" {{args inputs.words}} "{{json inputs.words}}"'}
`).run();
    expect(run.output('argv')).toBe('a b|$x|*|n=3|');
    expect(run.output('trimmed')).toBe('a b|$x|*|a}}ba b}}$x}}*|');
    expect(run.output('node')).toBe('["a b","$x","*"] 2');
    expect(run.output('bash')).toBe('a b|$x|*|["a b","$x","*"]|');
  });

  it('a bash script stops at the first failure', async () => {
    const run = await testProject(`
steps: [{id: a, run: "false | true\\necho not reached"}]
`).run();
    expect(run.told).toMatchInlineSnapshot(`
      "a started
      a attempt 1 failed (error): exit code 1
      a failed (error)
      run failed at a (error): exit code 1"
    `);
  });

  it('a program that is not there, and a directory that it cannot leave, are told', async () => {
    const run = await testProject(`steps: [{id: a, run: [no-such-program, x]}]`).run();
    expect(run.state.error?.message).toBe('there is no program "no-such-program" on PATH');
  });
});

describe('environment of `run`', () => {
  it('is what every command gets, what wf.yaml lets through, the step’s own, and nothing else', async () => {
    const project = testProject({
      'wf.yaml': 'env: [CI]\n',
      'formulas/a.yaml': `
formula: a
workspace: empty
steps:
  - id: a
    env: {OWN: 'v{{inputs.n}}', CI: '{{run.formula}}', N: 5}
    run: env | cut -d= -f1 | sort | tr "\\n" " "; echo; echo "$OWN $CI $N"
  - {id: b, run: echo "$CI $HOME"}
inputs: {n: {type: integer, default: 1}}
`,
    });
    const env = { HOME: '/home/x', CI: 'yes', LANG: 'C', SECRET: 'x', NODE_OPTIONS: '--x' };
    const run = await project.run('a', { env });
    expect(run.output('a')).toMatchInlineSnapshot(`
      "CI HOME LANG N OWN PATH PWD SHLVL WF_ATTEMPT WF_ITEM WF_KEY WF_OUTPUT WF_RUN WF_STEP WF_WORKSPACE _ 
      v1 a 5"
    `);
    expect(run.output('b')).toBe('yes /home/x');
  });

  it('has WF_ variables, of which WF_KEY is the same for every try', async () => {
    const run = await testProject(`
steps:
  - id: a
    for_each: [x, y]
    retry: {attempts: 2}
    run: |
      echo "$WF_RUN $WF_STEP $WF_ITEM $WF_ATTEMPT $WF_KEY"
      [ "$PWD" = "$WF_WORKSPACE" ] && [ -f "$WF_OUTPUT" -o ! -e "$WF_OUTPUT" ]
      [ "$WF_ATTEMPT" = 2 ]
  - {id: b, run: 'echo "$WF_STEP <$WF_ITEM>"'}
`).run();
    const id = run.state.run;
    expect(run.printed.join('').replaceAll(id, 'RUN')).toMatchInlineSnapshot(`
      "RUN a 0 1 RUN/a[0]
      RUN a 0 2 RUN/a[0]
      RUN a 1 1 RUN/a[1]
      RUN a 1 2 RUN/a[1]
      b <>
      "
    `);
  });

  it('WF_KEY differs between iterations, also of what stands around, and between items', async () => {
    const run = testProject({
      'formulas/a.yaml': `
formula: a
workspace: empty
steps:
  - {id: g, for_each: [1, 2], uses: formula/inner, retry: {attempts: 2}, repeat: {until: previous.outputs != {} || 'x' in previous.outputs, max: 2, or: keep}}
`.replace(/until: .*?, max/, "until: 'false', max"),
      'formulas/inner.yaml': `
formula: inner
steps:
  - {id: pay, run: 'echo "$WF_KEY"; [ "$WF_ATTEMPT" = 1 ]'}
  - {id: flaky, run: 'mkdir "$HOME/$WF_STEP" 2>/dev/null || exit 0; exit 1'}
`,
    });
    const ran = await run.run('a', { env: { HOME: run.root } });
    const keys = ran.printed.join('').replaceAll(`${ran.state.run}/`, '').trim().split('\n');
    expect(keys).toEqual([
      'g[0]#1.pay',
      'g[0]#1.pay',
      'g[0]#2.pay',
      'g[1]#1.pay',
      'g[1]#1.pay',
      'g[1]#2.pay',
    ]);
  });
});

describe('secrets', () => {
  const token = 'tok"en-123';
  const formula = `
formula: a
inputs: {who: {type: string, default: ann}}
steps:
  - id: use
    secrets: {TOKEN: DEPLOY_TOKEN}
    run: |
      [ "\${#TOKEN}" = 10 ]
      echo "token: $TOKEN"; echo "error: $TOKEN" >&2
      printf '%s' "$TOKEN" > token.txt
      jq -n --arg t "$TOKEN" '{t: $t, ($t): [$t]}' > "$WF_OUTPUT"
    verify: [{run: 'echo "check saw $TOKEN"'}]
    outputs: {t: {type: string, minLength: 1}}
  - {id: later, run: 'cat token.txt; [ -z "\${TOKEN:-}" ]'}
  - {id: fail, on_failure: handoff, run: 'cat token.txt; exit 1'}
`;

  it('reach the step alone, and are masked in everything that is kept or shown', async () => {
    const project = testProject({ 'formulas/a.yaml': formula }).commit();
    const run = await project.runLocally('a', { env: { DEPLOY_TOKEN: token } });
    expect(run.status).toBe('handed_off');
    expect(run.step('use').outputs).toMatchObject({ t: '***', '***': ['***'], stdout: 'token: ***' });
    expect(run.output('later')).toBe('***');
    const escaped = JSON.stringify(token).slice(1, -1);
    const kept = [
      JSON.stringify(run.events),
      JSON.stringify(run.state),
      ...project.read('.wf/runs'),
      ...project.read('.wf/journal'),
    ];
    expect(kept.length).toBeGreaterThan(6);
    for (const text of kept) {
      expect(text).not.toContain(token);
      expect(text).not.toContain(escaped);
    }
    expect(JSON.stringify(await project.compile())).not.toContain(token);
  });

  it('one that is not set fails the step, and says which', async () => {
    const run = await testProject({
      'formulas/a.yaml': formula.replace('\ninputs', '\nworkspace: empty\ninputs'),
    }).run();
    expect(run.state.error).toMatchObject({
      step: 'use',
      message: 'the secret DEPLOY_TOKEN is not set; export it where the run is started',
    });
  });
});
