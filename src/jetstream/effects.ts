/**
 * What a change loses, breaks or makes irreversible, with numbers from live state. The tests publish, update and count what
 * is gone on 2.12.15, 2.14.9 and 2.15.2.
 */
import { canMatch } from "../model/capture.ts";
import type { Model } from "../model/resolve.ts";
import { covers } from "../model/subject.ts";
import { atLeast, type Version } from "../model/version.ts";
import { formatDuration } from "../units.ts";
import type { Reader, StreamInfo } from "./api.ts";
import { consumerEffects, recreateEffects } from "./consumer-effects.ts";
import type { Change, FieldChange } from "./diff.ts";
import { breaks, type Effect, loses, says, unlimited } from "./effect.ts";
import type { Observed } from "./observe.ts";

/** What only a request of its own tells; without it the effects that need it are estimates. */
export interface Measured {
  /** How many messages each subject of the stream has. */
  readonly perSubject?: Readonly<Record<string, number>>;
}

type Update = Extract<Change, { action: "update" }>;
interface Row {
  readonly field: FieldChange;
  readonly change: Update;
  readonly info: StreamInfo;
  readonly observed: Observed;
  readonly version: Version;
  /** Now, in nanoseconds since 1970. */
  readonly now: number;
  readonly measured: Measured;
}

const lowered = ({ field: { from, to } }: Row): boolean => unlimited(to) < unlimited(from);
const target = ({ change }: Row, field: string): unknown => change.config[field];
const whenOn =
  (kind: Effect["kind"], text: string) =>
  ({ field }: Row): Effect[] =>
    field.to === true ? [{ kind, says: text }] : [];
const whenOff =
  (kind: Effect["kind"], text: string) =>
  ({ field }: Row): Effect[] =>
    field.to !== true ? [{ kind, says: text }] : [];

/** With discard "new" the server keeps what is over a new limit and refuses publishes instead (since 2.10.6). */
const overLimit = (row: Row, over: number, about = false): Effect[] => {
  if (target(row, "discard") !== "new") return loses(over, "the oldest messages go at once", about);
  return over > 0 ? breaks("is over the new limit: publishes are refused until it is below") : [];
};
const overMessages = ({ info }: Row, limit: unknown): number => info.state.messages - unlimited(limit);
/** Messages are taken for equally large: their sizes are not in the state. */
const overBytes = ({ info: { state } }: Row, limit: unknown): number =>
  state.bytes > 0 ? Math.max(0, Math.ceil((1 - unlimited(limit) / state.bytes) * state.messages)) : 0;

