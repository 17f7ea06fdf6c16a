import type { JsonValue } from '../../support/json.ts';

/** One difference between what two plans do. */
export interface PlanChange {
  readonly kind: 'added' | 'removed' | 'changed' | 'renamed' | 'moved';
  /** Path of the step, `release.build`; absent: it is about the formula as a whole. */
  readonly step?: string;
  /** What of it, as authors write it: `secrets.TOKEN`, `verify`, `needs`; absent: all of the step. */
  readonly what?: string;
  /** Absent: there was none. Of a renamed step, its path before. */
  readonly before?: JsonValue;
  /** Absent: there is none any more. */
  readonly after?: JsonValue;
  /** What it lets happen that could not happen before, in a few words that follow "since". */
  readonly grows?: string;
  /** Why a formula that uses this one, or whoever starts it, may have to change as well. */
  readonly breaks?: string;
}

/** A change before it is known which step it is about. */
export type Difference = Omit<PlanChange, 'step'>;
