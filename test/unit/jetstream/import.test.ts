import { describe, expect, test } from "vitest";
import { importStream } from "../../../src/jetstream/import.ts";
import { CONSUMER_FIELDS, STREAM_FIELDS } from "../../../src/jetstream/import-fields.ts";
import { seenPatterns } from "../../../src/jetstream/import-subjects.ts";
import { exactDuration, exactSize } from "../../../src/jetstream/import-units.ts";
import { streamSchema } from "../../../src/model/stream.ts";
import { bytes, nanoseconds } from "../../../src/units.ts";

describe("units", () => {
  test.each([
    [1, "1B"],
    [1_500, "1500B"],
    [2_048, "2KiB"],
    [1_114_112, "1088KiB"],
    [1_048_576, "1MiB"],
    [1_073_741_824, "1GiB"],
    [1_099_511_627_776, "1TiB"],
    [9_007_199_254_740_991, "9007199254740991B"],
  ])("%d bytes are %s, and back", (amount, text) => {
    expect(exactSize(amount)).toBe(text);
    expect(bytes(exactSize(amount))).toBe(amount);
  });

  test.each([
    [1, "0.000001ms"],
    [1_500_000, "1.5ms"],
    [250_000_000, "250ms"],
    [90_000_000_000, "90s"],
    [120_000_000_000, "2m"],
    [5_400_000_000_000, "90m"],
    [129_600_000_000_000, "36h"],
    [604_800_000_000_000, "7d"],
    [604_800_000_000_001, "604800000.000001ms"],
  ])("%d nanoseconds are %s, and back", (amount, text) => {
    expect(exactDuration(amount)).toBe(text);
    expect(nanoseconds(exactDuration(amount))).toBe(amount);
  });
});

describe("every field of the model can be imported", () => {
  const names = (fields: object) =>
    Object.keys(fields).map((field) =>
      field === "num_replicas" ? "replicas" : field.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase()),
    );

  test("of streams; the rest is ours alone", () => {
    const ours = ["in", "kind", "publishers", "readers", "consumers", "deadLetters", "alerts"];
    const fields = Object.keys(streamSchema.entries).filter((name) => !ours.includes(name));
    expect(names(STREAM_FIELDS).sort()).toEqual(fields.sort());
  });

  test("of consumers; the rest is ours alone", () => {
    const { entries } = streamSchema.entries.consumers.wrapped.item;
    const fields = Object.keys(entries).filter((name) => name !== "service" && name !== "alerts");
    expect(names(CONSUMER_FIELDS).sort()).toEqual(fields.sort());
  });
});

describe("patterns", () => {
  test("keep tokens that take few values, and let the others be any", () => {
    const subjects = new Map<string, number>();
    for (let device = 0; device < 40; device++) {
      subjects.set(`circl.iot.status.${device}`, 1);
      subjects.set(`circl.iot.location.${device}.updated`, 5);
    }
    subjects.set("circl.iot.command.reboot", 2);
    expect(seenPatterns(subjects)).toEqual([
      { pattern: "circl.iot.location.*.updated", messages: 200 },
      { pattern: "circl.iot.status.*", messages: 40 },
      { pattern: "circl.iot.command.reboot", messages: 2 },
    ]);
  });

  test("count a subject that is also the beginning of others", () => {
    const subjects = new Map([
      ["a", 1],
      ["a.b", 2],
    ]);
    expect(seenPatterns(subjects)).toEqual([
      { pattern: "a.b", messages: 2 },
      { pattern: "a", messages: 1 },
    ]);
  });
});

