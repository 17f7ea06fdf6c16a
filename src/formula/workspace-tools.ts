import type { Effect } from './effect.ts';
import type { ToolDefinition } from './tool-definition.ts';

/** The server that is built in: the files of the step's workspace, and commands in it. */
export const WORKSPACE_SERVER = 'workspace';

const PATH = { type: 'string', description: 'relative to the workspace' };

/**
 * The tools of the built-in server, sorted by name. A model pays for every word here with each of its turns, and a changed
 * byte changes the digest of every plan with an agent in it.
 */
export const WORKSPACE_TOOLS: readonly ToolDefinition[] = [
  {
    name: 'edit',
    description: 'Replace text in a file. `old` must occur exactly once, unless `all` is true.',
    inputSchema: {
      type: 'object',
      properties: {
        path: PATH,
        old: { type: 'string', minLength: 1 },
        new: { type: 'string' },
        all: { type: 'boolean' },
      },
      required: ['path', 'old', 'new'],
      additionalProperties: false,
    },
  },
  {
    name: 'list',
    description: 'List files.',
    inputSchema: {
      type: 'object',
      properties: { path: { type: 'string', description: 'a folder' }, glob: { type: 'string' } },
      additionalProperties: false,
    },
  },
  {
    name: 'read',
    description: 'Read a text file.',
    inputSchema: {
      type: 'object',
      properties: {
        path: PATH,
        offset: { type: 'integer', minimum: 1, description: 'first line' },
        limit: { type: 'integer', minimum: 1, description: 'number of lines' },
      },
      required: ['path'],
      additionalProperties: false,
    },
  },
  {
    name: 'run',
    description: 'Run a bash command in the workspace.',
    inputSchema: {
      type: 'object',
      properties: { command: { type: 'string', minLength: 1 } },
      required: ['command'],
      additionalProperties: false,
    },
  },
  {
    name: 'search',
    description: 'Search files for a regular expression (RE2); answers `file:line: text`.',
    inputSchema: {
      type: 'object',
      properties: {
        pattern: { type: 'string', minLength: 1 },
        path: { type: 'string', description: 'a file or folder' },
        glob: { type: 'string' },
      },
      required: ['pattern'],
      additionalProperties: false,
    },
  },
  {
    name: 'write',
    description: 'Write a whole file.',
    inputSchema: {
      type: 'object',
      properties: { path: PATH, content: { type: 'string' } },
      required: ['path', 'content'],
      additionalProperties: false,
    },
  },
];

/** What each of them may touch; a command is given the step's secrets, and with them what is outside. */
export const WORKSPACE_EFFECTS: Readonly<Record<string, readonly Effect[]>> = {
  edit: ['files'],
  list: [],
  read: [],
  run: ['files'],
  search: [],
  write: ['files'],
};
