import { renderDiagnostics } from '../diagnostics/code-frame.ts';
import type { Branch, Coverage } from '../testing/coverage.ts';
import type { TestMismatch, TestReport, TestResult } from '../testing/run-tests.ts';
import { showElapsed } from './elapsed.ts';
import { count } from './render-check.ts';
import type { TextStyle } from './text-style.ts';
import type { WrittenTest } from './write-test.ts';

/** A report of tests as text: what failed with what was expected, then how many did. */
export function renderTests(report: TestReport, style: TextStyle, quiet: boolean): string {
  const { tests, diagnostics, sources } = report;
  const failed = tests.filter(({ ok }) => !ok);
  const passed = tests.length - failed.length;
  const took = tests.reduce((sum, one) => sum + one.took, 0);
  const tally = [
    ...(passed > 0 || failed.length === 0 ? [style.good(`${passed} passed`)] : []),
    ...(failed.length > 0 ? [style.error(`${failed.length} failed`)] : []),
  ].join(', ');
  const files = new Set(tests.map(({ file }) => file)).size;
  return [
    ...(diagnostics.length > 0 ? [renderDiagnostics(diagnostics, sources, { style })] : []),
    ...failed.map((test) => `${renderFailure(test, style)}\n`),
    ...(tests.length === 0
      ? diagnostics.length > 0
        ? []
        : ['there are no tests here: formulas/<name>.test.yaml holds those of a formula']
      : quiet && failed.length === 0
        ? []
        : [`${tally} in ${count(files, 'file')} (${showElapsed(took)})`]),
    ...(report.coverage ?? []).flatMap((one) => ['', ...renderCoverage(one, style)]),
  ].join('\n');
}

/** Where a test of a run was written, and whether it passes. */
export function renderWrittenTest({ file, result, leftOut }: WrittenTest, style: TextStyle): string {
  return [
    `${file} written`,
    ...(leftOut.length > 0
      ? [style.faint(`left out, since it hangs on files or the environment: ${leftOut.join(', ')}`)]
      : []),
    result.ok
      ? style.good('it passes')
      : `${renderFailure(result, style)}\n\nit does not pass: what the run went by is not all in its record, or the formula has changed since`,
  ].join('\n');
}

function renderCoverage(
  { file, branches, taken, missing, idle }: Coverage,
  style: TextStyle,
): readonly string[] {
  const place = ({ source }: Branch) => style.faint(`${source.file}:${source.line}`);
  const who = ({ step }: Branch) => (step === undefined ? 'the run' : `step ${step}`);
  const all = missing.length === 0 ? style.good('all') : `${taken} of ${branches}`;
  return [
    `${style.strong(file)}  ${all} ways taken`,
    ...missing.map(
      (branch) => `  ${style.attention('never')}  ${who(branch)} ${branch.what}  ${place(branch)}`,
    ),
    ...idle.map(
      (branch) =>
        `  ${style.warning('idle')}   ${who(branch)}: every test passes without its ${branch.what}  ${place(branch)}`,
    ),
  ];
}

function renderFailure({ file, line, name, mismatches, problem }: TestResult, style: TextStyle): string {
  return [
    `${style.error('✗')} ${style.strong(name)}  ${style.faint(`${file}:${line}`)}`,
    ...(problem === undefined ? [] : [`    ${problem}`]),
    ...(problem === undefined ? mismatches.flatMap((one) => renderMismatch(one, file, style)) : []),
  ].join('\n');
}

function renderMismatch(
  { what, expected, actual, line }: TestMismatch,
  file: string,
  style: TextStyle,
): readonly string[] {
  const lines = (sign: string, text: string, tone: (text: string) => string) =>
    text
      .replace(/\n$/, '')
      .split('\n')
      .map((one) => `      ${tone(`${sign} ${one}`)}`);
  return [
    `    ${what}  ${style.faint(`${file}:${line}`)}`,
    ...lines('-', expected, style.error),
    ...lines('+', actual, style.good),
  ];
}

/** A report of tests as JUnit's XML, which CI services show. Files that do not check are failures of their own. */
export function renderJunit({ tests, diagnostics }: TestReport): string {
  const files = [
    ...new Set([...tests.map(({ file }) => file), ...diagnostics.map(({ file }) => file)]),
  ].sort();
  const suites = files.map((file) => {
    const own = tests.filter((test) => test.file === file);
    const broken = diagnostics.filter((one) => one.file === file && one.severity === 'error');
    const cases = [
      ...own.map((test) =>
        [
          `    <testcase name="${xml(test.name)}" classname="${xml(file)}" file="${xml(file)}" line="${test.line}" time="${seconds(test.took)}"`,
          test.ok
            ? '/>'
            : `>\n      <failure message="${xml(summary(test))}">${xml(details(test))}</failure>\n    </testcase>`,
        ].join(''),
      ),
      ...broken.map(
        (one) =>
          `    <testcase name="${xml(`checks: ${one.rule}`)}" classname="${xml(file)}" file="${xml(file)}" line="${one.range.start.line}" time="0">\n      <error message="${xml(one.message)}"/>\n    </testcase>`,
      ),
    ];
    const failures = own.filter(({ ok }) => !ok).length;
    const time = seconds(own.reduce((sum, one) => sum + one.took, 0));
    return `  <testsuite name="${xml(file)}" tests="${cases.length}" failures="${failures}" errors="${broken.length}" time="${time}">\n${cases.join('\n')}\n  </testsuite>`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="wf test">\n${suites.join('\n')}\n</testsuites>`;
}

function summary({ problem, mismatches }: TestResult): string {
  return problem ?? `not as expected: ${mismatches.map(({ what }) => what).join(', ')}`;
}

function details({ file, mismatches }: TestResult): string {
  return mismatches
    .map(
      ({ what, expected, actual, line }) =>
        `${file}:${line} ${what}\nexpected: ${expected}\nactual: ${actual}`,
    )
    .join('\n\n');
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3);
}

function xml(text: string): string {
  return text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
    .replace(/[&<>"\n\r\t]/g, (character) => `&#${character.charCodeAt(0)};`);
}
