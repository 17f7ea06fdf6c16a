import { resolve } from 'node:path';

/** Where git finds a repository: what is no address of another machine is a path from the project. */
export function repositoryPlace(address: string, project: string): string {
  return /^[\w+.-]+:\/\/|^[^/]+@[^/]+:/.test(address) ? address : resolve(project, address);
}

/** A text without what stands before the `@` of addresses in it. */
export function withoutPassword(text: string): string {
  return text.replace(/(:\/\/)[^/@\s]+@/g, '$1***@');
}
