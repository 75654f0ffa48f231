/**
 * One apply at a time per environment. The lock is the last message on `circl.sync.lock`: whoever replaces it (compare and
 * set by its sequence) holds it until the time it names, and renews it meanwhile. A job that died lets go by itself.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { ApiError, ConnectionFailure, type Writer } from "./api.ts";

/** Declared in streams/sync.ts. */
export const LOCK_STREAM = "circl_lock";
const SUBJECT = "circl.sync.lock";
/** Milliseconds until a lock that nobody renews is free, and between renewals. */
const LIFETIME = 120_000;
const RENEWAL = 30_000;
/** wrong last sequence; no message found. */
const MOVED = 10071;
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
  /** True once a renewal failed: somebody else may hold it, so no further change may begin. */
  readonly lost: () => boolean;
}

/**
 * @param holder who applies, for those who wait
 * @param wait milliseconds to wait for another holder
 * @throws LockHeld with the holder's name, since when and until when
 */
export async function acquireLock(writer: Writer, holder: string, wait: number): Promise<Lock> {
  const deadline = Date.now() + wait;
  const since = new Date().toISOString();
  for (;;) {
    const current = await read(writer);
    if (!current.entry || Date.parse(current.entry.until) <= Date.now()) {
      const sequence = await replace(writer, current.sequence, { holder, since, until: soon() });
      if (sequence !== undefined) return hold(writer, sequence, { holder, since });
    } else if (Date.now() >= deadline) throw held(current.entry);
    await sleep(250);
  }
}

const held = ({ holder, since, until }: Entry): LockHeld =>
  new LockHeld(
    `${holder} applies since ${since}. Wait with --lock-timeout; if that run is dead, its lock is free at ${until}.`,
  );

function hold(writer: Writer, first: number, owner: Omit<Entry, "until">): Lock {
  let sequence: number | undefined = first;
  const put = async (until: string): Promise<void> => {
    if (sequence !== undefined) sequence = await replace(writer, sequence, { ...owner, until });
  };
  const timer = setInterval(() => {
    put(soon()).catch(() => {
      sequence = undefined;
    });
  }, RENEWAL);
  return {
    lost: () => sequence === undefined,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      // A release that fails hides nothing of what was applied: the lock is free when its time is over.
      await put(new Date().toISOString()).catch(() => undefined);
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

/** The new sequence; undefined where somebody was faster, or the message was lost. */
async function replace(writer: Writer, last: number, entry: Entry): Promise<number | undefined> {
  try {
    return await writer.publishAfter(SUBJECT, JSON.stringify(entry), last);
  } catch (error) {
    if (error instanceof ApiError && error.errCode === MOVED) return undefined;
    if (!(error instanceof ConnectionFailure) || !error.passing) throw error;
    // The answer was lost, perhaps not the message: whose entry is there now?
    const now = await read(writer);
    return JSON.stringify(now.entry) === JSON.stringify(entry) ? now.sequence : undefined;
  }
}

const soon = (): string => new Date(Date.now() + LIFETIME).toISOString();
