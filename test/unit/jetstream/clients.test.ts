/** Whose work a change breaks, named: every kind of change that clients notice, with a declared client that it hits. */
import { describe, expect, test } from "vitest";
import type { ConsumerInfo, StreamInfo } from "../../../src/jetstream/api.ts";
import { consumerConfig, streamConfig, type WireConfig } from "../../../src/jetstream/desired.ts";
import { diff } from "../../../src/jetstream/diff.ts";
import type { Effect } from "../../../src/jetstream/effect.ts";
import { effectsOf } from "../../../src/jetstream/effects.ts";
import type { Observed } from "../../../src/jetstream/observe.ts";
import type { Model } from "../../../src/model/resolve.ts";
import { defineConsumer, type StreamInput } from "../../../src/model/stream.ts";
import { modelWith, orders, stores } from "../../support/definitions.ts";

const VERSION = { major: 2, minor: 14, patch: 9 };
const reader = defineConsumer({ name: "bff-orders", service: "bff" });
const published: StreamInput = {
  ...orders,
  publishers: [
    { service: "oms", subject: "orders.created", size: "2KiB", data: { sensitivity: "internal" } },
    { service: "dms", subject: "orders.sent", size: "100B", data: { sensitivity: "internal" } },
  ],
};
const withOrders = (change: Partial<StreamInput>, ...others: readonly StreamInput[]): Model =>
  modelWith({ streams: [{ ...published, ...change }, ...others] });

/** What the server has where `model` was applied, changed by hand. */
function serverWith(model: Model, consumers: readonly WireConfig[] = []): Observed {
  const state = { messages: 40, bytes: 4_000, first_seq: 1, last_seq: 40, first_ts: "2026-01-01T00:00:00Z" };
  const infoOf = (stream: string, config: WireConfig) =>
    ({
      name: String(config.name),
      stream_name: stream,
      config,
      created: "",
      num_pending: 12,
      num_ack_pending: 3,
      num_redelivered: 1,
      ack_floor: { stream_seq: 20 },
      delivered: { stream_seq: 28 },
    }) satisfies ConsumerInfo;
  const known = model.streams.map((stream) => {
    const configs = [...stream.consumers.map((consumer) => consumerConfig(consumer, model)), ...consumers];
    return [stream.name, { known: configs.map((config) => infoOf(stream.name, config)), unknown: [] }] as const;
  });
  return {
    server: { url: "127.0.0.1:4222", name: "n", version: "2.14.9", cluster: "circl-production" },
    account: { api: {}, limits: { max_storage: -1, max_memory: -1 }, storage: 0, memory: 0, streams: 1, consumers: 0 },
    streams: model.streams.map((stream) => ({
      name: stream.name,
      status: "known",
      info: { config: streamConfig(stream, model), state, created: "" } as unknown as StreamInfo,
    })),
    consumers: new Map(known),
  };
}

/** What is said of `name` where `after` follows `before`. */
function effects(
  name: string,
  before: Model,
  after: Model,
  { consumers = [], deletions = [] }: { consumers?: readonly WireConfig[]; deletions?: readonly string[] } = {},
): Effect[] {
  const observed = serverWith(before, consumers);
  const change = diff(after, observed, { deletions }).find((candidate) => candidate.name === name);
  if (!change || change.action === "none") throw new Error(`${name} does not change`);
  return effectsOf(change, observed, after, VERSION, Date.parse("2026-01-02T00:00:00Z") * 1e6);
}
const broken = (all: readonly Effect[]) => all.filter(({ kind }) => kind === "breaks").map(({ says }) => says);

