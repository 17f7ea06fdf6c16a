import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileBash } from '../../../src/formula/bash/compile-bash.ts';
import type { ScriptPart } from '../../../src/formula/bash/compile-bash.ts';
import { fillScript } from '../../../src/formula/bash/fill-script.ts';
import { loadBashParser } from '../../../src/formula/bash/load-parser.ts';
import { writeInto } from '../../../src/formula/bash/quote.ts';
import { proof } from '../../support/proof.ts';

const parser = await loadBashParser();

/** `{}` is a value, `{@}` the words of a list. */
function compile(text: string) {
  const parts = text.split(/(\{@?\})/).map((piece): ScriptPart => {
    if (piece === '{}' || piece === '{@}') return { kind: 'value', words: piece === '{@}' };
    return { kind: 'text', text: piece };
  });
  const compiled = compileBash(parser, parts);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  return compiled;
}

function filled(text: string, ...values: readonly (string | readonly string[])[]): string {
  const { script, variables } = compile(text);
  const byName = new Map(variables.map(({ name }, index) => [name, values[index] ?? '']));
  return fillScript(parser, script, (slot) => writeInto(slot, byName.get(slot.name) ?? '', new Set()));
}

describe('a script with its values in place', () => {
  it('quotes each value as its place needs it', () => {
    expect(filled('echo {} "{}" "a {} b"', 'plain', 'also-plain', 'it\'s "$HOME"')).toBe(
      'echo plain also-plain "a it\'s \\"\\$HOME\\" b"',
    );
    expect(filled("printf %s 'a {} b' {}", "it's", 'my file')).toBe("printf %s 'a it'\\''s b' 'my file'");
    expect(filled('eslint {@} --format json', ['src', 'a b'])).toBe("eslint src 'a b' --format json");
    expect(filled('eslint {@} .', [])).toBe('eslint  .');
    expect(filled('cat <<E\n"{}" is {}\nE\n', '$x', '"')).toBe('cat <<E\n"\\$x" is "\nE\n');
    expect(filled('true # about {}', 'two\nlines')).toBe('true # about two lines');
    expect(filled('echo ""{} {}', '', '')).toBe("echo \"\"'' ''");
  });

  it('leaves out no quotes where a plain value would mean something', () => {
    expect(filled('echo {}>file', '2')).toBe("echo '2'>file");
    expect(filled('[[ {} == b ]]', '-f')).toBe("[[ '-f' == b ]]");
    expect(filled('echo src/{}/x --a={}', 'b', 'c,d')).toBe('echo src/b/x --a=c,d');
    expect(filled('cat {}.log {}.log x.{}', 'a.b', 'a.', 'y')).toBe("cat a.b.log 'a.'.log x.y");
    expect(filled('echo {}..3', '1')).toBe("echo '1'..3");
    expect(filled('echo x/{}/y', 'c,d')).toBe("echo x/'c,d'/y");
  });

  const templates = [
    'printf "<%s>" {}',
    'printf "<%s>" "{}"',
    'printf "<%s>" "a {} b" x{} {}y',
    "printf '<%s>' 'a {} b' '{}'",
    'printf "<%s>" --name={} src/{}/x.{} {}x {}.{} "$(printf %s {})"',
    'printf "<%s>" {@}',
    'set -- a {@} b; printf "<%s>" "$@"',
    'cat <<E\n{} "{}" \'{}\' \\\nE\n',
    'x={}; printf "<%s>" "$x"; [[ {} == "$x" ]] && echo same',
    'case {} in a) echo a;; *) echo other;; esac # {}',
    'for one in {@}; do printf "<%s>" "$one"; done',
    'printf "<%s>" "a $(printf "[%s]" "{}" {}) b"',
    'printf "%s" {} | tr a b; printf "%s" {}|cat',
  ];

  it('does in bash what the script with variables does', { timeout: 120_000 }, () => {
    const runs = proof({ few: 25, many: 2_000 });
    const hostile = fc.oneof(
      fc.constantFrom(
        '',
        '-n',
        '-f',
        '2',
        'a,b',
        '..',
        '~',
        '{a,b}',
        '$(exit 3)',
        '`id`',
        "'",
        '"',
        '\\',
        '!',
        '*',
        '#x',
      ),
      fc
        .string({ unit: 'binary', maxLength: 8 })
        .filter((text) => !text.includes('\0') && Buffer.from(text).toString() === text),
      fc.stringMatching(/^[\\$`"'\n a-c{},.~!*?[\]<>|&;()#=-]{0,12}$/),
    );
    let tried = 0;
    fc.assert(
      fc.property(fc.constantFrom(...templates), fc.infiniteStream(hostile), (template, stream) => {
        const { script, variables } = compile(template);
        const values = variables.map(({ words }): string | readonly string[] => {
          const next = () => stream.next().value as string;
          return words ? [next(), next(), next()].slice(0, next().length % 4) : next();
        });
        const byName = new Map(variables.map(({ name }, index) => [name, values[index] ?? '']));
        const set = variables.map(({ name }) => {
          const value = byName.get(name) ?? '';
          const write = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
          return typeof value === 'string'
            ? `${name}=${write(value)}`
            : `${name}=(${value.map(write).join(' ')})`;
        });
        const text = fillScript(parser, script, (slot) =>
          writeInto(slot, byName.get(slot.name) ?? '', new Set()),
        );
        tried += 1;
        expect(text).not.toContain('__wf_');
        expect(bash(text)).toEqual(bash(`${set.join('; ')}; ${script}`));
      }),
      runs,
    );
    console.log(`filled scripts: ${tried} compared in bash`);
  });
});

function bash(script: string): string {
  try {
    return execFileSync('bash', ['--norc', '--noprofile', '-c', `set -euo pipefail; ${script}`], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { HOME: '/home', PATH: process.env['PATH'], LANG: 'C.UTF-8' },
    });
  } catch (error) {
    return `failed: ${String((error as { stdout?: string }).stdout)}`;
  }
}
