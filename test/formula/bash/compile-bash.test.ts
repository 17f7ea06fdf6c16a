import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compile, scriptTemplate } from '../../support/bash.ts';
import { told } from '../../support/notation.ts';

/** Scripts under headings, `==== heading` and `----` between two. */
function scripts(file: string): readonly { readonly heading: string; readonly script: string }[] {
  const text = readFileSync(new URL(file, import.meta.url), 'utf8');
  return text
    .split(/^==== /m)
    .slice(1)
    .flatMap((group) => {
      const [heading = '', ...rest] = group.split('\n');
      return rest
        .join('\n')
        .split(/^----\n/m)
        .map((script) => ({ heading, script: script.replace(/\n$/, '') }));
    });
}

/** Each script as it stands, then what became of it, indented. */
function shown(file: string, become: (script: string) => string): string {
  let last = '';
  return scripts(file)
    .map(({ heading, script }) => {
      const title = heading === last ? '' : `==== ${heading}\n\n`;
      last = heading;
      return `${title}${script}\n${become(script).replace(/^/gm, '    ')}\n`;
    })
    .join('\n');
}

describe('a value in a bash script', () => {
  it('becomes a reference to a variable, quoted for the place it stands in', async () => {
    const text = shown('accepted.txt', (script) => {
      const compiled = compile(script);
      return compiled.ok
        ? compiled.bash
        : `REFUSED ${told(compiled.findings, `text: |2-\n${script}`).join('\n')}`;
    });
    expect(text.match(/.*\n {4}REFUSED.*/g) ?? []).toEqual([]);
    await expect(text).toMatchFileSnapshot('accepted.out');
  });

  it('is refused where it could become code, at its place, with the way out', async () => {
    const text = shown('refused.txt', (script) => {
      const compiled = compile(script);
      if (compiled.ok) return `ACCEPTED ${compiled.bash}`;
      return told(compiled.findings, `text: |2-\n${script.replace(/^/gm, '  ')}`).join('\n');
    });
    expect(text.match(/.*\n {4}ACCEPTED.*/g) ?? []).toEqual([]);
    await expect(text).toMatchFileSnapshot('refused.out');
  });

  it('leaves a script that bash itself can read', () => {
    const all = scripts('accepted.txt').map(({ script }, index) => {
      const compiled = compile(script);
      return `f${index}() {\n${compiled.ok ? compiled.bash : ''}\n}\n`;
    });
    execFileSync('bash', ['-n', '-O', 'extglob'], { input: all.join('') });
  });

  it('takes names of its own, which the script cannot have', () => {
    const compiled = compile('__wf_0=a; echo {{x}}');
    expect(compiled.ok ? [] : compiled.findings.map(({ message }) => message)).toEqual([
      'names that begin with "__wf_" are taken by the values of a script',
    ]);
  });

  it('is found in its place also when the script holds the word that marks places', () => {
    const compiled = compile('echo qWfValue {{x}} qWfValuev0z');
    expect(compiled).toMatchObject({ ok: true, bash: 'echo qWfValue "${__wf_0}" qWfValuev0z' });
  });

  it('is not looked for in a script without one', () => {
    const script = scriptTemplate('if true; then eval "$(cat)"; fi ;& )');
    expect(compile(script.text)).toEqual({ ok: true, bash: script.text, values: [] });
  });
});
