/** Sets of message numbers, which are nearly all of a range: as text they stay short. */

/** `0-41,43` for everything up to 43 without 42. */
export function formatIds(ids: ReadonlySet<number>): string {
  const sorted = [...ids].sort((a, b) => a - b);
  const ranges: [number, number][] = [];
  for (const id of sorted) {
    const last = ranges.at(-1);
    if (last && last[1] === id - 1) last[1] = id;
    else ranges.push([id, id]);
  }
  return ranges.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(",");
}

/** @throws Error for text that `formatIds` has not written */
export function parseIds(text: string): ReadonlySet<number> {
  const ids = new Set<number>();
  for (const range of text.split(",").filter((part) => part !== "")) {
    const [, from, to = from] = /^(\d+)(?:-(\d+))?$/.exec(range) ?? [];
    if (from === undefined) throw new Error(`"${range}" is no range of message numbers`);
    for (let id = Number(from); id <= Number(to); id++) ids.add(id);
  }
  return ids;
}
