import { misspelling } from '../diagnostics/suggest.ts';
import { toolParts } from '../formula/tools.ts';
import type { Check } from './check.ts';
import { writtenHere } from './check.ts';

export const unknownTool: Check = {
  rule: 'unknown-tool',
  summary: 'A tool of an agent is one that its server has.',

  *run(subject) {
    for (const step of subject.steps) {
      const { action } = step.body;
      if (action?.kind !== 'agent' || !writtenHere(subject, step.molecule ? 'molecule' : 'step', step))
        continue;
      for (const pattern of action.tools) {
        const found = subject.tools.find(pattern.value);
        if (found.kind === 'found') continue;
        const { server, tool } = toolParts(pattern.value);
        if (found.kind === 'no server') {
          yield {
            span: pattern.span,
            message: `there is no tool server "${server}"`,
            ...(misspelling(
              pattern.value,
              found.known.map((name) => `${name}/${tool}`),
            ) ?? {
              help: `the servers are ${found.known.join(', ')}`,
            }),
          };
          continue;
        }
        yield {
          span: pattern.span,
          message: tool.includes('*')
            ? `no tool of "${server}" matches "${tool}"`
            : `server "${server}" has no tool "${tool}"`,
          ...(misspelling(
            pattern.value,
            found.known.map((name) => `${server}/${name}`),
          ) ?? {
            help: `it has ${found.known.slice(0, 20).join(', ')}`,
          }),
        };
      }
    }
  },
};
