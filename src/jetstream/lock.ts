/**
 * One apply at a time per environment. The lock is the last message on `circl.sync.lock`: whoever replaces it (compare and
 * set by its sequence) holds it for the time it names, and renews it meanwhile. A job that died lets go by itself. Whether a
 * lock has run out is between two times of the server that leads the stream, when it stored the message and when it is asked:
 * the clocks of two machines that apply may be minutes apart. A holder counts what has passed since it asked, which is never
 * less.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { ApiError, ConnectionFailure, type Writer } from "./api.ts";

/** Declared in streams/sync.ts. */
export const LOCK_STREAM = "circl_lock";
const SUBJECT = "circl.sync.lock";
/** Milliseconds. */
export interface Pace {
  /** Until a lock that nobody renews is free. */
  readonly lifetime: number;
  /** Between renewals. */
  readonly renewal: number;
  /** Behind a renewal that failed. */
  readonly retry: number;
}
const PACE: Pace = { lifetime: 120_000, renewal: 30_000, retry: 2_000 };
/** wrong last sequence; what replicated streams say instead while a rival's message is on its way. No message found. */
const MOVED = [10071, 10164];
const NO_MESSAGE = 10037;
const NO_STREAM = 10059;

interface Entry {
  /** `alice@laptop`, or the run of a pipeline. */
  readonly holder: string;
  readonly since: string;
  /** Milliseconds from when the server stored it; 0 once it is released. */
  readonly lifetime?: number;
}

/** Somebody else applies now, or there is nothing to lock with. */
export class LockHeld extends Error {
  override readonly name = "LockHeld";
}

/** Whoever waited for the lock was told to stop. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

export interface Lock extends AsyncDisposable {
  /** Why somebody else may hold it by now, so that no further change may begin; undefined while it is held. */
  readonly lost: () => string | undefined;
}

export interface Waiting {
  /** Milliseconds to wait for another holder. */
  readonly wait: number;
  /** Asked while it waits: true ends that. */
  readonly interrupted?: () => boolean;
  /** Told who holds it, each time that is somebody else. */
  readonly waits?: (says: string) => void;
  readonly pace?: Pace;
}

/**
 * @param holder who applies, for those who wait
 * @throws LockHeld with the holder's name, since when and until when; Interrupted
 */
export async function acquireLock(writer: Writer, holder: string, waiting: Waiting): Promise<Lock> {
  const { wait, interrupted = () => false, waits = () => {}, pace = PACE } = waiting;
  let told = "";
  const owner = { holder, since: new Date().toISOString() };
  for (const waited = stopwatch(); !interrupted(); await sleep(250)) {
    const current = await read(writer);
    if (!current.entry || (await serverTime(writer)) >= current.ends) {
      const asked = stopwatch();
      const entry = { ...owner, lifetime: pace.lifetime };
      const sequence = await replace(writer, current.sequence, entry).catch(unlessPassing);
      if (sequence !== undefined) return hold(writer, { sequence, asked }, owner, pace);
    } else if (waited() >= wait) throw held(current.entry, current.ends);
    else {
      const says = `waiting for ${current.entry.holder}, who applies since ${current.entry.since}; Ctrl-C ends the wait`;
      if (says !== told) waits(says);
      told = says;
    }
  }
  throw new Interrupted(`interrupted while ${holder} waited for the lock`);
}

const held = ({ holder, since }: Entry, ends: number): LockHeld =>
  new LockHeld(
    `${holder} applies since ${since}. Wait with --lock-timeout; if that run is dead, its lock is free at ${iso(ends)}, by the servers' clock.`,
  );

/** Milliseconds that have passed since: a clock that was set back hides none, and neither does a machine that slept. */
function stopwatch(): () => number {
  const [steady, wall] = [performance.now(), Date.now()];
  return () => Math.max(performance.now() - steady, Date.now() - wall);
}

