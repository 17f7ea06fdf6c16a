/** What one call of a tool came to. A failure is news, not an exception. */
export type ToolOutcome =
  | {
      readonly kind: 'returned';
      /** It went wrong; the model is to know. */
      readonly isError: boolean;
      readonly text: string;
    }
  | { readonly kind: 'cancelled' };