describe("a stream that changes names its publishers:", () => {
  const both = "oms (publishes orders.created), dms (publishes orders.sent)";
  test.each<[string, Partial<StreamInput>, Partial<StreamInput>, string]>([
    ["sealed", {}, { sealed: true }, `every publish is refused from now on: ${both}`],
    ["no_ack", {}, { noAck: true }, `publishers that wait for an acknowledgement time out: ${both}`],
    [
      "a limit that refuses",
      { discard: "new" },
      { discard: "new", maxMsgs: 5 },
      `is over the new limit: publishes are refused until it is below: ${both}`,
    ],
    [
      "a limit that refuses from now on",
      { maxMsgs: 40 },
      { maxMsgs: 40, discard: "new" },
      `is at its limit: publishes are refused from now on: ${both}`,
    ],
    [
      "messages smaller than what is declared",
      {},
      { maxMsgSize: "1KiB" },
      "messages above 1 KiB are refused from now on: oms (publishes orders.created)",
    ],
    [
      "roll-ups",
      { allowRollupHdrs: true },
      {},
      `messages that roll up, as purges of key-value buckets do, are refused: ${both}`,
    ],
    [
      "atomic batches",
      { allowAtomic: true },
      {},
      `atomic batches are refused, and those under way are dropped: ${both}`,
    ],
    ["fast batches", { allowBatched: true }, {}, `fast batches are refused: ${both}`],
  ])("%s", (_, before, after, says) => {
    expect(broken(effects("orders", withOrders(before), withOrders(after)))).toEqual([says]);
  });

  test("a size that none of them exceeds breaks nobody by name", () => {
    expect(broken(effects("orders", withOrders({}), withOrders({ maxMsgSize: "4KiB" })))).toEqual([
      "messages above 4 KiB are refused from now on",
    ]);
  });

  test("a subject that moves to another stream, and whoever publishes there meanwhile", () => {
    const data = { sensitivity: "internal" } as const;
    const audit: StreamInput = { ...orders, name: "audit", subjects: ["audit.>"], publishers: [] };
    const before = withOrders({ subjects: ["orders.>", "moved.>"] }, audit);
    const taking: StreamInput = {
      ...audit,
      subjects: ["audit.>", "moved.>"],
      publishers: [{ service: "iot", subject: "moved.x", data }],
    };
    const found = effects("orders", before, withOrders({}, taking));
    expect(broken(found)).toEqual([
      'publishes to "moved.>" are refused until audit captures it: iot (publishes moved.x)',
    ]);
    expect(found.flatMap(({ clients = [] }) => clients)).toEqual([
      { service: "iot", does: "publishes", what: "moved.x" },
    ]);
    expect(broken(effects("orders", before, withOrders({}, { ...audit, subjects: ["audit.>", "moved.>"] })))).toEqual(
      [],
    );
  });

  test("buckets, and whoever reads them directly", () => {
    const before = modelWith({ streams: stores });
    const plain = stores.map((store) => ({ ...store, allowDirect: false }));
    expect(broken(effects("KV_flags", before, modelWith({ streams: plain })))).toEqual([
      "direct gets find no responder: clients of key-value buckets use them: oms (reads KV_flags), bff (reads KV_flags)",
    ]);
  });
});

describe("a stream that changes names its readers:", () => {
  const live = { name: "old", durable_name: "old", filter_subject: "old.x", metadata: { "circl.dev/service": "geo" } };

  test("those whose filters match nothing any more, though streams/ does not know them", () => {
    const before = withOrders({ subjects: ["orders.>", "old.>"] });
    expect(broken(effects("orders", before, withOrders({}), { consumers: [live] }))).toEqual([
      'publishes to "old.>" outside the new subjects are refused',
      "nothing new matches the filters of its readers any more: geo (reads orders/old)",
    ]);
    const kept = { ...live, filter_subject: "orders.x" };
    expect(broken(effects("orders", before, withOrders({}), { consumers: [kept] }))).toEqual([
      'publishes to "old.>" outside the new subjects are refused',
    ]);
  });

  test("those that are created only once retention interest has let go what they would have read", () => {
    const found = effects("orders", withOrders({}), withOrders({ retention: "interest", consumers: [reader] }));
    expect(found).toMatchObject([
      { kind: "loses", messages: 40, bytes: 4_000 },
      { kind: "breaks", says: "created after this, they find nothing that came before: bff (reads orders/bff-orders)" },
    ]);
    expect(
      broken(
        effects(
          "orders",
          withOrders({ consumers: [reader] }),
          withOrders({ retention: "interest", consumers: [reader] }),
        ),
      ),
    ).toEqual([]);
  });

  test("those that go with it, and the copies that end", () => {
    const sink: StreamInput = { ...orders, name: "sink", publishers: [], sources: [{ name: "orders" }] };
    const { subjects: _, ...copy } = sink;
    const before = withOrders({ consumers: [reader] }, copy);
    const after = modelWith({ streams: [{ ...orders, name: "other", subjects: ["other.>"], publishers: [] }] });
    expect(effects("orders", before, after, { deletions: ["orders"] })).toMatchObject([
      { kind: "deletes", says: "the stream with 40 messages, 3.9 KiB", messages: 40, bytes: 4_000 },
      { kind: "breaks", says: "its consumers go with it: bff (reads orders/bff-orders)" },
      { kind: "breaks", says: "sink copied from it and gets nothing more" },
    ]);
  });
});

