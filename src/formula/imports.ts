/** Where files of imports are kept in a project, fetched by `wf lock`. */
const HOME = '.wf/imports';

/** Where the files of one import at one commit are, with a slash at the end; they keep their paths below it. */
export function importRoot(name: string, commit: string): string {
  return `${HOME}/${name}@${commit.slice(0, 12)}/`;
}

/** A path in the files of an import. */
export interface ImportPlace {
  readonly import: string;
  /** See {@link importRoot}. */
  readonly root: string;
  /** In the project that was imported. */
  readonly path: string;
}

/** Which import a path is in; undefined for one of the project itself. */
export function importPlace(path: string): ImportPlace | undefined {
  const match = /^(\.wf\/imports\/([a-z][a-z0-9-]*)@[0-9a-f]{12}\/)(.+)$/.exec(path);
  return match ? { root: String(match[1]), import: String(match[2]), path: String(match[3]) } : undefined;
}

/** What is called by a name in its own project, as the one that a file stands in calls it: `std/release`. */
export function calledName(file: string, name: string): string {
  const place = importPlace(file);
  return place ? `${place.import}/${name}` : name;
}

/** A path in the terms of the project that it belongs to. */
export function pathWithin(path: string): string {
  return importPlace(path)?.path ?? path;
}
