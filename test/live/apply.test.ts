import { describe, expect, test } from "vitest";
import { openWriter } from "../../src/connect/nats.ts";
import { apply, type Outcome } from "../../src/jetstream/apply.ts";
import { plan } from "../../src/jetstream/plan.ts";
import type { Model } from "../../src/model/resolve.ts";
import { policy } from "../../src/rules/changes.ts";
import { modelWith, orders, realModel } from "../support/definitions.ts";
import { request } from "../support/jetstream.ts";
import { Cluster } from "../support/nats-server.ts";
import { without } from "../support/tools.ts";

const quiet = { interrupted: () => false, progress: () => {}, readyTimeout: 20_000 };
const now = () => Date.now() * 1e6;

async function applyOn(cluster: Cluster, model: Model): Promise<Outcome> {
  await using writer = await openWriter(cluster.target());
  return await apply(await plan(model, writer, policy, now()), writer, quiet);
}
async function changesOn(cluster: Cluster, model: Model): Promise<string[]> {
  await using reader = await openWriter(cluster.target());
  const { changes } = await plan(model, reader, policy, now());
  return changes
    .filter(({ change }) => change.action !== "none")
    .map(({ change }) => `${change.action} ${change.name}`);
}

describe.skipIf(without("nats-server", "test-ca"))("apply", () => {
  test.each(["local", "staging", "production"] as const)(
    "%s: creates everything, and a second plan is empty",
    async (name) => {
      const model = realModel(name);
      await using cluster = await Cluster.start(model);
      const outcome = await applyOn(cluster, model);
      expect(outcome.failed).toEqual([]);
      expect(outcome.done).toHaveLength(14);
      expect(await changesOn(cluster, model)).toEqual([]);
    },
  );

  test("stops at a stream that somebody changed after the plan", async () => {
    const model = realModel("local");
    await using cluster = await Cluster.start(model);
    await applyOn(cluster, model);
    const connection = await cluster.connect();
    await request(connection, "STREAM.UPDATE.circl_dlq", { name: "circl_dlq", subjects: ["circl.dlq.>"], max_msgs: 5 });
    await using writer = await openWriter(cluster.target());
    const planned = await plan(model, writer, policy, now());
    await request(connection, "STREAM.UPDATE.circl_dlq", { name: "circl_dlq", subjects: ["circl.dlq.>"], max_msgs: 6 });
    await connection.close();
    const { done, failed } = await apply(planned, writer, quiet);
    expect(done).toEqual([]);
    expect(failed.map(({ error }) => error.message)).toEqual([
      "circl_dlq has changed since it was planned. Plan again and look at what is different now.",
    ]);
  });

  test("moves a subject from one stream to another, letting go first", async () => {
    const before = modelWith({
      key: "local",
      environment: { name: "local", nats: { servers: 1, tls: false } },
      streams: [
        { ...orders, replicas: 1, subjects: ["orders.>", "audit.>"] },
        { ...orders, name: "audit", replicas: 1, subjects: ["audit2.>"], publishers: [] },
      ],
    });
    const after = modelWith({
      key: "local",
      environment: { name: "local", nats: { servers: 1, tls: false } },
      streams: [
        { ...orders, replicas: 1, subjects: ["orders.>"] },
        { ...orders, name: "audit", replicas: 1, subjects: ["audit2.>", "audit.>"], publishers: [] },
      ],
    });
    await using cluster = await Cluster.start(before);
    await applyOn(cluster, before);
    const outcome = await applyOn(cluster, after);
    expect(outcome).toEqual({ done: ["audit", "orders"], failed: [], notStarted: [] });
    expect(await changesOn(cluster, after)).toEqual([]);
  });
});
