import commonSchema from '../../schemas/common.schema.json' with { type: 'json' };
import aspectSchema from '../../schemas/aspect.schema.json' with { type: 'json' };
import formulaSchema from '../../schemas/formula.schema.json' with { type: 'json' };
import moleculeSchema from '../../schemas/molecule.schema.json' with { type: 'json' };
import lockSchema from '../../schemas/lock.schema.json' with { type: 'json' };
import projectSchema from '../../schemas/project.schema.json' with { type: 'json' };
import testSchema from '../../schemas/test.schema.json' with { type: 'json' };
import type { Finding } from '../diagnostics/diagnostic.ts';
import type { SourceDocument } from '../source/source-document.ts';
import { SchemaWalker, type WalkedSchema } from './schema-walker.ts';

/** The kinds of files that have a schema of ours. */
export type DocumentKind = 'formula' | 'molecule' | 'aspect' | 'project' | 'test' | 'lock';

/** Our schemas, by the kind of file that they are for; `common` is what they share. */
export const schemaDocuments: Readonly<Record<DocumentKind | 'common', WalkedSchema>> = {
  common: commonSchema as WalkedSchema,
  aspect: aspectSchema as WalkedSchema,
  formula: formulaSchema as WalkedSchema,
  molecule: moleculeSchema as WalkedSchema,
  lock: lockSchema as WalkedSchema,
  project: projectSchema as WalkedSchema,
  test: testSchema as WalkedSchema,
};

/** What messages call a file as a whole. */
const NAMES: Readonly<Record<DocumentKind, string>> = {
  aspect: 'the aspect',
  formula: 'the formula',
  lock: 'wf.lock',
  molecule: 'the molecule',
  project: 'wf.yaml',
  test: 'the file of tests',
};

/**
 * What in a file is not as its schema in `schemas/` says, each told at the smallest thing to edit. The JSON Schemas of
 * its inputs and outputs are checked too. A file that does not parse is looked at as far as it could be repaired; a place
 * that an error of parsing covers gives nothing here, since that was told already.
 */
export function validateDocument(document: SourceDocument, kind: DocumentKind): Finding[] {
  const errors = document.findings.filter((finding) => finding.severity === 'error');
  const root = document.root ?? document.repaired;
  if (root === undefined) {
    // A project needs no settings.
    return errors.length > 0 || kind === 'project' ? [] : [emptyFile(document.file, kind)];
  }
  const walker = new SchemaWalker(document.text, schemaDocuments[kind], {
    'common.schema.json': schemaDocuments.common,
    'formula.schema.json': schemaDocuments.formula,
  });
  return walker
    .walk(root, NAMES[kind])
    .filter(
      ({ span }) => !errors.some((error) => error.span.start <= span.start && span.end <= error.span.end),
    );
}

function emptyFile(file: string, kind: DocumentKind): Finding {
  const held = kind === 'test' ? 'tests' : kind === 'lock' ? 'what imports are pinned to' : `a ${kind}`;
  return {
    rule: 'empty-file',
    severity: 'error',
    message: `the file is empty, but should hold ${held}`,
    help:
      kind === 'lock'
        ? 'run `wf lock`, which writes it'
        : `begin with "${kind === 'test' ? 'tests:' : `${kind}: <name>`}"`,
    span: { file, start: 0, end: 0 },
  };
}