describe("what a definition cannot say is never dropped silently", () => {
  const of = (config: object) => importStream({ config: { name: "orders", ...config }, consumers: [] }, []).unsaid;

  test("fields, values and numbers that JavaScript cannot hold", () => {
    expect(of({ template_owner: "t" })).toEqual([{ field: "template_owner", value: "t" }]);
    expect(of({ placement: { cluster: "c", preferred: "n1" } })).toEqual([
      { field: "placement.preferred", value: "n1" },
    ]);
    expect(of({ sources: [{ name: "a", consumer: { name: "c" } }] })).toEqual([
      { field: "sources[0].consumer", value: { name: "c" } },
    ]);
    expect(of({ discard: "newest" })).toEqual([{ field: "discard", value: "newest" }]);
    expect(of({ max_bytes: 2 ** 63 })).toEqual([{ field: "max_bytes", value: 2 ** 63 }]);
  });

  test("what is not set is nothing to say", () => {
    expect(
      of({ template_owner: "", pedantic: false, unknown: null, placement: {}, max_msgs: 0, max_bytes: -1 }),
    ).toEqual([]);
  });

  test("a pause is none of it, nor a priority that is none", () => {
    const pull = { durable_name: "oms-pull", ack_policy: "explicit", priority_policy: "none" };
    // The nats CLI writes Go's zero time where there is no pause.
    for (const pause_until of ["0001-01-01T00:00:00Z", "2026-12-01T00:00:00Z"]) {
      const { leftOut } = importStream({ config: { name: "orders" }, consumers: [{ ...pull, pause_until }] }, ["oms"]);
      expect(leftOut).toEqual([]);
    }
  });

  test("a consumer with a field of tomorrow is left out whole", () => {
    const grouped = { durable_name: "oms-pull", of_tomorrow: ["a"] };
    const { definition, leftOut } = importStream({ config: { name: "orders" }, consumers: [grouped] }, []);
    expect(definition.consumers).toBeUndefined();
    expect(leftOut[0]?.unsaid.map(({ field }) => field)).toEqual(["of_tomorrow"]);
  });

  test("priority groups and acknowledgement by flow control are said as a definition takes them", () => {
    const pinned = { priority_groups: ["a"], priority_policy: "pinned_client", priority_timeout: 120e9 };
    const flow = { ack_policy: "flow_control", flow_control: true, idle_heartbeat: 1e9, max_ack_pending: 1_000 };
    const consumers = [
      { durable_name: "oms-pull", ack_policy: "explicit", max_waiting: 512, ...pinned },
      { durable_name: "oms-flow", deliver_subject: "oms.in", max_deliver: -1, ...flow },
    ];
    const { definition, leftOut } = importStream({ config: { name: "orders" }, consumers }, []);
    expect(leftOut).toEqual([]);
    expect(definition.consumers).toMatchObject([
      { ackPolicy: "explicit", priorityGroups: ["a"], priorityPolicy: "pinned_client", priorityTimeout: "2m" },
      { ackPolicy: "flow_control", deliverSubject: "oms.in", flowControl: true, idleHeartbeat: "1s" },
    ]);
    expect(definition.consumers?.[1]).not.toHaveProperty("maxDeliver");
    expect(definition.consumers?.[1]).not.toHaveProperty("maxAckPending");
  });

  test("a push consumer is said as it is", () => {
    const push = { durable_name: "oms-push", deliver_subject: "in", flow_control: true, idle_heartbeat: 5_000_000_000 };
    const { definition, leftOut } = importStream({ config: { name: "orders" }, consumers: [push] }, ["oms"]);
    expect(leftOut).toEqual([]);
    expect(definition.consumers).toEqual([
      {
        name: "oms-push",
        service: "oms",
        ackPolicy: "none",
        deliverSubject: "in",
        flowControl: true,
        idleHeartbeat: "5s",
      },
    ]);
  });
});

describe("what the server computes is not said", () => {
  const windowOf = (config: object, hasSourceWindow = false) =>
    importStream({ config: { name: "orders", ...config }, consumers: [], hasSourceWindow }, []).definition
      .duplicateWindow;

  test("two minutes of duplicate window, or the age where that is shorter", () => {
    expect(windowOf({ duplicate_window: 120_000_000_000 })).toBeUndefined();
    expect(windowOf({ duplicate_window: 60_000_000_000, max_age: 60_000_000_000 })).toBeUndefined();
    expect(windowOf({ duplicate_window: 60_000_000_000 })).toBe("1m");
  });

  test("the window of a copy, below 2.14 only", () => {
    const copy = { sources: [{ name: "a" }], duplicate_window: 120_000_000_000 };
    expect(windowOf(copy, true)).toBeUndefined();
    expect(windowOf(copy)).toBe("2m");
  });

  test("what a consumer gets from the server, or from its stream", () => {
    const consumerOf = (config: object, consumer_limits: object = {}) =>
      importStream(
        {
          config: { name: "orders", consumer_limits },
          consumers: [{ durable_name: "oms-x", ack_policy: "explicit", max_deliver: 3, ...config }],
        },
        ["oms"],
      ).definition.consumers?.[0];
    const plain = { name: "oms-x", service: "oms", ackPolicy: "explicit", ackWait: "30s", maxDeliver: 3 };
    expect(consumerOf({ max_waiting: 512, max_ack_pending: 1_000, num_replicas: 0 })).toEqual(plain);
    expect(consumerOf({ max_ack_pending: 500 }, { max_ack_pending: 500 })).toEqual(plain);
    expect(consumerOf({ max_ack_pending: 1_000 }, { max_ack_pending: 2_000 })).toMatchObject({ maxAckPending: 1_000 });
    expect(consumerOf({ max_ack_pending: -1 })).toMatchObject({ maxAckPending: -1 });
    expect(consumerOf({ ack_policy: "none", max_ack_pending: 1_000 })).toMatchObject({ maxAckPending: 1_000 });
    expect(consumerOf({ durable_name: "warehouse-x" })).toMatchObject({ service: "unknown" });
  });

  test("metadata of the server and of sync", () => {
    const metadata = { "_nats.ver": "2.14.9", "circl.dev/service": "oms", team: "orders" };
    expect(importStream({ config: { name: "orders", metadata }, consumers: [] }, []).definition.metadata).toEqual({
      team: "orders",
    });
  });
});
