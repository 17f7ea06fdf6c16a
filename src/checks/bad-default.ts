import { compileSchema } from '../schema/validate-value.ts';
import { nodeAt, toJson } from '../source/source-document.ts';
import type { Check } from './check.ts';

export const badDefault: Check = {
  rule: 'bad-default',
  summary: 'The default and the examples of an input satisfy its own schema.',

  *run(subject) {
    for (const { name, schema, node } of subject.inputs) {
      if (node.kind !== 'map') continue;
      const examples = node.get('examples')?.value;
      const values = [
        { what: 'the default', node: node.get('default')?.value },
        ...(examples?.kind === 'list' ? examples.items : []).map((item) => ({
          what: 'an example',
          node: item,
        })),
      ];
      for (const value of values) {
        if (!value.node) continue;
        const [problem] = compileSchema(schema, name.value)(toJson(value.node));
        if (!problem) continue;
        yield {
          span: nodeAt(value.node, problem.path).span,
          message: `${value.what} of input "${name.value}" does not satisfy its own schema: ${problem.message}`,
          help: 'change the value, or what the schema allows',
        };
      }
    }
  },
};
