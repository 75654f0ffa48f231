/** Which keys of two nats.conf differ, and how the servers take each of them over. */
import { type Reloading, reloadingOf } from "../nats/reload.ts";

export interface ConfChange {
  /** With the blocks it lies in: `cluster.tls.timeout`. */
  readonly key: string;
  readonly from?: string;
  readonly to?: string;
  /** shrinks: a store that is to be smaller, which a reload refuses and a restart takes. */
  readonly taken: Exclude<Reloading, "raise"> | "shrinks";
}

/** Changes between two configurations as our own writer writes them (src/nats/config-file.ts). */
export function confChanges(before: string, after: string): ConfChange[] {
  const [from, to] = [confKeys(before), confKeys(after)];
  return [...new Set([...from.keys(), ...to.keys()])]
    .filter((key) => from.get(key) !== to.get(key))
    .sort()
    .map((key) => change(key, from.get(key), to.get(key)));
}

function change(key: string, from: string | undefined, to: string | undefined): ConfChange {
  const reloading = reloadingOf(key);
  const taken = reloading === "raise" ? raised(from, to) : reloading;
  return { key, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }), taken };
}

const raised = (from: string | undefined, to: string | undefined): ConfChange["taken"] =>
  from === undefined || to === undefined ? "restart" : bytesOf(to) >= bytesOf(from) ? "reload" : "shrinks";

const UNITS: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };

/** Bytes of a size as byteSize() writes it; 0 for what is none, which then counts as a store that shrinks. */
export function bytesOf(size: string): number {
  const [, figure, unit] = /^(\d+)(KiB|MiB|GiB|TiB)?$/.exec(size) ?? [];
  return figure ? Number(figure) * (unit ? (UNITS[unit] ?? 1) : 1) : 0;
}

/** Every key with its value as it is written. A list is one value, an include a key that is named after its file. */
export function confKeys(text: string): Map<string, string> {
  const keys = new Map<string, string>();
  const blocks: string[] = [];
  let list: { readonly key: string; readonly items: string[] } | undefined;
  for (const line of text.split("\n").map((raw) => raw.trim())) {
    if (line === "" || line.startsWith("#")) continue;
    const [, key = "", rest = ""] = /^([\w.]+)(?:\s*:)?\s*(.*)$/.exec(line) ?? [];
    if (list) {
      if (line === "]") {
        keys.set(list.key, `[${list.items.join(" ")}]`);
        list = undefined;
      } else list.items.push(line);
    } else if (line === "}") blocks.pop();
    else if (rest === "{") blocks.push(key);
    else if (rest === "[") list = { key: [...blocks, key].join("."), items: [] };
    else if (key === "include") keys.set([...blocks, `include ${rest}`].join("."), rest);
    else keys.set([...blocks, key].join("."), rest);
  }
  return keys;
}
