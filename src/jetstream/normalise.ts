/**
 * Brings desired and live configurations into one form, so that what the server adds, computes or writes otherwise is no
 * difference. Each line is a fact about nats-server 2.12 to 2.15; the tests create every field and compare.
 */
import { nanoseconds, SECOND } from "../units.ts";
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
  allow_msg_ttl: false,
  subject_delete_marker_ttl: 0,
  allow_msg_counter: false,
  allow_atomic: false,
  allow_msg_schedules: false,
  persist_mode: "default",
  allow_batched: false,
};
/** Everything below 1 is "no limit" to the server, and is answered as -1. */
const LIMITS = ["max_consumers", "max_msgs", "max_bytes", "max_msg_size", "max_msgs_per_subject"];

// Object.assign, not spread: a second spread in one literal takes Node 20 twenty times as long, for every asset of a plan.

/** A stream's configuration with every default spelled out. @param hasSourceWindow whether the server gives sinks a window (below 2.14) */
export function normaliseStream(
  config: WireConfig,
  { hasSourceWindow }: { readonly hasSourceWindow: boolean },
): WireConfig {
  const stream: Mutable = Object.assign({}, STREAM_DEFAULTS, dropZero(config));
  for (const limit of LIMITS) if (Number(stream[limit]) <= 0) stream[limit] = -1;
  const copies = (stream.sources as unknown[]).length > 0 || stream.mirror !== undefined;
  if ((stream.subjects as unknown[]).length === 0 && !copies) stream.subjects = [stream.name];
  stream.subjects = [...(stream.subjects as string[])].sort();
  stream.sources = (stream.sources as WireConfig[]).map(normaliseOrigin).sort(byText);
  if (stream.mirror) {
    stream.mirror = normaliseOrigin(stream.mirror as WireConfig);
    // The server copies it from the origin, whatever was asked for.
    delete stream.mirror_direct;
    // It drops nothing of what it copies; a cluster keeps no window of one, a standalone server does.
    stream.duplicate_window = 0;
  }
  stream.duplicate_window ??= impliedWindow(stream, hasSourceWindow);
  // Both force others on (checkStreamCfg).
  if (Number(stream.subject_delete_marker_ttl) > 0) stream.allow_msg_ttl = true;
  if (Number(stream.subject_delete_marker_ttl) > 0 || stream.allow_msg_schedules) stream.allow_rollup_hdrs = true;
  // Sealing forces these (configUpdateCheck); the window was computed from the age before that.
  if (stream.sealed) Object.assign(stream, SEALED);
  if (stream.republish) stream.republish = { src: ">", headers_only: false, ...(stream.republish as WireConfig) };
  if (stream.placement) stream.placement = normalisePlacement(stream.placement as WireConfig);
  stream.metadata = ownMetadata(stream.metadata as WireConfig | undefined);
  return stream;
}

const SEALED = { max_age: 0, discard: "new", deny_delete: true, deny_purge: true, allow_rollup_hdrs: false };

/** The window that the server computes: two minutes, or the age where that is shorter; none for copies since 2.14. */
function impliedWindow(stream: Mutable, hasSourceWindow: boolean): number {
  if (stream.mirror || ((stream.sources as unknown[]).length > 0 && !hasSourceWindow)) return 0;
  const age = Number(stream.max_age);
  return age > 0 ? Math.min(age, nanoseconds("2m")) : nanoseconds("2m");
}

/** The time comes back with another number of digits: compared as an instant. */
const normaliseOrigin = ({ opt_start_time: start, ...origin }: WireConfig): WireConfig =>
  sorted({ ...origin, ...(start ? { opt_start_time: new Date(String(start)).toISOString() } : {}) });

const normalisePlacement = ({ tags, ...placement }: WireConfig): WireConfig =>
  Array.isArray(tags) ? { ...placement, tags: [...tags].sort() } : placement;

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

/** What a stream's `consumer_limits` say. */
export interface ConsumerLimits {
  readonly max_ack_pending?: number;
  readonly inactive_threshold?: number;
}

