import type { Finding, Located, Span } from '../diagnostics/diagnostic.ts';
import type {
  SourceDocument,
  SourceList,
  SourceMap,
  SourceNode,
  SourceScalar,
} from '../source/source-document.ts';
import { toJson } from '../source/source-document.ts';
import type { JsonSchema } from '../support/json.ts';
import { parseDuration } from './duration.ts';
import type { Effect } from './effect.ts';
import type { Expression } from './expression.ts';
import { parseExpression } from './expression.ts';
import type {
  Action,
  Aspect,
  Body,
  Budget,
  Cache,
  Command,
  Concurrency,
  Declaration,
  EnvEntry,
  ForEach,
  Formula,
  Import,
  Join,
  LimitName,
  ModelSettings,
  Molecule,
  Policy,
  ProfileSettings,
  ProjectSettings,
  Repeat,
  Retry,
  Service,
  Step,
  StepPlace,
  TemplatedValue,
  VerifyCheck,
  Wait,
  WithArguments,
  Workspace,
} from './formula.ts';
import { scalarText } from './formula.ts';
import type { Effort } from './model-settings.ts';
import type { Template } from './template.ts';
import { parseTemplate } from './template.ts';

/**
 * Reads a document that satisfies its schema into the model. What can still be wrong is inside of texts: templates,
 * expressions, durations. A broken text is reported and left out or stands as empty, so that the rest is still read.
 *
 * @param broken steps of the document that do not satisfy the schema
 */
export function readFormula(
  document: SourceDocument,
  resolve: ResolveSchema,
  broken: ReadonlySet<SourceNode> = new Set(),
): Read<Formula> {
  const reader = new Reader(document.file, resolve);
  const root = new Keys((document.root ?? document.repaired) as SourceMap);
  const step = (node: SourceNode) =>
    broken.has(node) ? reader.brokenStep(node as SourceMap) : reader.step(node as SourceMap);
  const formula: Formula = {
    kind: 'formula',
    file: document.file,
    span: root.node.span,
    name: reader.text(root.required('formula')),
    description: root.text('description'),
    tags: root.texts('tags'),
    extends: reader.oneOrMore(root.get('extends')),
    remove: reader.texts(root.get('remove')) ?? [],
    aspects: reader.texts(root.get('aspects')) ?? [],
    inputs: reader.declarations(root.map('inputs')),
    workspace: reader.workspace(root.get('workspace')),
    budget: reader.budget(root.map('budget')),
    concurrency: reader.concurrency(root.map('concurrency')),
    steps: root.items('steps').map(step),
    finally: root.items('finally').map(step),
    outputs: (root.map('outputs')?.entries ?? []).flatMap(({ key, value }) => {
      const expression = reader.expression(value);
      return expression ? [{ name: reader.text(key), value: expression }] : [];
    }),
  };
  return { value: formula, findings: reader.findings };
}

/** See {@link readFormula}. */
export function readMolecule(document: SourceDocument, resolve: ResolveSchema): Read<Molecule> {
  const reader = new Reader(document.file, resolve);
  const root = new Keys(document.root as SourceMap);
  const molecule: Molecule = {
    kind: 'molecule',
    file: document.file,
    span: root.node.span,
    name: reader.text(root.required('molecule')),
    description: root.text('description'),
    tags: root.texts('tags'),
    inputs: reader.declarations(root.map('inputs')),
    body: reader.body(root),
  };
  return { value: molecule, findings: reader.findings };
}

/** See {@link readFormula}. */
export function readAspect(document: SourceDocument, resolve: ResolveSchema): Read<Aspect> {
  const reader = new Reader(document.file, resolve);
  const root = new Keys(document.root as SourceMap);
  const steps = (rule: Keys, side: 'before' | 'after') =>
    rule.items(side).map((node) => reader.step(node as SourceMap));
  const aspect: Aspect = {
    kind: 'aspect',
    file: document.file,
    span: root.node.span,
    name: reader.text(root.required('aspect')),
    description: root.text('description'),
    rules: root.items('rules').map((node) => {
      const rule = new Keys(node as SourceMap);
      const match = new Keys(rule.map('match') as SourceMap);
      const listed = (key: string) => match.get(key) && match.texts(key);
      return {
        span: node.span,
        match: {
          tags: listed('tags'),
          effects: listed('effects') as readonly Effect[] | undefined,
          action: listed('action'),
          id: listed('id'),
        },
        before: steps(rule, 'before'),
        after: steps(rule, 'after'),
      };
    }),
  };
  return { value: aspect, findings: reader.findings };
}

