import type { Template } from '../formula/template.ts';
import type { Span } from '../diagnostics/diagnostic.ts';
import type { Check } from './check.ts';
import { workspacesOf, writtenHere } from './check.ts';

export const badGlob: Check = {
  rule: 'bad-glob',
  summary: 'Globs are relative to the workspace, and closed.',

  *run(subject) {
    for (const step of subject.steps) {
      for (const { owner, value } of step.body.verify) {
        if (!writtenHere(subject, owner, step)) continue;
        const globs: readonly { readonly text: string; readonly span: Span }[] =
          value.kind === 'changes'
            ? literals([...(value.only ?? []), ...(value.never ?? [])])
            : value.kind === 'run'
              ? value.files.map((file) => ({ text: file.value, span: file.span }))
              : [];
        for (const glob of globs) {
          const problem = globProblem(glob.text);
          if (problem) yield { span: glob.span, ...problem };
        }
      }
    }
    for (const step of subject.steps) {
      for (const file of step.body.cache?.files ?? []) {
        const problem = file.span.file === subject.file ? globProblem(file.value) : undefined;
        if (problem) yield { span: file.span, ...problem };
      }
    }
    for (const file of workspacesOf(subject).flatMap((workspace) => workspace.prepare?.files ?? [])) {
      const problem = globProblem(file.value);
      if (problem) yield { span: file.span, ...problem };
    }
  },
};

function literals(templates: readonly Template[]): { readonly text: string; readonly span: Span }[] {
  return templates.filter((template) => template.literal);
}

function globProblem(glob: string): { readonly message: string; readonly help: string } | undefined {
  if (glob.trim() === '')
    return { message: 'this glob is empty', help: 'write a path, or `**` for every file' };
  if (glob.startsWith('/')) {
    return {
      message: `"${glob}" is absolute, and would match no file of the workspace`,
      help: `write ${glob.replace(/^\/+/, '')}`,
    };
  }
  if (glob.split('/').includes('..')) {
    return {
      message: `"${glob}" leaves the workspace`,
      help: 'paths are relative to the workspace and stay inside',
    };
  }
  if (glob.startsWith('./'))
    return {
      message: `"${glob}" matches nothing: paths have no leading "./"`,
      help: `write ${glob.slice(2)}`,
    };
  if (glob.includes('\\'))
    return { message: `"${glob}" holds a backslash`, help: 'folders are separated by "/"' };
  const open = unclosed(glob);
  if (!open) return undefined;
  return {
    message: `"${glob}" opens a "${open}" that is never closed`,
    help: `close it, or write [${open}] for the character itself`,
  };
}

function unclosed(glob: string): string | undefined {
  const pairs: Readonly<Record<string, string>> = { '{': '}', '[': ']', '(': ')' };
  const open: string[] = [];
  for (const character of glob) {
    // Inside of brackets everything else is a plain character.
    if (open.at(-1) === '[' && character !== ']') continue;
    if (character in pairs) open.push(character);
    else if (open.length > 0 && character === pairs[open.at(-1) as string]) open.pop();
  }
  return open.at(-1);
}
