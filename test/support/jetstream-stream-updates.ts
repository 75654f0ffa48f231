/** Updates of streams, each told by what was and what is asked for; whether it is refused is the server's to say. */
import type { WireConfig } from "../../src/jetstream/desired.ts";

export interface UpdateCase {
  readonly title: string;
  readonly before: WireConfig;
  readonly after: WireConfig;
  /** Consumers that the stream has. */
  readonly consumers?: readonly WireConfig[];
  /** First version that knows the fields. */
  readonly since?: string;
}

const SECOND = 1e9;
const MINUTE = 60 * SECOND;

/** A field on top of nothing, both ways. */
const both = (title: string, config: WireConfig, rest: WireConfig = {}, since = "2.12"): UpdateCase[] => [
  { title: `${title}: set`, before: rest, after: { ...rest, ...config }, since },
  { title: `${title}: taken back`, before: { ...rest, ...config }, after: rest, since },
];
const from = (title: string, before: WireConfig, after: WireConfig, more: Partial<UpdateCase> = {}): UpdateCase => ({
  title,
  before,
  after,
  ...more,
});

const mirror = { name: "plain_origin" };
const worker = { name: "w", durable_name: "w", ack_policy: "explicit" };

export const STREAM_UPDATES: readonly UpdateCase[] = [
  ...both("description", { description: "x" }),
  ...both("subjects", { subjects: ["$T.x", "$T.y"] }),
  from("subjects that another stream has", {}, { subjects: ["plain.a"] }),
  from("subjects that are wider than another stream's", { subjects: ["$T.x"] }, { subjects: ["$T.x", "direct.*"] }),
  ...both("storage", { storage: "memory" }),
  ...both("retention interest", { retention: "interest" }),
  ...both("retention workqueue", { retention: "workqueue" }),
  from("retention interest to workqueue", { retention: "interest" }, { retention: "workqueue" }),
  from("retention workqueue to interest", { retention: "workqueue" }, { retention: "interest" }),
  from("num_replicas on a standalone server", {}, { num_replicas: 3 }),
  ...both("max_consumers", { max_consumers: 5 }),
  from(
    "max_consumers below what is there",
    {},
    { max_consumers: 1 },
    { consumers: [worker, { ...worker, name: "v", durable_name: "v" }] },
  ),
  ...both("max_msgs", { max_msgs: 5 }),
  ...both("max_bytes", { max_bytes: 5_000 }),
  ...both("max_age", { max_age: MINUTE }),
  ...both("max_msgs_per_subject", { max_msgs_per_subject: 5 }),
  ...both("max_msg_size", { max_msg_size: 500 }),
  ...both("discard", { discard: "new" }),
  ...both("no_ack", { no_ack: true }),
  ...both("duplicate_window", { duplicate_window: 30 * SECOND }),
  ...both("mirror", { mirror }),
  from("mirror of another stream", { mirror }, { mirror: { name: "direct_origin" } }),
  from("mirror with another filter", { mirror }, { mirror: { ...mirror, filter_subject: "plain.a" } }),
  from("mirror with another start", { mirror }, { mirror: { ...mirror, opt_start_seq: 5 } }),
  from("mirror with another limit", { mirror }, { mirror, max_msgs: 5 }),
  from("mirror into a source", { mirror }, { sources: [mirror] }),
  ...both("sources", { sources: [mirror] }),
  from("sources with another filter", { sources: [mirror] }, { sources: [{ ...mirror, filter_subject: "plain.a" }] }),
  from("sources with another start", { sources: [mirror] }, { sources: [{ ...mirror, opt_start_seq: 9 }] }),
  ...both("republish", { republish: { src: ">", dest: "copy.>" } }),
  ...both("sealed", { sealed: true }).slice(0, 1),
  ...both("deny_delete", { deny_delete: true }),
  ...both("deny_purge", { deny_purge: true }),
  ...both("allow_rollup_hdrs", { allow_rollup_hdrs: true }),
  ...both("allow_direct", { allow_direct: true }),
  ...both("discard_new_per_subject", { discard_new_per_subject: true }, { discard: "new", max_msgs_per_subject: 1 }),
  ...both("metadata", { metadata: { a: "1" } }),
  ...both("compression", { compression: "s2" }),
  ...both("subject_transform", { subject_transform: { src: ">", dest: "moved.>" } }),
  ...both("consumer_limits", { consumer_limits: { max_ack_pending: 5, inactive_threshold: MINUTE } }),
  from(
    "consumer_limits above what consumers have",
    {},
    { consumer_limits: { max_ack_pending: 50, inactive_threshold: MINUTE } },
    { consumers: [{ ...worker, max_ack_pending: 50, inactive_threshold: MINUTE }] },
  ),
  from(
    "consumer_limits below a consumer's max_ack_pending",
    {},
    { consumer_limits: { max_ack_pending: 49 } },
    { consumers: [{ ...worker, max_ack_pending: 50 }] },
  ),
  from(
    "consumer_limits below a consumer's default max_ack_pending",
    {},
    { consumer_limits: { max_ack_pending: 49 } },
    { consumers: [worker] },
  ),
  from(
    "consumer_limits below a consumer's inactive_threshold",
    {},
    { consumer_limits: { inactive_threshold: SECOND } },
    { consumers: [{ ...worker, inactive_threshold: MINUTE }] },
  ),
  from(
    "consumer_limits for the one limit that a consumer keeps",
    {},
    { consumer_limits: { inactive_threshold: MINUTE } },
    { consumers: [worker] },
  ),
  from(
    "consumer_limits for consumers without a limit",
    {},
    { consumer_limits: { max_ack_pending: 5 } },
    { consumers: [{ ...worker, max_ack_pending: -1 }] },
  ),
  from(
    "consumer_limits for consumers that do not acknowledge",
    {},
    { consumer_limits: { max_ack_pending: 5 } },
    { consumers: [{ name: "w", durable_name: "w" }] },
  ),
  ...both("allow_msg_ttl", { allow_msg_ttl: true }),
  ...both("subject_delete_marker_ttl", { subject_delete_marker_ttl: MINUTE }),
  ...both(
    "subject_delete_marker_ttl with message TTLs",
    { subject_delete_marker_ttl: MINUTE },
    { allow_msg_ttl: true },
  ),
  ...both("allow_msg_counter", { allow_msg_counter: true }),
  ...both("allow_atomic", { allow_atomic: true }),
  ...both("allow_msg_schedules", { allow_msg_schedules: true }),
  ...both("persist_mode async", { persist_mode: "async" }),
  ...both("persist_mode default", { persist_mode: "default" }),
  from(
    "persist_mode async with atomic batches",
    { persist_mode: "async" },
    { persist_mode: "async", allow_atomic: true },
  ),
  from("allow_batched: set, on servers of any age", {}, { allow_batched: true }),
  from("allow_batched: taken back", { allow_batched: true }, {}, { since: "2.14" }),
  from("a mapping that only newer servers know", {}, { subject_transform: { src: "$T.*", dest: "{{left(1,2)}}" } }),
  from(
    "a source's mapping that only newer servers know",
    {},
    { sources: [{ ...mirror, subject_transforms: [{ src: "plain.*", dest: "copied.{{right(1,2)}}" }] }] },
  ),
  from("several refused at once", { deny_delete: true, deny_purge: true }, { storage: "memory" }),
];

/** Only sealing cannot be tried both ways: no create takes it. */
export const SEALED_UPDATES: readonly UpdateCase[] = [
  from("sealed: taken back", { sealed: true }, {}),
  from("sealed: another limit", { sealed: true }, { sealed: true, max_msgs: 5 }),
  from(
    "sealed: another limit, with all that sealing set",
    { sealed: true },
    { sealed: true, max_msgs: 5, deny_delete: true, deny_purge: true },
  ),
];