/** Reads `wf.yaml`. See {@link readFormula}. */
export function readProjectSettings(document: SourceDocument): Read<ProjectSettings> {
  const reader = new Reader(document.file, (schema) => ({ schema, findings: [] }));
  const root = new Keys((document.root ?? emptyMap(document)) as SourceMap);
  const settings: ProjectSettings = {
    file: document.file,
    env: reader.texts(root.get('env')) ?? [],
    people: reader.people(root.map('people')),
    models: reader.models(root.map('models')),
    profiles: new Map(
      (root.map('profiles')?.entries ?? []).map(({ key, value }) => [scalarText(key), reader.profile(value)]),
    ),
    policy: reader.policy(root.map('policy')),
    imports: reader.imports(root.map('imports')),
  };
  return { value: settings, findings: reader.findings };
}

export interface Read<T> {
  readonly value: T;
  readonly findings: readonly Finding[];
}

/** Inlines the `$ref`s of a schema that stands in `file`. */
export type ResolveSchema = (
  schema: JsonSchema,
  file: string,
  node: SourceNode,
) => { readonly schema: JsonSchema; readonly findings: readonly Finding[] };

function emptyMap(document: SourceDocument): SourceMap {
  return { kind: 'map', span: { file: document.file, start: 0, end: 0 }, entries: [], get: () => undefined };
}

/** Limits of a policy, by how they are written. */
const LIMITS: Readonly<Record<string, LimitName>> = {
  minutes: 'minutes',
  attempts: 'attempts',
  agent_turns: 'agentTurns',
  usd: 'usd',
};

/** The keys of a mapping, by the shapes that a valid document has there. */
class Keys {
  readonly node: SourceMap;

  constructor(node: SourceMap) {
    this.node = node;
  }

  get(key: string): SourceNode | undefined {
    return this.node.get(key)?.value;
  }

  required(key: string): SourceScalar {
    return this.get(key) as SourceScalar;
  }

  scalar(key: string): SourceScalar | undefined {
    return this.get(key) as SourceScalar | undefined;
  }

  map(key: string): SourceMap | undefined {
    return this.get(key) as SourceMap | undefined;
  }

  items(key: string): readonly SourceNode[] {
    return (this.get(key) as SourceList | undefined)?.items ?? [];
  }

  text(key: string): string | undefined {
    const node = this.scalar(key);
    return node && scalarText(node);
  }

  texts(key: string): readonly string[] {
    return this.items(key).map((item) => scalarText(item as SourceScalar));
  }

  number(key: string): number | undefined {
    return this.scalar(key)?.value as number | undefined;
  }

  located<T>(key: string): Located<T> | undefined {
    const node = this.get(key);
    return node && { value: toJson(node) as T, span: node.span };
  }
}

/** Stands in for a template that was reported. */
function emptyTemplate(span: Span): Template {
  const scalar: SourceScalar = { kind: 'scalar', span, value: '', style: 'plain', at: () => span };
  return parseTemplate(scalar).template as Template;
}

class Reader {
  readonly findings: Finding[] = [];
  readonly #file: string;
  readonly #resolve: ResolveSchema;

  constructor(file: string, resolve: ResolveSchema) {
    this.#file = file;
    this.#resolve = resolve;
  }

  text(node: SourceScalar): Located<string> {
    return { value: scalarText(node), span: node.span };
  }

  texts(node: SourceNode | undefined): readonly Located<string>[] | undefined {
    return (node as SourceList | undefined)?.items.map((item) => this.text(item as SourceScalar));
  }

  /** A list, or the one thing that would be in it. */
  oneOrMore(node: SourceNode | undefined): readonly Located<string>[] {
    if (node?.kind === 'scalar') return [this.text(node)];
    return this.texts(node) ?? [];
  }

  template(node: SourceNode): Template {
    const { template, findings } = parseTemplate(node as SourceScalar);
    this.findings.push(...findings);
    return template ?? emptyTemplate(node.span);
  }

