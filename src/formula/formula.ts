import type { Located, Span } from '../diagnostics/diagnostic.ts';
import type { SourceNode, SourceScalar } from '../source/source-document.ts';
import type { JsonSchema } from '../support/json.ts';
import type { Effect } from './effect.ts';
import type { Expression } from './expression.ts';
import type { Effort, ModelPrice } from './model-settings.ts';
import type { Template } from './template.ts';

/** A formula as its author wrote it: every part still knows its place, nothing is looked up in other files. */
export interface Formula {
  readonly kind: 'formula';
  readonly file: string;
  /** The document. */
  readonly span: Span;
  readonly name: Located<string>;
  readonly description: string | undefined;
  readonly tags: readonly string[];
  /** Formulas of which it takes all, and changes what it says itself. */
  readonly extends: readonly Located<string>[];
  /** Ids of steps of those that are left out. */
  readonly remove: readonly Located<string>[];
  /** Aspects that are woven into it. */
  readonly aspects: readonly Located<string>[];
  readonly inputs: readonly Declaration[];
  readonly workspace: Workspace | undefined;
  readonly budget: Budget | undefined;
  readonly concurrency: Concurrency | undefined;
  readonly steps: readonly Step[];
  readonly finally: readonly Step[];
  readonly outputs: readonly FormulaOutput[];
}

/** The smallest reusable unit of work. */
export interface Molecule {
  readonly kind: 'molecule';
  readonly file: string;
  readonly span: Span;
  readonly name: Located<string>;
  readonly description: string | undefined;
  readonly tags: readonly string[];
  readonly inputs: readonly Declaration[];
  readonly body: Body;
}

/** Steps that are woven around the steps of other formulas. */
export interface Aspect {
  readonly kind: 'aspect';
  readonly file: string;
  readonly span: Span;
  readonly name: Located<string>;
  readonly description: string | undefined;
  readonly rules: readonly AspectRule[];
}

export interface AspectRule {
  readonly span: Span;
  readonly match: Match;
  readonly before: readonly Step[];
  readonly after: readonly Step[];
}

/** A step matches when it has one of what each list names; an absent list says nothing. */
export interface Match {
  readonly tags: readonly string[] | undefined;
  readonly effects: readonly Effect[] | undefined;
  readonly action: readonly string[] | undefined;
  /** Patterns, in which `*` stands for any characters. */
  readonly id: readonly string[] | undefined;
}

/** An input or output: its name, and its JSON Schema with `$ref`s to other files already inlined. */
export interface Declaration {
  readonly name: Located<string>;
  readonly schema: JsonSchema;
  readonly node: SourceNode;
  /** Present when the schema says one. */
  readonly default: SourceNode | undefined;
}

export interface FormulaOutput {
  readonly name: Located<string>;
  readonly value: Expression;
}

/** A place in a formula's order. */
export interface Step {
  readonly id: Located<string>;
  /** The step's whole map. */
  readonly span: Span;
  /** Something in it is not as the schema says, which was told: only its id and `needs` are known. */
  readonly broken: boolean;
  /** Absent: every step above. */
  readonly needs: readonly Located<string>[] | undefined;
  /** Beside which step of the formula that is extended it stands. */
  readonly place: StepPlace | undefined;
  readonly when: Expression | undefined;
  readonly forEach: ForEach | undefined;
  readonly parallel: Located<number> | undefined;
  readonly join: Join | undefined;
  readonly repeat: Repeat | undefined;
  readonly uses: Located<string> | undefined;
  readonly with: WithArguments | undefined;
  readonly onFailure: Located<'stop' | 'continue' | 'handoff'> | undefined;
  readonly concurrency: Concurrency | undefined;
  readonly body: Body;
}

/** Where a new step of a formula that extends another goes. */
export interface StepPlace {
  readonly side: 'before' | 'after';
  readonly id: Located<string>;
}

/** What a molecule and a step have in common: the action, and how it runs and is proved. */
export interface Body {
  readonly title: string | undefined;
  readonly tags: readonly string[];
  /** Absent in a step that says `uses`. */
  readonly action: Action | undefined;
  readonly env: readonly EnvEntry[];
  readonly secrets: readonly { readonly name: Located<string>; readonly secret: Located<string> }[];
  readonly effects: Located<readonly Effect[]> | undefined;
  readonly exit: Located<readonly number[]> | undefined;
  readonly parse: Located<'json'> | undefined;
  readonly outputs: { readonly span: Span; readonly declarations: readonly Declaration[] } | undefined;
  readonly verify: readonly VerifyCheck[];
  readonly retry: Retry | undefined;
  readonly timeout: Located<number> | undefined;
  readonly budget: Budget | undefined;
  readonly once: Located<boolean> | undefined;
  readonly cache: Cache | undefined;
  readonly workspace: Workspace | undefined;
  /** Which keys were written, each with its place: for checks that ask "is this key of use here". */
  readonly keys: ReadonlyMap<string, Span>;
}

