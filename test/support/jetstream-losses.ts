/** Updates that delete messages, and ones close to them that do not. The stream is `T` with the subjects `$T.>`. */

import type { WireConfig } from "../../src/jetstream/desired.ts";
import type { Effect } from "../../src/jetstream/effect.ts";

export interface LossCase {
  readonly title: string;
  readonly before: WireConfig;
  /** Updates without loss that come first, where a create would not do. */
  readonly meanwhile?: WireConfig;
  /** How many messages on which subject, 40 on `$T.a` unless said. */
  readonly publish?: Readonly<Record<string, number>>;
  /** What each consumer acknowledges before the update. */
  readonly consumers?: readonly { readonly config: WireConfig; readonly acknowledges: number }[];
  readonly after: WireConfig;
  /** What else is said. */
  readonly kinds?: readonly Effect["kind"][];
  /** What is predicted is a bound, not an estimate. */
  readonly atMost?: boolean;
}

const SECOND = 1e9;
const FILE = { storage: "file" };
const MEMORY = { storage: "memory" };
const uneven = { "$T.a": 12, "$T.b": 5, "$T.c": 1 };
const consumer = (name: string, acknowledges: number, config: WireConfig = {}) => ({
  config: { name, durable_name: name, ack_policy: "explicit", ...config },
  acknowledges,
});

const onBoth = (one: LossCase): LossCase[] =>
  [FILE, MEMORY].map((storage) => ({
    ...one,
    title: `${one.title} (${storage.storage})`,
    before: { ...one.before, ...storage },
    ...(one.meanwhile ? { meanwhile: { ...one.meanwhile, ...storage } } : {}),
    after: { ...one.after, ...storage },
  }));