  templates(node: SourceNode | undefined): readonly Template[] | undefined {
    return (node as SourceList | undefined)?.items.map((item) => this.template(item));
  }

  expression(node: SourceNode | undefined): Expression | undefined {
    if (!node) return undefined;
    const { expression, findings } = parseExpression(node as SourceScalar);
    this.findings.push(...findings);
    return expression;
  }

  duration(node: SourceNode | undefined): number | undefined {
    if (!node) return undefined;
    const text = scalarText(node as SourceScalar);
    const milliseconds = parseDuration(text);
    if (milliseconds !== undefined && milliseconds > 0) return milliseconds;
    this.findings.push({
      rule: 'bad-duration',
      severity: 'error',
      message: milliseconds === 0 ? `"${text}" is no time at all` : `"${text}" is not a duration`,
      help:
        milliseconds === 0
          ? 'write a longer one, or remove the key'
          : 'write a number with a unit, the larger unit first: 30s, 5m, 1h30m, 2d',
      span: node.span,
    });
    return undefined;
  }

  declarations(node: SourceMap | undefined): readonly Declaration[] {
    return (node?.entries ?? []).map(({ key, value }) => {
      const { schema, findings } = this.#resolve(toJson(value) as JsonSchema, this.#file, value);
      this.findings.push(...findings);
      return {
        name: this.text(key),
        schema,
        node: value,
        default: value.kind === 'map' ? value.get('default')?.value : undefined,
      };
    });
  }

  step(node: SourceMap): Step {
    const keys = new Keys(node);
    return {
      id: this.text(keys.required('id')),
      span: node.span,
      broken: false,
      needs: this.texts(keys.get('needs')),
      place: this.place(keys),
      when: this.expression(keys.get('when')),
      forEach: this.forEach(keys.get('for_each')),
      parallel: keys.located('parallel'),
      join: this.join(keys.get('join')),
      repeat: this.repeat(keys.map('repeat')),
      uses: keys.located('uses'),
      with: this.with(keys.map('with')),
      onFailure: keys.located('on_failure'),
      concurrency: this.concurrency(keys.map('concurrency')),
      body: this.body(keys),
    };
  }

  place(keys: Keys): StepPlace | undefined {
    const [before, after] = [keys.located<string>('before'), keys.located<string>('after')];
    if (before) return { side: 'before', id: before };
    return after && { side: 'after', id: after };
  }

  /** What is left of a step that does not satisfy its schema. Without a readable `needs` it is taken to wait for nothing. */
  brokenStep(node: SourceMap): Step {
    const keys = new Keys(node);
    const needs = keys.get('needs');
    const isList =
      needs?.kind === 'list' &&
      needs.items.every((item) => item.kind === 'scalar' && typeof item.value === 'string');
    const empty = this.step({
      ...emptyAt(node.span),
      get: (key) => (key === 'id' ? node.get('id') : undefined),
    });
    return { ...empty, broken: true, needs: isList ? this.texts(needs) : [] };
  }

  body(keys: Keys): Body {
    const outputs = keys.map('outputs');
    return {
      title: keys.text('title'),
      tags: keys.texts('tags'),
      action: this.action(keys),
      env: this.env(keys.map('env')),
      secrets: (keys.map('secrets')?.entries ?? []).map(({ key, value }) => ({
        name: this.text(key),
        secret: this.text(value as SourceScalar),
      })),
      effects: keys.located('effects'),
      exit: keys.located('exit'),
      parse: keys.located('parse'),
      outputs: outputs && { span: outputs.span, declarations: this.declarations(outputs) },
      verify: keys.items('verify').flatMap((item) => this.check(item as SourceMap) ?? []),
      retry: this.retry(keys.map('retry')),
      timeout: this.locatedDuration(keys.get('timeout')),
      budget: this.budget(keys.map('budget')),
      once: keys.located('once'),
      cache: this.cache(keys.map('cache')),
      workspace: this.workspace(keys.get('workspace')),
      keys: new Map(keys.node.entries.map(({ key }) => [scalarText(key), key.span])),
    };
  }

  cache(node: SourceMap | undefined): Cache | undefined {
    return node && { span: node.span, files: this.texts(node.get('files')?.value) ?? [] };
  }

