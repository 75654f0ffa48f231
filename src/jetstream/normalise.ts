/**
 * Brings desired and live configurations into one form, so that what the server adds, computes or writes otherwise is no
 * difference. Each line is a fact about nats-server 2.12 to 2.15; the tests create every field and compare.
 */
import { nanoseconds } from "../units.ts";
import type { WireConfig } from "./desired.ts";

type Mutable = Record<string, unknown>;

/** What an absent field means. Limits: 0 and -1 are the same to the server. */
const STREAM_DEFAULTS: WireConfig = {
  description: "",
  subjects: [],
  retention: "limits",
  storage: "file",
  discard: "old",
  num_replicas: 1,
  max_consumers: -1,
  max_msgs: -1,
  max_bytes: -1,
  max_age: 0,
  max_msg_size: -1,
  max_msgs_per_subject: -1,
  sources: [],
  no_ack: false,
  sealed: false,
  deny_delete: false,
  deny_purge: false,
  allow_rollup_hdrs: false,
  allow_direct: false,
  mirror_direct: false,
  discard_new_per_subject: false,
  compression: "none",
  first_seq: 0,
  consumer_limits: {},
  allow_msg_ttl: false,
  subject_delete_marker_ttl: 0,
  allow_msg_counter: false,
  allow_atomic: false,
  allow_msg_schedules: false,
  persist_mode: "default",
  allow_batched: false,
};
const LIMITS = ["max_consumers", "max_msgs", "max_bytes", "max_msg_size", "max_msgs_per_subject"];

/** A stream's configuration with every default spelled out. @param hasSourceWindow whether the server gives sinks a window (below 2.14) */
export function normaliseStream(
  config: WireConfig,
  { hasSourceWindow }: { readonly hasSourceWindow: boolean },
): WireConfig {
  const stream: Mutable = { ...STREAM_DEFAULTS, ...dropAbsent(config) };
  for (const limit of LIMITS) if (Number(stream[limit]) <= 0) stream[limit] = -1;
  if (stream.num_replicas === 0) stream.num_replicas = 1;
  if (stream.persist_mode === "") stream.persist_mode = "default";
  const copies = (stream.sources as unknown[]).length > 0 || stream.mirror !== undefined;
  if ((stream.subjects as unknown[]).length === 0 && !copies) stream.subjects = [stream.name];
  stream.subjects = [...(stream.subjects as string[])].sort();
  stream.sources = (stream.sources as WireConfig[]).map(normaliseOrigin).sort(byText);
  if (stream.mirror) {
    stream.mirror = normaliseOrigin(stream.mirror as WireConfig);
    // The server copies it from the origin, whatever was asked for.
    delete stream.mirror_direct;
  }
  stream.duplicate_window ??= impliedWindow(stream, hasSourceWindow);
  // Both force others on (checkStreamCfg).
  if (Number(stream.subject_delete_marker_ttl) > 0) stream.allow_msg_ttl = true;
  if (Number(stream.subject_delete_marker_ttl) > 0 || stream.allow_msg_schedules) stream.allow_rollup_hdrs = true;
  if (stream.republish)
    stream.republish = { src: ">", headers_only: false, ...dropAbsent(stream.republish as WireConfig) };
  stream.placement = normalisePlacement(stream.placement as WireConfig | undefined);
  stream.metadata = ownMetadata(stream.metadata as WireConfig | undefined);
  return sorted(dropAbsent(stream));
}

/** The window that the server computes: two minutes, or the age where that is shorter; none for copies since 2.14. */
function impliedWindow(stream: Mutable, hasSourceWindow: boolean): number {
  if (stream.mirror || ((stream.sources as unknown[]).length > 0 && !hasSourceWindow)) return 0;
  const age = Number(stream.max_age);
  return age > 0 ? Math.min(age, nanoseconds("2m")) : nanoseconds("2m");
}

function normaliseOrigin(origin: WireConfig): WireConfig {
  const external = origin.external as WireConfig | undefined;
  return sorted({
    ...dropAbsent(origin),
    ...(external ? { external: { deliver: "", ...external } } : {}),
    // Comes back with another number of digits: compared as an instant.
    ...(origin.opt_start_time ? { opt_start_time: new Date(String(origin.opt_start_time)).toISOString() } : {}),
  });
}

const normalisePlacement = (placement: WireConfig | undefined): WireConfig | undefined => {
  const { tags, ...rest } = dropAbsent(placement ?? {});
  const all = { ...rest, ...(Array.isArray(tags) && tags.length > 0 ? { tags: [...tags].sort() } : {}) };
  return Object.keys(all).length > 0 ? all : undefined;
};

/** Values that the server fills in on its own for consumers. */
const CONSUMER_DEFAULTS: WireConfig = {
  description: "",
  deliver_policy: "all",
  ack_policy: "none",
  replay_policy: "instant",
  max_deliver: -1,
  num_replicas: 0,
  headers_only: false,
  mem_storage: false,
};

/**
 * A consumer's configuration with every default spelled out. Fields that the server takes from its own or the stream's
 * limits when they are not asked for are left out unless `asked` has them.
 */
export function normaliseConsumer(config: WireConfig, asked: WireConfig): WireConfig {
  const consumer: Mutable = { ...CONSUMER_DEFAULTS, ...dropAbsent(config) };
  if (Number(consumer.max_deliver) <= 0) consumer.max_deliver = -1;
  const backoff = (consumer.backoff ?? []) as number[];
  if (backoff.length === 0) delete consumer.backoff;
  const acknowledged = consumer.ack_policy !== "none";
  if (acknowledged && !consumer.ack_wait) consumer.ack_wait = nanoseconds("30s");
  if (backoff.length > 0) consumer.ack_wait = backoff[0];
  for (const chosen of ["max_ack_pending", "max_waiting", "inactive_threshold"]) {
    if (!asked[chosen]) delete consumer[chosen];
  }
  if (consumer.durable_name) consumer.name ??= consumer.durable_name;
  if (Array.isArray(consumer.filter_subjects)) consumer.filter_subjects = [...consumer.filter_subjects].sort();
  if (consumer.opt_start_time) consumer.opt_start_time = new Date(String(consumer.opt_start_time)).toISOString();
  consumer.metadata = ownMetadata(consumer.metadata as WireConfig | undefined);
  return sorted(dropAbsent(consumer));
}

/** Metadata without what the server adds (`_nats.*`). */
const ownMetadata = (metadata: WireConfig = {}): WireConfig =>
  sorted(Object.fromEntries(Object.entries(metadata).filter(([key]) => !key.startsWith("_nats."))));

const dropAbsent = (config: WireConfig): Mutable =>
  Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined && value !== null));

/** Keys in order at every depth, so that two configurations can be compared as text. */
function sorted<T>(value: T): T {
  if (Array.isArray(value)) return value.map(sorted) as T;
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)])) as T;
}

const byText = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