export const LOSSES: readonly LossCase[] = [
  ...onBoth({ title: "max_msgs below what is stored", before: {}, after: { max_msgs: 10 } }),
  ...onBoth({ title: "max_msgs above what is stored", before: { max_msgs: 90 }, after: { max_msgs: 41 } }),
  ...onBoth({ title: "max_msgs, discard new", before: { discard: "new" }, after: { discard: "new", max_msgs: 10 } }),
  {
    title: "max_msgs, discard new in the same update",
    kinds: ["breaks"],
    before: {},
    after: { discard: "new", max_msgs: 10 },
  },
  { title: "max_msgs and no limit", before: { max_msgs: 50 }, after: {} },
  ...onBoth({ title: "max_bytes below what is stored", before: {}, after: { max_bytes: 2_000 } }),
  { title: "max_bytes above what is stored", before: {}, after: { max_bytes: 1_000_000 } },
  {
    title: "max_bytes, discard new",
    kinds: ["breaks"],
    before: { discard: "new" },
    after: { discard: "new", max_bytes: 2_000 },
  },
  { title: "max_bytes and max_msgs", before: {}, after: { max_msgs: 20, max_bytes: 1_000_000 } },
  ...onBoth({
    title: "max_msgs_per_subject, lowered",
    publish: uneven,
    before: { max_msgs_per_subject: 10 },
    after: { max_msgs_per_subject: 4 },
  }),
  ...onBoth({
    title: "max_msgs_per_subject, for the first time",
    publish: uneven,
    before: {},
    after: { max_msgs_per_subject: 2 },
  }),
  {
    title: "max_msgs_per_subject, discard new",
    publish: uneven,
    before: { discard: "new" },
    after: { discard: "new", max_msgs_per_subject: 2 },
  },
  { title: "max_msgs_per_subject, raised", publish: uneven, before: { max_msgs_per_subject: 5 }, after: {} },
  ...onBoth({
    title: "discard old over max_msgs",
    before: { discard: "new" },
    meanwhile: { discard: "new", max_msgs: 10 },
    after: { discard: "old", max_msgs: 10 },
  }),
  {
    title: "discard old over max_bytes",
    before: { discard: "new" },
    meanwhile: { discard: "new", max_bytes: 2_000 },
    after: { discard: "old", max_bytes: 2_000 },
  },
  {
    title: "discard old and a lower max_msgs",
    before: { discard: "new" },
    meanwhile: { discard: "new", max_msgs: 30 },
    after: { discard: "old", max_msgs: 10 },
  },
  { title: "discard new below the limit", before: { max_msgs: 50 }, after: { max_msgs: 50, discard: "new" } },
  {
    title: "discard new at the limit",
    kinds: ["breaks"],
    before: { max_msgs: 40 },
    after: { max_msgs: 40, discard: "new" },
  },
  { title: "retention interest without consumers", before: {}, after: { retention: "interest" }, atMost: true },
  {
    title: "retention interest with two consumers",
    before: {},
    consumers: [consumer("fast", 12), consumer("slow", 7)],
    after: { retention: "interest" },
  },
  {
    title: "retention interest with a consumer that acknowledged nothing",
    before: {},
    consumers: [consumer("idle", 0), consumer("fast", 12)],
    after: { retention: "interest" },
  },
  {
    title: "retention interest with a consumer that acknowledged everything",
    before: {},
    consumers: [consumer("done", 40)],
    after: { retention: "interest" },
  },
  {
    title: "retention interest with a consumer of new messages",
    before: {},
    consumers: [consumer("new", 0, { deliver_policy: "new" })],
    after: { retention: "interest" },
    atMost: true,
  },
  {
    title: "retention interest with a consumer that starts in the middle",
    before: {},
    consumers: [consumer("middle", 0, { deliver_policy: "by_start_sequence", opt_start_seq: 15 })],
    after: { retention: "interest" },
    atMost: true,
  },
  {
    title: "retention interest with a consumer of a few subjects",
    before: {},
    publish: { "$T.a": 20, "$T.b": 10 },
    consumers: [consumer("few", 4, { filter_subject: "$T.b" })],
    after: { retention: "interest" },
    atMost: true,
  },
  {
    title: "retention interest with two consumers of different subjects",
    before: {},
    publish: { "$T.a": 20, "$T.b": 10 },
    consumers: [consumer("a", 15, { filter_subject: "$T.a" }), consumer("b", 4, { filter_subject: "$T.b" })],
    after: { retention: "interest" },
    atMost: true,
  },
  {
    title: "retention interest with a consumer of all and one of a few subjects",
    before: {},
    publish: { "$T.a": 20, "$T.b": 10 },
    consumers: [consumer("all", 9), consumer("b", 4, { filter_subject: "$T.b" })],
    after: { retention: "interest" },
    atMost: true,
  },
  {
    title: "retention interest with a consumer that reads without acknowledging",
    before: {},
    consumers: [consumer("reader", 10, { ack_policy: "none" })],
    after: { retention: "interest" },
    atMost: true,
  },
  {
    title: "retention interest with a consumer that does not acknowledge",
    before: {},
    consumers: [consumer("silent", 0, { ack_policy: "none" })],
    after: { retention: "interest" },
  },
  {
    title: "retention interest to limits",
    before: { retention: "interest" },
    consumers: [consumer("slow", 0)],
    after: {},
  },
  { title: "subjects that are narrowed", kinds: ["breaks", "says"], before: {}, after: { subjects: ["$T.b"] } },
  { title: "duplicate_window", kinds: ["says"], before: {}, after: { duplicate_window: SECOND } },
  { title: "allow_direct taken back", kinds: ["breaks"], before: { allow_direct: true }, after: {} },
  { title: "consumer_limits", kinds: ["says"], before: {}, after: { consumer_limits: { max_ack_pending: 5 } } },
  { title: "republish", kinds: ["says"], before: {}, after: { republish: { src: ">", dest: "copy.>" } } },
  {
    title: "republish elsewhere",
    kinds: ["breaks", "says"],
    before: { republish: { src: ">", dest: "copy.>" } },
    after: { republish: { src: ">", dest: "other.>" } },
  },
  { title: "republish taken back", kinds: ["breaks"], before: { republish: { src: ">", dest: "copy.>" } }, after: {} },
  {
    title: "discard_new_per_subject",
    kinds: ["breaks"],
    before: { discard: "new", max_msgs_per_subject: 40 },
    after: { discard: "new", max_msgs_per_subject: 40, discard_new_per_subject: true },
  },
  {
    title: "discard_new_per_subject taken back",
    kinds: ["says"],
    before: { discard: "new", max_msgs_per_subject: 40, discard_new_per_subject: true },
    after: { discard: "new", max_msgs_per_subject: 40 },
  },
  {
    title: "max_consumers below what is there",
    kinds: ["breaks"],
    before: {},
    consumers: [consumer("one", 0), consumer("two", 0)],
    after: { max_consumers: 1 },
  },
  {
    title: "max_consumers above what is there",
    kinds: [],
    before: {},
    consumers: [consumer("one", 0)],
    after: { max_consumers: 2 },
  },
  { title: "compression", kinds: ["says"], before: {}, after: { compression: "s2" } },
  { title: "sealed", kinds: ["irreversible", "breaks"], before: {}, after: { sealed: true } },
  { title: "no_ack", kinds: ["breaks"], before: {}, after: { no_ack: true } },
  { title: "allow_atomic taken back", kinds: ["breaks"], before: { allow_atomic: true }, after: {} },
  { title: "allow_rollup_hdrs taken back", kinds: ["breaks"], before: { allow_rollup_hdrs: true }, after: {} },
  { title: "deny_delete", kinds: ["irreversible"], before: {}, after: { deny_delete: true } },
  { title: "deny_purge", kinds: ["irreversible"], before: {}, after: { deny_purge: true } },
  { title: "allow_msg_ttl", kinds: ["irreversible"], before: {}, after: { allow_msg_ttl: true } },
  {
    title: "allow_msg_schedules",
    kinds: ["irreversible"],
    before: {},
    after: { allow_msg_schedules: true, allow_rollup_hdrs: true },
  },
  { title: "max_msg_size", kinds: ["breaks"], before: {}, after: { max_msg_size: 10 } },
];
