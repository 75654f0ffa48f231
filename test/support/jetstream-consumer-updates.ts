/** Updates of consumers; whether one is refused is the server's to say. */
import type { WireConfig } from "../../src/jetstream/desired.ts";

export interface ConsumerUpdateCase {
  readonly title: string;
  readonly before: WireConfig;
  readonly after: WireConfig;
  /** Somebody listens on the deliver_subject that is given up. */
  readonly listened?: boolean;
}

const SECOND = 1e9;
const pull = { ack_policy: "explicit" };
const push = { ack_policy: "explicit", deliver_subject: "$T.deliver" };
const beating = { ...push, idle_heartbeat: 5 * SECOND };

const both = (title: string, config: WireConfig, rest: WireConfig = pull): ConsumerUpdateCase[] => [
  { title: `${title}: set`, before: rest, after: { ...rest, ...config } },
  { title: `${title}: taken back`, before: { ...rest, ...config }, after: rest },
];
const from = (title: string, before: WireConfig, after: WireConfig, listened = false): ConsumerUpdateCase => ({
  title,
  before: { ...pull, ...before },
  after: { ...pull, ...after },
  listened,
});

const at = (opt_start_time: string) => ({ deliver_policy: "by_start_time", opt_start_time });

export const CONSUMER_UPDATES: readonly ConsumerUpdateCase[] = [
  ...both("deliver_policy new", { deliver_policy: "new" }),
  ...both("deliver_policy last", { deliver_policy: "last" }),
  ...both("deliver_policy by_start_sequence", { deliver_policy: "by_start_sequence", opt_start_seq: 5 }),
  from(
    "opt_start_seq",
    { deliver_policy: "by_start_sequence", opt_start_seq: 5 },
    { deliver_policy: "by_start_sequence", opt_start_seq: 6 },
  ),
  from("opt_start_time", at("2026-01-02T03:04:05Z"), at("2026-01-02T03:04:06Z")),
  from("opt_start_time, the same instant", at("2026-01-02T03:04:05.10Z"), {
    ...at("2026-01-02T05:04:05.1+02:00"),
    description: "x",
  }),
  from("ack_policy none", {}, { ack_policy: "none" }),
  from("ack_policy all", {}, { ack_policy: "all" }),
  ...both("replay_policy", { replay_policy: "original" }),
  ...both("max_waiting", { max_waiting: 20 }),
  from("max_waiting of the default", { max_waiting: 512 }, { description: "x" }),
  ...both("mem_storage", { mem_storage: true }),
  ...both("idle_heartbeat", { idle_heartbeat: 5 * SECOND }, push),
  ...both("flow_control", { flow_control: true }, beating),
  from("pull to push", {}, push),
  from("push to pull", push, {}),
  from("deliver_subject", push, { ...push, deliver_subject: "$T.elsewhere" }),
  from("deliver_subject while somebody listens", push, { ...push, deliver_subject: "$T.elsewhere" }, true),
  ...both("deliver_group", { deliver_group: "workers" }, push),
  ...both("rate_limit_bps", { rate_limit_bps: 10_000 }, push),
  ...both("description", { description: "x" }),
  ...both("ack_wait", { ack_wait: 5 * SECOND }),
  ...both("max_deliver", { max_deliver: 3 }),
  ...both("backoff", { backoff: [SECOND, 2 * SECOND] }, { ...pull, max_deliver: 4 }),
  ...both("max_ack_pending", { max_ack_pending: 10 }),
  ...both("filter_subject", { filter_subject: "c.a" }),
  ...both("filter_subjects", { filter_subjects: ["c.a", "c.b"] }),
  from("a filter for what the stream does not have", {}, { filter_subject: "elsewhere" }),
  ...both("headers_only", { headers_only: true }),
  ...both("inactive_threshold", { inactive_threshold: 60 * SECOND }),
  ...both("num_replicas", { num_replicas: 1 }),
  ...both("sample_freq", { sample_freq: "20" }),
  ...both("max_batch", { max_batch: 20 }),
  ...both("max_expires", { max_expires: SECOND }),
  ...both("max_bytes", { max_bytes: 2_000 }),
  ...both("metadata", { metadata: { a: "1" } }),
  ...both("priority_groups", { priority_groups: ["a"], priority_policy: "overflow" }),
  ...both("pause_until", { pause_until: "2126-01-02T03:04:05Z" }),
];
