import type { Finding } from '../../src/diagnostics/diagnostic.ts';
import { parseYaml } from '../../src/source/parse-yaml.ts';
import type { SourceScalar } from '../../src/source/source-document.ts';

/** The scalar under `text:` of a YAML file. */
export function scalarOf(yaml: string): SourceScalar {
  const { root } = parseYaml('a.yaml', yaml);
  const node = root?.kind === 'map' ? root.get('text')?.value : undefined;
  if (node?.kind !== 'scalar') throw new Error(`no scalar in ${yaml}`);
  return node;
}

/** The text as a scalar whose every character stands where it says. */
export function scalar(text: string): SourceScalar {
  return scalarOf(`text: |2-\n${text.replace(/^/gm, '  ')}`);
}

/** Each finding in a line: the very characters it points at, its rule, what it says, and its help. */
export function told(findings: readonly Finding[], source: string): string[] {
  return findings.map(({ rule, span, message, help }) => {
    const place = source.slice(span.start, span.end);
    return `<${place}> ${rule}: ${message}${help === undefined ? '' : ` | ${help}`}`;
  });
}
