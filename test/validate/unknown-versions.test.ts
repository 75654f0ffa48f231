/** What cannot be asked is unknown, on the oldest and the newest line of servers that is supported. */
import { describe, expect, test } from "vitest";
import { openReader } from "../../src/connect/nats.ts";
import { streamConfig } from "../../src/jetstream/desired.ts";
import { plan } from "../../src/jetstream/plan.ts";
import { policy } from "../../src/rules/changes.ts";
import { modelWith, orders } from "../support/definitions.ts";
import { request } from "../support/jetstream.ts";
import { Cluster } from "../support/nats-server.ts";
import { tool, without } from "../support/tools.ts";
import { unknownConsumerSuite } from "../support/unknown-consumer-suite.ts";
import { unknownStreamSuite } from "../support/unknown-stream-suite.ts";

describe.each(["nats-server-2.12", "nats-server-2.15"])("%s", (server) => {
  describe.skipIf(without(server, "test-ca"))("while a stream of one replica is away with its server", () => {
    unknownStreamSuite(server);
  });
  describe.skipIf(without(server, "test-ca"))("while a server is away that holds consumers of one replica", () => {
    unknownConsumerSuite(server);
  });
});

describe.skipIf(without("nats-server", "nats-server-2.12"))("a server that was set back to an older version", () => {
  test("cannot run what the newer one made: that is unknown, with the server's reason", async () => {
    const reader = { name: "oms-orders", service: "oms", ackPolicy: "explicit" } as const;
    const model = modelWith({
      key: "local",
      environment: { name: "local", streamFigures: "staging", nats: { servers: 1, tls: false } },
      streams: [
        // Fast batches came with 2.14.
        { ...orders, replicas: 1, allowBatched: true },
        { ...orders, name: "plain", replicas: 1, subjects: ["plain.>"], publishers: [], consumers: [reader] },
      ],
    });
    await using cluster = await Cluster.start(model);
    const connection = await cluster.connect();
    for (const stream of model.streams) {
      const { error } = await request(connection, `STREAM.CREATE.${stream.name}`, streamConfig(stream, model));
      expect(error).toBeUndefined();
    }
    await connection.close();
    await cluster.restart(0, { binary: tool("nats-server-2.12") });
    await using client = await openReader(cluster.target());
    const { changes } = await plan(model, client, policy, Date.now() * 1e6);
    expect(
      changes.flatMap(({ change }) => (change.action === "unknown" ? [`${change.name}: ${change.why}`] : [])),
    ).toEqual(['orders: its server cannot run it: unsupported - config error: unknown field "allow_batched"']);
  });
});
