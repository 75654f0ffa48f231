import { describe, expect, test } from "vitest";
import type { WireConfig } from "../../src/jetstream/desired.ts";
import { normaliseConsumer, normaliseStream } from "../../src/jetstream/normalise.ts";
import { realModel } from "../support/definitions.ts";
import { request } from "../support/jetstream.ts";
import { CONSUMER_FIELDS, STREAM_FIELDS } from "../support/jetstream-fields.ts";
import { consumerRoundTrip, differences, streamRoundTrip } from "../support/jetstream-round-trip.ts";
import { roundTripSuite } from "../support/jetstream-round-trip-suite.ts";
import { Cluster } from "../support/nats-server.ts";
import { without } from "../support/tools.ts";

/** Values that say what is so anyway. */
const SAME = new Set(
  [
    { description: "" },
    { subjects: [] },
    { num_replicas: 0 },
    { num_replicas: 1 },
    { duplicate_window: 0 },
    { compression: "none" },
    { first_seq: 0 },
    { placement: {} },
    { placement: { tags: [] } },
    { placement: { cluster: "" } },
    { consumer_limits: {} },
    { consumer_limits: { inactive_threshold: 0, max_ack_pending: 0 } },
    { metadata: {} },
    { persist_mode: "default" },
    { persist_mode: "" },
    { deliver_policy: "all" },
    { ack_policy: "none" },
    { filter_subject: "" },
    { filter_subjects: [] },
    { max_waiting: 0 },
    { max_waiting: -1 },
    { max_batch: -1 },
    { max_expires: -1 },
    { max_bytes: -1 },
    { inactive_threshold: 0 },
    { pause_until: "2126-01-02T03:04:05.100Z" },
    { pause_until: "2016-01-02T03:04:05.100Z" },
    { priority_policy: "none" },
  ].map((config) => JSON.stringify(config)),
);

describe.skipIf(without("nats-server"))("what was created is no difference to what was asked for", () => {
  roundTripSuite("nats-server");
});

describe("a field that differs is a difference", () => {
  const stream = (config: WireConfig) => normaliseStream({ name: "T", ...config }, { hasSourceWindow: false });
  const sole = (cases: typeof STREAM_FIELDS): [string, WireConfig][] =>
    cases
      .filter(([, config]) => Object.keys(config).length === 1 && !SAME.has(JSON.stringify(config)))
      .map(([title, config]) => [title, config]);

  test.each(sole(STREAM_FIELDS))("in a stream: %s", (_, config) => {
    expect(Object.keys(differences(stream({}), stream(config)))).toContain(Object.keys(config)[0]);
  });

  test.each(sole(CONSUMER_FIELDS))("in a consumer: %s", (_, config) => {
    const consumer = (more: WireConfig) => normaliseConsumer({ name: "T", ...more }, {}, {});
    expect(Object.keys(differences(consumer({}), consumer(config)))).toContain(Object.keys(config)[0]);
  });
});

describe.skipIf(without("nats-server", "test-ca"))("the same in a cluster", () => {
  roundTripSuite("nats-server", "staging");

  test("for replicas, placement, and the replicas of consumers", async () => {
    await using cluster = await Cluster.start(realModel("staging"));
    const connection = await cluster.connect();
    const placed = { name: "T", num_replicas: 3, placement: { cluster: "circl-staging", tags: [] } };
    expect(await streamRoundTrip(connection, placed)).toEqual({});
    expect(await streamRoundTrip(connection, { name: "T" })).toEqual({});
    await request(connection, "STREAM.CREATE.C", { name: "C", num_replicas: 3 });
    for (const num_replicas of [0, 1, 3]) {
      const config = { name: "T", durable_name: "T", num_replicas, ack_policy: "explicit" };
      expect(await consumerRoundTrip(connection, "C", config)).toEqual({});
    }
    await connection.close();
  });
});
