import type { ErrorKind, StateId, StepError } from '../journal/event.ts';
import type { JsonObject } from '../support/json.ts';
import type { Conversation } from './agent/conversation.ts';
import type { StagedResult } from '../workspace/step-cache.ts';

/** How an action, an attempt or a whole step came out. A failure is news, not an exception. */
export type Result = Succeeded | Failed;

export interface Succeeded {
  readonly ok: true;
  readonly outputs: JsonObject;
  readonly state: StateId;
  /** What was recorded of another time stands for it. */
  readonly cached?: true;
  /** In which an agent came to it. */
  readonly conversation?: Conversation;
  /** Waits to be kept, once the step's checks have passed. */
  readonly staged?: StagedResult;
}

export interface Failed {
  readonly ok: false;
  readonly error: StepError;
  readonly state: StateId;
  /** What stood for the action, recorded at another time, did not hold: it may when it is made anew. */
  readonly cached?: true;
  /** In which an agent came to what did not hold. */
  readonly conversation?: Conversation;
  /** Of a group: the step inside that it failed by, and whether that step asked for a hand-off. */
  readonly inside?: { readonly step: string; readonly handoff: boolean };
}

/** A failure with its kind. */
export function failure(kind: ErrorKind, message: string, state: StateId, detail?: string): Failed {
  return {
    ok: false,
    state,
    error: { kind, message, ...(detail !== undefined && detail !== '' && { detail }) },
  };
}
