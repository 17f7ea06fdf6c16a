/**
 * How stages up to the plan see files. Paths are relative to the project root, with forward slashes; a path that leaves
 * the project answers as if nothing were there.
 */
export interface Loader {
  /**
   * `wf.yaml`, `wf.lock`, `formulas/*.yaml` and `molecules/*.yaml`, as far as they exist, sorted; and what was probably meant to be
   * one: another ending (`.yml`), a folder further down.
   */
  list(): Promise<readonly string[]>;
  /**
   * Undefined when there is no such file. Throws a UserError when it is there and cannot be read. Of a file that is larger
   * than any may be (`maxFileSize`) its beginning is enough, as long as that is too large itself.
   */
  read(path: string): Promise<Uint8Array | undefined>;
  exists(path: string): Promise<boolean>;
  /**
   * Something about a file that differs whenever its content may, and is had without reading it; the same for any path
   * where no file is. Absent where nothing of the kind is known.
   */
  look?(path: string): string;
}
