/** "Create, then plan is empty", on one server or on three: field by field, and with random configurations. */
import type { NatsConnection } from "nats";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { WireConfig } from "../../src/jetstream/desired.ts";
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
/** Set CIRCL_SEED to the seed of a failure to see it again. */
const seed = Number(process.env.CIRCL_SEED ?? Date.now() % 1_000_000);
const failed = (i: number, config: unknown) => `CIRCL_SEED=${seed}, number ${i}: ${JSON.stringify(config)}`;

const withVersion = (cases: typeof STREAM_FIELDS) =>
  cases.map(([title, config, since = "2.12"]) => [title, { config, since }] as const);

/** On three servers every stream that says nothing of replicas and may have them has three. */
export function roundTripSuite(server: string, environment: "local" | "staging" = "local"): void {
  let cluster: Cluster;
  let connection: NatsConnection;
  const model = realModel(environment);
  const amount = environment === "local" ? 150 : 50;
  const replicated = (config: WireConfig): WireConfig =>
    environment === "staging" && config.persist_mode !== "async" ? { num_replicas: 3, ...config } : config;
  beforeAll(async () => {
    cluster = await Cluster.start(model, { binary: tool(server) });
    connection = await cluster.connect();
    for (const origin of ORIGINS) await request(connection, `STREAM.CREATE.${origin.name}`, replicated(origin));
    await request(connection, "STREAM.CREATE.consumed", replicated({ name: "consumed", subjects: ["c.>"] }));
    const limiting = { name: "limiting", subjects: ["l.>"], consumer_limits: LIMITS };
    await request(connection, "STREAM.CREATE.limiting", replicated(limiting));
  });
  afterAll(async () => {
    await connection?.close();
    await cluster?.[Symbol.asyncDispose]();
  });

  test.each(withVersion(STREAM_FIELDS))("a stream with %s", async (_, { config, since }) => {
    if (!serverIsAtLeast(connection, since)) return;
    expect(await streamRoundTrip(connection, replicated({ name: freshName(), ...config }))).toEqual({});
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
    const config = replicated({ name: freshName(), subjects: ["$T.>"], max_age: 60e9, allow_rollup_hdrs: true });
    expect(await normalisedUpdate(connection, config, { ...config, sealed: true })).toEqual({});
  });

  test(`${amount} random streams`, async () => {
    const random = seeded(seed);
    for (let i = 0; i < amount; i++) {
      const config = replicated({ name: freshName(), ...randomStream(random) });
      expect(await streamRoundTrip(connection, config), failed(i, config)).toEqual({});
    }
  });

  test(`${amount} random consumers`, async () => {
    const random = seeded(seed);
    for (let i = 0; i < amount; i++) {
      const config = { name: "T", durable_name: "T", ...randomConsumer(random) };
      const limits = i % 2 === 0 ? {} : undefined;
      expect(await consumerRoundTrip(connection, "consumed", config, limits), failed(i, config)).toEqual({});
    }
  });
}
