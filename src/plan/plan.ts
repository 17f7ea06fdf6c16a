import type { Effect } from '../formula/effect.ts';
import type { Effort, ModelPrice } from '../formula/model-settings.ts';
import type { Digest } from '../support/digest.ts';
import type { JsonObject, JsonSchema, JsonValue } from '../support/json.ts';

/** Handlebars text. Without `{{` it stands for itself. */
export type TemplateText = string;

/** A CEL expression. */
export type ExpressionText = string;

/** Milliseconds. */
export type Milliseconds = number;

/**
 * A compiled formula: canonical JSON with nothing left to look up but inputs and what earlier steps put out.
 * Two sources that behave alike compile to the same `plan` digest; `compiler`, `bounds`, every `source`, `title` and
 * `description` are outside of it (see `digest.ts`).
 */
export interface Plan {
  readonly plan: Digest;
  readonly schema: 1;
  readonly compiler: string;
  readonly formula: string;
  readonly description?: string;
  readonly profile?: string;
  /** JSON Schema by name, `$ref`s to files already inlined. Required unless the schema has a `default`. */
  readonly inputs: Readonly<Record<string, JsonSchema>>;
  readonly outputs?: Readonly<Record<string, ExpressionText>>;
  /** Names let through from the caller's environment (`env` of wf.yaml). */
  readonly env?: readonly string[];
  readonly workspace: PlanWorkspace;
  readonly budget?: PlanBudget;
  readonly concurrency?: PlanConcurrency;
  /** In the order they were written. */
  readonly steps: readonly PlanStep[];
  readonly finally?: readonly PlanStep[];
  /** Outside the digest, since it follows from the rest. Absent: in a plan of an older compiler. */
  readonly bounds?: PlanBounds;
}

/** The worst case that follows from loops, attempts, lists, timeouts and budgets; null: there is none. */
export interface PlanBounds {
  readonly agentTurns: number | null;
  readonly usd: number | null;
  /** Of work, as budgets count it, all that runs at the same time added up. */
  readonly minutes: number | null;
  /** How often the action of a step is tried, all steps together. */
  readonly attempts: number | null;
  /** For each bound that is null: the step that makes it so, by path, and why. */
  readonly unbounded?: Readonly<Partial<Record<BoundName, { readonly step: string; readonly why: string }>>>;
}

export type BoundName = 'agentTurns' | 'usd' | 'minutes' | 'attempts';

export interface PlanBudget {
  /** Minutes of work; waiting for people, timers and events does not count. */
  readonly minutes?: number;
  /** That models read and write. */
  readonly tokens?: number;
  /** US dollars that models cost. */
  readonly usd?: number;
}

export interface PlanConcurrency {
  readonly group: TemplateText;
  /** `queue` waits for the older holder, `cancel` stops it. */
  readonly then: 'queue' | 'cancel';
}

export interface PlanWorkspace {
  readonly from: 'clone' | 'checkout' | 'empty' | { readonly git: TemplateText; readonly ref?: TemplateText };
  /** Runs once per content of `files`; what it leaves behind that git ignores is reused. */
  readonly prepare?: {
    readonly run: PlanRun;
    readonly files: readonly string[];
    readonly timeout?: Milliseconds;
  };
  readonly services?: readonly PlanService[];
}

export interface PlanService {
  readonly id: string;
  readonly run: PlanRun;
  readonly ready:
    | { readonly port: number }
    /** Text that it writes. */
    | { readonly log: string }
    | { readonly run: PlanRun };
  readonly env?: Readonly<Record<string, TemplateText>>;
}

/** One step, or one group (a used formula). */
/** Globs relative to the workspace, sorted. */
export interface PlanCache {
  readonly files: readonly string[];
}

export interface PlanStep {
  readonly id: string;
  readonly title?: string;
  readonly tags?: readonly string[];
  /** Ids in the same list that must have ended before. Complete and transitively reduced: what stands above, what was
   * written, what is read. Empty: starts at once. */
  readonly needs: readonly string[];
  readonly action: PlanAction;
  // `when`, `forEach`, `join`, `repeat.until`, `concurrency.group` and `with` see the caller's names.
  readonly when?: ExpressionText;
  /** CEL, or the items themselves (strings in them are templates). */
  readonly forEach?: ExpressionText | readonly JsonValue[];
  readonly parallel?: number;
  /** Absent: all. */
  readonly join?: 'any' | { readonly quorum: number | ExpressionText };
  readonly repeat?: { readonly until: ExpressionText; readonly max: number; readonly or: 'fail' | 'keep' };
  /**
   * Present when the step uses a molecule or a formula: the schemas that `with` has to satisfy. In everything but the
   * keys listed above, `inputs` then means these, and what the caller wrote there reads its own inputs as `caller`.
   */
  readonly inputs?: Readonly<Record<string, JsonSchema>>;
  /** Strings in it are templates; a whole `{{…}}` passes the value with its type, an absent one the input's default. */
  readonly with?: JsonObject;
  readonly env?: Readonly<Record<string, TemplateText>>;
  /** Name in the step's environment → name of the secret. */
  readonly secrets?: Readonly<Record<string, string>>;
  /**
   * What a command may touch, where it says something else than is taken for granted: `files`, and with secrets `external`.
   */
  readonly effects?: readonly Effect[];
  /** What an agent may use, sorted by server and name. */
  readonly tools?: readonly PlanTool[];
  /** JSON Schema by name. */
  readonly outputs?: Readonly<Record<string, JsonSchema>>;
  readonly verify?: readonly PlanCheck[];
  readonly retry?: PlanRetry;
  /** Of one attempt; of `approve` and `wait`: how long to wait. */
  readonly timeout?: Milliseconds;
  /** Of all attempts. */
  readonly budget?: PlanBudget;
  readonly once?: true;
  /** Its recorded result is put in its place while these files, its inputs and its environment are the same. */
  readonly cache?: PlanCache;
  /** Absent: stop. */
  readonly onFailure?: 'continue' | 'handoff';
  readonly concurrency?: PlanConcurrency;
  readonly workspace?: PlanWorkspace;
  /** The step beside which an aspect has put this one: what `target` means in it. */
  readonly target?: string;
  /** Steps that the aspect has put there with it, as `beside` calls them → their ids. */
  readonly beside?: Readonly<Record<string, string>>;
  /** Outside the digest. `file` is relative to the project root. */
  readonly source: PlanSource;
}

