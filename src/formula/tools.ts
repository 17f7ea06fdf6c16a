import type { Digest } from '../support/digest.ts';
import { digestJson } from '../support/canonical-json.ts';
import { globMatcher } from '../support/globs.ts';
import type { Effect } from './effect.ts';
import type { ToolDefinition } from './tool-definition.ts';
import { WORKSPACE_EFFECTS, WORKSPACE_SERVER, WORKSPACE_TOOLS } from './workspace-tools.ts';

/** A tool of a server, with what is known of it. */
export interface Tool {
  readonly server: string;
  readonly name: string;
  readonly digest: Digest;
  readonly definition: ToolDefinition;
  readonly effects: readonly Effect[];
}

/** What a pattern of `server/tool` leads to. */
export type FoundTools =
  | { readonly kind: 'found'; readonly tools: readonly Tool[] }
  | { readonly kind: 'no server'; readonly known: readonly string[] }
  | { readonly kind: 'no tool'; readonly known: readonly string[] };

/** The tools that a project can name. */
export interface ToolCatalog {
  find(pattern: string): FoundTools;
}

/** SHA-256 of all that a server says of a tool. */
function digestOfTool({ name, description, inputSchema }: ToolDefinition): Digest {
  return digestJson({ name, description, inputSchema });
}

/** `server/tool` in its two parts; the name of a tool may hold slashes. */
export function toolParts(pattern: string): { readonly server: string; readonly tool: string } {
  const at = pattern.indexOf('/');
  return { server: pattern.slice(0, at), tool: pattern.slice(at + 1) };
}

/** The tools of some servers by name. */
function toolCatalog(servers: ReadonlyMap<string, readonly Tool[]>): ToolCatalog {
  return {
    find(pattern) {
      const { server, tool } = toolParts(pattern);
      const tools = servers.get(server);
      if (!tools) return { kind: 'no server', known: [...servers.keys()] };
      const matches = tool.includes('*') ? globMatcher([tool.replaceAll('*', '**')]) : undefined;
      const found = tools.filter(({ name }) => (matches ? matches(name) : name === tool));
      return found.length > 0
        ? { kind: 'found', tools: found }
        : { kind: 'no tool', known: tools.map(({ name }) => name) };
    },
  };
}

const BUILT_IN: readonly Tool[] = WORKSPACE_TOOLS.map((definition) => ({
  server: WORKSPACE_SERVER,
  name: definition.name,
  digest: digestOfTool(definition),
  definition,
  effects: WORKSPACE_EFFECTS[definition.name] ?? [],
}));

/** The tools that every project has. */
export const BUILT_IN_TOOLS: ToolCatalog = toolCatalog(new Map([[WORKSPACE_SERVER, BUILT_IN]]));

/** All that some patterns lead to, each tool once, sorted by server and name. */
export function toolsOf(patterns: readonly string[], catalog: ToolCatalog): readonly Tool[] {
  const byName = new Map<string, Tool>();
  for (const pattern of patterns) {
    const found = catalog.find(pattern);
    if (found.kind !== 'found') continue;
    for (const tool of found.tools) byName.set(`${tool.server}/${tool.name}`, tool);
  }
  return [...byName].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, tool]) => tool);
}
