import type { Place, StateId } from '../journal/event.ts';
import type { PlanStep } from '../plan/plan.ts';
import type { Engine } from './engine.ts';
import type { Scoped, Scopes } from './scope.ts';
import type { World } from './world.ts';

/** One try at a step: everything its action and its checks need. */
export interface Attempt {
  readonly engine: Engine;
  readonly world: World;
  readonly scopes: Scopes;
  readonly step: PlanStep;
  readonly at: AttemptPlace;
  readonly scope: Scoped;
  /** Where the workspace starts from. */
  readonly state: StateId;
  /** Where the step, or the item, began: what its checks compare with, however many attempts it took. */
  readonly began: StateId;
  readonly signal: AbortSignal;
  /** Why the attempt before failed, when the step asked to be told. */
  readonly feedback: string | undefined;
  /** Milliseconds of work that budgets leave; infinite without one. */
  readonly limit: number;
  readonly spend: (milliseconds: number) => void;
}

/** Where an attempt stands, for people and for the engine. */
export interface AttemptPlace {
  /** Path of ids; of an item, without its index. */
  readonly path: string;
  /** Unique in the run. */
  readonly key: string;
  readonly item?: number;
  readonly iteration?: number;
  readonly attempt: number;
  /** Counts from 1 when the infrastructure failed and the same attempt is made again. */
  readonly trouble?: number;
  /** Copy of the workspace it works in; undefined: the main directory. */
  readonly home: string | undefined;
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
