import { createHash } from 'node:crypto';

/** The most characters that the name of a tool may have on the wire. */
const LONGEST = 64;

/**
 * Names under which a model is told of some tools, by `server/tool`: `[a-zA-Z0-9_-]`, at most 64 characters, no two alike, and
 * the same whenever the tools are. A tool keeps its own name where that is clear; else its server's name comes before it.
 *
 * @param taken names that are ours
 */
export function wireNames(
  tools: readonly { readonly server: string; readonly name: string }[],
  taken: readonly string[] = [],
): ReadonlyMap<string, string> {
  const plain = (text: string) => text.replace(/[^a-zA-Z0-9_-]/g, '_');
  const count = new Map<string, number>();
  for (const { name } of tools) count.set(plain(name), (count.get(plain(name)) ?? 0) + 1);
  const used = new Set(taken);
  const names = new Map<string, string>();
  // Those that keep their own name come first, so that nobody else takes it.
  const isClear = ({ name }: { readonly name: string }) =>
    count.get(plain(name)) === 1 && plain(name).length <= LONGEST && !taken.includes(plain(name));
  for (const { server, name } of [...tools.filter(isClear), ...tools.filter((tool) => !isClear(tool))]) {
    const whole = `${server}/${name}`;
    const wanted = isClear({ name }) ? plain(name) : `${plain(server)}_${plain(name)}`;
    const fits = wanted.length <= LONGEST && !used.has(wanted);
    const wire = fits ? wanted : `${wanted.slice(0, LONGEST - 9)}_${shortDigest(whole)}`;
    used.add(wire);
    names.set(whole, wire);
  }
  return names;
}

function shortDigest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
