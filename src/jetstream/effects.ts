/**
 * What a change loses, breaks or makes irreversible, with numbers from live state. The tests publish, update and count what
 * is gone on 2.12.15, 2.14.9 and 2.15.2.
 */
import type { Model } from "../model/resolve.ts";
import { atLeast, type Version } from "../model/version.ts";
import { formatAmount, formatBytes } from "../units.ts";
import type { StreamInfo } from "./api.ts";
import { type Client, consumersOf, publishersInto, publishersOf, readersOf } from "./clients.ts";
import { consumerEffects, deletedConsumer, recreateEffects } from "./consumer-effects.ts";
import type { Change, FieldChange } from "./diff.ts";
import { amountOf, breaks, type Effect, loses, says, unlimited } from "./effect.ts";
import { over, overAge, overLimit, overPerSubject } from "./limit-effects.ts";
import type { Measured } from "./measure.ts";
import { besideBehind } from "./moving.ts";
import type { Observed } from "./observe.ts";
import type { Origin } from "./origins.ts";
import { missingFrom, neverCopied, sourceEffects, subjectEffects } from "./subject-effects.ts";

type Update = Extract<Change, { action: "update" }>;
/** One field of an update, and what is known around it. */
export interface Row {
  readonly field: FieldChange;
  readonly change: Update;
  readonly info: StreamInfo;
  readonly observed: Observed;
  readonly model: Model;
  readonly version: Version;
  /** Now, in nanoseconds since 1970. */
  readonly now: number;
  readonly measured: Measured;
}

const lowered = ({ field: { from, to } }: Row): boolean => unlimited(to) < unlimited(from);
const target = ({ change }: Row, field: string): unknown => change.config[field];
const publishers = ({ model, change }: Row): Client[] => publishersInto(model, change.name);
const readers = ({ model, change }: Row): Client[] => readersOf(model, change.name);
const irreversible =
  (text: string) =>
  ({ field }: Row): Effect[] =>
    field.to === true ? [{ kind: "irreversible", says: text }] : [];
const breaksOn =
  (text: string, clients: (row: Row) => Client[]) =>
  (row: Row): Effect[] =>
    row.field.to === true ? breaks(text, clients(row)) : [];
const breaksOff =
  (text: string, clients: (row: Row) => Client[]) =>
  (row: Row): Effect[] =>
    row.field.to !== true ? breaks(text, clients(row)) : [];

const ROWS: Readonly<Record<string, (row: Row) => Effect[]>> = {
  max_msgs: (row) => overLimit(row, over(row.info.state, { messages: row.field.to })),
  max_bytes: (row) => overLimit(row, over(row.info.state, { bytes: row.field.to })),
  max_age: overAge,
  max_msgs_per_subject: (row) => {
    const { to, from } = row.field;
    if (!lowered(row)) return [];
    // Until then "unlimited" was not seen as a change (nats-server#6244): measured on 2.10.27.
    const always = Number(from) > 0 || (atLeast(row.version, "2.12.10") && !isEarly214(row.version));
    const when = always ? "at once" : "as subjects are published to, and at the next restart";
    return overPerSubject(row, Number(to), `the oldest of each subject go ${when}`);
  },
  discard: (row) => {
    // Limits that change as well speak for themselves.
    const same = (limit: string) =>
      row.change.fields.some(({ field }) => field === limit) ? undefined : target(row, limit);
    const beyond = over(row.info.state, { messages: same("max_msgs"), bytes: same("max_bytes") });
    if (row.field.to === "old") return overLimit(row, beyond);
    const full = Math.max(beyond.messages, beyond.bytes) >= 0;
    return full ? breaks("is at its limit: publishes are refused from now on", publishers(row)) : [];
  },
  retention: interestEffects,
  duplicate_window: (row) =>
    Number(row.field.to) < Number(row.field.from)
      ? says("a message published again after the shorter window is stored twice")
      : [],
  max_msg_size: largerMessages,
  no_ack: breaksOn("publishers that wait for an acknowledgement time out", publishers),
  allow_direct: breaksOff("direct gets find no responder: clients of key-value buckets use them", readers),
  allow_atomic: breaksOff("atomic batches are refused, and those under way are dropped", publishers),
  allow_batched: breaksOff("fast batches are refused", publishers),
  allow_rollup_hdrs: breaksOff("messages that roll up, as purges of key-value buckets do, are refused", publishers),
  republish: ({ field: { from, to } }) => {
    const [before, after] = [from, to].map((side) => (side as { readonly dest?: string } | undefined)?.dest);
    return [
      ...(before && before !== after
        ? breaks(`nothing is published to "${before}" any more: who listens there gets nothing`)
        : []),
      ...(after ? says(`what is stored from now on is published to "${after}" as well`) : []),
    ];
  },
  discard_new_per_subject: (row) =>
    row.field.to === true
      ? breaks("publishes on a subject that has its most messages are refused", publishers(row))
      : says("on a subject that has its most messages, the oldest gives way to the next"),
  max_consumers: ({ field, change, observed }) => {
    const { known = [], unknown = [] } = observed.consumers.get(change.name) ?? {};
    const there = known.length + unknown.length;
    return there >= unlimited(field.to)
      ? breaks(`it has ${there} consumer${there === 1 ? "" : "s"}: whoever creates one more is refused`)
      : [];
  },
  consumer_limits: () => says("consumers that are there keep their limits; new ones get these"),
  sources: sourceEffects,
  mirror: ({ field: { from, to }, info, observed }) =>
    to === undefined
      ? [
          { kind: "irreversible", says: "the mirror becomes an ordinary stream and cannot become a mirror again" },
          ...neverCopied(
            (from as Origin).name,
            info.mirror ? [info.mirror] : [],
            info.state,
            missingFrom(from as Origin, info.state, observed),
          ),
        ]
      : [],
  num_replicas: (row) =>
    Number(row.field.to) === 1
      ? says("one copy is left: what its server loses is lost")
      : copies("data is copied between servers; it is done when all replicas are current", row),
  placement: (row) => copies("data moves between servers; it is done when all replicas are current", row),
  compression: () => says("new blocks only, and only after the server restarts"),
  sealed: (row) => [
    ...irreversible("the stream takes no message ever again")(row),
    ...breaksOn("every publish is refused from now on", publishers)(row),
  ],
  deny_delete: irreversible("messages can never be deleted again"),
  deny_purge: irreversible("the stream can never be purged again"),
  allow_msg_ttl: irreversible("message TTLs cannot be switched off again"),
  allow_msg_schedules: irreversible("message schedules cannot be switched off again"),
};

