/** What became of every message of one route: what was acknowledged, what each reader got, and for how long nothing went. */

export interface Ledger {
  /** The server has confirmed a message to a sender. Times are milliseconds of one clock. */
  readonly acknowledge: (message: number, sender: number, at: number) => void;
  /** An attempt failed. @param reason its code, counted by it */
  readonly fail: (reason: string) => void;
  /** The sender has given a message up. */
  readonly abandon: (message: number) => void;
  /** A reader got a message, stored under a sequence of its stream. */
  readonly deliver: (reader: string, message: number, sequence: number, at: number) => void;
  readonly acknowledged: () => number;
  /** How many acknowledged messages a reader has not got so far. */
  readonly behind: (reader: string) => number;
  /** Pauses since the last lap, or the start; the next one begins at `at`. */
  readonly lap: (at: number) => Lap;
  readonly outcome: () => Outcome;
}

/** Times in milliseconds. */
export interface Lap {
  /** How long it lasted. */
  readonly lasted: number;
  /** Messages that were confirmed in it. */
  readonly acknowledged: number;
  /** Longest time in which no sender had a message confirmed. */
  readonly longest: number;
  /** Sum of such times, where they are longer than the rhythm of the load explains. */
  readonly total: number;
  /** The longest time that one sender had to wait: the others may be connected elsewhere. */
  readonly worstSender: number;
  /** Longest time without a delivery, by reader. */
  readonly readers: Readonly<Record<string, number>>;
}

export interface Outcome {
  readonly acknowledged: number;
  /** Given up by their senders, so nothing was promised. */
  readonly abandoned: number;
  /** Failed attempts by reason; each was followed by another or by giving up. */
  readonly failures: Readonly<Record<string, number>>;
  readonly readers: Readonly<Record<string, Readings>>;
}

export interface Readings {
  /** Acknowledged and never delivered: a defect. */
  readonly lost: readonly number[];
  /** Found under two sequences of one stream: a defect. */
  readonly storedTwice: readonly number[];
  /** Deliveries of a sequence that had been delivered before: allowed, as consumers get messages at least once. */
  readonly redelivered: number;
}

/** Pauses up to here are the load's own rhythm and a busy machine. Milliseconds. */
const RHYTHM = 500;

interface Pause {
  readonly since: number;
  readonly longest: number;
  readonly total: number;
}

interface Reading {
  /** First sequence of each message. */
  readonly sequences: Map<number, number>;
  readonly twice: Set<number>;
  redelivered: number;
  /** Acknowledged messages that have been delivered. */
  done: number;
  pause: Pause;
}

const begin = (at: number): Pause => ({ since: at, longest: 0, total: 0 });

function hear({ since, longest, total }: Pause, at: number): Pause {
  const passed = at - since;
  return { since: at, longest: Math.max(longest, passed), total: total + (passed > RHYTHM ? passed : 0) };
}

/** An empty ledger. @param at when the load starts, which is where the first pauses begin */
export function openLedger(senders: number, readers: readonly string[], at: number): Ledger {
  const acknowledged = new Set<number>();
  const abandoned = new Set<number>();
  const failures = new Map<string, number>();
  let all = begin(at);
  let lapStart = { at, acknowledged: 0 };
  let bySender = Array.from({ length: senders }, () => begin(at));
  const readings = new Map<string, Reading>(
    readers.map((name) => [
      name,
      { sequences: new Map(), twice: new Set(), redelivered: 0, done: 0, pause: begin(at) },
    ]),
  );
  const readingOf = (reader: string): Reading => {
    const found = readings.get(reader);
    if (!found) throw new Error(`no reader ${reader} in this ledger`);
    return found;
  };
  return {
    acknowledge: (message, sender, now) => {
      acknowledged.add(message);
      for (const reading of readings.values()) if (reading.sequences.has(message)) reading.done++;
      all = hear(all, now);
      bySender[sender] = hear(bySender[sender] ?? begin(at), now);
    },
    fail: (reason) => failures.set(reason, (failures.get(reason) ?? 0) + 1),
    abandon: (message) => abandoned.add(message),
    deliver: (reader, message, sequence, now) => {
      const reading = readingOf(reader);
      const before = reading.sequences.get(message);
      if (before === undefined) {
        reading.sequences.set(message, sequence);
        if (acknowledged.has(message)) reading.done++;
      } else if (before === sequence) reading.redelivered++;
      else reading.twice.add(message);
      reading.pause = hear(reading.pause, now);
    },
    acknowledged: () => acknowledged.size,
    behind: (reader) => acknowledged.size - readingOf(reader).done,
    lap: (now) => {
      const lap = {
        lasted: now - lapStart.at,
        acknowledged: acknowledged.size - lapStart.acknowledged,
        longest: hear(all, now).longest,
        total: hear(all, now).total,
        worstSender: Math.max(0, ...bySender.map((pause) => hear(pause, now).longest)),
        readers: Object.fromEntries([...readings].map(([name, { pause }]) => [name, hear(pause, now).longest])),
      };
      lapStart = { at: now, acknowledged: acknowledged.size };
      all = begin(now);
      bySender = bySender.map(() => begin(now));
      for (const reading of readings.values()) reading.pause = begin(now);
      return lap;
    },
    outcome: () => ({
      acknowledged: acknowledged.size,
      abandoned: abandoned.size,
      failures: Object.fromEntries(failures),
      readers: Object.fromEntries(
        [...readings].map(([name, { sequences, twice, redelivered }]) => {
          const lost = [...acknowledged].filter((message) => !sequences.has(message));
          return [name, { lost, storedTwice: [...twice], redelivered }];
        }),
      ),
    }),
  };
}
