import type { Finding, Located } from '../diagnostics/diagnostic.ts';
import { digestOf } from '../support/digest.ts';
import { UserError } from '../support/user-error.ts';
import { decodeUtf8 } from '../source/decode-utf8.ts';
import { parseYaml } from '../source/parse-yaml.ts';
import type { SourceDocument, SourceNode } from '../source/source-document.ts';
import { validateDocument } from '../schema/validate.ts';
import type { DocumentKind } from '../schema/validate.ts';
import { brokenSteps } from './broken-steps.ts';
import type { Aspect, Formula, Molecule, ProjectSettings, Step } from './formula.ts';
import { importPlace, pathWithin } from './imports.ts';
import type { Loader } from './loader.ts';
import type { Lockfile } from './lockfile.ts';
import { readLockfile } from './lockfile.ts';
import type { LockedImport } from './locked-imports.ts';
import { lockMismatch, lockedImports, noPolicy, notFetched, policyOfPolicy } from './locked-imports.ts';
import type { Name } from './names.ts';
import { fileOfName, formulaName, usedName, usesOf } from './names.ts';
import { readAspect, readFormula, readMolecule, readProjectSettings } from './read-document.ts';
import type { Ignore } from './ignores.ts';
import { findIgnores } from './ignores.ts';
import type { Library } from './resolve.ts';
import { schemaResolver } from './schema-files.ts';
import type { TestFile } from './test-file.ts';
import { isTestFile, readTestFile } from './test-file.ts';
import { tightenPolicy } from './tighten-policy.ts';
import { BUILT_IN_TOOLS } from './tools.ts';

/** One file of a project, read as far as it could be. */
export interface ProjectFile {
  readonly path: string;
  readonly text: string;
  /** Of YAML, schema, templates and expressions; not yet of what needs other files. */
  readonly findings: readonly Finding[];
  /** Absent when the file is broken: later checks would mislead. */
  readonly content:
    | Formula
    | Molecule
    | Aspect
    | TestFile
    | { readonly kind: 'project'; readonly settings: ProjectSettings }
    | { readonly kind: 'lock'; readonly lock: Lockfile }
    | undefined;
  /** What its author lets stand. */
  readonly ignores: readonly Ignore[];
  /** Other files that reading it asked for, there or not: schemas. */
  readonly asked: readonly string[];
}

/** The files of a project, each read once, on demand. */
export class Project {
  readonly #loader: Loader;
  readonly #files = new Map<string, Promise<ProjectFile | undefined>>();
  readonly #read = new Map<string, ProjectFile>();
  /** Files that were read with everything they use. */
  readonly #closed = new Set<string>();
  /** Where it is noted what is asked for. */
  #noted: Set<string> | undefined;
  #paths: readonly string[] = [];
  /** As `uses` says them. */
  #names: readonly string[] = [];
  #listed: ReadonlySet<string> = new Set();
  #settings: ProjectSettings | 'broken' | undefined;
  /** Imports by name, as far as `wf.lock` pins them. */
  #imports: ReadonlyMap<string, LockedImport> = new Map();
  /** What is wrong with how the project is put together: its imports, and the policy that it takes from one. */
  #findings: readonly Finding[] = [];

  readonly #isFree: boolean;

  private constructor(loader: Loader, isFree: boolean) {
    this.#loader = loader;
    this.#isFree = isFree;
  }

  /**
   * Lists the project; reads no file yet but `wf.yaml`, `wf.lock` and what `policy.from` takes in.
   *
   * @param isFree its policy does not count: for a formula that nobody wrote
   */
  static async open(loader: Loader, { isFree = false } = {}): Promise<Project> {
    const project = new Project(loader, isFree);
    project.#paths = await loader.list();
    project.#listed = new Set(project.#paths);
    project.#names = namesIn(project.#paths);
    await project.#putTogether();
    return project;
  }

