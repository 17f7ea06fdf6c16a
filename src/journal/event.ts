import type { TokenCount } from '../plan/token-count.ts';
import type { JsonObject, JsonValue } from '../support/json.ts';

/**
 * Why something did not succeed. `kind` is what retry policy, `on_failure` and people look at; the message is for
 * reading only.
 */
export interface StepError {
  readonly kind: ErrorKind;
  readonly message: string;
  /** The failing output's tail, the conflicting files, the check that failed: what a person needs next. */
  readonly detail?: string;
}

export type ErrorKind =
  /** Exit code not expected, invalid outputs, an expression that failed. */
  | 'error'
  | 'timeout'
  /** A check did not hold. */
  | 'verify'
  /** A person said no. */
  | 'rejected'
  /** A wait's `pass` was false. */
  | 'refused'
  | 'budget'
  /** Two steps changed the same lines. */
  | 'conflict'
  /** Exit 75 and its kin, after their own bounded count. */
  | 'infrastructure'
  /** `repeat` reached `max`. */
  | 'exhausted'
  /** `join` cannot be met any more. */
  | 'join'
  /** A model or its provider will not, however often it is asked. */
  | 'denied'
  | 'cancelled';

/** Where in a run something happened. */
export interface Place {
  /** Path of ids with the indexes of outer items: `fix`, `release.build`, `fix[2].lint`. */
  readonly step?: string;
  /** Index of the innermost `for_each`. */
  readonly item?: number;
  /** Counts from 1. */
  readonly iteration?: number;
  /** Counts from 1. */
  readonly attempt?: number;
}

/** What is kept of a stream: the whole, or head and tail with how many bytes are left out between. */
export interface CappedText {
  readonly text: string;
  /** Bytes that are not in `text`. */
  readonly omitted?: number;
}

/** The id of a workspace state: a commit under `refs/wf/<run>/`, or `empty`. */
export type StateId = string;