/** Milliseconds since 1970 by the server that leads the lock's stream, which also wrote the times of its messages. */
async function serverTime(writer: Writer): Promise<number> {
  const { ts } = await writer.read<{ readonly ts: string }>("STREAM.INFO", [LOCK_STREAM]);
  return Date.parse(ts);
}

function hold(
  writer: Writer,
  first: { readonly sequence: number; readonly asked: () => number },
  owner: Omit<Entry, "lifetime">,
  { lifetime, renewal, retry }: Pace,
): Lock {
  let { sequence, asked } = first;
  let taken: string | undefined;
  let failure = "";
  const put = async (time: number): Promise<void> => {
    while (taken === undefined) {
      const since = stopwatch();
      const next = await replace(writer, sequence, { ...owner, lifetime: time });
      if (next !== undefined) {
        sequence = next;
        asked = since;
        return;
      }
      // A renewal that was given up may have arrived late: then the newer entry is ours too.
      const { entry, sequence: newer } = await read(writer);
      if (entry?.holder !== owner.holder || entry.since !== owner.since) taken = entry?.holder ?? "somebody";
      else sequence = newer;
    }
  };
  const ended = new AbortController();
  const renew = async (): Promise<void> => {
    for (let pause = renewal; ; ) {
      await sleep(pause, undefined, { signal: ended.signal }).catch(() => undefined);
      if (ended.signal.aborted || taken !== undefined) return;
      pause = await put(lifetime).then(
        () => renewal,
        (error: Error) => {
          failure = error.message;
          return retry;
        },
      );
    }
  };
  const renewing = renew();
  return {
    lost: () => {
      if (taken !== undefined) return `${taken} has it now`;
      if (asked() < lifetime) return undefined;
      return `it could not be renewed within ${lifetime / 1000} s: ${failure || "no answer"}`;
    },
    async [Symbol.asyncDispose]() {
      ended.abort();
      // One in flight would hold it again behind the release.
      await renewing;
      // A release that fails hides nothing of what was applied: the lock is free when its time is over.
      await put(0).catch(() => undefined);
    },
  };
}

interface Current {
  readonly sequence: number;
  readonly entry?: Entry;
  /** Milliseconds since 1970, by the servers' clock. */
  readonly ends: number;
}

async function read(writer: Writer): Promise<Current> {
  type Stored = { readonly seq: number; readonly time: string; readonly data?: string };
  try {
    const { message } = await writer.read<{ readonly message: Stored }>("STREAM.MSG.GET", [LOCK_STREAM], {
      last_by_subj: SUBJECT,
    });
    const entry: Entry = JSON.parse(Buffer.from(message.data ?? "", "base64").toString());
    // One without a lifetime was written by an older version.
    return { sequence: message.seq, entry, ends: Date.parse(message.time) + (entry.lifetime ?? PACE.lifetime) };
  } catch (error) {
    if (error instanceof ApiError && error.errCode === NO_MESSAGE) return { sequence: 0, ends: 0 };
    if (error instanceof ApiError && error.errCode === NO_STREAM) {
      throw new LockHeld(
        `there is no stream ${LOCK_STREAM} to lock with. Apply without --target once: it is declared in streams/sync.ts.`,
      );
    }
    throw error;
  }
}

/** The new sequence; undefined where another entry is there. @throws what the client says where the message was lost */
async function replace(writer: Writer, last: number, entry: Entry): Promise<number | undefined> {
  try {
    return await writer.publishAfter(SUBJECT, JSON.stringify(entry), last);
  } catch (error) {
    if (error instanceof ApiError && MOVED.includes(error.errCode)) return undefined;
    if (!(error instanceof ConnectionFailure) || !error.passing) throw error;
    // The answer was lost, perhaps not the message: whose entry is there now?
    const now = await read(writer);
    if (now.sequence === last) throw error;
    return JSON.stringify(now.entry) === JSON.stringify(entry) ? now.sequence : undefined;
  }
}

const unlessPassing = (error: unknown): undefined => {
  if (!(error instanceof ConnectionFailure) || !error.passing) throw error;
};

const iso = (time: number): string => new Date(time).toISOString();
