import { describe, expect, test } from "vitest";
import type { ConsumerInfo, StreamInfo } from "../../../src/jetstream/api.ts";
import { consumerConfig, streamConfig } from "../../../src/jetstream/desired.ts";
import type { Observed, ObservedConsumers } from "../../../src/jetstream/observe.ts";
import { status } from "../../../src/jetstream/status.ts";
import type { StreamInput } from "../../../src/model/stream.ts";
import { modelWith, orders } from "../../support/definitions.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z") * 1e6;
const server = { url: "nats://n", name: "n-0", version: "2.14.9", cluster: "circl-production" };
const account = {
  api: {},
  limits: { max_storage: -1, max_memory: -1 },
  storage: 0,
  memory: 0,
  streams: 1,
  consumers: 1,
};
const peer = (name: string, rest: object = {}) => ({ name, current: true, ...rest });

/** A stream of a day, filled evenly with 1,000 messages since one hour ago. @param config what is not as declared */
const stream = (rest: object = {}, config: object = {}): StreamInfo => ({
  config: { name: "orders", ...config },
  state: {
    messages: 1_000,
    bytes: 1_000_000,
    first_seq: 1,
    last_seq: 1_000,
    first_ts: "2026-11-22T11:00:00Z",
    ...{ last_ts: "2026-11-22T12:00:00Z" },
  },
  cluster: { leader: "n-0", replicas: [peer("n-1"), peer("n-2")] },
  created: "2026-11-01T00:00:00Z",
  ...rest,
});

/** A consumer that was given everything but the last hundred. @param config what is not as declared */
const consumer = (rest: object = {}, config: object = {}): ConsumerInfo => ({
  name: "oms-orders",
  stream_name: "orders",
  config: { max_ack_pending: 1_000, ...config },
  created: "",
  num_pending: 100,
  num_ack_pending: 3,
  num_redelivered: 1,
  ack_floor: { stream_seq: 897 },
  delivered: { stream_seq: 900 },
  cluster: { leader: "n-0", replicas: [peer("n-1"), peer("n-2")] },
  ...rest,
});

interface Seen {
  readonly info?: StreamInfo;
  readonly consumer?: ConsumerInfo;
  readonly unknown?: ObservedConsumers["unknown"];
  readonly others?: Observed["streams"];
  readonly definition?: Partial<StreamInput>;
  readonly guard?: ConsumerInfo;
}

const { maxBytes: _, ...unbounded } = orders;
const declared: StreamInput = {
  ...unbounded,
  maxAge: "1d",
  maxMsgs: 10_000,
  consumers: [{ name: "oms-orders", service: "oms", ackPolicy: "explicit" }],
};

function healthOf({ info = stream(), consumer: found, unknown = [], others = [], definition = {}, guard }: Seen) {
  const model = modelWith({ streams: [{ ...declared, ...definition }] });
  const [streamModel] = model.streams;
  const [consumerModel] = streamModel?.consumers ?? [];
  if (!streamModel || !consumerModel) throw new Error("no stream, or no consumer");
  const config = { ...streamConfig(streamModel, model), ...info.config };
  const reader = found && { ...found, config: { ...consumerConfig(consumerModel, model), ...found.config } };
  return status(
    model,
    {
      server,
      account,
      streams: [{ name: "orders", status: "known", info: { ...info, config } }, ...others],
      consumers: new Map([["orders", { known: [reader, guard].filter((one) => one !== undefined), unknown }]]),
    },
    NOW,
  );
}
const isDrift = (problem: string) => problem.startsWith("is not as declared: ");
const streamProblems = (seen: Seen) =>
  healthOf({ consumer: consumer(), ...seen }).streams[0]?.problems.filter((problem) => !isDrift(problem));
const consumerProblems = (seen: Seen) => healthOf(seen).consumers[0]?.problems.filter((problem) => !isDrift(problem));

