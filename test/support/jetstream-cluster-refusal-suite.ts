/** Refusals that only a cluster has a reason for: our judgement against the server's. */
import type { NatsConnection } from "nats";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { WireConfig } from "../../src/jetstream/desired.ts";
import { realModel } from "./definitions.ts";
import { request } from "./jetstream.ts";
import { streamUpdate } from "./jetstream-changes.ts";
import { createConsumer, judge, titled } from "./jetstream-refusal-suite.ts";
import { Cluster } from "./nats-server.ts";
import { tool } from "./tools.ts";

export function clusterRefusalSuite(server: string): void {
  let cluster: Cluster;
  let connection: NatsConnection;
  beforeAll(async () => {
    cluster = await Cluster.start(realModel("staging"), { binary: tool(server) });
    connection = await cluster.connect();
  });
  afterAll(async () => {
    await connection?.close();
    await cluster?.[Symbol.asyncDispose]();
  });

  const here = { cluster: "circl-staging" };
  const worker = { name: "w", durable_name: "w", ack_policy: "explicit" };
  const three = { num_replicas: 3 };
  const cases: readonly { title: string; before: WireConfig; after: WireConfig; consumer?: WireConfig }[] = [
    { title: "replicas", before: {}, after: three },
    { title: "placement", before: {}, after: { placement: here } },
    { title: "replicas and placement", before: {}, after: { ...three, placement: here } },
    {
      title: "replicas of an async stream",
      before: { persist_mode: "async" },
      after: { ...three, persist_mode: "async" },
    },
    {
      title: "retention interest with a consumer of fewer replicas",
      before: three,
      after: { ...three, retention: "interest" },
      consumer: { ...worker, num_replicas: 1 },
    },
    {
      title: "retention interest with a consumer of as many replicas",
      before: three,
      after: { ...three, retention: "interest" },
      consumer: { ...worker, num_replicas: 3 },
    },
    {
      title: "consumer_limits below a consumer's",
      before: three,
      after: { ...three, consumer_limits: { max_ack_pending: 5 } },
      consumer: worker,
    },
  ];
  test.each(titled(cases))("%s", async (_, { title, before, after, consumer }) => {
    const name = title.replaceAll(" ", "_");
    expect((await request(connection, `STREAM.CREATE.${name}`, { name, ...before })).error).toBeUndefined();
    if (consumer) expect((await createConsumer(connection, name, consumer)).error).toBeUndefined();
    const judged = await judge(cluster, connection, await streamUpdate(connection, { name, ...after }));
    // Not deleted: until a stream that grows has a leader, 2.12 does not answer to the next request about it.
    expect(judged.ours).toEqual(judged.server);
  });
}
