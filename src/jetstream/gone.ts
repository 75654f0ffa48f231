/** Whether a delete has happened: an answer is no proof, since what is meant to be gone may be listed still. */
import { setTimeout as sleep } from "node:timers/promises";
import { ApiError, ConnectionFailure, type Reader } from "./api.ts";

/**
 * Milliseconds for a group to elect its leader (raft.go, maxElectionTimeout is 9 s): what has none for a moment is not away, and what
 * a new meta leader does not know of yet is not gone.
 */
export const ELECTION = 10_000;

/** Stream or consumer not found. */
export const isNotFound = (error: unknown): boolean =>
  error instanceof ApiError && [10059, 10014].includes(error.errCode);

export interface Deleted {
  readonly name: string;
  readonly stream: string;
  /** Missing where the stream itself was deleted. */
  readonly consumer?: string;
}

/**
 * Asks until nobody knows the asset any more.
 * @param end milliseconds since 1970
 * @returns an error where it is there at the end, or where nobody can say
 */
export async function stillThere(
  { name, stream, consumer }: Deleted,
  reader: Reader,
  end: number,
): Promise<Error | undefined> {
  const verb = consumer === undefined ? "STREAM.INFO" : "CONSUMER.INFO";
  const names = consumer === undefined ? [stream] : [stream, consumer];
  for (let pause = 25; ; pause = Math.min(pause * 2, 500)) {
    try {
      await reader.read(verb, names);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      const passes = error instanceof ApiError || (error instanceof ConnectionFailure && error.passing);
      if (!passes || Date.now() > end) return unseen(name, error as Error);
    }
    if (Date.now() > end) {
      return new Error(
        `${name} was deleted, says the server, and is still there. Plan again: it may have been created anew.`,
      );
    }
    await sleep(pause);
  }
}

const unseen = (name: string, cause: Error): Error =>
  new Error(`${name} was deleted, says the server, but whether it is gone cannot be read: ${cause.message}`, { cause });