const ROWS: Readonly<Record<string, (row: Row) => Effect[]>> = {
  max_msgs: (row) => overLimit(row, overMessages(row, row.field.to)),
  max_bytes: (row) => overLimit(row, overBytes(row, row.field.to), true),
  max_age: (row) => {
    const age = unlimited(row.field.to);
    return loses(olderThan(row, age), `messages older than ${formatDuration(age)} go at once`, true);
  },
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
    const same = (limit: string) => !row.change.fields.some(({ field }) => field === limit);
    const limits = { messages: target(row, "max_msgs"), bytes: target(row, "max_bytes") };
    const messages = same("max_msgs") ? overMessages(row, limits.messages) : 0;
    const bytes = same("max_bytes") ? overBytes(row, limits.bytes) : 0;
    if (row.field.to === "old") return overLimit(row, Math.max(messages, bytes), bytes > messages);
    const full = Math.max(messages, row.info.state.bytes - unlimited(limits.bytes)) >= 0;
    return full ? breaks("is at its limit: publishes are refused from now on") : [];
  },
  retention: (row) => {
    if (row.field.to !== "interest") return [];
    const consumers = row.observed.consumers.get(row.info.config.name)?.known ?? [];
    const { messages, first_seq } = row.info.state;
    // Without consumers 2.14.9 and 2.15 empty the stream inside the update; 2.12.15 does not, a patch to come may.
    if (consumers.length === 0) return loses(messages, "no consumer is interested, so everything goes");
    const floors = consumers.map(({ ack_floor }) => ack_floor.stream_seq);
    // Messages that no filter matches stay; those that one does go with its own floor, so the furthest is the bound.
    const filtered = consumers.some(({ config }) => config.filter_subject || config.filter_subjects);
    const floor = filtered ? Math.max(...floors) : Math.min(...floors);
    const text = `${filtered ? "at most: " : ""}what every interested consumer has acknowledged goes`;
    return loses(Math.min(messages, floor - first_seq + 1), text, true);
  },
  duplicate_window: (row) =>
    Number(row.field.to) < Number(row.field.from)
      ? says("a message published again after the shorter window is stored twice")
      : [],
  max_msg_size: (row) => (lowered(row) ? breaks("larger messages are refused from now on") : []),
  no_ack: whenOn("breaks", "publishers that wait for an acknowledgement time out"),
  allow_direct: whenOff("breaks", "direct gets find no responder: clients of key-value buckets use them"),
  allow_atomic: whenOff("breaks", "atomic batches that are under way are dropped"),
  consumer_limits: () => says("consumers that are there keep their limits; new ones get these"),
  sources: sourceEffects,
  mirror: whenOff("irreversible", "the mirror becomes an ordinary stream and cannot become a mirror again"),
  num_replicas: (row) =>
    Number(row.field.to) === 1
      ? says("one copy is left: what its server loses is lost")
      : says("data is copied between servers; it is done when all replicas are current"),
  placement: () => says("data moves between servers; it is done when all replicas are current"),
  compression: () => says("new blocks only, and only after the server restarts"),
  sealed: whenOn("irreversible", "the stream takes no message ever again"),
  deny_delete: whenOn("irreversible", "messages can never be deleted again"),
  deny_purge: whenOn("irreversible", "the stream can never be purged again"),
  allow_msg_ttl: whenOn("irreversible", "message TTLs cannot be switched off again"),
  allow_msg_schedules: whenOn("irreversible", "message schedules cannot be switched off again"),
};

/** 2.14.0 and 2.14.1. */
const isEarly214 = (version: Version): boolean => atLeast(version, "2.14") && !atLeast(version, "2.14.2");

/** Messages are taken for evenly spread between the first and the last: all of them or none is exact. */
function olderThan({ info, now }: Row, age: number): number {
  const { messages, first_ts, last_ts } = info.state;
  if (messages === 0 || !first_ts) return 0;
  const first = now - Date.parse(first_ts) * 1e6;
  const last = last_ts ? now - Date.parse(last_ts) * 1e6 : 0;
  if (first <= age) return 0;
  return last > age ? messages : messages * ((first - age) / (first - last));
}

/** Counted where subjects were asked for. Otherwise at least what an even spread loses, and at most what one large subject does. */
function overPerSubject({ info, measured }: Row, limit: number, text: string): Effect[] {
  if (measured.perSubject) {
    const lost = Object.values(measured.perSubject).reduce((sum, count) => sum + Math.max(0, count - limit), 0);
    return loses(lost, text);
  }
  const { messages, num_subjects = 1 } = info.state;
  const atLeastLost = messages - num_subjects * limit;
  const atMost = messages - (num_subjects - 1) - limit;
  return atLeastLost > 0 ? loses(atLeastLost, text, true) : loses(atMost, `at most, ${text}`, true);
}

interface Origin {
  readonly name: string;
  readonly filter_subject?: string;
  readonly subject_transforms?: unknown;
  readonly external?: unknown;
}
/** What makes a source another one to the server (composeIName); where it starts is no part of that. */
const identity = ({ name, filter_subject, subject_transforms, external }: Origin): string =>
  JSON.stringify([name, filter_subject, subject_transforms, external]);