describe("a consumer that changes names its service:", () => {
  const consumer = "orders/bff-orders";
  const named = "bff (reads orders/bff-orders)";
  const having = (settings: object): Model => withOrders({ consumers: [{ ...reader, ...settings }] });
  const push = { deliverSubject: "bff.in" };

  test.each<[string, object, object, string]>([
    [
      "fewer in flight than there are",
      {},
      { maxAckPending: 2 },
      `nothing is delivered until some of 3 messages, about 300 B are acknowledged: ${named}`,
    ],
    [
      "fewer deliveries",
      {},
      { maxDeliver: 2 },
      `of 1 message, about 100 B, being redelivered, those beyond max_deliver stop without an advisory: ${named}`,
    ],
    ["less time", {}, { ackWait: "10s" }, `what takes longer than 10s is delivered twice: ${named}`],
    ["no payloads", {}, { headersOnly: true }, `payloads are no longer delivered: ${named}`],
    ["another place", push, { deliverSubject: "bff.out" }, `who listens on "bff.in" gets nothing more: ${named}`],
    ["a group", push, { ...push, deliverGroup: "g" }, `who listens outside the group "g" gets nothing more: ${named}`],
    ["no group", { ...push, deliverGroup: "g" }, push, `every listener of the group gets every message: ${named}`],
    ["smaller batches", {}, { maxBatch: 5 }, `requests for more than 5 messages are refused: ${named}`],
    ["shorter waits", {}, { maxExpires: "5s" }, `requests for more than 5s are refused: ${named}`],
    ["less at once", {}, { maxBytes: "1KiB" }, `requests for more than 1 KiB are refused: ${named}`],
    [
      "a narrower filter",
      { filterSubjects: ["orders.created", "orders.sent"] },
      { filterSubjects: ["orders.sent"] },
      `"orders.created" is no longer delivered: ${named}`,
    ],
    ["a first filter", {}, { filterSubject: "orders.sent" }, `all but its filters is no longer delivered: ${named}`],
  ])("%s", (_, before, after, says) => {
    expect(broken(effects(consumer, having(before), having(after)))).toEqual([says]);
  });

  test.each<[string, object, object]>([
    ["more in flight", { maxAckPending: 5 }, { maxAckPending: 50 }],
    ["a limit above what is in flight", {}, { maxAckPending: 4 }],
    ["more time", {}, { ackWait: "60s" }],
    ["a wider filter", { filterSubject: "orders.sent" }, { filterSubject: "orders.*" }],
    ["no filter", { filterSubject: "orders.sent" }, {}],
  ])("%s breaks nobody", (_, before, after) => {
    expect(broken(effects(consumer, having(before), having(after)))).toEqual([]);
  });

  test("deleted, with its place and what only it waits for", () => {
    const gone = effects(consumer, having({}), withOrders({}), { deletions: [consumer] });
    expect(gone).toMatchObject([
      { kind: "deletes", says: "its place, with 12 messages, about 1.2 KiB, before it" },
      { kind: "breaks", says: `nothing is delivered any more: ${named}` },
    ]);
    expect(gone[0]).not.toHaveProperty("messages");
    const interest = { retention: "interest" } as const;
    const before = withOrders({ ...interest, consumers: [reader] });
    expect(effects(consumer, before, withOrders(interest), { deletions: [consumer] })[0]).toMatchObject({
      messages: 15,
      about: true,
      says: "its place, with 12 messages, about 1.2 KiB, before it, and of about 15 messages, 1.5 KiB, what nobody else waits for",
    });
  });
});