  action(keys: Keys): Action | undefined {
    const run = keys.get('run');
    if (run) return { kind: 'run', span: run.span, command: this.command(run) };
    const agent = keys.map('agent');
    if (agent) return this.agent(agent);
    const approve = keys.map('approve');
    if (approve) {
      const inner = new Keys(approve);
      return {
        kind: 'approve',
        span: approve.span,
        ask: this.template(inner.required('ask')),
        show: inner.items('show').flatMap((item) => this.expression(item) ?? []),
        by: this.texts(inner.get('by')),
        count: inner.number('count') ?? 1,
      };
    }
    const wait = keys.map('wait');
    if (wait) {
      const read = this.wait(wait);
      return read && { kind: 'wait', span: wait.span, wait: read };
    }
    return undefined;
  }

  agent(node: SourceMap): Action {
    const keys = new Keys(node);
    const system = keys.get('system');
    return {
      kind: 'agent',
      span: node.span,
      model: this.text(keys.required('model')),
      effort: keys.located('effort'),
      system: system && this.template(system),
      prompt: this.template(keys.required('prompt')),
      tools: this.texts(keys.get('tools')) ?? [],
      maxTurns: keys.number('max_turns') ?? 20,
      maxOutputTokens: keys.number('max_output_tokens') ?? 8192,
      contextTokens: keys.located('context_tokens'),
      keys: new Map(node.entries.map(({ key }) => [scalarText(key), key.span])),
    };
  }

  command(node: SourceNode): Command {
    switch (node.kind) {
      case 'scalar':
        return { kind: 'bash', span: node.span, script: this.template(node) };
      case 'list':
        return { kind: 'argv', span: node.span, words: node.items.map((item) => this.template(item)) };
      case 'map': {
        const keys = new Keys(node);
        return {
          kind: 'program',
          span: node.span,
          program: this.text(keys.required('program')),
          args: this.templates(keys.get('args')) ?? [],
          script: this.template(keys.required('script')),
        };
      }
    }
  }

  wait(node: SourceMap): Wait | undefined {
    const keys = new Keys(node);
    const span = node.span;
    const event = keys.located<string>('event');
    if (event) {
      return {
        kind: 'event',
        span,
        event,
        match: this.expression(keys.get('match')),
        pass: this.expression(keys.get('pass')),
      };
    }
    const until = keys.get('until');
    if (until) return { kind: 'until', span, until: this.template(until) };
    const milliseconds = this.duration(keys.get('for'));
    return milliseconds === undefined ? undefined : { kind: 'for', span, for: milliseconds };
  }

  check(node: SourceMap): VerifyCheck | undefined {
    const keys = new Keys(node);
    const span = node.span;
    const failsOn = keys.located<string>('fails_on');
    const run = keys.get('run');
    if (run) {
      return {
        failsOn,
        kind: 'run',
        span,
        command: this.command(run),
        from: keys.located('from'),
        files: this.texts(keys.get('files')) ?? [],
      };
    }
    const changes = keys.map('changes');
    if (changes) {
      const inner = new Keys(changes);
      return {
        failsOn,
        kind: 'changes',
        span,
        only: this.templates(inner.get('only')),
        never: this.templates(inner.get('never')),
        maxFiles: inner.number('max_files'),
        maxLines: inner.number('max_lines'),
      };
    }
    const judge = keys.map('judge');
    if (judge) {
      const inner = new Keys(judge);
      const pass = this.expression(inner.get('pass'));
      return (
        pass && {
          failsOn,
          kind: 'judge',
          span,
          model: this.text(inner.required('model')),
          effort: inner.located('effort'),
          rubric: this.template(inner.required('rubric')),
          pass,
          maxOutputTokens: inner.number('max_output_tokens') ?? 2048,
        }
      );
    }
    const wait = keys.map('wait');
    if (wait) {
      const read = this.wait(wait);
      return read && { failsOn, kind: 'wait', span, wait: read, timeout: this.duration(keys.get('timeout')) };
    }
    const check = this.expression(keys.get('check'));
    return check && { failsOn, kind: 'check', span, check };
  }

