/** A stream and a consumer of it that is recreated, on one server; started before the tests of a file, stopped after them. */
import type { NatsConnection } from "nats";
import { afterAll, beforeAll, expect } from "vitest";
import { openWriter } from "../../src/connect/nats.ts";
import type { ConsumerInfo, StreamInfo, Writer } from "../../src/jetstream/api.ts";
import { apply } from "../../src/jetstream/apply.ts";
import { type PlanScope, plan } from "../../src/jetstream/plan.ts";
import type { StreamInput } from "../../src/model/stream.ts";
import { policy } from "../../src/rules/changes.ts";
import { streams as lock } from "../../streams/sync.ts";
import { modelWith, orders } from "./definitions.ts";
import { request } from "./jetstream.ts";
import { Cluster } from "./nats-server.ts";

const local = {
  key: "local",
  environment: { name: "local", streamFigures: "staging", nats: { servers: 1, tls: false } },
} as const;
const quiet = { holder: "test", lockWait: 0, interrupted: () => false, progress: () => {}, readyTimeout: 20_000 };
export const oms = { name: "oms-orders", service: "oms", ackPolicy: "explicit", maxDeliver: 3 } as const;
export const named: PlanScope = { recreations: ["orders/oms-orders"] };

/** A model with one stream, its consumer changed by `consumer`. */
export const withConsumer = (consumer: object, stream: Partial<StreamInput> = {}) =>
  modelWith({
    ...local,
    streams: [...lock, { ...orders, replicas: 1, ...stream, consumers: [{ ...oms, ...consumer }] }],
  });
type Model = ReturnType<typeof withConsumer>;

export function recreating() {
  let cluster: Cluster;
  let connection: NatsConnection;
  beforeAll(async () => {
    cluster = await Cluster.start(withConsumer({}));
    connection = await cluster.connect();
  });
  afterAll(async () => {
    await connection?.close();
    await cluster?.[Symbol.asyncDispose]();
  });

  const planned = async (model: Model, scope: PlanScope = {}) => {
    await using writer = await openWriter(cluster.target());
    return await plan(model, writer, policy, Date.now() * 1e6, scope);
  };
  const applied = async (model: Model, scope: PlanScope = {}, spoil = (writer: Writer) => writer, wait = 20_000) => {
    await using writer = await openWriter(cluster.target());
    const planned = await plan(model, writer, policy, Date.now() * 1e6, scope);
    return await apply(planned, spoil(writer), { ...quiet, readyTimeout: wait });
  };
  /** Loses the connection behind the delete of a consumer. */
  const cutOffBehind = (consumer: string) => (writer: Writer) => {
    let deleted = false;
    const write: Writer["write"] = async (verb, names, body) => {
      if (deleted) throw new Error("the connection is gone");
      deleted = verb === "CONSUMER.DELETE" && names.at(-1) === consumer;
      return await writer.write(verb, names, body);
    };
    return { ...writer, write };
  };
  const changed = async (model: Model, scope: PlanScope = {}) =>
    (await planned(model, scope)).changes.filter(({ change }) => change.action !== "none");
  const consumerInfo = async (name = "oms-orders") =>
    (await request(connection, `CONSUMER.INFO.orders.${name}`)) as unknown as ConsumerInfo;
  const messages = async () =>
    ((await request(connection, "STREAM.INFO.orders")) as unknown as StreamInfo).state.messages;
  /** Fetches and acknowledges those of `acknowledged`, by sequence. */
  const read = async (count: number, acknowledged: readonly number[]) => {
    const seen: number[] = [];
    const consumer = await connection.jetstream().consumers.get("orders", "oms-orders");
    for await (const message of await consumer.fetch({ max_messages: count, expires: 3_000 })) {
      seen.push(message.seq);
      if (acknowledged.includes(message.seq)) await message.ackAck();
    }
    return seen;
  };
  /** Ten messages; 1 to 4 and 6 are acknowledged, 5 and 7 are not, 8 to 10 were not delivered. */
  const begin = async (stream: Partial<StreamInput> = {}) => {
    await request(connection, "STREAM.DELETE.orders");
    const model = withConsumer({}, stream);
    expect((await applied(model)).failed).toEqual([]);
    for (let i = 1; i <= 10; i++) await connection.jetstream().publish("orders.created", String(i));
    expect(await read(7, [1, 2, 3, 4, 6])).toEqual([1, 2, 3, 4, 5, 6, 7]);
  };
  return { connection: () => connection, planned, applied, cutOffBehind, changed, consumerInfo, messages, read, begin };
}
