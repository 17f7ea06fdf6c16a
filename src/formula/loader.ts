/**
 * How stages up to the plan see files. Paths are relative to the project root, with forward slashes; a path that leaves
 * the project answers as if nothing were there.
 */
export interface Loader {
  /** `wf.yaml`, `formulas/*.yaml` and `molecules/*.yaml`, as far as they exist, sorted. */
  list(): Promise<readonly string[]>;
  /** Undefined when there is no such file. Throws when it is there and cannot be read. */
  read(path: string): Promise<Uint8Array | undefined>;
  exists(path: string): Promise<boolean>;
}
