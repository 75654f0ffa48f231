/** Tile38's clients while something is broken: one that writes positions and remembers which were answered, and what a server has. */
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";

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

/** A connection that fails at once where it cannot be had: whoever wants another asks again. */
export async function openTile38(host: string, { port, password }: Login): Promise<Redis> {
  const redis = new Redis({
    host,
    port,
    lazyConnect: true,
    protocol: 2,
    disableClientInfo: true,
    enableReadyCheck: false,
    connectTimeout: 5_000,
    commandTimeout: 5_000,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  redis.on("error", () => {});
  try {
    await redis.connect();
    await redis.call("AUTH", password);
    return redis;
  } catch (error) {
    redis.disconnect();
    throw error;
  }
}

/** Writes one position after the other, each under an id of its own, to whoever leads. */
export function startWriter(leader: Address, login: Login): Writer {
  const answered = new Set<string>();
  let [writing, next, last, longest] = [true, 0, performance.now(), 0];
  const heard = (): void => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  };
  const write = async (redis: Redis): Promise<void> => {
    const id = `truck${next++}`;
    if ((await redis.call("SET", COLLECTION, id, "POINT", "33.5", "-112.1")) !== "OK") return;
    answered.add(id);
    heard();
  };
  const loop = async (): Promise<void> => {
    while (writing) {
      const redis = await openTile38(leader() ?? "", login).catch(() => undefined);
      // A write that failed is one that nobody was promised.
      while (redis?.status === "ready" && writing) {
        const ends = await Promise.allSettled(Array.from({ length: PIPELINE }, () => write(redis)));
        if (ends.some(({ status }) => status === "rejected")) break;
        await sleep(10);
      }
      redis?.disconnect();
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
  const redis = await openTile38(host, login);
  try {
    const [, ids] = (await redis.call("SCAN", COLLECTION, "LIMIT", "10000000", "IDS")) as [unknown, string[]];
    return new Set(ids);
  } finally {
    redis.disconnect();
  }
}