/** What a step's result depends on, beside its inputs. */
export interface Cache {
  readonly span: Span;
  /** Globs relative to the workspace. */
  readonly files: readonly Located<string>[];
}

export type Action =
  | { readonly kind: 'run'; readonly span: Span; readonly command: Command }
  | AgentAction
  | {
      readonly kind: 'approve';
      readonly span: Span;
      readonly ask: Template;
      readonly show: readonly Expression[];
      readonly by: readonly Located<string>[] | undefined;
      readonly count: number;
    }
  | { readonly kind: 'wait'; readonly span: Span; readonly wait: Wait };

/** A language model with a task, a context and tools. */
export interface AgentAction {
  readonly kind: 'agent';
  readonly span: Span;
  /** A role: a name under `models` of wf.yaml. */
  readonly model: Located<string>;
  readonly effort: Located<Effort> | undefined;
  readonly system: Template | undefined;
  readonly prompt: Template;
  /** Patterns of `server/tool`. */
  readonly tools: readonly Located<string>[];
  readonly maxTurns: number;
  readonly maxOutputTokens: number;
  readonly contextTokens: Located<number> | undefined;
  /** Which keys were written, each with its place. */
  readonly keys: ReadonlyMap<string, Span>;
}

/** A command in one of its three forms. */
export type Command =
  | { readonly kind: 'bash'; readonly span: Span; readonly script: Template }
  | { readonly kind: 'argv'; readonly span: Span; readonly words: readonly Template[] }
  | {
      readonly kind: 'program';
      readonly span: Span;
      readonly program: Located<string>;
      readonly args: readonly Template[];
      readonly script: Template;
    };

export type Wait =
  /** Milliseconds. */
  | { readonly kind: 'for'; readonly span: Span; readonly for: number }
  | { readonly kind: 'until'; readonly span: Span; readonly until: Template }
  | {
      readonly kind: 'event';
      readonly span: Span;
      readonly event: Located<string>;
      readonly match: Expression | undefined;
      readonly pass: Expression | undefined;
    };

export type ForEach =
  | { readonly kind: 'expression'; readonly span: Span; readonly expression: Expression }
  | { readonly kind: 'list'; readonly span: Span; readonly items: readonly TemplatedValue[] };

export type Join =
  | { readonly kind: 'all' | 'any'; readonly span: Span }
  | { readonly kind: 'quorum'; readonly span: Span; readonly quorum: number | Expression };

export interface Repeat {
  readonly span: Span;
  readonly until: Expression;
  readonly max: number;
  readonly or: 'fail' | 'keep';
}

/** JSON in which every string is a template. */
export type TemplatedValue =
  | { readonly kind: 'template'; readonly span: Span; readonly template: Template }
  | { readonly kind: 'literal'; readonly span: Span; readonly value: number | boolean | null }
  | { readonly kind: 'list'; readonly span: Span; readonly items: readonly TemplatedValue[] }
  | {
      readonly kind: 'map';
      readonly span: Span;
      readonly entries: readonly { readonly key: Located<string>; readonly value: TemplatedValue }[];
    };

export interface WithArguments {
  readonly span: Span;
  readonly entries: readonly WithArgument[];
}

export interface WithArgument {
  readonly name: Located<string>;
  readonly value: TemplatedValue;
  readonly node: SourceNode;
}

export interface EnvEntry {
  readonly name: Located<string>;
  readonly value: Template;
}

export type VerifyCheck = {
  /** The test in which it has to fail, by its name. */
  readonly failsOn: Located<string> | undefined;
} & (
  | {
      readonly kind: 'run';
      readonly span: Span;
      readonly command: Command;
      readonly from: Located<'base'> | undefined;
      readonly files: readonly Located<string>[];
    }
  | { readonly kind: 'check'; readonly span: Span; readonly check: Expression }
  | {
      readonly kind: 'changes';
      readonly span: Span;
      readonly only: readonly Template[] | undefined;
      readonly never: readonly Template[] | undefined;
      readonly maxFiles: number | undefined;
      readonly maxLines: number | undefined;
    }
  | {
      readonly kind: 'judge';
      readonly span: Span;
      /** A role, as an agent's. */
      readonly model: Located<string>;
      readonly effort: Located<Effort> | undefined;
      readonly rubric: Template;
      readonly pass: Expression;
      readonly maxOutputTokens: number;
    }
  | { readonly kind: 'wait'; readonly span: Span; readonly wait: Wait; readonly timeout: number | undefined }
);

