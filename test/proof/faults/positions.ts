/** Tile38's clients while something is broken: one that writes positions and remembers which were answered, and what a server has. */
import { setTimeout as sleep } from "node:timers/promises";
import { openTile38, type Tile38 } from "../../../src/connect/tile38.ts";

export const COLLECTION = "fleet";

/** Where a server answers; undefined while there is none. */
export type Address = () => string | undefined;

export interface Writer {
  /** Positions whose write was answered with OK so far. */
  readonly answered: () => number;
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

/** A connection to the server at `host`: whoever loses it asks for another. */
export const openTo = (host: string, login: Login): Promise<Tile38> => openTile38({ host, ...login, timeout: 5_000 });

/** Writes one position after the other, each under an id of its own, to whoever leads. */
export function startWriter(leader: Address, login: Login): Writer {
  const answered = new Set<string>();
  let [writing, next, last, longest] = [true, 0, performance.now(), 0];
  const heard = (): void => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  };
  const write = async (client: Tile38): Promise<void> => {
    const id = `truck${next++}`;
    if ((await client.call("SET", COLLECTION, id, "POINT", "33.5", "-112.1")) !== "OK") return;
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
    answered: () => answered.size,
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

/** Ids of the positions that a server has. @throws where it does not answer */
export async function positionsOn(host: string, login: Login): Promise<ReadonlySet<string>> {
  await using client = await openTo(host, login);
  const [, ids] = (await client.call("SCAN", COLLECTION, "LIMIT", "10000000", "IDS")) as [unknown, string[]];
  return new Set(ids);
}
