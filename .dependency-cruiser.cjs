/**
 * The layers of `src/`, from top to bottom: imports point down this list, those on one line do not know each other. Not
 * every one has come yet.
 */
const layers = [
  ['commands'],
  ['cli'],
  ['dashboard'],
  ['server'],
  ['lsp'],
  ['testing'],
  ['evals'],
  ['distill'],
  ['importers'],
  ['runner'],
  ['agents', 'gateway', 'catalog'],
  ['workspace'],
  ['journal'],
  ['plan'],
  ['checks'],
  ['formula'],
  ['schema'],
  ['source'],
  ['diagnostics'],
  ['support'],
];

/** Each outside package has one home, so that changing it touches one folder. */
const homes = {
  '@anthropic-ai/sdk': ['agents'],
  '@dagrejs/dagre': ['cli'],
  '@oclif/core': ['cli', 'commands'],
  diff: ['cli'],
  chokidar: ['workspace'],
  'log-update': ['cli'],
  sarif: ['cli'],
  '@types/sarif': ['cli'],
  canonicalize: ['support'],
  '@marcbachmann/cel-js': ['formula'],
  'gpt-tokenizer': ['formula'],
  handlebars: ['formula'],
  re2js: ['formula'],
  'web-tree-sitter': ['formula'],
  'vscode-languageserver': ['lsp'],
  'vscode-languageserver-textdocument': ['lsp'],
  ajv: ['schema'],
  'ajv-formats': ['schema'],
  'js-yaml': ['source'],
  yaml: ['source'],
  picomatch: ['support'],
  ulid: ['support'],
};

const folders = (names) => `^src/(${names.join('|')})/`;

module.exports = {
  forbidden: [
    ...layers.flatMap((layer, index) => {
      const above = layers.slice(0, index).flat();
      return layer.map((name) => ({
        name: `${name}-imports-down`,
        severity: 'error',
        from: { path: folders([name]) },
        to: { path: folders([...above, ...layer.filter((peer) => peer !== name)]) },
      }));
    }),
    {
      name: 'index-is-for-others',
      comment: 'The public names are for programs that use the library.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^src/index\\.ts$' },
    },
    {
      name: 'known-folders',
      comment: 'A new folder gets its place in the list of layers.',
      severity: 'error',
      from: { path: '^src/(?!index\\.ts$)', pathNot: folders(layers.flat()) },
      to: {},
    },
    ...Object.entries(homes).map(([name, home]) => ({
      name: `home-of-${name}`,
      severity: 'error',
      from: { path: '^src/', pathNot: folders(home) },
      to: { path: `node_modules/${name}/` },
    })),
    {
      name: 'home-of-every-package',
      comment: 'A new package gets its home in the list above.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: 'node_modules/', pathNot: `node_modules/(${Object.keys(homes).join('|')}|@types/node)/` },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};

// For the diagram in docs/architecture.md; not enumerable, since dependency-cruiser knows all its keys.
Object.defineProperty(module.exports, 'layers', { value: layers });
