/** For each node, which has its targets as ancestors, all of its ancestors as a bit set. The graph has no cycle. */
export function ancestorsOf(edges: readonly (readonly number[])[]): readonly Uint32Array[] {
  const words = Math.ceil(edges.length / 32);
  const sets: (Uint32Array | undefined)[] = edges.map(() => undefined);
  for (let root = 0; root < edges.length; root++) {
    const stack = [root];
    for (let node = stack.at(-1); node !== undefined; node = stack.at(-1)) {
      if (sets[node]) {
        stack.pop();
        continue;
      }
      const targets = edges[node] ?? [];
      const missing = targets.filter((target) => !sets[target]);
      if (missing.length > 0) {
        for (const target of missing) stack.push(target);
        continue;
      }
      const set = new Uint32Array(words);
      for (const target of targets) {
        const other = sets[target] as Uint32Array;
        for (let word = 0; word < words; word++) set[word] = (set[word] ?? 0) | (other[word] ?? 0);
        set[target >>> 5] = (set[target >>> 5] ?? 0) | (1 << (target & 31));
      }
      sets[node] = set;
      stack.pop();
    }
  }
  return sets as Uint32Array[];
}

/** Whether one node is an ancestor of another. */
export function has(ancestors: readonly Uint32Array[], before: number, step: number): boolean {
  return (((ancestors[step]?.[before >>> 5] ?? 0) >>> (before & 31)) & 1) === 1;
}
