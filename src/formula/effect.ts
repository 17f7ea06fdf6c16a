/** What an action may touch: the files of its workspace, and what is outside of it. */
export type Effect = 'files' | 'external';
