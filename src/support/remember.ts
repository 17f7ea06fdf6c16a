/**
 * The function with its results kept by text. It must be pure. At most `most` results are kept; the oldest go first.
 */
export function remember<T>(most: number, compute: (text: string) => T): (text: string) => T {
  const kept = new Map<string, T>();
  return (text) => {
    const known = kept.get(text);
    if (known !== undefined) return known;
    const value = compute(text);
    if (kept.size >= most) {
      const oldest = kept.keys().next();
      if (!oldest.done) kept.delete(oldest.value);
    }
    kept.set(text, value);
    return value;
  };
}
