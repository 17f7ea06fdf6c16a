/** An expression that cannot be evaluated with the values there are. The message is in the author's names. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
}
