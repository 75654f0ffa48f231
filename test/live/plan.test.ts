import { describe, expect, test } from "vitest";
import { openReader } from "../../src/connect/nats.ts";
import { desiredState } from "../../src/jetstream/desired.ts";
import { type Plan, plan } from "../../src/jetstream/plan.ts";
import type { Model } from "../../src/model/resolve.ts";
import { realModel } from "../support/definitions.ts";
import { createAll, request } from "../support/jetstream.ts";
import { Cluster } from "../support/nats-server.ts";
import { without } from "../support/tools.ts";

async function planOn(cluster: Cluster, model: Model): Promise<Plan> {
  await using reader = await openReader(cluster.target());
  return await plan(model, reader, () => [], Date.now() * 1e6);
}
const lines = ({ changes }: Plan): string[] =>
  changes
    .filter(({ change }) => change.action !== "none")
    .map(({ change }) => {
      const fields =
        change.action === "update"
          ? change.fields.map(({ field, from, to }) => ` ${field}: ${JSON.stringify(from)} -> ${JSON.stringify(to)}`)
          : [];
      return `${change.action} ${change.name}${fields.join("")}`;
    });

describe.skipIf(without("nats-server", "test-ca"))("plan", () => {
  test.each(["local", "staging", "production"] as const)(
    "%s: everything is created, and nothing is left to do after that",
    async (name) => {
      const model = realModel(name);
      await using cluster = await Cluster.start(model);
      const before = await planOn(cluster, model);
      expect(before.summary).toMatchObject({ create: 15, update: 0, unchanged: 0 });
      const connection = await cluster.connect();
      await createAll(connection, desiredState(model));
      await connection.close();
      const after = await planOn(cluster, model);
      expect(lines(after)).toEqual([]);
      expect(after.summary).toMatchObject({ create: 0, update: 0, unchanged: 15 });
    },
  );

  test("says which fields differ, and leaves alone what it does not know", async () => {
    const model = realModel("local");
    await using cluster = await Cluster.start(model);
    const connection = await cluster.connect();
    const desired = desiredState(model);
    await createAll(connection, desired);
    const iot = desired.streams.find((stream) => stream.name === "circl_iot");
    await request(connection, "STREAM.UPDATE.circl_iot", { ...iot, max_msgs: 50_000, allow_direct: true });
    await request(connection, "STREAM.CREATE.somebody_elses", { name: "somebody_elses", subjects: ["other.>"] });
    await connection.close();
    expect(lines(await planOn(cluster, model))).toEqual([
      "update circl_iot allow_direct: true -> false max_msgs: 50000 -> 100000",
      "unmanaged somebody_elses",
    ]);
  });

  test("counts a create that the server would refuse as blocked, and as nothing else", async () => {
    const model = realModel("local");
    await using cluster = await Cluster.start(model);
    const connection = await cluster.connect();
    await request(connection, "STREAM.CREATE.somebody_elses", { name: "somebody_elses", subjects: ["circl.dlq.>"] });
    await connection.close();
    const { summary } = await planOn(cluster, model);
    expect(summary).toMatchObject({ create: 14, blocked: 1, unmanaged: 1 });
  });

  test("refuses a server of another environment before it compares anything", async () => {
    await using cluster = await Cluster.start(realModel("local"));
    await expect(planOn(cluster, realModel("production"))).rejects.toThrow(
      /is the standalone server circl-local-nats-0, but production is cluster circl-production/,
    );
  });
});
