import type { JsonValue } from '../support/json.ts';

/** What somebody outside sent into a run: an answer to an approval, an event, a decision about a `once` step, a stop. */
export interface Signal {
  /** Unique in its run; counts from 1 in order of arrival. */
  readonly id: number;
  /** `cancel` reaches the engine alone; receivers never see it. */
  readonly kind: 'approve' | 'reject' | 'event' | 'ran' | 'again' | 'cancel';
  /** For all but `event` and `cancel`: the step's path with its item, as people write it (`fix[2]`, `release.build`). */
  readonly step?: string;
  /** For `event`: its name. */
  readonly event?: string;
  readonly data?: JsonValue;
  readonly by?: string;
  /** Whether `by` was proved (locally it is git's user.email and is not). */
  readonly verified: boolean;
  readonly comment?: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** A signal before it arrived. */
export type NewSignal = Omit<Signal, 'id' | 'at'>;
