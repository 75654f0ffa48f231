import { describe, expect, test } from "vitest";
import type { StreamInput, StreamOrigin } from "../../../src/model/stream.ts";
import { effectiveRetention, flowsInto } from "../../../src/model/traffic.ts";
import { natsAlerts } from "../../../src/nats/alerts.ts";
import { jetstreamDashboard } from "../../../src/nats/dashboards/jetstream.ts";
import {
  deadLettersLimit,
  pendingLimit,
  publishRateLimit,
  redeliveredLimit,
  silenceLimit,
  sourceLagLimit,
  standstillOf,
} from "../../../src/nats/thresholds.ts";
import { modelWith, orders, realModel } from "../../support/definitions.ts";
import { alertsIn, recordingsIn } from "../../support/promtool.ts";

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
    sourceSilence: silenceLimit(stream, "orders", model),
    standstill: standstillOf(stream, "orders", model),
    pending: consumer && pendingLimit(consumer, stream, model),
    redelivered: consumer && redeliveredLimit(consumer),
  };
}

describe("what may wait for a consumer", () => {
  test("is five minutes of declared peak", () => {
    expect(limits(fed("100/s")).pending).toBe(30_000);
  });

  test("is half of what is left when the alert has to come before the stream drops them, where that is less", () => {
    // 20 000 messages are 200 s: 90 pass until the alert fires, and half of the other 110 may wait.
    expect(limits(fed("100/s", { maxMsgs: 20_000 })).pending).toBe(5_500);
    // 50 s: it cannot come before. And of ten messages a second a thousand would be too late.
    expect(limits(fed("100/s", { maxMsgs: 5_000 })).pending).toBe(2_500);
    expect(limits(fed("10/s", { maxMsgs: 1_100 })).pending).toBe(100);
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

  test("is a minute of the origin's peak, or half of what is left when the alert has to come in time", () => {
    expect(limits(fed("100/s"), copy).sourceLag).toBe(6_000);
    expect(limits(fed("100/s", { maxMsgs: 15_000 }), copy).sourceLag).toBe(3_000);
    expect(limits(fed("100/s", { maxMsgs: 8_000 }), copy).sourceLag).toBe(4_000);
    expect(limits(fed("100/s"), { ...copy, alerts: { sourceLag: 5 } }).sourceLag).toBe(5);
  });

  test("counts only what it copies, by a filter or by transforms", () => {
    const lag = (source: Partial<StreamOrigin>) =>
      limits(fed("100/s"), { ...copy, sources: [{ name: "orders", ...source }] });
    const [created, seen] = ["orders.created", "orders.seen"].map((src) => ({ src, dest: src }));
    expect(lag({ filterSubject: "orders.seen" }).sourceLag).toBe(1_000);
    expect(lag({ subjectTransforms: seen ? [seen] : [] }).sourceLag).toBe(1_000);
    expect(lag({ subjectTransforms: seen ? [seen] : [] }).publishRate).toBe(0);
    expect(lag({ subjectTransforms: seen && created ? [seen, created] : [] }).sourceLag).toBe(6_000);
  });
});

describe("how long a copy may hear nothing", () => {
  const copy: StreamInput = { name: "copy", sources: [{ name: "orders" }], replicas: 3, maxBytes: "1GiB" };
  const silence = (...streams: StreamInput[]) => limits(...streams).sourceSilence;

  test("is a minute, or half of what its own origin leaves when the alert has to come in time, but ten seconds", () => {
    expect(silence(fed("100/s"), copy)).toBe(60);
    expect(silence(fed("100/s", { maxMsgs: 15_000 }), copy)).toBe(30);
    expect(silence(fed("100/s", { maxMsgs: 1_000 }), copy)).toBe(10);
    const short: StreamInput = { ...fed("100/s", { maxMsgs: 15_000 }), name: "short", subjects: ["short.>"] };
    const other = { ...copy, name: "other", sources: [{ name: "short" }] };
    expect(silence({ ...short, publishers: [] }, other, fed("100/s"), copy)).toBe(60);
  });

  test("is what the definition says, if it does", () => {
    expect(silence(fed("100/s"), { ...copy, alerts: { sourceSilence: "5m" } })).toBe(300);
  });

  test("is recorded of every source, also of one of another account", () => {
    const external = { api: "$JS.east.API", deliver: "east.d" };
    const model = modelWith({
      streams: [
        fed("100/s", { maxMsgs: 15_000 }),
        { ...copy, sources: [{ name: "orders" }, { name: "far", external }] },
      ],
    });
    const recorded = recordingsIn(model).filter(({ record }) => /active_duration_ns:threshold$/.test(record));
    expect(recorded.map(({ expr, labels }) => [labels?.source_name, expr])).toEqual([
      ["orders", "vector(30000000000)"],
      ["far", "vector(60000000000)"],
    ]);
  });

  test("calls also where all origins are of other accounts, of whose messages nobody here knows anything", () => {
    const external = { api: "$JS.east.API", deliver: "east.d" };
    const model = modelWith({ streams: [{ ...copy, sources: [{ name: "far", external }] }] });
    const names = alertsIn(model).map(({ alert }) => alert);
    expect(names.filter((name) => name.startsWith("NatsSource"))).toEqual(["NatsSourceStalled"]);
    const recorded = recordingsIn(model).map(({ record }) => record);
    expect(recorded.filter((record) => record.startsWith("source:"))).toEqual([
      "source:nats_stream_source_active_duration_ns:threshold",
      "source:nats_stream_source_lag:leader",
      "source:nats_stream_source_active_duration_ns:leader",
    ]);
    expect(jetstreamDashboard(model).rows.map(({ title }) => title)).toContain("Are copies level with their origins?");
  });
});

describe("a copy that stands still", () => {
  const copy = (filterSubject?: string): StreamInput => ({
    ...{ name: "copy", replicas: 3, maxBytes: "1GiB" },
    sources: [{ name: "orders", ...(filterSubject ? { filterSubject } : {}) }],
  });
  const beside = (rate: `${number}/s`): StreamInput => {
    const seen = { service: "bff", subject: "orders.seen", rate, data: internal } as const;
    const stream = fed("100/s");
    return { ...stream, publishers: [...(stream.publishers ?? []), seen] };
  };

  test("is stuck for certain where it takes all: a second of peak should have brought it something", () => {
    expect(limits(fed("100/s"), copy()).standstill).toEqual({ messages: 100, certain: true });
    expect(limits(fed("100/s"), copy(">")).standstill).toEqual({ messages: 100, certain: true });
    expect(limits(fed("0.01/s"), copy()).standstill).toEqual({ messages: 1, certain: true });
  });

  test("may have nothing to take where it takes a part: a hundred messages should have been its own", () => {
    expect(limits(beside("900/s"), copy("orders.seen")).standstill).toEqual({ messages: 1_000, certain: false });
    expect(limits(beside("1/s"), copy("orders.seen")).standstill).toEqual({ messages: 10_100, certain: false });
  });

  test("says nothing where ten minutes of peak bring too little, or nobody says what comes", () => {
    expect(limits(beside("0.1/s"), copy("orders.seen")).standstill).toBeUndefined();
    expect(limits(fed("100/s"), copy("orders.unheard")).standstill).toBeUndefined();
    expect(limits(orders, copy()).standstill).toBeUndefined();
  });
});

describe("alerts on what a stream will drop", () => {
  const named = (model: Parameters<typeof natsAlerts>[0], name: string) =>
    alertsIn(model).filter(({ alert }) => alert === name);
  /** Seconds from a standstill until the alert has fired, a scrape and an evaluation included. */
  const fired = (limit: number, rate: number, holds = "") => limit / rate + Number(/^(\d+)s$/.exec(holds)?.[1]) + 60;

  test("come in production while nothing is lost, and say in staging that they cannot", () => {
    const production = realModel("production");
    const lived = (name: string) => {
      const stream = production.streams.find((candidate) => candidate.name === name);
      if (!stream) throw new Error(`no stream ${name}`);
      return { stream, keeps: effectiveRetention(stream, flowsInto(stream, production)).lives / 1e9 };
    };
    const origin = lived("circl_iot");
    const copy = lived("circl_iot_location");
    const [lagging] = named(production, "NatsSourceLagging");
    const [stalled] = named(production, "NatsSourceStalled");
    const [backlog, second] = named(production, "NatsConsumerBacklog");
    expect(fired(sourceLagLimit(copy.stream, "circl_iot", production), 5_000, lagging?.for)).toBeLessThan(origin.keeps);
    expect(fired(silenceLimit(copy.stream, "circl_iot", production), 1, stalled?.for)).toBeLessThan(origin.keeps);
    for (const consumer of copy.stream.consumers)
      expect(fired(pendingLimit(consumer, copy.stream, production), 5_000, backlog?.for)).toBeLessThan(copy.keeps);
    for (const { annotations } of [lagging, stalled, backlog].flatMap((alert) => alert ?? []))
      expect(annotations.description).not.toContain("already lost");
    expect([backlog?.labels.severity, second]).toEqual(["warning", undefined]);

    const staging = realModel("staging");
    const [rest, late] = named(staging, "NatsConsumerBacklog");
    expect([rest?.labels.severity, late?.labels.severity]).toEqual(["warning", "critical"]);
    expect(late?.expr).toContain('stream_name=~"circl_iot|circl_iot_location"');
    for (const alert of [late, ...named(staging, "NatsSourceLagging"), ...named(staging, "NatsSourceStalled")])
      expect(alert?.annotations.description).toMatch(/circl_iot\b.* drops messages before this fires.*already lost/);
  });

  test("are held to what a definition sets itself", () => {
    const own = { ...reader, alerts: { pending: 19_000 } };
    const model = modelWith({ streams: [fed("100/s", { maxMsgs: 20_000, consumers: [own] })] });
    expect(named(model, "NatsConsumerBacklog").map(({ labels }) => labels.severity)).toEqual(["warning", "critical"]);
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

test("certificates of clients end as well, where clients have them", () => {
  const watched = (certificates: boolean) =>
    alertsIn(modelWith({ environment: { nats: { clients: { certificates } } }, streams: [orders] })).flatMap(
      ({ alert, expr }) => (alert.startsWith("NatsCertificate") ? [expr.includes("nats-client-tls-stream-sync")] : []),
    );
  expect(watched(true)).toEqual([true, true]);
  expect(watched(false)).toEqual([false, false]);
});
