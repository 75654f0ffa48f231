/** "Create, then plan is empty", on one server: field by field, and with random configurations. */
import type { NatsConnection } from "nats";
import { afterAll, beforeAll, expect, test } from "vitest";
import { realModel } from "./definitions.ts";
import { request } from "./jetstream.ts";
import { CONSUMER_FIELDS, ORIGINS, STREAM_FIELDS } from "./jetstream-fields.ts";
import { randomConsumer, randomStream, seeded } from "./jetstream-random.ts";
import {
  consumerRoundTrip,
  freshName,
  normalisedUpdate,
  serverIsAtLeast,
  streamRoundTrip,
} from "./jetstream-round-trip.ts";
import { Cluster } from "./nats-server.ts";
import { tool } from "./tools.ts";

const LIMITS = { max_ack_pending: 50, inactive_threshold: 60e9 };
const RANDOM = 150;
/** Set CIRCL_SEED to the seed of a failure to see it again. */
const seed = Number(process.env.CIRCL_SEED ?? Date.now() % 1_000_000);
const failed = (i: number, config: unknown) => `CIRCL_SEED=${seed}, number ${i}: ${JSON.stringify(config)}`;

const withVersion = (cases: typeof STREAM_FIELDS) =>
  cases.map(([title, config, since = "2.12"]) => [title, { config, since }] as const);

export function roundTripSuite(server: string): void {
  let cluster: Cluster;
  let connection: NatsConnection;
  beforeAll(async () => {
    cluster = await Cluster.start(realModel("local"), { binary: tool(server) });
    connection = await cluster.connect();
    for (const origin of ORIGINS) await request(connection, `STREAM.CREATE.${origin.name}`, origin);
    await request(connection, "STREAM.CREATE.consumed", { name: "consumed", subjects: ["c.>"] });
    await request(connection, "STREAM.CREATE.limiting", {
      name: "limiting",
      subjects: ["l.>"],
      consumer_limits: LIMITS,
    });
  });
  afterAll(async () => {
    await connection?.close();
    await cluster?.[Symbol.asyncDispose]();
  });

  test.each(withVersion(STREAM_FIELDS))("a stream with %s", async (_, { config, since }) => {
    if (!serverIsAtLeast(connection, since)) return;
    expect(await streamRoundTrip(connection, { name: freshName(), ...config })).toEqual({});
  });

  test.each(withVersion(CONSUMER_FIELDS))("a consumer with %s", async (_, { config, since }) => {
    if (!serverIsAtLeast(connection, since)) return;
    const named = { name: "T", durable_name: "T", ...config };
    expect(await consumerRoundTrip(connection, "consumed", named)).toEqual({});
  });

  test.each([
    ["which are known", LIMITS],
    ["which are not known", undefined],
  ])("a consumer that takes its limits from its stream, %s", async (_, limits) => {
    const own = { max_ack_pending: 20, inactive_threshold: 30e9 };
    for (const more of [{}, own, { ack_policy: "explicit" }, { ...own, ack_policy: "explicit" }]) {
      const config = { name: "T", durable_name: "T", ...more };
      expect(await consumerRoundTrip(connection, "limiting", config, limits)).toEqual({});
    }
  });

  test("a stream that is sealed, which no create does", async () => {
    const config = { name: freshName(), subjects: ["$T.>"], max_age: 60e9, allow_rollup_hdrs: true };
    expect(await normalisedUpdate(connection, config, { ...config, sealed: true })).toEqual({});
  });

  test(`${RANDOM} random streams`, async () => {
    const random = seeded(seed);
    for (let i = 0; i < RANDOM; i++) {
      const config = { name: freshName(), ...randomStream(random) };
      expect(await streamRoundTrip(connection, config), failed(i, config)).toEqual({});
    }
  });

  test(`${RANDOM} random consumers`, async () => {
    const random = seeded(seed);
    for (let i = 0; i < RANDOM; i++) {
      const config = { name: "T", durable_name: "T", ...randomConsumer(random) };
      const limits = i % 2 === 0 ? {} : undefined;
      expect(await consumerRoundTrip(connection, "consumed", config, limits), failed(i, config)).toEqual({});
    }
  });
}