  retry(node: SourceMap | undefined): Retry | undefined {
    if (!node) return undefined;
    const keys = new Keys(node);
    return {
      span: node.span,
      places: new Map(node.entries.map(({ key }) => [scalarText(key), key.span])),
      attempts: keys.number('attempts') ?? 1,
      on: keys.located<Retry['on']>('on')?.value ?? ['error', 'timeout', 'verify'],
      backoff: this.backoff(keys.get('backoff')),
      feedback: keys.located<boolean>('feedback')?.value ?? false,
    };
  }

  backoff(node: SourceNode | undefined): Retry['backoff'] {
    if (!node) return undefined;
    if (node.kind !== 'map') {
      const initial = this.duration(node);
      return initial === undefined ? undefined : { initial, factor: 1, max: initial };
    }
    const keys = new Keys(node);
    const initial = this.duration(keys.get('initial')) ?? 0;
    return {
      initial,
      factor: keys.number('factor') ?? 2,
      max: this.duration(keys.get('max')) ?? Math.max(initial, 300_000),
    };
  }

  forEach(node: SourceNode | undefined): ForEach | undefined {
    if (!node) return undefined;
    if (node.kind === 'list')
      return { kind: 'list', span: node.span, items: node.items.map((item) => this.value(item)) };
    const expression = this.expression(node);
    return expression && { kind: 'expression', span: node.span, expression };
  }

  join(node: SourceNode | undefined): Join | undefined {
    if (!node) return undefined;
    if (node.kind === 'scalar') return { kind: node.value as 'all' | 'any', span: node.span };
    const quorum = new Keys(node as SourceMap).required('quorum');
    if (typeof quorum.value === 'number') return { kind: 'quorum', span: node.span, quorum: quorum.value };
    const expression = this.expression(quorum);
    return expression && { kind: 'quorum', span: node.span, quorum: expression };
  }

  repeat(node: SourceMap | undefined): Repeat | undefined {
    if (!node) return undefined;
    const keys = new Keys(node);
    const until = this.expression(keys.get('until'));
    return (
      until && {
        span: node.span,
        until,
        max: keys.number('max') ?? 1,
        or: (keys.text('or') ?? 'fail') as 'fail' | 'keep',
      }
    );
  }

  value(node: SourceNode): TemplatedValue {
    const span = node.span;
    switch (node.kind) {
      case 'scalar':
        if (typeof node.value === 'string') return { kind: 'template', span, template: this.template(node) };
        return { kind: 'literal', span, value: node.value };
      case 'list':
        return { kind: 'list', span, items: node.items.map((item) => this.value(item)) };
      case 'map':
        return {
          kind: 'map',
          span,
          entries: node.entries.map(({ key, value }) => ({ key: this.text(key), value: this.value(value) })),
        };
    }
  }

  with(node: SourceMap | undefined): WithArguments | undefined {
    return (
      node && {
        span: node.span,
        entries: node.entries.map(({ key, value }) => ({
          name: this.text(key),
          value: this.value(value),
          node: value,
        })),
      }
    );
  }

  env(node: SourceMap | undefined): readonly EnvEntry[] {
    return (node?.entries ?? []).map(({ key, value }) => ({
      name: this.text(key),
      value: this.template(value),
    }));
  }

  budget(node: SourceMap | undefined): Budget | undefined {
    if (!node) return undefined;
    const keys = new Keys(node);
    return {
      span: node.span,
      minutes: keys.number('minutes'),
      tokens: keys.number('tokens'),
      usd: keys.number('usd'),
    };
  }

  concurrency(node: SourceMap | undefined): Concurrency | undefined {
    if (!node) return undefined;
    const keys = new Keys(node);
    return {
      span: node.span,
      group: this.template(keys.required('group')),
      then: (keys.text('then') ?? 'queue') as 'queue' | 'cancel',
    };
  }

