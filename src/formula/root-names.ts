/**
 * The names that mean the same at any depth of a template or expression, whether or not they are in scope where it
 * stands, each with where that is. A block parameter or a macro's variable cannot take one of them.
 */
export const rootNames: ReadonlyMap<string, string> = new Map([
  ['inputs', 'in formulas and molecules'],
  ['steps', 'in formulas; a molecule reads only what it is given as `inputs`'],
  ['item', 'in a step with `for_each`'],
  ['index', 'in a step with `for_each`'],
  ['previous', 'in a step with `repeat`'],
  ['run', 'in formulas and molecules'],
  ['profile', 'in formulas and molecules'],
  ['outputs', 'after the action, in `verify` and `until`; elsewhere read `steps.<id>.outputs`'],
  ['event', 'in `match` and `pass` of an event'],
  ['score', 'in `pass` of a judge'],
  ['verdict', 'in `pass` of a judge'],
  ['target', 'in aspects'],
  // What a plan writes for the `inputs` of the formula around a molecule; no author does.
  ['caller', 'in plans'],
  // And for the `steps` that stand beside it in its aspect.
  ['beside', 'in plans'],
]);
