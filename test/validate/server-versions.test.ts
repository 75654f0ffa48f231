import { describe, expect, test } from "vitest";
import { desiredState } from "../../src/jetstream/desired.ts";
import { realModel } from "../support/definitions.ts";
import { createAll, expectKept } from "../support/jetstream.ts";
import { Cluster } from "../support/nats-server.ts";
import { tool, without } from "../support/tools.ts";

describe.each(["nats-server-2.12", "nats-server", "nats-server-2.15"])("%s", (server) => {
  describe.skipIf(without(server, "test-ca"))("starts with the rendered configuration", () => {
    test.each(["staging", "production", "local"] as const)(
      "of %s and takes its streams and consumers",
      async (name) => {
        const model = realModel(name);
        await using cluster = await Cluster.start(model, { binary: tool(server) });
        const connection = await cluster.connect();
        const desired = desiredState(model);
        const replies = await createAll(connection, desired);
        expect([...replies].filter(([, reply]) => reply.error)).toEqual([]);
        for (const config of desired.streams) expectKept(config, replies.get(String(config.name))?.config);
        await connection.close();
      },
    );
  });
});