/** A source that the server takes for a new one is copied from its first message, whatever was copied before. */
function sourceEffects({ field, observed }: Row): Effect[] {
  const [before, after] = [field.from, field.to].map((list) => (list ?? []) as Origin[]) as [Origin[], Origin[]];
  const fresh = after.filter((source) => !before.some((old) => identity(old) === identity(source)));
  const gone = before.filter((source) => !after.some(({ name }) => name === source.name));
  const copied = fresh.map(({ name }): Effect => {
    const origin = observed.streams.find((stream) => stream.name === name);
    const has = origin?.status === "known" ? `: it has ${origin.info.state.messages} messages` : "";
    const again = before.some((old) => old.name === name);
    return {
      kind: "says",
      says: again
        ? `${name} is copied again from its first message, so what came before comes twice${has}`
        : `${name} is copied from its first message${has}`,
      ...(origin?.status === "known" ? { messages: origin.info.state.messages, about: true } : {}),
    };
  });
  const stopped = gone.flatMap(({ name }) => says(`${name} is no longer copied; what came from it stays`));
  const moved =
    fresh.length === 0 && gone.length === 0 ? says("a source that exists keeps its place: no new start") : [];
  return [...copied, ...stopped, ...moved];
}

/** Asks for what `effectsOf` cannot know from a list of streams. Subjects come in pages of 100,000; beyond ten an estimate will do. */
export async function measure(change: Change, reader: Reader): Promise<Measured> {
  if (change.action !== "update" || change.live.kind !== "stream") return {};
  if (!change.fields.some(({ field }) => field === "max_msgs_per_subject" || field === "subjects")) return {};
  if ((change.live.info.state.num_subjects ?? 0) > 1_000_000) return {};
  type Page = { readonly total?: number; readonly state: { readonly subjects?: Readonly<Record<string, number>> } };
  const perSubject: Record<string, number> = {};
  for (;;) {
    const had = Object.keys(perSubject).length;
    const body = { subjects_filter: ">", offset: had };
    const { total = 0, state } = await reader.read<Page>("STREAM.INFO", [change.name], body);
    Object.assign(perSubject, state.subjects);
    const has = Object.keys(perSubject).length;
    if (has === had || has >= total) return { perSubject };
  }
}

/** Effects of one change. Deletes and updates of streams carry numbers; a create has none. */
export function effectsOf(
  change: Change,
  observed: Observed,
  model: Model,
  version: Version,
  now: number,
  measured: Measured = {},
): Effect[] {
  if (change.action === "recreate") return recreateEffects(change, observed);
  if (change.action === "delete" && change.leftover) return says("a guard that an interrupted run left behind goes");
  if (change.action !== "update") return [];
  if (change.live.kind === "consumer") return consumerEffects(change, observed);
  const { info } = change.live;
  const single = change.fields.flatMap(
    (field) => ROWS[field.field]?.({ field, change, info, observed, version, now, measured }) ?? [],
  );
  return [...oneLossOrAbout(single), ...lostSubjects(change, model, measured)];
}

/** Two limits take the same messages in part: each number then is an estimate. */
const oneLossOrAbout = (effects: readonly Effect[]): Effect[] =>
  effects.filter(({ kind }) => kind === "loses").length > 1
    ? effects.map((effect) => (effect.kind === "loses" ? { ...effect, about: true } : effect))
    : [...effects];

/** Subjects that the stream gives up: what is stored stays, new messages on them are refused. */
function lostSubjects(change: Update, model: Model, { perSubject = {} }: Measured): Effect[] {
  const subjects = change.fields.find(({ field }) => field === "subjects");
  if (!subjects) return [];
  const [before, after] = [subjects.from, subjects.to].map((list) => (list ?? []) as string[]) as [string[], string[]];
  const gone = before.filter((subject) => !after.includes(subject));
  const elsewhere = model.streams.filter(({ name }) => name !== change.name).flatMap((stream) => stream.subjects);
  return gone
    .filter((subject) => !canMatch(subject, elsewhere))
    .map((subject) => {
      const stored = Object.entries(perSubject).filter(
        ([one]) => covers(subject, one) && !after.some((kept) => covers(kept, one)),
      );
      const orphans = stored.reduce((sum, [, count]) => sum + count, 0);
      const rest = orphans > 0 ? `; the ${orphans} messages stored there stay` : "";
      return { kind: "breaks", says: `publishes to "${subject}" outside the new subjects are refused${rest}` };
    });
}
