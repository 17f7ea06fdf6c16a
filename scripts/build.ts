import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Plugin as OclifPlugin } from '@oclif/core';
import type { BuildOptions, Metafile, Plugin } from 'esbuild';
import { build as esbuild } from 'esbuild';

const root = dirname(import.meta.dirname);
const dist = join(root, 'dist');

/**
 * Builds the package into `dist/`: one entry for each command, so that a start loads that command alone, with what they
 * share in chunks. Everything is bundled but oclif, whose plugins find it where npm has put it.
 */
export async function build(): Promise<void> {
  rmSync(dist, { recursive: true, force: true });
  const vendored = new Set<string>();
  const shared = {
    absWorkingDir: root,
    bundle: true,
    platform: 'node' as const,
    target: 'node22.13',
    metafile: true as const,
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none' as const,
    logLevel: 'warning' as const,
  } satisfies BuildOptions;
  const code = await esbuild({
    ...shared,
    entryPoints: [
      'src/index.ts',
      'src/cli/start.ts',
      'src/workspace/watchdog-main.ts',
      'src/workspace/check-thread-main.ts',
      ...globSync('src/commands/**/*.ts', { cwd: root }),
    ],
    outbase: 'src',
    outdir: dist,
    format: 'esm',
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    // What oclif would like to have for sources that are not built.
    external: ['typescript', 'ts-node', 'tsx'],
    plugins: [vendorRequired(vendored), requiredLate],
    // The version of Node has been looked at before.
    define: {
      'process.env.OCLIF_DISABLE_ENGINE_WARNING': '"1"',
      'process.env.WF_BUILD': `"${sourcesDigest()}"`,
    },
    // What is CommonJS inside of a bundle asks for Node's own modules with `require`.
    banner: {
      js: "import{createRequire as $createRequire}from'node:module';const require=$createRequire(import.meta.url);",
    },
  });
  const vendor = await esbuild({
    ...shared,
    entryPoints: [...vendored].map((specifier) => ({ in: specifier, out: vendorName(specifier) })),
    outdir: join(dist, 'vendor'),
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
  });
  const wasm = ['web-tree-sitter/web-tree-sitter.wasm', 'tree-sitter-bash/tree-sitter-bash.wasm'];
  for (const file of wasm) {
    copyFileSync(join(root, 'node_modules', file), join(dist, file.slice(file.lastIndexOf('/') + 1)));
  }
  writeLicences([code.metafile, vendor.metafile], wasm);
  writeTypes();
  await writeManifest();
}

/** Names all that a build is made of: what one build remembers, another does not believe. */
function sourcesDigest(): string {
  const hash = createHash('sha256');
  for (const file of ['package-lock.json', ...globSync('{src,schemas}/**/*.*', { cwd: root }).sort()]) {
    hash.update(`${file}\0`).update(readFileSync(join(root, file)));
  }
  return hash.digest('hex').slice(0, 16);
}

/**
 * Some packages are large, seldom needed, and asked for in the middle of a computation, so that the sources load them
 * with `createRequire(import.meta.url)('name')`. Such a one becomes a file of its own, found as `#vendor/…` through
 * package.json wherever the chunk that asks for it lies.
 */
function vendorRequired(vendored: Set<string>): Plugin {
  return {
    name: 'vendor-required',
    setup({ onLoad }) {
      onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => {
        const text = readFileSync(path, 'utf8');
        const contents = text.replaceAll(
          /createRequire\(import\.meta\.url\)\(\s*'([^'.][^']*)',?\s*\)/g,
          (_, specifier: string) => {
            vendored.add(specifier);
            return `createRequire(import.meta.url)('#vendor/${vendorName(specifier)}')`;
          },
        );
        return { contents, loader: 'ts' };
      });
    },
  };
}

function vendorName(specifier: string): string {
  return specifier.replaceAll('/', '-').replace('@', '').replace(/\.js$/, '');
}

/**
 * Lets oclif require what it needs when it needs it: a command that only parses its flags then goes without help,
 * plugins, globs and spinners, which are 19 of the 26 ms that its import costs. Its files are what the TypeScript compiler
 * makes of imports: `const name_1 = require('…');`, and `name_1.something` wherever it is used.
 */
const requiredLate: Plugin = {
  name: 'required-late',
  setup({ onLoad }) {
    onLoad({ filter: /\/@oclif\/core\/lib\/.*\.js$/ }, ({ path }) => {
      const names: string[] = [];
      const text = readFileSync(path, 'utf8').replace(
        /^(?:const|var) (\w+_1) = ((?:__import\w+\()?require\("[^"]+"\)\)?);$/gm,
        (_, name: string, required: string) => {
          names.push(name);
          return `let $${name}; const get_${name} = () => ($${name} ??= ${required});`;
        },
      );
      const used = new RegExp(`(?<![\\w$])(?:${names.join('|')})(?!\\w)`, 'g');
      return { contents: names.length === 0 ? text : text.replace(used, '(get_$&())'), loader: 'js' };
    });
  },
};

/** The licences of what is bundled ask to come along. */
function writeLicences(metafiles: readonly Metafile[], others: readonly string[]): void {
  const files = [
    ...metafiles.flatMap(({ inputs }) => Object.keys(inputs)),
    ...others.map((file) => `node_modules/${file}`),
  ];
  const packages = new Set(
    files.flatMap((file) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []),
  );
  const texts = [...packages].sort().map((name) => {
    const folder = join(root, 'node_modules', name);
    const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      readonly version: string;
      readonly license?: string;
    };
    const [file] = globSync('{LICENSE,LICENCE,license,licence,COPYING}*', { cwd: folder });
    const text =
      file === undefined ? `Licence: ${license ?? 'not told'}` : readFileSync(join(folder, file), 'utf8');
    return `${name} ${version}\n\n${text.trim()}\n`;
  });
  writeFileSync(join(dist, 'third-party-licences.txt'), texts.join(`\n${'-'.repeat(80)}\n\n`));
}

/** The types of the library's public names and of what they mention, and no others. */
function writeTypes(): void {
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', 'tsconfig.types.json'], { cwd: root, stdio: 'inherit' });
  const types = join(dist, 'types');
  const mentioned = new Set<string>();
  const visit = (file: string): void => {
    if (mentioned.has(file)) return;
    mentioned.add(file);
    for (const [, specifier = ''] of readFileSync(file, 'utf8').matchAll(
      /^(?:im|ex)port .*from '(.*)';$/gm,
    )) {
      if (!specifier.startsWith('.')) throw new Error(`${file} needs ${specifier}, which users do not have`);
      visit(join(dirname(file), specifier.replace(/\.ts$/, '.d.ts')));
    }
  };
  visit(join(types, 'index.d.ts'));
  for (const name of globSync('**/*.d.ts', { cwd: types })) {
    if (!mentioned.has(join(types, name))) rmSync(join(types, name));
  }
}

/** What `oclif manifest` does; the package of that name would bring 120 others. */
async function writeManifest(): Promise<void> {
  const plugin = new OclifPlugin({
    root,
    type: 'core',
    ignoreManifest: true,
    errorOnManifestCreate: true,
    respectNoCacheDefault: true,
  });
  await plugin.load();
  writeFileSync(join(root, 'oclif.manifest.json'), JSON.stringify(plugin.manifest));
}