  workspace(node: SourceNode | undefined): Workspace | undefined {
    if (!node) return undefined;
    if (node.kind !== 'map' || node.get('git')) {
      return { span: node.span, from: this.#from(node), prepare: undefined, services: [] };
    }
    const keys = new Keys(node);
    const from = keys.get('from');
    const prepare = keys.map('prepare');
    return {
      span: node.span,
      from: from ? this.#from(from) : 'clone',
      prepare: prepare && {
        run: this.command(new Keys(prepare).get('run') as SourceNode),
        files: this.texts(prepare.get('files')?.value) ?? [],
        timeout: this.duration(prepare.get('timeout')?.value),
      },
      services: keys.items('services').map((item) => this.#service(item as SourceMap)),
    };
  }

  #from(node: SourceNode): Workspace['from'] {
    if (node.kind !== 'map') return scalarText(node as SourceScalar) as 'clone' | 'checkout' | 'empty';
    const ref = node.get('ref');
    return {
      git: this.template(node.get('git')?.value as SourceNode),
      ref: ref && this.template(ref.value),
    };
  }

  #service(node: SourceMap): Service {
    const keys = new Keys(node);
    const ready = new Keys(keys.map('ready') as SourceMap);
    const port = ready.number('port');
    const log = ready.located<string>('log');
    return {
      id: this.text(keys.required('id')),
      span: node.span,
      run: this.command(keys.get('run') as SourceNode),
      ready:
        port !== undefined
          ? { kind: 'port', port }
          : log
            ? { kind: 'log', log }
            : { kind: 'run', run: this.command(ready.get('run') as SourceNode) },
      env: this.env(keys.map('env')),
    };
  }

  people(node: SourceMap | undefined): ReadonlyMap<string, Located<readonly string[]>> {
    return new Map(
      (node?.entries ?? []).map(({ key, value }) => [
        scalarText(key),
        { value: toJson(value) as readonly string[], span: key.span },
      ]),
    );
  }

  policy(node: SourceMap | undefined): Policy | undefined {
    if (!node) return undefined;
    const keys = new Keys(node);
    const bounds = keys.map('max_bounds')?.entries ?? [];
    const allow = keys.map('allow');
    const listed = (key: string) => {
      const list = allow && new Keys(allow).get(key);
      return list ? [{ value: (this.texts(list) ?? []).map((one) => one.value), span: list.span }] : [];
    };
    return {
      from: keys.located('from'),
      require: this.texts(keys.get('require')) ?? [],
      repositories: listed('repositories'),
      models: listed('models'),
      maxBounds: new Map(
        bounds.map(({ key, value }) => [
          LIMITS[scalarText(key)] as LimitName,
          { value: value.kind === 'scalar' ? Number(value.value) : 0, span: value.span },
        ]),
      ),
      aspects: this.texts(keys.get('aspects')) ?? [],
      effects: keys.located('effects'),
    };
  }

  imports(node: SourceMap | undefined): ReadonlyMap<string, Import> {
    return new Map(
      (node?.entries ?? []).map(({ key, value }) => {
        const keys = new Keys(value as SourceMap);
        return [
          scalarText(key),
          {
            name: this.text(key),
            git: this.text(keys.required('git')),
            ref: this.text(keys.required('ref')),
            path: keys.located('path'),
          },
        ];
      }),
    );
  }

  profile(node: SourceNode): ProfileSettings {
    const keys = new Keys(node.kind === 'map' ? node : { ...emptyAt(node.span) });
    return {
      span: node.span,
      env: this.texts(keys.get('env')),
      people: this.people(keys.map('people')),
      models: this.models(keys.map('models')),
    };
  }

  models(node: SourceMap | undefined): ReadonlyMap<string, ModelSettings> {
    return new Map(
      (node?.entries ?? []).map(({ key, value }) => {
        const keys = new Keys(value as SourceMap);
        const price = keys.map('price');
        const of = price && new Keys(price);
        const input = of?.number('input') ?? 0;
        return [
          scalarText(key),
          {
            keys: new Map(keys.node.entries.map((entry) => [scalarText(entry.key), entry.key.span])),
            id: keys.text('id') ?? '',
            effort: keys.located<Effort>('effort')?.value,
            price: of && {
              input,
              output: of.number('output') ?? 0,
              cacheRead: of.number('cache_read') ?? input,
              cacheWrite: of.number('cache_write') ?? input,
            },
          },
        ];
      }),
    );
  }

  locatedDuration(node: SourceNode | undefined): Located<number> | undefined {
    const milliseconds = this.duration(node);
    return node && milliseconds !== undefined ? { value: milliseconds, span: node.span } : undefined;
  }
}

function emptyAt(span: Span): SourceMap {
  return { kind: 'map', span, entries: [], get: () => undefined };
}