/** What happened, without when and in which run. */
export type EventBody =
  | {
      readonly type: 'run.started';
      readonly formula: string;
      readonly plan: string;
      readonly inputs: JsonObject;
      readonly by?: string;
      /** Commit, branch or tag that the workspace begins at, when one was asked for. */
      readonly revision?: string;
      /** A `checkout` may hold what is not committed. */
      readonly allowDirty?: true;
      /** Results that are kept do not stand for steps. */
      readonly noCache?: true;
    }
  | {
      readonly type: 'workspace.prepared';
      readonly base?: string;
      readonly branch?: string;
      readonly state: StateId;
    }
  | ({ readonly type: 'step.started'; readonly state?: StateId } & Place)
  | ({ readonly type: 'step.skipped'; readonly reason: 'when' | 'run ended' } & Place)
  | ({ readonly type: 'items.listed'; readonly items: readonly JsonValue[] } & Place)
  | ({
      readonly type: 'attempt.started';
      readonly state?: StateId;
      readonly infrastructure?: number;
      readonly anew?: true;
    } & Place)
  /** `action.ended`: the action went well, and checks are still to come. */
  | ({
      readonly type: 'attempt.succeeded' | 'action.ended';
      readonly outputs: JsonObject;
      readonly stdout?: CappedText;
      readonly stderr?: CappedText;
      readonly exitCode?: number;
      readonly state?: StateId;
      /** How long it worked. */
      readonly milliseconds?: number;
      /** It was not run: what was recorded of another time stands for it (`cache`). */
      readonly cached?: true;
    } & Place)
  /** What an agent is given at first. What it is asked later follows from this and from what was recorded since. */
  | ({ readonly type: 'prompt.rendered'; readonly system?: string; readonly prompt: string } & Place)
  /** A model was asked for its next turn; `turn` counts from 1 in its attempt, tries that came to nothing left out. */
  | ({
      readonly type: 'model.asked';
      readonly model: string;
      readonly turn: number;
      /** Of a judge: the index of the check that it is. */
      readonly check?: number;
      /** Digest of the request. */
      readonly request: string;
    } & Place)
  | ({
      readonly type: 'model.replied';
      readonly model: string;
      readonly turn: number;
      /** Of a judge: the index of the check that it is. */
      readonly check?: number;
      readonly content: JsonValue;
      readonly stop: string;
      readonly tokens: TokenCount;
      /** US dollars. Absent: nobody knows what the model costs. */
      readonly usd?: number;
      readonly milliseconds: number;
      /** By which the provider knows it. */
      readonly requestId?: string;
      /** It was asked before by a process that died, whose answer is lost, and paid for. */
      readonly repeated?: true;
    } & Place)
  | ({
      readonly type: 'model.failed';
      readonly model: string;
      readonly turn: number;
      /** Of a judge: the index of the check that it is. */
      readonly check?: number;
      /** `trouble`: it may work later. */
      readonly why: 'trouble' | 'denied' | 'context' | 'timeout' | 'budget' | 'cancelled';
      readonly message: string;
      readonly milliseconds: number;
      /** Milliseconds to wait, as the provider says. */
      readonly retryAfter?: number;
    } & Place)
  /** A model called a tool. */
  | ({
      readonly type: 'tool.called';
      /** `server/tool`, or what the model made up. */
      readonly tool: string;
      /** The model's id of the call. */
      readonly call: string;
      readonly input: JsonValue;
    } & Place)
  | ({
      readonly type: 'tool.returned';
      readonly tool: string;
      readonly call: string;
      /** What the model is told. */
      readonly text: string;
      readonly isError?: true;
      /** It was not made: no tool of the step. */
      readonly refused?: true;
      /** Characters that are not in `text`. */
      readonly omitted?: number;
      /** Where the workspace is now, when it may have been changed. */
      readonly state?: StateId;
      readonly milliseconds: number;
      /** It was begun before by a process that died: what that came to is lost. */
      readonly repeated?: true;
    } & Place)
  /** A step that must never run twice was under way when its process died: a person has to say what happened. */
  | ({ readonly type: 'once.interrupted' } & Place)
  | ({
      readonly type: 'attempt.failed';
      readonly error: StepError;
      readonly retryable: boolean;
      readonly milliseconds?: number;
      readonly stdout?: CappedText;
      readonly stderr?: CappedText;
      readonly exitCode?: number;
      readonly state?: StateId;
    } & Place)
  | ({
      readonly type: 'check.passed';
      readonly check: number;
      readonly output?: string;
      readonly milliseconds?: number;
    } & Place)
  | ({
      readonly type: 'check.failed';
      readonly check: number;
      readonly message: string;
      readonly output?: string;
      readonly milliseconds?: number;
      /** It was ended before it could say anything. */
      readonly ended?: 'timeout' | 'budget';
    } & Place)
  | ({
      readonly type: 'step.succeeded';
      readonly outputs: JsonValue;
      readonly state?: StateId;
      /** Of a list: all of its items. */
      readonly cached?: true;
    } & Place)
  | ({
      readonly type: 'step.failed';
      readonly error: StepError;
      readonly outputs?: JsonValue;
      readonly state?: StateId;
    } & Place)
  | ({ readonly type: 'step.cancelled' } & Place)
  | ({
      readonly type: 'approval.asked';
      readonly ask: string;
      readonly shown?: readonly { readonly expression: string; readonly value: JsonValue }[];
      readonly by?: Readonly<Record<string, readonly string[]>>;
      readonly until?: number;
    } & Place)
  | ({
      readonly type: 'approval.given';
      readonly by: string;
      readonly verified: boolean;
      readonly comment?: string;
    } & Place)
  | ({
      readonly type: 'approval.refused';
      readonly by: string;
      readonly verified: boolean;
      readonly comment?: string;
    } & Place)
  | {
      readonly type: 'signal.received';
      readonly event: string;
      readonly data: JsonValue;
      readonly by?: string;
    }
  | { readonly type: 'run.waiting'; readonly waiting: readonly Waiting[] }
  | { readonly type: 'run.resumed'; readonly by?: string }
  /** From here on the run follows another plan; what has ended keeps its results. */
  | { readonly type: 'plan.replaced'; readonly plan: string; readonly by?: string }
  | { readonly type: 'cancel.requested'; readonly by?: string }
  /** The engine's own: what it answered and a replay has to see again. */
  | { readonly type: 'value.recorded'; readonly of: RecordedValue; readonly value: JsonValue }
  | {
      readonly type: 'run.succeeded';
      readonly outputs: JsonObject;
      readonly branch?: string;
      readonly commit?: string;
      readonly changedFiles?: readonly string[];
    }
  | { readonly type: 'run.failed'; readonly error: StepError; readonly step?: string; readonly kept?: string }
  | { readonly type: 'run.cancelled'; readonly kept?: string }
  | {
      readonly type: 'run.handed_off';
      readonly error: StepError;
      readonly step?: string;
      readonly bundle: string;
    };

/** What the value of a `value.recorded` is. */
export type RecordedValue =
  /** Milliseconds since the epoch. */
  | 'time'
  /** A ULID. */
  | 'id'
  /** Index of the branch that settled first. */
  | 'winner'
  /** True: the time came; false: the wait was given up. */
  | 'sleep'
  /** The signal that was taken (`signal.ts`); null: the wait was given up. */
  | 'signal'
  /** The lock's group; null: the wait was given up. */
  | 'lock'
  /** The lock's group. */
  | 'release';

/** Something a run waits for and cannot do itself. */
export interface Waiting {
  readonly step: string;
  readonly item?: number;
  readonly for: 'approval' | 'event' | 'timer' | 'decision' | 'concurrency';
  /** The question, the event's name, or what to say. */
  readonly ask?: string;
  /** Milliseconds since the epoch. */
  readonly until?: number;
}

/** A line of the journal. `seq` counts from 1 within its run without gaps. */
export type RunEvent = EventBody & {
  readonly run: string;
  readonly seq: number;
  /** ISO 8601, UTC, milliseconds. */
  readonly at: string;
};