test("a stream with current replicas and a consumer that keeps up are well", () => {
  expect(healthOf({ consumer: consumer() })).toEqual({
    environment: "production",
    server,
    streams: [
      {
        name: "orders",
        condition: "exists",
        problems: [],
        live: {
          leader: "n-0",
          replicas: { wanted: 3, current: 3, offline: [], lag: 0 },
          messages: { amount: 1_000, limit: 10_000 },
          bytes: { amount: 1_000_000, limit: -1 },
          oldest: 3_600e9,
          endedBy: "nothing",
          // An hour has filled a tenth of max_msgs.
          keeps: 36_000e9,
          sources: [],
        },
      },
    ],
    consumers: [
      {
        name: "orders/oms-orders",
        condition: "exists",
        problems: [],
        live: { pending: 100, ackPending: 3, redelivered: 1, waits: expect.closeTo(360e9, -10) },
      },
    ],
    undeclared: { streams: 0, consumers: 0 },
    problems: 0,
  });
});

describe("drift", () => {
  test("is a problem, with the fields that differ", () => {
    const { streams, problems } = healthOf({
      info: stream({}, { max_age: 3_600e9, num_replicas: 1 }),
      consumer: consumer(),
    });
    expect(problems).toBe(1);
    expect(streams[0]).toMatchObject({
      condition: "exists",
      problems: ["is not as declared: max_age, num_replicas"],
      differs: [
        { field: "max_age", from: 3_600e9, to: 86_400e9 },
        { field: "num_replicas", from: 1, to: 3 },
      ],
      live: { replicas: { wanted: 3 } },
    });
  });

  test("of a consumer is one too", () => {
    expect(healthOf({ consumer: consumer({}, { ack_wait: 1e9 }) }).consumers[0]).toMatchObject({
      problems: ["is not as declared: ack_wait"],
      differs: [{ field: "ack_wait", from: 1e9, to: 30e9 }],
    });
  });

  test("is not what nobody declared", () => {
    const info = stream({}, { name: "other", max_age: 1e9 });
    const others = [{ name: "other", status: "known", info }] as const;
    expect(healthOf({ consumer: consumer(), others })).toMatchObject({ problems: 0, undeclared: { streams: 1 } });
  });

  test.each([
    ["2026-11-01T00:00:00Z", "has a guard that an interrupted apply left behind: orders/oms-orders-recreating"],
    [
      "2026-11-03T00:00:00Z",
      "was created anew by somebody else, and orders/oms-orders-recreating keeps the place that it had before: " +
        "`--allow-delete orders/oms-orders-recreating` gives the place up",
    ],
  ])("is what an interrupted apply left behind, of a consumer created on %s", (created, says) => {
    const metadata = { "circl.dev/environment": "production", "circl.dev/guards": "oms-orders" };
    const guard = consumer({ name: "oms-orders-recreating", created: "2026-11-02T00:00:00Z" }, { metadata });
    expect(consumerProblems({ consumer: consumer({ created }), guard })).toEqual([says]);
  });
});

describe("replicas", () => {
  const withCluster = (cluster: object) => streamProblems({ info: stream({ cluster: { leader: "n-0", ...cluster } }) });

  test("that are offline, behind, missing or being changed", () => {
    expect(withCluster({ replicas: [peer("n-1", { current: false, offline: true }), peer("n-2")] })).toEqual([
      "has an offline replica: n-1",
    ]);
    expect(withCluster({ replicas: [peer("n-1", { current: false, lag: 7 }), peer("n-2")] })).toEqual([
      "has a replica that is not current: n-1, 7 behind",
    ]);
    expect(withCluster({ replicas: [peer("n-1")] })).toEqual(["has 2 of 3 replicas"]);
    expect(withCluster({ replicas: [peer("n-1"), peer("n-2")], desired: {} })).toEqual([
      "is being reconfigured to 3 replicas",
    ]);
  });

  test("that are a little behind are none", () => {
    expect(withCluster({ replicas: [peer("n-1", { lag: 7 }), peer("n-2")] })).toEqual([]);
  });
});

