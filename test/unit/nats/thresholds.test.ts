import { describe, expect, test } from "vitest";
import type { StreamInput } from "../../../src/model/stream.ts";
import { natsAlerts } from "../../../src/nats/alerts.ts";
import {
  deadLettersLimit,
  pendingLimit,
  publishRateLimit,
  redeliveredLimit,
  sourceLagLimit,
} from "../../../src/nats/thresholds.ts";
import { modelWith, orders, realModel } from "../../support/definitions.ts";

const internal = { sensitivity: "internal" } as const;
const reader = { name: "reader", service: "dms" } as const;
const fed = (rate: `${number}/s`, change: Partial<StreamInput> = {}): StreamInput => ({
  ...orders,
  publishers: [{ service: "oms", subject: "orders.created", rate, size: "1KiB", data: internal }],
  consumers: [reader],
  ...change,
});

function limits(...streams: StreamInput[]) {
  const model = modelWith({ streams });
  const stream = model.streams.at(-1);
  const [consumer] = stream?.consumers ?? [];
  if (!stream) throw new Error("no stream");
  return {
    deadLetters: deadLettersLimit(stream),
    publishRate: publishRateLimit(stream, model),
    sourceLag: sourceLagLimit(stream, "orders", model),
    pending: consumer && pendingLimit(consumer, stream, model),
    redelivered: consumer && redeliveredLimit(consumer),
  };
}

describe("what may wait for a consumer", () => {
  test("is five minutes of declared peak", () => {
    expect(limits(fed("100/s")).pending).toBe(30_000);
  });

  test("is half of what the stream keeps, where that is less", () => {
    // 60 000 messages are ten minutes at 100/s, and half of them is the same; of 20 000 it is 100 seconds.
    expect(limits(fed("100/s", { maxMsgs: 20_000 })).pending).toBe(10_000);
  });

  test("counts only what the consumer reads", () => {
    const more = { service: "bff", subject: "orders.seen", rate: "900/s", data: internal } as const;
    const stream = fed("100/s");
    const both = { ...stream, publishers: [...(stream.publishers ?? []), more] };
    const filtered = { ...reader, filterSubject: "orders.created" };
    expect(limits(both).pending).toBe(300_000);
    expect(limits({ ...both, consumers: [filtered] }).pending).toBe(30_000);
  });

  test("is at least a thousand, also where nobody says what comes", () => {
    expect(limits(fed("1/s")).pending).toBe(1_000);
    expect(limits({ ...orders, consumers: [reader] }).pending).toBe(1_000);
  });

  test("is what the definition says, if it does", () => {
    const own = { ...reader, alerts: { pending: 7, redelivered: 3 } };
    expect(limits(fed("100/s", { consumers: [own] }))).toMatchObject({ pending: 7, redelivered: 3 });
    expect(limits(fed("100/s")).redelivered).toBe(100);
  });
});

describe("what a copy may be behind", () => {
  const copy: StreamInput = { name: "copy", sources: [{ name: "orders" }], replicas: 3, maxBytes: "1GiB" };

  test("is a minute of the origin's peak, or a quarter of what it keeps", () => {
    expect(limits(fed("100/s"), copy).sourceLag).toBe(6_000);
    expect(limits(fed("100/s", { maxMsgs: 8_000 }), copy).sourceLag).toBe(2_000);
    expect(limits(fed("100/s"), { ...copy, alerts: { sourceLag: 5 } }).sourceLag).toBe(5);
  });

  test("counts only what it copies", () => {
    expect(
      limits(fed("100/s"), { ...copy, sources: [{ name: "orders", filterSubject: "orders.seen" }] }).sourceLag,
    ).toBe(1_000);
  });
});

describe("the publish rate", () => {
  test("is the sum of what is declared, also of what is copied", () => {
    const copy: StreamInput = { name: "copy", sources: [{ name: "orders" }], maxBytes: "1GiB" };
    expect(limits(fed("100/s")).publishRate).toBe(100);
    expect(limits(fed("100/s"), copy).publishRate).toBe(100);
  });

  test("is unknown where one publisher declares none", () => {
    expect(limits(orders).publishRate).toBeUndefined();
    expect(limits({ ...orders, alerts: { publishRate: "5/s" } }).publishRate).toBe(5);
  });
});

test("dead letters are counted where they arrive, and nowhere else", () => {
  const counted = realModel("production").streams.map((stream) => [stream.name, deadLettersLimit(stream)]);
  expect(counted.filter(([, limit]) => limit !== undefined)).toEqual([["circl_dlq", 100]]);
  expect(limits({ ...orders, alerts: { deadLetters: 3 } }).deadLetters).toBe(3);
});

test("thresholds of the definitions stay with us: the server is not told", async () => {
  const { streamConfig, consumerConfig } = await import("../../../src/jetstream/desired.ts");
  const model = modelWith({
    streams: [fed("1/s", { alerts: { deadLetters: 3 }, consumers: [{ ...reader, alerts: { pending: 7 } }] })],
  });
  const [stream] = model.streams;
  expect(stream && streamConfig(stream, model)).not.toHaveProperty("alerts");
  expect(stream?.consumers[0] && consumerConfig(stream.consumers[0], model)).not.toHaveProperty("alerts");
});

test("one server has no alerts about peers, no streams none about streams", () => {
  const names = (model: Parameters<typeof natsAlerts>[0]) =>
    natsAlerts(model).groups.flatMap(({ rules }) => rules.flatMap((rule) => ("alert" in rule ? [rule.alert] : [])));
  const single = names(modelWith({ environment: { nats: { servers: 1 } }, streams: [{ ...orders, replicas: 1 }] }));
  expect(single).toEqual(expect.arrayContaining(["NatsDown", "NatsStreamWithoutLeader"]));
  for (const name of ["NatsServerMissing", "NatsNoMetaLeader", "NatsRouteLost", "NatsStreamReplicasMissing"]) {
    expect(single).not.toContain(name);
  }
  expect(names(modelWith({ streams: [] })).filter((name) => /^Nats(Stream|Consumer|Source)/.test(name))).toEqual([]);
  expect(
    names(modelWith({ environment: { certificates: "none" } })).filter((name) => name.includes("Certificate")),
  ).toEqual([]);
});
