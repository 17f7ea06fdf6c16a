import { AsyncLocalStorage } from 'node:async_hooks';

/** On whose behalf something in the world is done. */
export interface Owner {
  readonly run: string;
  /** Throws when somebody else drives the run by now. */
  readonly confirm: () => void;
}

const owner = new AsyncLocalStorage<Owner>();

/**
 * While `work` goes on, every process that is started, git among them, belongs to the run: it carries the run's name in
 * its environment, so that what a dead runner leaves is found and ended before the run is carried on; and none is
 * started any more once somebody else has taken the run over, as can happen to a runner that stood still for a while.
 */
export function onBehalfOf<T>(whom: Owner, work: () => Promise<T>): Promise<T> {
  return owner.run(whom, work);
}

/** To be asked before anything is done to the world; undefined: it is done for nobody's run. */
export function confirmedOwner(): string | undefined {
  const whom = owner.getStore();
  whom?.confirm();
  return whom?.run;
}
