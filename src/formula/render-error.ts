/** A template that cannot be rendered with the values there are. The message is in the author's names. */
export class RenderError extends Error {
  override readonly name = 'RenderError';
}