  async #putTogether(): Promise<void> {
    const listed = (path: string) => (this.#listed.has(path) ? this.file(path) : Promise.resolve(undefined));
    const [file, locked] = await Promise.all([listed('wf.yaml'), listed('wf.lock')]);
    if (!file && !locked) return;
    const settings = file?.content?.kind === 'project' ? file.content.settings : undefined;
    const lock = locked?.content?.kind === 'lock' ? locked.content.lock : undefined;
    this.#settings = file && !settings ? 'broken' : settings;
    // What is broken is told where it is.
    if (this.#settings === 'broken' || (locked && !lock)) return;
    const { value: imports, findings } = lockedImports(settings?.imports ?? new Map(), lock);
    this.#imports = imports;
    this.#findings = findings;
    for (const one of imports.values()) {
      this.#names = [...this.#names, ...namesIn([...one.files.keys()], one.name)];
    }
    if (settings) await this.#takePolicy(settings);
  }

  /** Makes the policy that a project takes from an import stricter by its own. */
  async #takePolicy(settings: ProjectSettings): Promise<void> {
    const { policy, imports } = settings;
    if (!policy?.from) return;
    const { from } = policy;
    const root = this.#imports.get(from.value)?.root;
    const base = root === undefined ? undefined : await this.file(`${root}wf.yaml`);
    const above = base?.content?.kind === 'project' ? base.content.settings.policy : undefined;
    if (above?.from) {
      this.#findings = [...this.#findings, policyOfPolicy(from, above.from)];
      return;
    }
    if (above) {
      const { value, findings } = tightenPolicy(above, policy);
      this.#settings = { ...settings, policy: value };
      this.#findings = [...this.#findings, ...findings];
      return;
    }
    // What is not locked, or is broken, is told there.
    if (imports.has(from.value) && (root === undefined || (base && !base.content))) return;
    this.#findings = [...this.#findings, noPolicy(from, imports.get(from.value), [...imports.keys()])];
  }

  /** What is wrong with imports and with the policy taken from one: in `wf.yaml`, or in `wf.lock`. */
  get findings(): readonly Finding[] {
    return this.#findings;
  }

  /** Names of the formulas there are, sorted; a file that is broken may be one. */
  async formulas(): Promise<readonly string[]> {
    const names = this.#names.flatMap((name) => (name.startsWith('formula/') ? [name.slice(8)] : []));
    const files = await Promise.all(names.map((name) => this.file(`formulas/${name}.yaml`)));
    return names.filter((_, at) => files[at]?.content?.kind !== 'aspect');
  }

  /** All paths of formulas, molecules and `wf.yaml`, sorted. */
  get paths(): readonly string[] {
    return this.#paths;
  }

  /** All paths of files of imports, as far as they are pinned. */
  get importedPaths(): readonly string[] {
    return [...this.#imports.values()].flatMap(({ root, files }) =>
      [...files.keys()].map((path) => root + path),
    );
  }

