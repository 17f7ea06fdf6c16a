import type { Effect } from './effect.ts';
import type { Body } from './formula.ts';

/** What an action may touch, as its author says; else a command the files, and with secrets what is outside too. */
export function effectsOf({
  effects,
  action,
  secrets,
}: Pick<Body, 'effects' | 'action' | 'secrets'>): readonly Effect[] {
  if (effects) return effects.value;
  return action?.kind === 'run' ? defaultEffects(secrets.length > 0) : [];
}

/** Of a command that does not say. */
export function defaultEffects(hasSecrets: boolean): readonly Effect[] {
  return hasSecrets ? ['files', 'external'] : ['files'];
}
