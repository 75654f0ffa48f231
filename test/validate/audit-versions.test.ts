/** What the servers report, and how it is read, on the lines that are not the default. */
import { describe, expect, test } from "vitest";
import { audit } from "../../src/audit/audit.ts";
import { openReader } from "../../src/connect/nats.ts";
import { desiredState } from "../../src/jetstream/desired.ts";
import { AUDITED_AUTH, createAudited } from "../support/audit.ts";
import { realModel } from "../support/definitions.ts";
import { request } from "../support/jetstream.ts";
import { Cluster } from "../support/nats-server.ts";
import { tool, without } from "../support/tools.ts";

describe.each(["nats-server-2.12", "nats-server-2.15"])("circl audit on %s", (binary) => {
  test.skipIf(without(binary, "test-ca"))("names who changed what, and who failed to log in", async () => {
    const model = realModel("production");
    const before = Date.now();
    await using cluster = await Cluster.start(model, { auth: AUDITED_AUTH, binary: tool(binary) });
    const connection = await cluster.connect();
    const desired = desiredState(model);
    await createAudited(connection, desired);
    await connection.close();
    const alice = await cluster.connect({ user: "alice", pass: "loopback-only" });
    const orders = desired.streams.find(({ name }) => name === "circl_oms");
    await request(alice, "STREAM.UPDATE.circl_oms", { ...orders, max_msgs: 5_000 });
    await request(alice, "STREAM.PURGE.circl_oms");
    await request(alice, "CONSUMER.DELETE.circl_oms.bff-orders");
    await alice.close();
    await expect(cluster.connect({ user: "bob", pass: "wrong" })).rejects.toThrow(/Authorization/i);

    await using reader = await openReader(cluster.target());
    const seen = async () => {
      const { changes = [], failedLogins } = await audit(model, reader, before, { changes: true });
      return [
        ...changes
          .filter(({ who, name }) => who.user === "alice" && name.startsWith("circl_oms"))
          .map(({ action, name, fields }) => ({ action, name, fields })),
        ...failedLogins.map(({ who, reason }) => ({ user: who.user, host: who.host, reason })),
      ];
    };
    await expect.poll(seen, { timeout: 30_000, interval: 300 }).toEqual([
      { action: "update", name: "circl_oms", fields: [{ field: "max_msgs", from: 1_000_000, to: 5_000 }] },
      { action: "purge", name: "circl_oms", fields: undefined },
      { action: "delete", name: "circl_oms/bff-orders", fields: undefined },
      { user: "bob", host: "127.0.0.1", reason: "Authentication Failure" },
    ]);
  });
});
