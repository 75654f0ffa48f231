/**
 * One apply at a time per environment. The lock is the last message on `circl.sync.lock`: whoever replaces it (compare and
 * set by its sequence) holds it until the time it names, and renews it meanwhile. A job that died lets go by itself.
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
  /** In the past once it is released. */
  readonly until: string;
}

/** Somebody else applies now, or there is nothing to lock with. */
export class LockHeld extends Error {
  override readonly name = "LockHeld";
}

export interface Lock extends AsyncDisposable {
  /** Why somebody else may hold it by now, so that no further change may begin; undefined while it is held. */
  readonly lost: () => string | undefined;
}

/**
 * @param holder who applies, for those who wait
 * @param wait milliseconds to wait for another holder
 * @throws LockHeld with the holder's name, since when and until when
 */
export async function acquireLock(writer: Writer, holder: string, wait: number, pace = PACE): Promise<Lock> {
  const deadline = Date.now() + wait;
  const since = new Date().toISOString();
  for (;;) {
    const current = await read(writer);
    if (!current.entry || Date.parse(current.entry.until) <= Date.now()) {
      const until = Date.now() + pace.lifetime;
      const entry = { holder, since, until: iso(until) };
      const sequence = await replace(writer, current.sequence, entry).catch(unlessPassing);
      if (sequence !== undefined) return hold(writer, { sequence, until }, { holder, since }, pace);
    } else if (Date.now() >= deadline) throw held(current.entry);
    await sleep(250);
  }
}

const held = ({ holder, since, until }: Entry): LockHeld =>
  new LockHeld(
    `${holder} applies since ${since}. Wait with --lock-timeout; if that run is dead, its lock is free at ${until}.`,
  );

function hold(
  writer: Writer,
  first: { readonly sequence: number; readonly until: number },
  owner: Omit<Entry, "until">,
  { lifetime, renewal, retry }: Pace,
): Lock {
  let { sequence, until } = first;
  let taken: string | undefined;
  let failure = "";
  const put = async (end: number): Promise<void> => {
    while (taken === undefined) {
      const next = await replace(writer, sequence, { ...owner, until: iso(end) });
      if (next !== undefined) {
        sequence = next;
        until = end;
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
      pause = await put(Date.now() + lifetime).then(
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
      return Date.now() > until ? `it could not be renewed until ${iso(until)}: ${failure || "no answer"}` : undefined;
    },
    async [Symbol.asyncDispose]() {
      ended.abort();
      // One in flight would hold it again behind the release.
      await renewing;
      // A release that fails hides nothing of what was applied: the lock is free when its time is over.
      await put(Date.now()).catch(() => undefined);
    },
  };
}

async function read(writer: Writer): Promise<{ readonly sequence: number; readonly entry?: Entry }> {
  try {
    const { message } = await writer.read<{ readonly message: { readonly seq: number; readonly data?: string } }>(
      "STREAM.MSG.GET",
      [LOCK_STREAM],
      { last_by_subj: SUBJECT },
    );
    return { sequence: message.seq, entry: JSON.parse(Buffer.from(message.data ?? "", "base64").toString()) };
  } catch (error) {
    if (error instanceof ApiError && error.errCode === NO_MESSAGE) return { sequence: 0 };
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
