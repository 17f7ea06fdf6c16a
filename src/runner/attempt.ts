import type { Place, StateId } from '../journal/event.ts';
import type { PlanStep } from '../plan/plan.ts';
import type { Conversation } from './agent/conversation.ts';
import type { Engine } from './engine.ts';
import type { Ledger } from './ledger.ts';
import type { Scoped, Scopes } from './scope.ts';
import type { WorkPlace } from './work-place.ts';
import type { World } from './world.ts';

/** One try at a step: everything its action and its checks need. */
export interface Attempt {
  readonly engine: Engine;
  readonly world: World;
  readonly scopes: Scopes;
  readonly step: PlanStep;
  readonly at: AttemptPlace;
  readonly scope: Scoped;
  readonly workspace: WorkPlace;
  /** Where the workspace was when the step began: what its checks compare with. */
  readonly base: StateId;
  /** Where the workspace starts from in this attempt. */
  readonly state: StateId;
  readonly signal: AbortSignal;
  /** A cancel of the run does not reach it. */
  readonly shielded: boolean;
  /** Why the attempt before failed, when the step asked to be told. */
  readonly feedback: string | undefined;
  /** That in which the attempt before submitted what did not hold, when the step asked to go on in it. */
  readonly conversation: Conversation | undefined;
  /** What was recorded at another time has not held, and does not stand for it. */
  readonly anew: boolean;
  /** Minutes that are left to it. */
  readonly ledger: Ledger;
  /** Events that earlier tries and iterations of the step have taken. */
  readonly taken: Set<number>;
  /** Paths of the steps of the run that have asked people before. */
  readonly asked: Set<string>;
}

/** Where a step, an item of it or an iteration stands in a run, for people and for the engine. */
export interface StepPlace {
  /** Path of ids; of an item, without its index. */
  readonly path: string;
  /** Unique in the run. */
  readonly key: string;
  /** The same for every try, and another for every iteration. */
  readonly identity: string;
  readonly item?: number;
  readonly iteration?: number;
  /** Copy of the workspace it works in; undefined: the main directory. */
  readonly home: string | undefined;
}

export interface AttemptPlace extends StepPlace {
  readonly attempt: number;
  /** Counts from 1 when the infrastructure failed and the same attempt is made again. */
  readonly trouble?: number;
}

/** As events tell it. */
export function placeOf({ path, item, iteration, attempt }: AttemptPlace): Place {
  return {
    step: path,
    attempt,
    ...(item !== undefined && { item }),
    ...(iteration !== undefined && { iteration }),
  };
}

/** As people write it: `fix[2]`. */
export function instancePath({ path, item }: { readonly path: string; readonly item?: number }): string {
  return item === undefined ? path : `${path}[${item}]`;
}
