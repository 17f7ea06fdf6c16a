import type { DocumentSymbol } from 'vscode-languageserver/node';
import { SymbolKind } from 'vscode-languageserver/node';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { Span } from '../diagnostics/diagnostic.ts';
import { parseYaml } from '../source/parse-yaml.ts';
import type { SourceEntry, SourceNode, SourceScalar } from '../source/source-document.ts';

/** What a file consists of, for an outline: its keys, and below them its steps by id, its inputs and its outputs. */
export function symbolsOf(document: TextDocument): DocumentSymbol[] {
  const { root, repaired } = parseYaml(document.uri, document.getText());
  const tree = root ?? repaired;
  if (tree?.kind !== 'map') return [];
  const rangeOf = (start: number, end: number) => ({
    start: document.positionAt(start),
    end: document.positionAt(end),
  });
  const symbol = (
    { key, whole }: { readonly key: SourceScalar; readonly whole: Span },
    kind: SymbolKind,
    children: DocumentSymbol[] = [],
  ): DocumentSymbol => ({
    // A symbol without a name is refused by editors.
    name: String(key.value) || '""',
    kind,
    range: rangeOf(Math.min(whole.start, key.span.start), Math.max(whole.end, key.span.end)),
    selectionRange: rangeOf(key.span.start, key.span.end),
    ...(children.length > 0 && { children }),
  });
  const entrySymbol = ({ key, value }: SourceEntry, kind: SymbolKind, children?: DocumentSymbol[]) =>
    symbol({ key, whole: value.span }, kind, children);

  const below = (key: string, value: SourceNode): DocumentSymbol[] => {
    if ((key === 'inputs' || key === 'outputs') && value.kind === 'map')
      return value.entries.map((entry) => entrySymbol(entry, SymbolKind.Variable));
    if ((key !== 'steps' && key !== 'finally') || value.kind !== 'list') return [];
    return value.items.flatMap((step) => {
      const id = step.kind === 'map' ? step.get('id')?.value : undefined;
      return id?.kind === 'scalar' ? [symbol({ key: id, whole: step.span }, SymbolKind.Function)] : [];
    });
  };
  return tree.entries.map((entry) =>
    entrySymbol(entry, SymbolKind.Property, below(String(entry.key.value), entry.value)),
  );
}