export interface Retry {
  readonly span: Span;
  /** The keys that were written. */
  readonly places: ReadonlyMap<string, Span>;
  readonly attempts: number;
  readonly on: readonly ('error' | 'timeout' | 'verify')[];
  /** Milliseconds. */
  readonly backoff: { readonly initial: number; readonly factor: number; readonly max: number } | undefined;
  readonly feedback: boolean;
}

export interface Budget {
  readonly span: Span;
  readonly minutes: number | undefined;
  /** That models read and write. */
  readonly tokens: number | undefined;
  readonly usd: number | undefined;
}

export interface Concurrency {
  readonly span: Span;
  readonly group: Template;
  readonly then: 'queue' | 'cancel';
}

export interface Workspace {
  readonly span: Span;
  readonly from:
    'clone' | 'checkout' | 'empty' | { readonly git: Template; readonly ref: Template | undefined };
  readonly prepare:
    | {
        readonly run: Command;
        readonly files: readonly Located<string>[];
        /** Milliseconds. */
        readonly timeout: number | undefined;
      }
    | undefined;
  readonly services: readonly Service[];
}

export interface Service {
  readonly id: Located<string>;
  readonly span: Span;
  readonly run: Command;
  readonly ready:
    | { readonly kind: 'port'; readonly port: number }
    | { readonly kind: 'log'; readonly log: Located<string> }
    | { readonly kind: 'run'; readonly run: Command };
  readonly env: readonly EnvEntry[];
}

/** `wf.yaml`: with which people and environment the project's formulas run. */
export interface ProjectSettings {
  readonly file: string;
  readonly env: readonly Located<string>[];
  readonly people: ReadonlyMap<string, Located<readonly string[]>>;
  readonly models: ReadonlyMap<string, ModelSettings>;
  readonly profiles: ReadonlyMap<string, ProfileSettings>;
  readonly policy: Policy | undefined;
  readonly imports: ReadonlyMap<string, Import>;
}

/** The model that has a role. */
export interface ModelSettings {
  /** Which keys were written, each with its place. */
  readonly keys: ReadonlyMap<string, Span>;
  /** As its provider calls it. */
  readonly id: string;
  readonly effort: Effort | undefined;
  readonly price: ModelPrice | undefined;
}

/** Another project, whose formulas, molecules and aspects can be used. */
export interface Import {
  readonly name: Located<string>;
  /** The address of its repository; what is no URL is a path from this project's root. */
  readonly git: Located<string>;
  /** A branch, tag or commit. */
  readonly ref: Located<string>;
  /** The folder of the project in that repository. Absent: its top. */
  readonly path: Located<string> | undefined;
}

/** What every formula of a project has to keep to. */
export interface Policy {
  /** The import whose policy this one makes stricter. */
  readonly from: Located<string> | undefined;
  readonly require: readonly Located<string>[];
  /** Patterns of addresses, of which one in each list has to match. Empty: any repository may be used. */
  readonly repositories: readonly Located<readonly string[]>[];
  /** Lists of roles that agents and judges may have, each of which has to hold it. Empty: any role. */
  readonly models: readonly Located<readonly string[]>[];
  readonly maxBounds: ReadonlyMap<LimitName, Located<number>>;
  /** Woven into every formula. */
  readonly aspects: readonly Located<string>[];
  /** All that steps may touch. Absent: anything. */
  readonly effects: Located<readonly Effect[]> | undefined;
}

/** What a policy can limit, of what a run comes to. */
export type LimitName = 'minutes' | 'attempts' | 'agentTurns' | 'usd';

/** What a profile changes. */
export interface ProfileSettings {
  readonly span: Span;
  readonly env: readonly Located<string>[] | undefined;
  readonly people: ReadonlyMap<string, Located<readonly string[]>>;
  readonly models: ReadonlyMap<string, ModelSettings>;
}

/** The text of a scalar that schema validation has let through. */
export function scalarText(node: SourceScalar): string {
  return typeof node.value === 'string' ? node.value : JSON.stringify(node.value);
}