/** Others that catch up meanwhile are said, not refused: nobody could give leave, and a slow disk may last. */
const copies = (text: string, { change, observed }: Row): Effect[] => {
  const beside = besideBehind(change, observed);
  return [...says(text), ...(beside ? says(beside) : [])];
};

/** 2.14.0 and 2.14.1. */
const isEarly214 = (version: Version): boolean => atLeast(version, "2.14") && !atLeast(version, "2.14.2");

/** Whoever reads an interest stream has had its messages; whoever comes later finds what others still wait for. */
function interestEffects({ field, info, observed, model, change }: Row): Effect[] {
  if (field.to !== "interest") return [];
  const known = observed.consumers.get(info.config.name)?.known ?? [];
  const { messages, first_seq } = info.state;
  const late = consumersOf(change.name, model, observed).filter(({ live }) => !live);
  const missed = late.map(({ client }) => client);
  const later = late.length > 0 ? breaks("created after this, they find nothing that came before", missed) : [];
  // Without consumers 2.14.9 and 2.15 empty the stream inside the update; 2.12.15 does not, a patch to come may.
  if (known.length === 0) {
    return [...loses(amountOf(messages, info.state), "no consumer is interested, so everything goes"), ...later];
  }
  const floors = known.map(({ ack_floor }) => ack_floor.stream_seq);
  // Messages that no filter matches stay; those that one does go with its own floor, so the furthest is the bound.
  const filtered = known.some(({ config }) => config.filter_subject || config.filter_subjects);
  const floor = filtered ? Math.max(...floors) : Math.min(...floors);
  const gone = Math.max(0, Math.min(messages, floor - first_seq + 1));
  const text = `${filtered ? "at most: " : ""}what every interested consumer has acknowledged goes`;
  return [...loses(amountOf(gone, info.state, true), text), ...later];
}

/** Publishers that declare a larger payload; those that declare none may have one. */
function largerMessages(row: Row): Effect[] {
  if (!lowered(row)) return [];
  const limit = unlimited(row.field.to);
  const text = `messages above ${formatBytes(limit)} are refused from now on`;
  const fits = (size: number | undefined) => size === undefined || size <= limit;
  return breaks(
    text,
    publishersOf(row.model, ({ size }, stream) => stream === row.change.name && !fits(size)),
  );
}

/** Effects of one change, with numbers of what is there now; a create has none. */
export function effectsOf(
  change: Change,
  observed: Observed,
  model: Model,
  version: Version,
  now: number,
  measured: Measured = {},
): Effect[] {
  if (change.action === "recreate") return recreateEffects(change, observed);
  if (change.action === "delete") return deleteEffects(change, observed, model);
  if (change.action !== "update") return [];
  if (change.live.kind === "consumer") return consumerEffects(change, observed);
  const { info } = change.live;
  const single = change.fields.flatMap(
    (field) => ROWS[field.field]?.({ field, change, info, observed, model, version, now, measured }) ?? [],
  );
  return [...oneLossOrAbout(single), ...subjectEffects(change, observed, model, measured)];
}

/** Two limits take the same messages in part: each number then is an estimate. */
const oneLossOrAbout = (effects: readonly Effect[]): Effect[] =>
  effects.filter(({ kind }) => kind === "loses").length > 1
    ? effects.map((effect) => (effect.kind === "loses" ? { ...effect, about: true } : effect))
    : [...effects];

/** A stream goes with its messages and its consumers, and whoever copies it gets nothing more. */
function deleteEffects(change: Extract<Change, { action: "delete" }>, observed: Observed, model: Model): Effect[] {
  if (change.leftover) return says("a guard that an interrupted run left behind goes");
  if (change.live.kind === "consumer") return deletedConsumer(change, observed);
  const all = amountOf(change.live.info.state.messages, change.live.info.state);
  const cutOff = consumersOf(change.name, model, observed).map(({ client }) => client);
  const sinks = observed.streams.flatMap((stream) =>
    stream.status === "known" && originNames(stream.info).includes(change.name) ? [stream.name] : [],
  );
  return [
    { kind: "deletes", says: `the stream with ${formatAmount(all)}`, ...all },
    ...(cutOff.length > 0 ? breaks("its consumers go with it", cutOff) : []),
    ...(sinks.length > 0 ? breaks(`${sinks.join(", ")} copied from it and gets nothing more`) : []),
  ];
}

const originNames = ({ config }: StreamInfo): string[] => {
  const { sources = [], mirror } = config as { sources?: { name: string }[]; mirror?: { name: string } };
  return [...sources, ...(mirror ? [mirror] : [])].map(({ name }) => name);
};