describe("limits", () => {
  const rated = { publishers: [{ ...orders.publishers?.[0], rate: "1/s" }] } as Partial<StreamInput>;

  test("that end a message's life earlier than the declared rates do", () => {
    const definition = { ...rated, maxMsgs: 10_000 };
    const state = { ...stream().state, messages: 10_000 };
    expect(streamProblems({ info: stream({ state }), definition })).toEqual([
      "keeps a message for 1h, not 2h46m as declared: maxMsgs ends it",
    ]);
  });

  test("that are full at the declared rates are none", () => {
    const state = { ...stream().state, messages: 10_000, first_ts: "2026-11-22T09:00:00Z" };
    expect(streamProblems({ info: stream({ state }), definition: { ...rated, maxMsgs: 10_000 } })).toEqual([]);
  });

  test("that make publishers wait", () => {
    const info = stream({}, { discard: "new", max_bytes: 1_000_000 });
    expect(streamProblems({ info })).toEqual(["is full (maxBytes): publishes are refused"]);
  });
});

describe("copies", () => {
  const copies = (source: object, others: Seen["others"] = []) =>
    streamProblems({ info: stream({ sources: [{ name: "origin", lag: 0, active: 1e9, ...source }] }), others });

  test("that have not heard of their origin, or cannot copy", () => {
    expect(copies({})).toEqual([]);
    expect(copies({ active: 300e9, lag: 9 })).toEqual([
      "has not heard of its origin origin for 5m, and was 9 messages behind then",
    ]);
    expect(copies({ active: -1 })).toEqual(["has not heard of its origin origin since it started"]);
    expect(copies({ error: { description: "too large" } })).toEqual(["does not copy origin: too large"]);
  });

  test("that lose messages because their origin is full", () => {
    const info = stream({}, { name: "origin", max_msgs: 1_000 });
    expect(copies({ lag: 501 }, [{ name: "origin", status: "known", info }])).toEqual([
      "is 501 messages behind origin, which keeps 1000: what it does not copy is lost",
    ]);
    expect(copies({ lag: 500 }, [{ name: "origin", status: "known", info }])).toEqual([]);
  });
});

describe("consumers", () => {
  test("that are missing or cannot be asked", () => {
    expect(consumerProblems({})).toEqual(["is missing: `circl apply production` creates it"]);
    expect(consumerProblems({ unknown: [{ name: "oms-orders", why: "it has no leader" }] })).toEqual([
      "is unknown: it has no leader",
    ]);
  });

  test("whose backlog is older than an hour", () => {
    const state = { ...stream().state, first_ts: "2026-11-22T06:00:00Z" };
    const lagging = consumer({ delivered: { stream_seq: 100 }, num_pending: 900 });
    expect(consumerProblems({ info: stream({ state }), consumer: lagging })).toEqual(["lags by about 5h23m"]);
  });

  test("whose backlog the stream soon forgets, unless it forgets nothing", () => {
    const lagging = consumer({ delivered: { stream_seq: 400 }, num_pending: 600 });
    expect(consumerProblems({ info: stream({}, { max_msgs: 1_000 }), consumer: lagging })).toEqual([
      "lags by about 35m59s, and the stream keeps 1h: what it does not fetch is lost",
    ]);
    expect(
      consumerProblems({ info: stream({}, { max_msgs: 1_000, retention: "workqueue" }), consumer: lagging }),
    ).toEqual([]);
  });

  test("that were passed over, which only those without a filter show", () => {
    const state = { ...stream().state, first_seq: 951, messages: 50 };
    expect(consumerProblems({ info: stream({ state }), consumer: consumer() })).toEqual([
      "was not given 50 messages that the stream no longer keeps",
    ]);
    const filtered = consumer({}, { filter_subject: "orders.created" });
    expect(consumerProblems({ info: stream({ state }), consumer: filtered })).toEqual([]);
  });

  test("that push where nobody listens", () => {
    const pushed = { deliver_subject: "oms.in" };
    expect(consumerProblems({ consumer: consumer({}, pushed) })).toEqual([
      "delivers nothing: nobody listens on oms.in",
    ]);
    expect(consumerProblems({ consumer: consumer({ push_bound: true }, pushed) })).toEqual([]);
  });

  test("that nothing is pending for are well, however long ago the last message was", () => {
    const state = { ...stream().state, first_ts: "2026-11-20T00:00:00Z", last_ts: "2026-11-20T00:00:00Z" };
    expect(consumerProblems({ info: stream({ state }), consumer: consumer({ num_pending: 0 }) })).toEqual([]);
  });
});
