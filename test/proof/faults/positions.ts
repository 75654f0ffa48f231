/** Tile38's clients while something is broken: one that writes positions and remembers which were answered, and what a server has. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { openTile38, type Tile38 } from "../../../src/connect/tile38.ts";

export const COLLECTION = "fleet";

/** Where a server answers; undefined while there is none. */
export type Address = () => string | undefined;

export interface Writer {
  /** Ids of the positions whose write was answered with OK so far. */
  readonly answered: () => ReadonlySet<string>;
  /** Resolves when so many more were. @throws after three minutes */
  readonly more: (count: number) => Promise<void>;
  /** Longest time without an answer, in milliseconds. */
  readonly longest: () => number;
  /** Ends it. @returns ids of all positions that were answered */
  readonly stop: () => Promise<ReadonlySet<string>>;
}

export interface Login {
  readonly port: number;
  readonly password: string;
}

/** Positions that are on their way at once. */
const PIPELINE = 20;
/** The same where nobody counts how long answers take: few enough to be answered before a command times out. */
const BATCH = 500;

/**
 * A place of its own for each of a million: to replace one of many points in one place Tile38 looks through all of them, and a
 * follower that fetched 150 000 such points again took three minutes in place of two seconds.
 */
const pointOf = (i: number) =>
  ["POINT", `${33 + (i % 1_000) / 1_000}`, `${-112 - Math.floor(i / 1_000) / 1_000}`] as const;

/** A connection to the server at `host`: whoever loses it asks for another. */
export const openTo = (host: string, login: Login): Promise<Tile38> => openTile38({ host, ...login, timeout: 5_000 });

/** Writes one position after the other, each under an id that no other writer has, to whoever leads. */
export function startWriter(leader: Address, login: Login): Writer {
  const answered = new Set<string>();
  // A position of the writer before would else stand for one that was lost.
  const run = randomUUID().slice(0, 8);
  let [writing, next, last, longest] = [true, 0, performance.now(), 0];
  const heard = (): void => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  };
  const write = async (client: Tile38): Promise<void> => {
    const id = `${run}-truck${next++}`;
    if ((await client.call("SET", COLLECTION, id, ...pointOf(next))) !== "OK") return;
    answered.add(id);
    heard();
  };
  const loop = async (): Promise<void> => {
    while (writing) {
      await using client = await openTo(leader() ?? "", login).catch(() => undefined);
      // A write that failed is one that nobody was promised.
      while (client && writing) {
        const ends = await Promise.allSettled(Array.from({ length: PIPELINE }, () => write(client)));
        if (ends.some(({ status }) => status === "rejected")) break;
        await sleep(10);
      }
      if (writing) await sleep(200);
    }
  };
  const ended = loop();
  return {
    answered: () => new Set(answered),
    more: async (count) => {
      const goal = answered.size + count;
      for (const end = Date.now() + 180_000; answered.size < goal; await sleep(100)) {
        if (Date.now() > end) throw new Error(`no ${count} more positions: ${answered.size} of ${goal} are answered`);
      }
    },
    longest: () => longest,
    stop: async () => {
      writing = false;
      await ended;
      return answered;
    },
  };
}

/** Points that nobody asks for, in a collection of their own: what a shrink takes long to write. */
export async function fill(host: string, login: Login, count: number): Promise<void> {
  await using client = await openTo(host, login);
  for (let sent = 0; sent < count; sent += BATCH) {
    const numbers = Array.from({ length: Math.min(BATCH, count - sent) }, (_, i) => sent + i);
    await Promise.all(numbers.map((i) => client.call("SET", "ballast", `point${i}`, ...pointOf(i))));
  }
}

/** Ids of the positions that a server has. @throws where it does not answer */
export async function positionsOn(host: string, login: Login): Promise<ReadonlySet<string>> {
  await using client = await openTo(host, login);
  const [, ids] = (await client.call("SCAN", COLLECTION, "LIMIT", "10000000", "IDS")) as [unknown, string[]];
  return new Set(ids);
}
