import { describe, expect, test } from "vitest";
import { openReader } from "../../src/connect/nats.ts";
import { desiredState } from "../../src/jetstream/desired.ts";
import { type Plan, type PlanScope, plan } from "../../src/jetstream/plan.ts";
import type { Model } from "../../src/model/resolve.ts";
import { modelWith, orders, realModel } from "../support/definitions.ts";
import { createAll, request } from "../support/jetstream.ts";
import { Cluster } from "../support/nats-server.ts";
import { without } from "../support/tools.ts";

const standalone = {
  key: "local",
  environment: { name: "local", streamFigures: "staging", nats: { servers: 1, tls: false } },
} as const;

async function planOn(cluster: Cluster, model: Model, scope: PlanScope = {}): Promise<Plan> {
  await using reader = await openReader(cluster.target());
  return await plan(model, reader, () => [], Date.now() * 1e6, scope);
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
      expect(before.summary).toMatchObject({ create: 17, update: 0, unchanged: 0 });
      const connection = await cluster.connect();
      await createAll(connection, desiredState(model));
      await connection.close();
      const after = await planOn(cluster, model);
      expect(lines(after)).toEqual([]);
      expect(after.summary).toMatchObject({ create: 0, update: 0, unchanged: 17 });
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
    expect(summary).toMatchObject({ create: 16, blocked: 1, unmanaged: 1 });
  });

  test("sees a limit that was set by hand on a consumer, though the definition says nothing of it", async () => {
    const model = realModel("local");
    await using cluster = await Cluster.start(model);
    const connection = await cluster.connect();
    const desired = desiredState(model);
    await createAll(connection, desired);
    const { stream_name, config } = desired.consumers.find(({ config: { name } }) => name === "bff-iot") ?? {};
    const changed = { stream_name, config: { ...config, max_ack_pending: 7, inactive_threshold: 3600e9 } };
    await request(connection, "CONSUMER.DURABLE.CREATE.circl_iot.bff-iot", changed);
    await connection.close();
    expect(lines(await planOn(cluster, model))).toEqual([
      "update circl_iot/bff-iot inactive_threshold: 3600000000000 -> undefined max_ack_pending: 7 -> 1000",
    ]);
  });

  test("counts what lies on subjects that a stream gives up", async () => {
    const before = modelWith({ ...standalone, streams: [{ ...orders, replicas: 1, subjects: ["orders.>", "old.>"] }] });
    const after = modelWith({ ...standalone, streams: [{ ...orders, replicas: 1 }] });
    await using cluster = await Cluster.start(before);
    const connection = await cluster.connect();
    await createAll(connection, desiredState(before));
    for (const subject of ["old.a", "old.b", "orders.a"]) await connection.jetstream().publish(subject);
    await connection.close();
    const planned = await planOn(cluster, after);
    expect(planned.changes.flatMap(({ effects }) => effects.map(({ says }) => says))).toEqual([
      'publishes to "old.>" outside the new subjects are refused',
      expect.stringMatching(/^2 messages, about \d+ B, stored on "old.>", stay$/),
    ]);
  });

  test("--retention-step: lets an age limit fall by one step a run, and says where it leads", async () => {
    const aged = (maxAge?: "1d" | "30d") => {
      const { maxAge: _, ...rest } = orders;
      return modelWith({ ...standalone, streams: [{ ...rest, replicas: 1, ...(maxAge ? { maxAge } : {}) }] });
    };
    await using cluster = await Cluster.start(aged());
    const connection = await cluster.connect();
    await createAll(connection, desiredState(aged("30d")));
    const days = (ns: unknown) => Number(ns) / 86_400e9;
    const ages: number[] = [];
    for (let run = 0; run < 4; run++) {
      const { changes } = await planOn(cluster, aged("1d"), { retentionStep: 10 * 86_400e9 });
      const [planned] = changes.filter(({ change }) => change.action === "update");
      if (planned?.change.action !== "update") break;
      ages.push(days(planned.change.config.max_age));
      expect(planned.effects.map(({ says }) => says)).toEqual(
        run < 2 ? ["a step towards 1d: apply again for the next one"] : [],
      );
      await request(connection, "STREAM.UPDATE.orders", planned.change.config);
    }
    expect(ages).toEqual([20, 10, 1]);

    // Without a limit it falls from the age of the oldest message: that is where the first would go.
    await request(connection, "STREAM.UPDATE.orders", desiredState(aged()).streams[0]);
    await connection.jetstream().publish("orders.created");
    const { changes } = await planOn(cluster, aged("1d"), { retentionStep: 10 * 86_400e9 });
    const fields = changes.flatMap(({ change }) => (change.action === "update" ? change.fields : []));
    expect(fields.filter(({ field }) => field === "max_age").map(({ to }) => days(to))).toEqual([1]);
    await connection.close();
  });

  test("--retention-step: says of personal data how long it lives in between, in the stream and in its copies", async () => {
    const aged = (maxAge: "1d" | "30d") => {
      const data = { sensitivity: "personal", purpose: "delivery", fields: ["name"], keepAtMost: "60d" } as const;
      const origin = {
        ...orders,
        replicas: 1,
        maxAge,
        publishers: [{ service: "oms", subject: "orders.created", data }],
      };
      const { subjects: _, ...copy } = { ...origin, name: "copy", publishers: [], maxAge: "7d" as const };
      return modelWith({ ...standalone, streams: [origin, { ...copy, sources: [{ name: "orders" }] }] });
    };
    await using cluster = await Cluster.start(aged("30d"));
    const connection = await cluster.connect();
    await createAll(connection, desiredState(aged("30d")));
    const lives: (string | undefined)[][] = [];
    for (let run = 0; run < 3; run++) {
      const { changes } = await planOn(cluster, aged("1d"), { retentionStep: 15 * 86_400e9 });
      const configs = changes.flatMap(({ change }) => (change.action === "update" ? [change.config] : []));
      for (const config of configs) await request(connection, `STREAM.UPDATE.${config.name}`, config);
      const info = await Promise.all(["orders", "copy"].map((name) => request(connection, `STREAM.INFO.${name}`)));
      lives.push(
        info.map(
          ({ config }) => (config?.metadata as Record<string, string> | undefined)?.["circl.dev/personal-data-lives"],
        ),
      );
    }
    expect(lives).toEqual([
      ["15d", "22d"],
      ["1d", "8d"],
      ["1d", "8d"],
    ]);
    await connection.close();
  });

  test("refuses a server of another environment before it compares anything", async () => {
    await using cluster = await Cluster.start(realModel("local"));
    await expect(planOn(cluster, realModel("production"))).rejects.toThrow(
      /is the standalone server circl-local-nats-0, but production is cluster circl-production/,
    );
  });

  test("refuses servers older than 2.12 by name, whichever of them answers", async () => {
    await using cluster = await Cluster.start(realModel("local"));
    await using reader = await openReader(cluster.target());
    const planned = (version: string, others: readonly string[]) => {
      const servers = others.map((other, i) => ({ name: `n-${i}`, version: other }));
      const old = { ...reader, server: { ...reader.server, version }, presence: async () => ({ servers }) };
      return plan(realModel("local"), old, () => [], Date.now() * 1e6);
    };
    await expect(planned("2.11.17", [])).rejects.toMatchObject({
      name: "ServerTooOld",
      message: expect.stringMatching(
        /^circl-local-nats-0 runs nats-server 2\.11\.17, and plan and apply know the rules of 2\.12 /,
      ),
    });
    await expect(planned("2.14.9", ["2.14.9", "2.10.29", "2.11.17"])).rejects.toThrow(
      /^n-1 runs nats-server 2\.10\.29, n-2 runs nats-server 2\.11\.17, .* Update the servers first; /,
    );
    expect((await planned("2.12.0", ["2.12.0"])).summary.create).toBe(17);
  });

  test("has a client that sends nothing but reads, whatever it is handed", async () => {
    await using cluster = await Cluster.start(realModel("local"));
    const connection = await cluster.connect();
    await request(connection, "STREAM.CREATE.x", { name: "x" });
    await connection.close();
    await using reader = await openReader(cluster.target());
    await expect(reader.read("STREAM.DELETE" as never, ["x"])).rejects.toThrow(
      "STREAM.DELETE is no request that only reads",
    );
    expect(await reader.read("STREAM.NAMES")).toMatchObject({ streams: ["x"] });
  });
});