export interface PlanSource {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export type PlanAction = PlanRun | PlanAgent | PlanApprove | PlanWait | PlanGroup;

/** A tool as it was reviewed. */
export interface PlanTool {
  readonly server: string;
  /** As its server calls it. */
  readonly name: string;
  /** Of all that its server says of it. */
  readonly digest: Digest;
  readonly effects: readonly Effect[];
}

/** A model with a task, until it submits the step's outputs. */
export interface PlanAgent {
  readonly kind: 'agent';
  readonly model: PlanModel;
  readonly system?: TemplateText;
  readonly prompt: TemplateText;
  /** How often the model may be asked in one attempt. */
  readonly maxTurns: number;
  /** Tokens that one reply may have. */
  readonly maxOutputTokens: number;
  /** Tokens that a request may have. */
  readonly contextTokens?: number;
}

/** A model, with all that a run has to know of it. */
export interface PlanModel {
  /** As formulas call it. */
  readonly role: string;
  /** As its provider calls it. */
  readonly id: string;
  readonly effort?: Effort;
  /** Absent: nobody knows what it costs. */
  readonly price?: PlanPrice;
}

/** US dollars for a million tokens. */
export interface PlanPrice extends ModelPrice {
  /** For a request that reads more tokens than these, all of it costs this. */
  readonly above?: ModelPrice & { readonly tokens: number };
}

/** A command in one of its three forms, with how its end is read. */
export type PlanRun = { readonly kind: 'run'; readonly exit?: readonly number[]; readonly parse?: 'json' } & (
  | PlanBash
  | { readonly argv: readonly PlanArgument[] }
  | { readonly program: string; readonly args?: readonly TemplateText[]; readonly script: string }
);

/** One word of an argv, or a list that becomes as many words as it has items (`{{args x}}` alone). */
export type PlanArgument = TemplateText;

/**
 * A bash script in which each `{{…}}` has become a quoted reference to a shell variable, so that a value never becomes
 * code. `values` gives each variable its template; `words` marks those that hold a list.
 */
export interface PlanBash {
  readonly bash: string;
  readonly values?: readonly { readonly name: string; readonly value: TemplateText; readonly words?: true }[];
}

export interface PlanApprove {
  readonly kind: 'approve';
  readonly ask: TemplateText;
  /** CEL whose values are shown with the question. */
  readonly show?: readonly ExpressionText[];
  /** Group → members, as `people` of wf.yaml had them. Absent: anybody. */
  readonly by?: Readonly<Record<string, readonly string[]>>;
  readonly count: number;
}

export type PlanWait =
  | { readonly kind: 'wait'; readonly for: Milliseconds }
  | { readonly kind: 'wait'; readonly until: TemplateText }
  | {
      readonly kind: 'wait';
      readonly event: string;
      readonly match?: ExpressionText;
      readonly pass?: ExpressionText;
    };

/** A used formula: its own steps under its own names. */
export interface PlanGroup {
  readonly kind: 'group';
  readonly formula: string;
  readonly steps: readonly PlanStep[];
  readonly finally?: readonly PlanStep[];
  readonly outputs?: Readonly<Record<string, ExpressionText>>;
  readonly budget?: PlanBudget;
  readonly concurrency?: PlanConcurrency;
}

/** Something that must hold after an action. The runner runs every one and records how it ended. */
export type PlanCheck =
  | {
      readonly kind: 'run';
      readonly run: PlanRun;
      /** With `from`: run with these files as they were before the step. */
      readonly from?: 'base';
      readonly files?: readonly string[];
    }
  | { readonly kind: 'check'; readonly check: ExpressionText }
  | {
      readonly kind: 'changes';
      /** Globs; each may be a template. */
      readonly only?: readonly TemplateText[];
      readonly never?: readonly TemplateText[];
      readonly maxFiles?: number;
      readonly maxLines?: number;
      /** It follows from `effects`; nobody wrote it. */
      readonly implied?: true;
    }
  | {
      readonly kind: 'judge';
      readonly model: PlanModel;
      /** Handlebars text that sees `outputs`. */
      readonly rubric: TemplateText;
      /** CEL over `score` and `verdict`. */
      readonly pass: ExpressionText;
      readonly maxOutputTokens: number;
    }
  | { readonly kind: 'wait'; readonly wait: PlanWait; readonly timeout?: Milliseconds };

/** Why an attempt failed, as far as `retry.on` tells it apart. */
export type RetryOn = 'error' | 'timeout' | 'verify';

export interface PlanRetry {
  /** All attempts, the first included. */
  readonly attempts: number;
  readonly on: readonly RetryOn[];
  readonly backoff?: { readonly initial: Milliseconds; readonly factor: number; readonly max: Milliseconds };
  readonly feedback?: true;
}