  /**
   * Does some work on the project, and tells which files it came to depend on, whether they are there or not. One at a
   * time.
   */
  async noting<T>(work: () => Promise<T>): Promise<{ readonly value: T; readonly asked: readonly string[] }> {
    const noted = new Set<string>();
    this.#noted = noted;
    try {
      const value = await work();
      for (const path of [...noted]) for (const asked of this.#read.get(path)?.asked ?? []) noted.add(asked);
      return { value, asked: [...noted] };
    } finally {
      this.#noted = undefined;
    }
  }

  /** Whether there is a file, of whatever kind. */
  exists(path: string): Promise<boolean> {
    this.#noted?.add(path);
    return this.#loader.exists(path);
  }

  /** What `wf.yaml` says; undefined when there is none; `broken` when there is, and it was reported itself. */
  get settings(): ProjectSettings | 'broken' | undefined {
    this.#noted?.add('wf.yaml');
    const settings = this.#settings;
    if (settings === undefined || settings === 'broken') return settings;
    const from = settings.policy?.from;
    if (from) {
      this.#noted?.add('wf.lock');
      this.#noted?.add(`${this.#imports.get(from.value)?.root ?? ''}wf.yaml`);
    }
    return this.#isFree ? { ...settings, policy: undefined } : settings;
  }

  /** Texts of all files read so far, by path, but for what was released. */
  get sources(): ReadonlyMap<string, string> {
    return new Map([...this.#read].map(([path, file]) => [path, file.text]));
  }

  /** Forgets a file for now; who asks for it has it read again. A project of many files need not hold all of them. */
  release(path: string): void {
    this.#files.delete(path);
    this.#read.delete(path);
    this.#closed.delete(path);
  }

  /** Reads one file; undefined when there is none. */
  file(path: string): Promise<ProjectFile | undefined> {
    this.#noted?.add(path);
    const known = this.#files.get(path);
    if (known) return known;
    const reading = this.#load(path).then((file) => {
      if (file) this.#read.set(path, file);
      return file;
    });
    this.#files.set(path, reading);
    return reading;
  }

  /** Reads a file and everything it uses, so that {@link library} can answer for it. */
  async closure(path: string): Promise<ProjectFile | undefined> {
    const first = await this.file(path);
    const seen = new Set([path]);
    const always = pathWithin(path).startsWith('molecules/') ? [] : this.#always;
    for (let next = [...this.#usedPaths(first), ...always]; next.length > 0;) {
      const fresh = [...new Set(next)].filter(
        (used) => !seen.has(used) && !this.#closed.has(used) && this.isThere(used),
      );
      for (const used of fresh) seen.add(used);
      const files = await Promise.all(fresh.map((used) => this.file(used)));
      next = files.flatMap((file) => this.#usedPaths(file));
    }
    for (const used of seen) this.#closed.add(used);
    return first;
  }

  /** Files that a file uses, directly or through others; without itself. */
  async usedBy(path: string): Promise<readonly string[]> {
    const seen = new Set<string>();
    for (let next = [...this.#usedPaths(await this.file(path)), ...this.#always]; next.length > 0;) {
      const fresh = [...new Set(next)].filter((used) => !seen.has(used) && this.isThere(used));
      for (const used of fresh) seen.add(used);
      const files = await Promise.all(fresh.map((used) => this.file(used)));
      next = files.flatMap((file) => this.#usedPaths(file));
    }
    seen.delete(path);
    return [...seen];
  }

  get #aspects(): readonly Located<string>[] {
    const { settings } = this;
    return settings === 'broken' ? [] : (settings?.policy?.aspects ?? []);
  }

  /** Aspects that are woven into every formula, by their files. */
  get #always(): readonly string[] {
    return this.#aspects.map((name) => this.formulaFile(name));
  }

  /** What `uses` can name, answered from the files read so far. */
  get library(): Library {
    const content = (path: string) => {
      this.#noted?.add(path);
      if (importPlace(path)) this.#noted?.add('wf.lock');
      const file = this.#read.get(path);
      // Of an import that is not locked nothing is known, which was told.
      return file ? (file.content ?? 'broken') : path.startsWith(UNLOCKED) ? 'broken' : undefined;
    };
    return {
      molecule: (name) => content(this.usedFile(name)) as Molecule | 'broken' | undefined,
      formula: (name) => content(this.formulaFile(name)) as Formula | Aspect | 'broken' | undefined,
      fileOf: (name) => this.formulaFile(name),
      aspects: this.#aspects,
      tools: BUILT_IN_TOOLS,
      names: this.#names,
    };
  }

  /** The file that `uses` names, seen from where it is written, be there one or not. */
  usedFile({ value, span }: Located<string>): string {
    return this.#fileOf(usedName(value), span.file);
  }

  /** The file that `extends`, `aspects` or a command names. See {@link usedFile}. */
  formulaFile({ value, span }: Located<string>): string {
    return this.#fileOf(formulaName(value), span.file);
  }

  #fileOf(name: Name, from: string): string {
    const place = importPlace(from);
    const file = fileOfName(name);
    // Imports of an import are not followed: who takes it in names what it may use.
    if (place)
      return name.from === undefined ? place.root + file : `${place.root}imports/${name.from}/${file}`;
    if (name.from === undefined) return file;
    const isNamed = typeof this.#settings === 'object' && this.#settings.imports.has(name.from);
    const root = this.#imports.get(name.from)?.root;
    return `${root ?? (isNamed || this.#settings === 'broken' ? UNLOCKED : `${NOWHERE}${name.from}/`)}${file}`;
  }

  /** Whether a formula, molecule or aspect is there: in the project, or pinned in `wf.lock` as a file of an import. */
  isThere(path: string): boolean {
    const place = importPlace(path);
    return place ? this.#lockOf(place.root)?.files.has(place.path) === true : this.#listed.has(path);
  }

  /** Whether all that a file uses, directly or through others, is there. */
  async hasAll(path: string): Promise<boolean> {
    const files = await Promise.all([path, ...(await this.usedBy(path))].map((used) => this.file(used)));
    return files.flatMap((file) => this.#usedPaths(file)).every((used) => this.isThere(used));
  }

  /** Whether a file, or one that it uses, names something of an import, pinned or not. */
  async namesImport(path: string): Promise<boolean> {
    const imports = typeof this.#settings === 'object' ? this.#settings.imports.size : undefined;
    if (this.#findings.length === 0 && (imports === 0 || this.#settings === undefined)) return false;
    const files = await Promise.all([path, ...(await this.usedBy(path))].map((used) => this.file(used)));
    return [...this.#always, ...files.flatMap((file) => this.#usedPaths(file))].some((used) =>
      used.startsWith('.wf/imports/'),
    );
  }

  #lockOf(root: string): LockedImport | undefined {
    return [...this.#imports.values()].find((one) => one.root === root);
  }

  /** Where the molecules, formulas and aspects that a file names would be. */
  #usedPaths(file: ProjectFile | undefined): readonly string[] {
    const content = file?.content;
    const usedBy = (steps: readonly Step[]) =>
      steps.flatMap(({ uses }) => (uses ? [this.usedFile(uses)] : []));
    switch (content?.kind) {
      case 'formula':
        return [
          ...[...content.extends, ...content.aspects].map((name) => this.formulaFile(name)),
          ...usedBy([...content.steps, ...content.finally]),
        ];
      case 'aspect':
        return usedBy(content.rules.flatMap(({ before, after }) => [...before, ...after]));
      case 'project':
        return (content.settings.policy?.aspects ?? []).map((name) => this.formulaFile(name));
      case 'molecule':
      case 'test':
      case 'lock':
      case undefined:
        return [];
    }
  }

  /** What is in a file; of an import, only what `wf.lock` pins, or the finding that it is something else. */
  async #bytes(path: string): Promise<Uint8Array | Finding | undefined> {
    const place = importPlace(path);
    if (!place) return this.#loader.read(path);
    const locked = this.#lockOf(place.root);
    const digest = locked?.files.get(place.path);
    if (!locked || !digest) return undefined;
    const bytes = await this.#loader.read(path);
    if (!bytes) return notFetched(locked);
    return digestOf(bytes) === digest.value ? bytes : lockMismatch(locked, place.path, digest);
  }

  async #load(path: string): Promise<ProjectFile | undefined> {
    const unread = (finding: Finding): ProjectFile => ({
      path,
      text: '',
      findings: [finding],
      content: undefined,
      ignores: [],
      asked: [],
    });
    const isListed = this.#listed.has(path);
    const misnamed = isListed ? misnamedFile(path) : undefined;
    if (misnamed) return unread(misnamed);
    let bytes: Uint8Array | Finding | undefined;
    try {
      bytes = await this.#bytes(path);
    } catch (error) {
      if (error instanceof UserError) return unread(unreadableFile(path, error.message));
      throw error;
    }
    if (!bytes) {
      const why = 'there is nothing to read here: a link that leads nowhere, or out of the project';
      return isListed ? unread(unreadableFile(path, why)) : undefined;
    }
    if ('rule' in bytes) return unread(bytes);
    const decoded = decodeUtf8(path, bytes);
    if ('finding' in decoded) return unread(decoded.finding);
    const torn = path === 'wf.lock' ? /^(?:<{7}|={7}|>{7})(?: |$)/m.exec(decoded.text) : null;
    if (torn) return { ...unread(tornLock(path, torn)), text: decoded.text };
    const document = parseYaml(path, decoded.text);
    const text = decoded.text;
    const kind = kindOf(path, document);
    const ignores = findIgnores(document);
    const findings = [...document.findings, ...validateDocument(document, kind)];
    const errors = findings.filter((finding) => finding.severity === 'error');
    const broken =
      kind === 'formula'
        ? brokenSteps(
            document.root ?? document.repaired,
            errors.map(({ span }) => span),
          )
        : errors.length === 0 && new Set<SourceNode>();
    if (!broken) return { path, text, findings, content: undefined, ignores, asked: [] };
    const place = importPlace(path);
    const asked: string[] = place ? ['wf.lock'] : [];
    const resolve = await schemaResolver(document, async (schema) => {
      // A file of an import reads nothing of the project that took it in.
      if (importPlace(schema)?.root !== place?.root) return undefined;
      asked.push(schema);
      const read = await this.#bytes(schema);
      return read && 'rule' in read ? undefined : read;
    });
    switch (kind) {
      case 'formula': {
        const { value, findings: found } = readFormula(document, resolve, broken);
        return { path, text, findings: [...findings, ...found], content: value, ignores, asked };
      }
      case 'molecule': {
        const { value, findings: found } = readMolecule(document, resolve);
        return { path, text, findings: [...findings, ...found], content: value, ignores, asked };
      }
      case 'aspect': {
        const { value, findings: found } = readAspect(document, resolve);
        return { path, text, findings: [...findings, ...found], content: value, ignores, asked };
      }
      case 'test': {
        const { value, findings: found } = readTestFile(document);
        return { path, text, findings: [...findings, ...found], content: value, ignores, asked };
      }
      case 'lock':
        return {
          path,
          text,
          findings,
          content: { kind: 'lock', lock: readLockfile(document) },
          ignores,
          asked,
        };
      case 'project': {
        const { value, findings: found } = readProjectSettings(document);
        return {
          path,
          text,
          findings: [...findings, ...found],
          content: { kind: 'project', settings: value },
          ignores,
          asked,
        };
      }
    }
  }
}

/** Where files of an import would be that `wf.lock` does not pin yet. */
const UNLOCKED = '.wf/imports/not-locked/';

/** Where files of an import would be that `wf.yaml` does not name. */
const NOWHERE = '.wf/imports/none/';

/** What `uses` calls what stands at some paths, with the name of the import that they are in. */
function namesIn(paths: Iterable<string>, from?: string): readonly string[] {
  return [...paths].flatMap((path) => {
    const [, kind, name] = isTestFile(path) ? [] : (/^(formula|molecule)s\/(.+)\.yaml$/.exec(path) ?? []);
    if (name === undefined) return [];
    return [usesOf({ ...(from !== undefined && { from }), kind: kind as Name['kind'], name })];
  });
}

/** A file that looks like a part of the project and is read by nobody. */
function misnamedFile(path: string): Finding | undefined {
  const wrong = (message: string, help: string): Finding => ({
    rule: 'file-name',
    severity: 'error',
    message,
    help,
    span: { file: path, start: 0, end: 0 },
  });
  if (path.endsWith('.yml')) {
    const right = path.replace(/\.yml$/, '.yaml');
    return wrong(`${path} is not read: files of a project end in ".yaml"`, `rename it to ${right}`);
  }
  const [folder = '', ...rest] = path.split('/');
  if (rest.length < 2 || /\.(?:test|eval)\.yaml$/.test(path)) return undefined;
  return wrong(
    `${path} is not read: ${folder} stand in ${folder}/ itself`,
    `move it to ${folder}/${rest.at(-1)}`,
  );
}

/** Both sides of a merge stand in the lockfile, and no syntax error would say so. */
function tornLock(file: string, { index, 0: mark }: RegExpExecArray): Finding {
  return {
    rule: 'yaml-syntax',
    severity: 'error',
    message: 'wf.lock holds both sides of a merge',
    help: 'take one side of it (`git checkout --theirs wf.lock`), then run `wf lock`',
    span: { file, start: index, end: index + mark.length },
  };
}

function unreadableFile(path: string, message: string): Finding {
  return { rule: 'unreadable-file', severity: 'error', message, span: { file: path, start: 0, end: 0 } };
}

/** What a file is: by its place, or, anywhere else, by the key that names it. */
function kindOf(file: string, document: SourceDocument): DocumentKind {
  const path = pathWithin(file);
  if (path === 'wf.yaml') return 'project';
  if (path === 'wf.lock') return 'lock';
  if (isTestFile(path)) return 'test';
  if (path.startsWith('molecules/')) return 'molecule';
  const root = document.root?.kind === 'map' ? document.root : undefined;
  if (root?.get('aspect') && !root.get('formula') && !root.get('molecule')) return 'aspect';
  if (path.startsWith('formulas/')) return 'formula';
  return root?.get('molecule') && !root.get('formula') ? 'molecule' : 'formula';
}
