import { editorSchema } from '../schema/editor-schema.ts';

/** A file of a new project. */
export interface Template {
  readonly path: string;
  readonly text: string;
  /** What it is for, in a few words. */
  readonly about: string;
  /** What to do by hand where there is such a file already; undefined: nothing. */
  readonly instead?: (text: string) => string | undefined;
}

/** Where the schemas for editors are, from the project's root. */
const SCHEMAS = '.vscode/formulary';

const project = `# yaml-language-server: $schema=${SCHEMAS}/project.schema.json
#
# What all formulas of this project share. Nothing in here is required.

# Variables of your environment that commands may see. PATH, HOME, LANG, TERM and TMPDIR always pass, others never do.
env: [CI]

# Who may answer an approval that says \`by: [maintainers]\`.
# people:
#   maintainers: [ann@example.com, bob@example.com]
`;

const formula = `# yaml-language-server: $schema=../${SCHEMAS}/formula.schema.json
#
# A formula is a procedure that is checked before it starts and recorded while it runs. Try, from this folder:
#
#   wf check                     finds mistakes without running anything
#   wf test                      runs its tests
#   wf run hello --dry-run       shows every command as it would be started
#   wf run hello -i name=Ada     runs it
formula: hello
description: Greet somebody, and prove that it happened.

inputs:
  name:
    description: Who is greeted.
    type: string
    default: world

# Works in an empty folder. Without this line a formula works in a clone of the git repository it stands in.
workspace: empty

steps:
  # \`uses\` runs a molecule, here molecules/greet.yaml. Its inputs are given under \`with\`.
  - id: greet
    uses: greet
    with: {name: '{{inputs.name}}'}

  # A step waits for those above it. \`when\` is an expression (CEL), and false skips the step.
  - id: remark
    when: steps.greet.outputs.letters > 12
    run: echo "That is a long name."

  # Text holds values as {{…}}. In a command a value never becomes code, whatever characters are in it.
  - id: tell
    run: echo "{{steps.greet.outputs.stdout}} Your name has {{steps.greet.outputs.letters}} letters."

# What the formula gives to whoever runs it.
outputs:
  greeting: steps.tell.outputs.stdout
`;

const molecule = `# yaml-language-server: $schema=../${SCHEMAS}/molecule.schema.json
#
# A molecule is the smallest piece of work that is worth a name: inputs, one action, outputs, and the proof that it worked.
molecule: greet
description: Greet one person by name, and count the letters of it.

inputs:
  name: {type: string, minLength: 1}

# What a script prints is \`outputs.stdout\`; what it writes to $WF_OUTPUT, as JSON, are outputs of its own.
run: |
  echo "Hello, {{inputs.name}}!"
  echo "{\\"letters\\": $(printf %s {{inputs.name}} | wc -m)}" > "$WF_OUTPUT"

outputs:
  letters: {type: integer}

# All of these have to hold, or the step has failed.
verify:
  - check: outputs.letters > 0
  - check: outputs.stdout.startsWith('Hello, ')
`;

const tests = `# yaml-language-server: $schema=../${SCHEMAS}/test.schema.json
#
# Tests of formulas/hello.yaml: \`wf test\` runs them. A stub stands for an action; checks and everything else are real.
tests:
  - name: tells how many letters a name has
    inputs: {name: Ada}
    stubs:
      greet: {stdout: 'Hello, Ada!', outputs: {letters: 3}}
      tell: real
    expect:
      started: [greet, tell]
      outputs: {greeting: 'Hello, Ada! Your name has 3 letters.'}

  - name: remarks on a long name
    stubs:
      greet: {stdout: 'Hello, somebody!', outputs: {letters: 13}}
      remark: {}
      tell: {}
    expect:
      started: [greet, remark, tell]

  - name: does not believe a greeting without letters
    stubs: {greet: {stdout: 'Hello, !', outputs: {letters: 0}}}
    expect: {status: failed, error: outputs.letters > 0}

  - name: does not believe one that does not greet
    stubs: {greet: {stdout: 'Bye, Ada!', outputs: {letters: 3}}}
    expect: {status: failed, error: startsWith}
`;

const schemaFiles = {
  [`./${SCHEMAS}/project.schema.json`]: ['wf.yaml'],
  [`./${SCHEMAS}/formula.schema.json`]: ['formulas/*.yaml', '!formulas/*.test.yaml'],
  [`./${SCHEMAS}/molecule.schema.json`]: ['molecules/*.yaml', '!molecules/*.test.yaml'],
  [`./${SCHEMAS}/test.schema.json`]: ['formulas/*.test.yaml', 'molecules/*.test.yaml'],
};

/** The files of a new project, in the order in which somebody would read them. */
export function initTemplates(): readonly Template[] {
  return [
    { path: 'formulas/hello.yaml', text: formula, about: 'a formula, to begin reading with' },
    { path: 'formulas/hello.test.yaml', text: tests, about: 'its tests' },
    { path: 'molecules/greet.yaml', text: molecule, about: 'the molecule it uses' },
    { path: 'wf.yaml', text: project, about: 'what all formulas share' },
    {
      path: '.gitignore',
      text: '# What runs leave: journals, logs, workspaces.\n.wf/\n',
      about: 'keeps what runs leave out of git',
      instead: (text) => (/^\/?\.wf\/?\s*$/m.test(text) ? undefined : 'add the line .wf/ to it'),
    },
    {
      path: '.vscode/settings.json',
      text: `${JSON.stringify({ 'yaml.schemas': schemaFiles }, null, 2)}\n`,
      about: 'completion and checks while typing (with the YAML extension)',
      instead: (text) =>
        text.includes(SCHEMAS) ? undefined : `add to it: "yaml.schemas": ${JSON.stringify(schemaFiles)}`,
    },
    ...(['project', 'formula', 'molecule', 'test'] as const).map((kind) => ({
      path: `${SCHEMAS}/${kind}.schema.json`,
      text: `${JSON.stringify(editorSchema(kind), null, 2)}\n`,
      about: `the schema of ${kind === 'project' ? 'wf.yaml' : kind === 'test' ? 'tests' : `a ${kind}`}`,
    })),
  ];
}
