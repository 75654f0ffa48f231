import { describe, expect, test } from "vitest";
import { openReader } from "../../src/connect/nats.ts";
import { plan } from "../../src/jetstream/plan.ts";
import { realModel } from "../support/definitions.ts";
import { Cluster, stop } from "../support/nats-server.ts";
import { without } from "../support/tools.ts";

const model = realModel("staging");
const planned = async (target: ReturnType<Cluster["target"]>) => {
  await using reader = await openReader(target);
  return (await plan(model, reader, () => [], Date.now() * 1e6)).server;
};

describe.skipIf(without("nats-server", "test-ca"))("where a plan points", () => {
  test("is said with the account, and with all servers of a cluster that has no stream yet", async () => {
    await using cluster = await Cluster.start(model);
    const server = await planned(cluster.target());
    expect(server).toMatchObject({ account: "CIRCL", peers: 3, declared: 3 });
    expect(server).not.toHaveProperty("others");

    const [gone, ...left] = cluster.servers;
    if (!gone) throw new Error("no server is running");
    await stop(gone.process);
    const target = { ...cluster.target(), servers: left.map(({ clientPort }) => `127.0.0.1:${clientPort}`) };
    await expect.poll(async () => (await planned(target)).peers, { timeout: 30_000 }).toBe(2);
  });

  test("is said as far as it is known where the user may not ask", async () => {
    const auth = `accounts {
      SYS { users: [ { user: "sys", password: "loopback-only" } ] }
      CIRCL { jetstream: enabled, users: [ { user: "sync", password: "loopback-only",
        permissions: { publish: { deny: ["$SYS.>"] } } } ] }
    }
    SYSTEM_ACCOUNT: SYS`;
    await using cluster = await Cluster.start(model, { auth });
    const server = await planned(cluster.target());
    expect(server).toMatchObject({ peers: 1, declared: 3 });
    expect(server).not.toHaveProperty("account");
  });
});
