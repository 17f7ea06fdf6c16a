import type { Finding, Located } from '../diagnostics/diagnostic.ts';
import { UserError } from '../support/user-error.ts';
import { decodeUtf8 } from '../source/decode-utf8.ts';
import { parseYaml } from '../source/parse-yaml.ts';
import type { SourceDocument, SourceNode } from '../source/source-document.ts';
import { validateDocument } from '../schema/validate.ts';
import type { DocumentKind } from '../schema/validate.ts';
import { brokenSteps } from './broken-steps.ts';
import type { Aspect, Formula, Molecule, ProjectSettings, Step } from './formula.ts';
import type { Loader } from './loader.ts';
import { readAspect, readFormula, readMolecule, readProjectSettings } from './read-document.ts';
import type { Ignore } from './ignores.ts';
import { findIgnores } from './ignores.ts';
import type { Library } from './resolve.ts';
import { schemaResolver } from './schema-files.ts';
import type { TestFile } from './test-file.ts';
import { isTestFile, readTestFile } from './test-file.ts';

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

  readonly #isFree: boolean;

  private constructor(loader: Loader, isFree: boolean) {
    this.#loader = loader;
    this.#isFree = isFree;
  }

  /**
   * Lists the project; reads no file yet but `wf.yaml`.
   *
   * @param isFree its policy does not count: for a formula that nobody wrote
   */
  static async open(loader: Loader, { isFree = false } = {}): Promise<Project> {
    const project = new Project(loader, isFree);
    project.#paths = await loader.list();
    project.#listed = new Set(project.#paths);
    project.#names = project.#paths.flatMap((path) => {
      const match = isTestFile(path) ? null : /^(formulas|molecules)\/(.+)\.yaml$/.exec(path);
      return match ? [match[1] === 'formulas' ? `formula/${match[2]}` : String(match[2])] : [];
    });
    if (project.#paths.includes('wf.yaml')) await project.file('wf.yaml');
    return project;
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
    const file = this.#read.get('wf.yaml');
    if (file && !file.content) return 'broken';
    const settings = file?.content?.kind === 'project' ? file.content.settings : undefined;
    return settings && this.#isFree ? { ...settings, policy: undefined } : settings;
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
    const always = this.#aspects.map(({ value }) => `formulas/${value}.yaml`);
    for (
      let next = [...usedPaths(first), ...(path.startsWith('molecules/') ? [] : always)];
      next.length > 0;
    ) {
      const fresh = [...new Set(next)].filter(
        (used) => !seen.has(used) && !this.#closed.has(used) && this.#listed.has(used),
      );
      for (const used of fresh) seen.add(used);
      const files = await Promise.all(fresh.map((used) => this.file(used)));
      next = files.flatMap(usedPaths);
    }
    for (const used of seen) this.#closed.add(used);
    return first;
  }

  /** Files that a file uses, directly or through others; without itself. */
  async usedBy(path: string): Promise<readonly string[]> {
    const always = this.#aspects.map(({ value }) => `formulas/${value}.yaml`);
    const seen = new Set<string>();
    for (let next = [...usedPaths(await this.file(path)), ...always]; next.length > 0;) {
      const fresh = [...new Set(next)].filter((used) => !seen.has(used) && this.#listed.has(used));
      for (const used of fresh) seen.add(used);
      next = (await Promise.all(fresh.map((used) => this.file(used)))).flatMap(usedPaths);
    }
    seen.delete(path);
    return [...seen];
  }

  get #aspects(): readonly Located<string>[] {
    const { settings } = this;
    return settings === 'broken' ? [] : (settings?.policy?.aspects ?? []);
  }

  /** What `uses` can name, answered from the files read so far. */
  get library(): Library {
    const content = (path: string) => {
      this.#noted?.add(path);
      const file = this.#read.get(path);
      return file && (file.content ?? 'broken');
    };
    return {
      molecule: (name) => content(`molecules/${name}.yaml`) as Molecule | 'broken' | undefined,
      formula: (name) => content(`formulas/${name}.yaml`) as Formula | Aspect | 'broken' | undefined,
      aspects: this.#aspects,
      names: this.#names,
    };
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
    let bytes: Uint8Array | undefined;
    try {
      bytes = await this.#loader.read(path);
    } catch (error) {
      if (error instanceof UserError) return unread(unreadableFile(path, error.message));
      throw error;
    }
    if (!bytes) {
      const why = 'there is nothing to read here: a link that leads nowhere, or out of the project';
      return isListed ? unread(unreadableFile(path, why)) : undefined;
    }
    const decoded = decodeUtf8(path, bytes);
    if ('finding' in decoded) return unread(decoded.finding);
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
    const asked: string[] = [];
    const resolve = await schemaResolver(document, (schema) => {
      asked.push(schema);
      return this.#loader.read(schema);
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

function unreadableFile(path: string, message: string): Finding {
  return { rule: 'unreadable-file', severity: 'error', message, span: { file: path, start: 0, end: 0 } };
}

/** What a file is: by its place, or, anywhere else, by the key that names it. */
function kindOf(path: string, document: SourceDocument): DocumentKind {
  if (path === 'wf.yaml') return 'project';
  if (isTestFile(path)) return 'test';
  if (path.startsWith('molecules/')) return 'molecule';
  const root = document.root?.kind === 'map' ? document.root : undefined;
  if (root?.get('aspect') && !root.get('formula') && !root.get('molecule')) return 'aspect';
  if (path.startsWith('formulas/')) return 'formula';
  return root?.get('molecule') && !root.get('formula') ? 'molecule' : 'formula';
}

/** Where the molecules, formulas and aspects that a file names would be. */
function usedPaths(file: ProjectFile | undefined): string[] {
  const content = file?.content;
  switch (content?.kind) {
    case 'formula':
      return [
        ...[...content.extends, ...content.aspects].map(({ value }) => `formulas/${value}.yaml`),
        ...usedBy([...content.steps, ...content.finally]),
      ];
    case 'aspect':
      return usedBy(content.rules.flatMap(({ before, after }) => [...before, ...after]));
    case 'project':
      return (content.settings.policy?.aspects ?? []).map(({ value }) => `formulas/${value}.yaml`);
    case 'molecule':
    case 'test':
    case undefined:
      return [];
  }
}

function usedBy(steps: readonly Step[]): string[] {
  return steps.flatMap(({ uses }) => {
    if (!uses) return [];
    const name = uses.value;
    return [
      name.startsWith('formula/')
        ? `formulas/${name.slice('formula/'.length)}.yaml`
        : `molecules/${name}.yaml`,
    ];
  });
}
