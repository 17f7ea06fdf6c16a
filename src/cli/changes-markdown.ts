import type { BashParser } from '../formula/bash/load-parser.ts';
import type { FormulaDifference } from '../plan/compare/compare-projects.ts';
import type { DescribedChange } from './describe-change.ts';
import { describeChange } from './describe-change.ts';
import { headline } from './render-changes.ts';
import { count } from './render-check.ts';

/** Found again by whoever keeps one comment of a pull request current. */
export const COMMENT_MARK = '<!-- wf plan --diff -->';

/** Differences in detail; of the others a comment, which is limited in size, says how many there are. */
const MOST_CHANGES = 100;

/**
 * What differs of formulas as a comment on a pull request: what lets more happen first, longer texts folded. What comes out
 * of formulas is shown as code, in which no markup, mention or link is read.
 */
export function differencesMarkdown(
  differences: readonly FormulaDifference[],
  since: string,
  bash: BashParser | undefined,
): string {
  const differing = differences.filter(({ status }) => status !== 'same');
  if (differing.length === 0) return `${COMMENT_MARK}\n**No change in behaviour** since ${code(since)}.\n`;
  const growing = differing.filter((one) =>
    one.status === 'changed'
      ? one.changes.some(({ grows }) => grows !== undefined)
      : 'grows' in one && one.grows.length > 0,
  );
  const head = [
    `**${count(differing.length, 'formula')} ${differing.length === 1 ? 'changes' : 'change'}** since ${code(since)}`,
    ...(growing.length > 0
      ? [`⚠️ ${growing.map(({ formula }) => code(formula)).join(', ')} may do more than before`]
      : []),
  ].join(' · ');
  const sections = differing.map((one) => section(one, since, bash));
  return `${[COMMENT_MARK, head, ...sections].join('\n\n')}\n`;
}

function section(one: FormulaDifference, since: string, bash: BashParser | undefined): string {
  const title = `#### ${code(one.formula)} ${escape(headline(one, since))}`;
  if (one.status === 'broken') {
    const rows = one.diagnostics
      .slice(0, 10)
      .map(({ file, range, message }) => `- ${code(`${file}:${range.start.line}`)} ${code(message)}`);
    return [title, rows.join('\n')].join('\n\n');
  }
  if ('grows' in one) {
    const brought = one.grows.map((text) => `- ⚠️ ${code(text)}`).join('\n');
    return brought === '' ? title : `${title}\n\n${brought}`;
  }
  if (one.status !== 'changed') return title;
  const told = one.changes.slice(0, MOST_CHANGES).map((change) => describeChange(change, bash));
  const rest = one.changes.length - told.length;
  const table = ['| | where | what | |', '| --- | --- | --- | --- |', ...told.map(row)].join('\n');
  return [
    title,
    table,
    ...(rest > 0 ? [`… and ${count(rest, 'more change')}`] : []),
    ...told.filter(({ lines }) => lines.length > 0).map(folded),
  ].join('\n\n');
}

function row({ sign, where, what, values, grows, breaks }: DescribedChange): string {
  const why = [
    ...(values === '' ? [] : [code(values)]),
    ...(grows === undefined ? [] : [`**lets more happen**: ${code(grows)}`]),
    ...(breaks === undefined ? [] : [`**may break who uses it**: ${code(breaks)}`]),
  ];
  return `| ${grows === undefined ? code(sign) : '⚠️'} | ${code(where)} | ${code(what)} | ${why.join('<br>')} |`;
}

function folded({ where, what, lines }: DescribedChange): string {
  const fence = '`'.repeat(
    Math.max(3, ...lines.flatMap((line) => (line.match(/`+/g) ?? []).map((run) => run.length + 1))),
  );
  return `<details><summary>${code(`${where}: ${what}`)}</summary>\n\n${fence}diff\n${lines.join('\n')}\n${fence}\n\n</details>`;
}

/** As code that nothing can break out of: in HTML, since backticks cannot hold every text, nor a table every character. */
function code(text: string): string {
  return `<code>${escape(text)}</code>`;
}

function escape(text: string): string {
  return text
    .replace(/[\u0000-\u001f\u007f]+/g, ' ')
    .replace(/[&<>"'`|*_[\]()#@~!\\:]/g, (character) => `&#${character.charCodeAt(0)};`);
}
