import eslint from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const noDefaultExport = {
  selector: 'ExportDefaultDeclaration',
  message: 'Export by name; a default export is for oclif, which asks for it.',
};

export default defineConfig(
  { ignores: ['examples', 'dist/**', 'test/fixtures/**'] },
  eslint.configs.recommended,
  {
    // The few lines that an old Node has to be able to run, and configuration.
    files: ['**/*.js', '**/*.cjs'],
    languageOptions: {
      globals: { process: 'readonly', console: 'readonly', URL: 'readonly', module: 'writable' },
    },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/consistent-type-exports': 'error',
      // A new member of a union shows every place to visit; a `default` says that a place is about some of them only.
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { allowDefaultCaseForExhaustiveSwitch: false, considerDefaultExhaustiveForUnions: true },
      ],
      'no-restricted-syntax': ['error', noDefaultExport],

      // Taken less strictly than the presets do, each for what it would cost to read.
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      // `process.env['PATH']` says that it is a name from outside.
      '@typescript-eslint/dot-notation': 'off',
      // What is known to be there says as what: `as Step`, not `!`.
      '@typescript-eslint/non-nullable-type-assertion-style': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Ports are plain objects of functions, and taken apart freely.
      '@typescript-eslint/unbound-method': 'off',
      // It believes that what was true before an `await` still is.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      // `return this.#wrong(…)` tells and leaves; `a !== undefined && a.b` says what is looked at.
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/prefer-optional-chain': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      // Texts are counted in UTF-16 units here and in characters there, and it matters which.
      '@typescript-eslint/no-misused-spread': 'off',
      '@typescript-eslint/prefer-for-of': 'off',
      // What comes from a file must not reach a terminal as it is, which takes naming it.
      'no-control-regex': 'off',
      // What is JSON by its type is a text by its schema.
      '@typescript-eslint/no-base-to-string': 'off',
      // What was caught is thrown on as it is.
      '@typescript-eslint/only-throw-error': ['error', { allowThrowingUnknown: true }],
      '@typescript-eslint/prefer-promise-reject-errors': ['error', { allowThrowingUnknown: true }],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/cli/**', 'src/workspace/**'],
    rules: {
      'no-restricted-properties': [
        'error',
        ...['env', 'cwd', 'chdir'].map((property) => ({
          object: 'process',
          property,
          message: 'What surrounds the process comes in as an argument; it is read in cli/ and workspace/.',
        })),
      ],
    },
  },
  { files: ['src/commands/**/*.ts', '**/*.d.ts', '*.config.ts'], rules: { 'no-restricted-syntax': 'off' } },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      // What must be refused has to be written.
      'no-sparse-arrays': 'off',
      // Expectations are of any type, and a port's method may have nothing to wait for.
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-dynamic-delete': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/use-unknown-in-catch-callback-variable': 'off',
      '@typescript-eslint/no-invalid-void-type': 'off',
    },
  },
);