/**
 * A consumer's configuration with every default spelled out.
 * @param asked where `limits` are not known, what the server takes from limits is left out unless this has it
 * @param limits `consumer_limits` of its stream: with them a limit that was set by hand or taken back is seen
 */
export function normaliseConsumer(config: WireConfig, asked: WireConfig, limits?: ConsumerLimits): WireConfig {
  const consumer: Mutable = Object.assign({}, CONSUMER_DEFAULTS, dropZero(config));
  if (Number(consumer.max_deliver) <= 0) consumer.max_deliver = -1;
  if (Number(consumer.max_ack_pending) <= 0) consumer.max_ack_pending = -1;
  for (const limit of REQUEST_LIMITS) if (Number(consumer[limit]) <= 0) delete consumer[limit];
  const acknowledged = consumer.ack_policy !== "none";
  if (acknowledged && !consumer.ack_wait) consumer.ack_wait = nanoseconds("30s");
  if (consumer.backoff) consumer.ack_wait = (consumer.backoff as number[])[0];
  if (!consumer.deliver_subject) consumer.max_waiting ??= PULL_WAITING;
  if (consumer.priority_policy === "pinned_client") consumer.priority_timeout ??= nanoseconds("2m");
  if (consumer.priority_policy === "none") delete consumer.priority_policy;
  // The server answers flow control for the client (2.14), at a pace of its own.
  if (consumer.ack_policy === "flow_control") Object.assign(consumer, { flow_control: true, idle_heartbeat: SECOND });
  if (limits) fillLimits(consumer, limits);
  else for (const chosen of ["max_ack_pending", "inactive_threshold"]) if (!asked[chosen]) delete consumer[chosen];
  if (consumer.durable_name) consumer.name ??= consumer.durable_name;
  if (Array.isArray(consumer.filter_subjects)) consumer.filter_subjects = [...consumer.filter_subjects].sort();
  if (consumer.opt_start_time) consumer.opt_start_time = new Date(String(consumer.opt_start_time)).toISOString();
  // Somebody's pause, set by a request of its own: an update leaves it as it is (2.11).
  delete consumer.pause_until;
  consumer.metadata = ownMetadata(consumer.metadata as WireConfig | undefined);
  return consumer;
}

/** What is not asked for comes from the stream, and then from the server (JsDefaultMaxAckPending). */
function fillLimits(consumer: Mutable, limits: ConsumerLimits): void {
  const pending = limits.max_ack_pending || (consumer.ack_policy === "none" ? 0 : 1_000);
  if (pending) consumer.max_ack_pending ??= pending;
  if (limits.inactive_threshold) consumer.inactive_threshold ??= limits.inactive_threshold;
}

/** Pull requests that wait when nothing is said (JSWaitQueueDefaultMax). */
const PULL_WAITING = 512;
/** Below zero is taken for unset. */
const REQUEST_LIMITS = ["max_waiting", "max_batch", "max_expires", "max_bytes", "idle_heartbeat", "inactive_threshold"];

/** Metadata without what the server adds (`_nats.*`). */
function ownMetadata(metadata: WireConfig = {}): WireConfig {
  const own: Mutable = {};
  for (const key in metadata) if (!key.startsWith("_nats.")) own[key] = metadata[key];
  return own;
}

/**
 * Without what is absent to the server: Go has no "unset", so a zero, an empty text and an empty list are the same as no
 * field at all, and most of them are left out of answers (`omitempty`).
 */
function dropZero(config: WireConfig): Mutable {
  const kept: Mutable = {};
  for (const key in config) {
    const value = deep(config[key]);
    if (!isZero(value)) kept[key] = value;
  }
  return kept;
}
const deep = (value: unknown): unknown =>
  Array.isArray(value) ? value.map(deep) : isObject(value) ? dropZero(value) : value;
const isZero = (value: unknown): boolean => !value || (typeof value === "object" && Object.keys(value).length === 0);
const isObject = (value: unknown): value is WireConfig =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Keys in order at every depth, so that origins can be put in order as text. */
function sorted<T>(value: T): T {
  if (Array.isArray(value)) return value.map(sorted) as T;
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)])) as T;
}

const byText = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
