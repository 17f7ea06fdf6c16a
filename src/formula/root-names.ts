/**
 * The names that mean the same at any depth of a template or expression, whether or not they are in scope where it
 * stands. A block parameter or a macro's variable cannot take one of them.
 */
export const rootNames: ReadonlySet<string> = new Set([
  'inputs',
  'steps',
  'item',
  'index',
  'previous',
  'run',
  'profile',
  'outputs',
  'event',
  'score',
  'verdict',
  'target',
  // What a plan writes for the `inputs` of the formula around a molecule.
  'caller',
]);
