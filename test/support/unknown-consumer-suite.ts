/** What a consumer is whose only server is away: unknown, in plan, apply and status, on one version of the server. */
import type { NatsConnection } from "nats";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { openReader } from "../../src/connect/nats.ts";
import { streamConfig } from "../../src/jetstream/desired.ts";
import { observe } from "../../src/jetstream/observe.ts";
import { type PlanScope, plan } from "../../src/jetstream/plan.ts";
import { status } from "../../src/jetstream/status.ts";
import { policy } from "../../src/rules/changes.ts";
import { modelWith, orders } from "./definitions.ts";
import { request } from "./jetstream.ts";
import { Cluster, stop } from "./nats-server.ts";
import { tool } from "./tools.ts";

const oms = { name: "oms-orders", service: "oms", ackPolicy: "explicit", replicas: 1 } as const;
const model = modelWith({ streams: [{ ...orders, consumers: [oms] }] });
const ours = { "circl.dev/environment": "production" };

/** @param server its name in tools/tools.json */
export function unknownConsumerSuite(server: string): void {
  let cluster: Cluster;
  let connection: NatsConnection;
  beforeAll(async () => {
    cluster = await Cluster.start(model, { binary: tool(server) });
    connection = await cluster.connect();
    const [stream] = model.streams.map((one) => streamConfig(one, model));
    for (const config of [stream, { ...stream, name: "former", subjects: ["former.>"] }]) {
      expect((await request(connection, `STREAM.CREATE.${config?.name}`, config)).error).toBeUndefined();
    }
    // What a run leaves that was interrupted between the delete and the create.
    const guards = { metadata: { ...ours, "circl.dev/guards": "oms-orders" } };
    await createOnThird("orders", "oms-orders-recreating", guards);
    await createOnThird("orders", "stale");
    await createOnThird("former", "left-behind");
    await connection.close();
    if (!cluster.servers[2]) throw new Error("no third server");
    await stop(cluster.servers[2].process);
    // Streams that it led elect another leader.
    await vi.waitFor(
      async () => {
        await using reader = await openReader(cluster.target());
        const { streams } = await observe(reader, []);
        expect(streams.map(({ status: known }) => known)).toEqual(["known", "known"]);
      },
      { timeout: 50_000, interval: 250 },
    );
  });
  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });

  /** The server chooses where a consumer of one replica lives: asked until it is the third. */
  async function createOnThird(stream: string, name: string, rest: object = {}): Promise<void> {
    const config = { durable_name: name, ack_policy: "explicit", num_replicas: 1, metadata: ours, ...rest };
    await vi.waitFor(
      async () => {
        const subject = `CONSUMER.CREATE.${stream}.${name}`;
        const info = await request(connection, subject, { stream_name: stream, config, action: "create" });
        if (info.cluster?.leader === "circl-production-nats-2") return;
        await request(connection, `CONSUMER.DELETE.${stream}.${name}`);
        throw new Error(JSON.stringify(info));
      },
      { timeout: 50_000, interval: 20 },
    );
  }
  const planned = async (scope: PlanScope = {}) => {
    await using reader = await openReader(cluster.target());
    return await plan(model, reader, policy, Date.now() * 1e6, scope);
  };
  /** Once the others know that it is away: until then the list takes seconds, and says the same. */
  const unknown = async (scope: PlanScope = {}) => {
    const { changes, summary } = await planned(scope);
    expect(summary).toMatchObject({ create: 0, delete: 0 });
    return changes.flatMap(({ change }) => (change.action === "unknown" ? [`${change.name}: ${change.why}`] : []));
  };

  test("what they are is unknown, also where only the guard of a consumer is there", async () => {
    expect(await unknown()).toEqual([
      "orders/oms-orders: oms-orders-recreating, which keeps its place, cannot be asked: its servers do not answer",
      "orders/oms-orders-recreating: its servers do not answer",
      "orders/stale: its servers do not answer",
    ]);
  });

  test.each(["orders/stale", "former/left-behind"])(
    "--allow-delete %s is refused, not taken for done",
    async (name) => {
      await expect(planned({ deletions: [name] })).rejects.toThrow(
        `nothing was done: --allow-delete ${name} cannot be asked`,
      );
    },
  );

  test("no stream is deleted, neither theirs nor another", async () => {
    const { changes } = await planned({ deletions: ["former"] });
    const former = changes.find(({ change }) => change.name === "former");
    expect(former?.refusals.map(({ says }) => says)).toEqual([
      "nothing is deleted while former/left-behind, orders/oms-orders, orders/oms-orders-recreating, orders/stale cannot be asked",
    ]);
  });

  test("status says so of what is declared, and counts the others once", async () => {
    await using reader = await openReader(cluster.target());
    const health = status(model, await observe(reader, ["orders"]), Date.now() * 1e6);
    expect(health.undeclared).toEqual({ streams: 1, consumers: 2 });
    expect(health.consumers).toEqual([
      {
        name: "orders/oms-orders",
        condition: "unknown",
        problems: [
          "is unknown: oms-orders-recreating, which keeps its place, cannot be asked: its servers do not answer",
        ],
      },
    ]);
  });
}
