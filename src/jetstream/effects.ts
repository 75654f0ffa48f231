/** What a change loses, breaks or makes irreversible, with numbers from live state. Facts: each row measured on 2.10 to 2.15. */

import { canMatch } from "../model/capture.ts";
import type { Model } from "../model/resolve.ts";
import { atLeast, type Version } from "../model/version.ts";
import { formatBytes, formatDuration } from "../units.ts";
import type { StreamInfo } from "./api.ts";
import type { Change, FieldChange } from "./diff.ts";
import type { Observed } from "./observe.ts";

export interface Effect {
  readonly kind: "loses" | "irreversible" | "breaks" | "says";
  readonly says: string;
  /** Messages that go; an estimate where `about`. */
  readonly messages?: number;
  readonly about?: boolean;
}

type StreamUpdate = Extract<Change, { action: "update" }>;
interface Row {
  readonly field: FieldChange;
  readonly change: StreamUpdate;
  readonly info: StreamInfo;
  readonly observed: Observed;
  readonly version: Version;
  /** Now, in nanoseconds since 1970. */
  readonly now: number;
}

const unlimited = (value: unknown): number => (Number(value) > 0 ? Number(value) : Number.POSITIVE_INFINITY);
const target = ({ change }: Row, field: string): unknown => change.config[field];
const loses = (messages: number, says: string, about = false): Effect[] =>
  messages > 0 ? [{ kind: "loses", messages: Math.round(messages), says, about }] : [];
const irreversible =
  (says: string) =>
  (row: Row): Effect[] =>
    row.field.to === true ? [{ kind: "irreversible", says }] : [];

/** With discard "new" the server keeps what is over a new limit and refuses publishes instead (since 2.10.6). */
const overLimit = (row: Row, over: number, says: string, about = false): Effect[] =>
  target(row, "discard") === "new"
    ? over > 0
      ? [{ kind: "breaks", says: "is over the new limit: publishes are refused until it is below" }]
      : []
    : loses(over, says, about);

const ROWS: Readonly<Record<string, (row: Row) => Effect[]>> = {
  max_msgs: (row) =>
    overLimit(row, row.info.state.messages - unlimited(row.field.to), "the oldest messages go at once"),
  max_bytes: (row) => {
    const { bytes, messages } = row.info.state;
    const share = bytes > 0 ? (bytes - unlimited(row.field.to)) / bytes : 0;
    return overLimit(row, Math.max(0, share) * messages, "the oldest messages go at once", true);
  },
  max_age: (row) => {
    const { messages, first_ts } = row.info.state;
    const age = unlimited(row.field.to);
    const oldest = first_ts ? row.now - Date.parse(first_ts) * 1e6 : 0;
    if (messages === 0 || oldest <= age) return [];
    return loses(messages * (1 - age / oldest), `messages older than ${formatDuration(age)} go at once`, true);
  },
  max_msgs_per_subject: (row) => {
    const { messages, num_subjects = 0 } = row.info.state;
    const kept = num_subjects * unlimited(row.field.to);
    const later = Number(row.field.from) <= 0 && !atLeast(row.version, "2.12.10");
    const when = later ? "as subjects are published to, and at the next restart" : "at once";
    return loses(messages - kept, `the oldest of each subject go ${when}`, true);
  },
  discard: (row) => {
    if (row.field.to !== "old") return [];
    const over = row.info.state.messages - unlimited(target(row, "max_msgs"));
    return loses(over, "messages over the limit go at once");
  },
  retention: (row) => {
    if (row.field.to !== "interest") return [];
    const consumers = row.observed.consumers.get(row.info.config.name)?.known ?? [];
    const { messages, first_seq, last_seq } = row.info.state;
    // Without consumers 2.15.1 empties the stream inside the update; others may.
    if (consumers.length === 0) return loses(messages, "no consumer is interested, so everything goes");
    const floors = consumers.map(({ ack_floor, config }) =>
      config.deliver_policy === "all" ? ack_floor.stream_seq : last_seq,
    );
    return loses(Math.min(...floors) - first_seq + 1, "what every consumer has acknowledged goes", true);
  },
  sources: (row) =>
    (row.field.from as readonly { name: string }[]).length > 0
      ? [
          {
            kind: "says",
            says: "a source with another filter starts at the origin's first message: duplicates are possible",
          },
        ]
      : [],
  mirror: () => [
    { kind: "irreversible", says: "the mirror becomes an ordinary stream and cannot become a mirror again" },
  ],
  num_replicas: (row) =>
    Number(row.field.to) === 1
      ? [{ kind: "says", says: "one copy is left: what its server loses is lost" }]
      : [{ kind: "says", says: "data is copied between servers; it is done when all replicas are current" }],
  compression: () => [{ kind: "says", says: "new blocks only, and only after the server restarts" }],
  sealed: irreversible("the stream takes no message ever again"),
  deny_delete: irreversible("messages can never be deleted again"),
  deny_purge: irreversible("the stream can never be purged again"),
  allow_msg_ttl: irreversible("message TTLs cannot be switched off again"),
  allow_msg_schedules: irreversible("message schedules cannot be switched off again"),
};

/** Effects of one change. Deletes and updates of streams carry numbers; a create has none. */
export function effectsOf(change: Change, observed: Observed, model: Model, version: Version, now: number): Effect[] {
  if (change.action !== "update" || change.live.kind !== "stream") return [];
  const { info } = change.live;
  const single = change.fields.flatMap(
    (field) => ROWS[field.field]?.({ field, change, info, observed, version, now }) ?? [],
  );
  return [...single, ...lostSubjects(change, model)];
}

/** Subjects that the stream gives up: what is stored stays, new messages on them are refused. */
function lostSubjects(change: StreamUpdate, model: Model): Effect[] {
  const subjects = change.fields.find(({ field }) => field === "subjects");
  if (!subjects) return [];
  const [before, after] = [subjects.from, subjects.to].map((list) => (list ?? []) as string[]) as [string[], string[]];
  const gone = before.filter((subject) => !after.includes(subject));
  const elsewhere = model.streams.filter(({ name }) => name !== change.name).flatMap((stream) => stream.subjects);
  return gone
    .filter((subject) => !canMatch(subject, elsewhere))
    .map((subject) => ({
      kind: "breaks",
      says: `publishes to "${subject}" outside the new subjects are refused; what is stored stays`,
    }));
}

/** What deleting a stream takes with it, for the one line that asks for leave. */
export const contents = ({ state }: StreamInfo): string => `${state.messages} messages, ${formatBytes(state.bytes)}`;
