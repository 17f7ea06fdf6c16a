import type { Effect } from './effect.ts';
import type { ResolvedBody } from './resolve.ts';

/**
 * What an action may touch. Of an agent: what its tools do; its commands as any command. Of a command: what its author says,
 * else the files, and with secrets what is outside too.
 */
export function effectsOf({
  effects,
  action,
  secrets,
  tools,
}: Pick<ResolvedBody, 'effects' | 'action' | 'secrets' | 'tools'>): readonly Effect[] {
  switch (action?.kind) {
    case 'run':
      return effects?.value ?? defaultEffects(secrets.length > 0);
    case 'agent': {
      const touched = new Set(tools.flatMap((tool) => tool.effects));
      // Its commands are the only ones that see the secrets.
      if (secrets.length > 0) touched.add('external');
      return EFFECTS.filter((effect) => touched.has(effect));
    }
    case 'approve':
    case 'wait':
    case undefined:
      return [];
  }
}

/** Every effect, in the order they are told. */
export const EFFECTS: readonly Effect[] = ['files', 'external'];

/** Of a command that does not say. */
export function defaultEffects(hasSecrets: boolean): readonly Effect[] {
  return hasSecrets ? ['files', 'external'] : ['files'];
}
