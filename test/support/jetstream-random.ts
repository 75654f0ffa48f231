/** Random configurations that the server allows, from a seed: the same seed gives the same configurations. */
import type { WireConfig } from "../../src/jetstream/desired.ts";

const SECOND = 1e9;
const MINUTE = 60 * SECOND;

/** Mulberry32, by Tommy Ettinger (public domain). @returns numbers from 0 up to 1 */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

class Dice {
  readonly #random: () => number;
  constructor(random: () => number) {
    this.#random = random;
  }
  one<T>(...values: readonly T[]): T {
    return values[Math.floor(this.#random() * values.length)] as T;
  }
  chance(of: number): boolean {
    return this.#random() < of;
  }
  /** A field that is set as often as not. */
  field(name: string, ...values: readonly unknown[]): WireConfig {
    return this.chance(0.5) ? { [name]: this.one(...values) } : {};
  }
  /** The values, in any order, some of them left out, at least one. */
  some<T>(...values: readonly T[]): T[] {
    const shuffled = values.map((value) => ({ value, rank: this.#random() })).sort((a, b) => a.rank - b.rank);
    return shuffled.slice(0, 1 + Math.floor(this.#random() * values.length)).map(({ value }) => value);
  }
}

/** A stream with the rules of checkStreamCfg kept. */
export function randomStream(random: () => number): WireConfig {
  const dice = new Dice(random);
  const kind = dice.one("plain", "plain", "sources", "mirror");
  const maxAge = dice.one(undefined, 0, SECOND, MINUTE, 60 * MINUTE);
  const discard = dice.one(undefined, "old", "new");
  const denyPurge = dice.chance(0.3);
  const special = kind === "mirror" ? undefined : dice.one(undefined, "counter", "schedules", "ttl", "async", "atomic");
  const schedules = special === "schedules" && kind === "plain" && discard !== "new" && !denyPurge;
  const counter = special === "counter" && discard !== "new";
  const perSubject = discard === "new" && dice.chance(0.5);
  return {
    ...dice.field("description", "", "random"),
    ...(counter ? {} : dice.field("retention", "limits", "interest", "workqueue")),
    ...(special === "async" ? { persist_mode: "async" } : dice.field("storage", "file", "memory")),
    ...(discard ? { discard } : {}),
    ...(maxAge === undefined ? {} : { max_age: maxAge }),
    ...dice.field("duplicate_window", 0, ...[SECOND / 2, MINUTE / 2].filter((window) => !maxAge || window <= maxAge)),
    ...dice.field("max_consumers", -2, -1, 0, 3),
    ...dice.field("max_msgs", -1, 0, 50),
    ...dice.field("max_bytes", -1, 0, 100_000),
    ...dice.field("max_msg_size", -1, 0, 5_000),
    ...(perSubject
      ? { discard_new_per_subject: true, max_msgs_per_subject: 2 }
      : dice.field("max_msgs_per_subject", -1, 0, 7)),
    ...dice.field("num_replicas", 0, 1),
    ...dice.field("no_ack", true, false),
    ...dice.field("deny_delete", true, false),
    ...(denyPurge ? { deny_purge: true } : dice.field("allow_rollup_hdrs", true, false)),
    ...dice.field("allow_direct", true, false),
    ...dice.field("compression", "none", "s2"),
    ...dice.field("placement", {}, { tags: [] }),
    ...dice.field("republish", { dest: "copy.>" }, { src: ">", dest: "copy.>", headers_only: true }),
    ...dice.field("consumer_limits", {}, { max_ack_pending: 5 }, { inactive_threshold: MINUTE }),
    ...dice.field("metadata", {}, { b: "1", a: "2" }),
    ...(special === "ttl" ? { allow_msg_ttl: true } : {}),
    ...(special === "ttl" && !denyPurge ? dice.field("subject_delete_marker_ttl", SECOND, MINUTE) : {}),
    ...(special === "atomic" ? { allow_atomic: true } : {}),
    ...(schedules ? { allow_msg_schedules: true } : {}),
    ...(counter ? { allow_msg_counter: true } : {}),
    ...(kind === "mirror" ? { mirror: origin(dice) } : dice.field("first_seq", 0, 1, 90)),
    ...(kind === "mirror" ? dice.field("mirror_direct", true, false) : {}),
    ...(kind === "sources" ? { sources: [{ ...origin(dice) }, { name: "not_there" }] } : {}),
    ...(kind === "plain" ? dice.field("subjects", [], dice.some("$T.a", "$T.b.>", "$T.c.*")) : {}),
    ...(kind === "plain" && !schedules ? dice.field("subject_transform", { src: ">", dest: "moved.>" }) : {}),
  };
}

const origin = (dice: Dice): WireConfig => ({
  name: dice.one("plain_origin", "direct_origin", "not_there_either"),
  ...(dice.chance(0.5)
    ? dice.field("filter_subject", "", "plain.a", "plain.>")
    : { subject_transforms: dice.some("plain.a", "plain.b", "plain.c").map((src) => ({ src, dest: `x.${src}` })) }),
  ...dice.one({}, { opt_start_seq: 0 }, { opt_start_seq: 7 }, { opt_start_time: "2026-01-02T03:04:05.120Z" }),
});

/** A consumer of a stream with the subjects `c.>`, with the rules of checkConsumerCfg kept. */
export function randomConsumer(random: () => number): WireConfig {
  const dice = new Dice(random);
  const push = dice.chance(0.3);
  const ack = dice.one(undefined, "none", "all", "explicit", "explicit");
  const filter = dice.one({}, { filter_subject: "c.a" }, { filter_subjects: dice.some("c.a", "c.b", "c.c.>") });
  const delivery = dice.one(
    {},
    { deliver_policy: dice.one("all", "last", "new") },
    { deliver_policy: "by_start_sequence", opt_start_seq: 4 },
    {
      deliver_policy: "by_start_time",
      opt_start_time: dice.one("2026-01-02T03:04:05Z", "2026-01-02T05:04:05.10+02:00"),
    },
    "filter_subject" in filter ? { deliver_policy: "last_per_subject" } : {},
  );
  const priorities = ack === "explicit" && !push && dice.chance(0.3);
  return {
    ...dice.field("description", "", "random"),
    ...filter,
    ...delivery,
    ...(ack ? { ack_policy: ack } : {}),
    ...dice.field("ack_wait", 0, SECOND, MINUTE),
    ...dice.one({}, { max_deliver: dice.one(-1, 0, 4) }, { max_deliver: 4, backoff: dice.some(SECOND, MINUTE) }),
    ...dice.field("replay_policy", "instant", "original"),
    ...dice.field("sample_freq", "", "10", "10%"),
    // Refused for push consumers without acknowledgements (10082).
    ...(push && (ack ?? "none") === "none" ? {} : dice.field("max_ack_pending", -3, -1, 0, 20)),
    ...dice.field("headers_only", true, false),
    ...dice.field("inactive_threshold", 0, MINUTE),
    ...dice.field("num_replicas", 0, 1),
    ...dice.field("mem_storage", true, false),
    ...dice.field("metadata", {}, { b: "1", a: "2" }),
    ...(priorities
      ? { priority_groups: ["a"], priority_policy: dice.one("overflow", "pinned_client", "prioritized") }
      : {}),
    ...(push ? pushed(dice) : pulled(dice)),
  };
}

const pushed = (dice: Dice): WireConfig => ({
  deliver_subject: "$T.deliver",
  ...dice.field("deliver_group", "workers"),
  ...dice.field("rate_limit_bps", 0, 10_000),
  ...dice.one({}, { idle_heartbeat: SECOND }, { idle_heartbeat: SECOND, flow_control: true }),
});

const pulled = (dice: Dice): WireConfig => ({
  ...dice.field("max_waiting", -1, 0, 30),
  ...dice.field("max_batch", -1, 0, 30),
  ...dice.field("max_expires", -1, 0, MINUTE),
  ...dice.field("max_bytes", -1, 0, 30),
});
