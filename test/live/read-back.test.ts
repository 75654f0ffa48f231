/** What was written is read from the server's lists before it counts as done, streams and consumers alike. */
import { describe, expect, test } from "vitest";
import { openWriter } from "../../src/connect/nats.ts";
import { ApiError, type ConsumerInfo, type Writer } from "../../src/jetstream/api.ts";
import { apply, type Outcome } from "../../src/jetstream/apply.ts";
import { type Plan, plan } from "../../src/jetstream/plan.ts";
import type { Model } from "../../src/model/resolve.ts";
import { defineConsumer } from "../../src/model/stream.ts";
import { policy } from "../../src/rules/changes.ts";
import { streams as lock } from "../../streams/sync.ts";
import { modelWith, orders, realModel } from "../support/definitions.ts";
import { Cluster } from "../support/nats-server.ts";
import { without } from "../support/tools.ts";

const quiet = { holder: "test", lockWait: 0, interrupted: () => false, progress: () => {}, readyTimeout: 60_000 };
const planned = (model: Model, writer: Writer) => plan(model, writer, policy, Date.now() * 1e6);
const failures = ({ failed }: Outcome) => failed.map(({ error }) => error.message);

const environment = { name: "local", streamFigures: "staging", nats: { servers: 1, tls: false } } as const;
const consumer = (name: string) => defineConsumer({ name, service: "oms" });
const standalone = modelWith({
  key: "local",
  environment,
  streams: [...lock, { ...orders, replicas: 1, consumers: [consumer("oms-orders"), consumer("oms-second")] }],
});

const NOT_FOUND = { code: 404, err_code: 10059, description: "stream not found" };

/** Adds a field that no server knows to what is sent for `name`. */
const withUnknown = (part: Plan, name: string): Plan => ({
  ...part,
  changes: part.changes.map((one) =>
    one.change.name === name && one.change.action === "create"
      ? { ...one, change: { ...one.change, config: { ...one.change.config, from_the_future: 7 } } }
      : one,
  ),
});

describe.skipIf(without("nats-server", "test-ca"))("apply reads back", () => {
  test.each(["staging", "production"] as const)(
    "%s: every consumer has its leader and all its replicas when it is done",
    async (name) => {
      const model = realModel(name);
      await using cluster = await Cluster.start(model);
      await using writer = await openWriter(cluster.target());
      expect(failures(await apply(await planned(model, writer), writer, quiet))).toEqual([]);
      const seen: string[] = [];
      for (const stream of model.streams.filter(({ consumers }) => consumers.length > 0)) {
        const { consumers } = await writer.read<{ consumers: readonly ConsumerInfo[] }>("CONSUMER.LIST", [stream.name]);
        for (const { name: consumer, cluster: group } of consumers) {
          seen.push(`${stream.name}/${consumer}`);
          expect(group?.leader, consumer).toBeTruthy();
          expect(group?.replicas ?? [], consumer).toHaveLength(stream.replicas - 1);
          expect(
            (group?.replicas ?? []).every(({ current, offline }) => current && !offline),
            consumer,
          ).toBe(true);
        }
      }
      expect(seen).toHaveLength(model.streams.flatMap(({ consumers }) => consumers).length);
    },
  );

  test("a consumer whose replica is not current is waited for, and named where it does not become so", async () => {
    const model = modelWith({ streams: [...lock, { ...orders, consumers: [consumer("oms-orders")] }] });
    await using cluster = await Cluster.start(model);
    await using writer = await openWriter(cluster.target());
    let behind = 3;
    const lagging: Writer = {
      ...writer,
      read: async <T>(verb: Parameters<Writer["read"]>[0], names?: readonly string[], body?: object) => {
        const answer = await writer.read<T>(verb, names, body);
        if (verb !== "CONSUMER.LIST" || behind-- <= 0) return answer;
        const { consumers } = answer as { consumers: ConsumerInfo[] };
        const replicas = (info: ConsumerInfo) => info.cluster?.replicas?.map((peer) => ({ ...peer, current: false }));
        const stale = consumers.map((info) => ({ ...info, cluster: { ...info.cluster, replicas: replicas(info) } }));
        return { ...answer, consumers: stale };
      },
    };
    const first = await planned(model, writer);
    expect(await apply(first, lagging, quiet)).toMatchObject({ failed: [], notStarted: [] });
    expect(behind).toBeLessThan(0);

    await writer.write("CONSUMER.DELETE", ["orders", "oms-orders"]);
    behind = Number.POSITIVE_INFINITY;
    expect(failures(await apply(await planned(model, writer), lagging, { ...quiet, readyTimeout: 300 }))).toEqual([
      "orders/oms-orders was written, but its replicas are not all current after 0.3 s. It goes on by itself: " +
        "`circl status` says when it is done.",
    ]);
  });

  test.each([
    ["a stream", "orders"],
    ["a consumer", "orders/oms-orders"],
  ])("%s of which the server dropped a field is no success, and nothing comes after it", async (_, name) => {
    await using cluster = await Cluster.start(standalone, { strict: false });
    await using writer = await openWriter(cluster.target());
    const outcome = await apply(withUnknown(await planned(standalone, writer), name), writer, quiet);
    expect(failures(outcome)).toEqual([
      `${name}: the server did not keep from_the_future. It may be older than these fields: see its version above.`,
    ]);
  });

  test("a consumer that the list shows otherwise than the answer did is no success either", async () => {
    await using cluster = await Cluster.start(standalone);
    await using writer = await openWriter(cluster.target());
    const forgetful: Writer = {
      ...writer,
      read: async <T>(verb: Parameters<Writer["read"]>[0], names?: readonly string[], body?: object) => {
        const answer = await writer.read<T>(verb, names, body);
        if (verb !== "CONSUMER.LIST") return answer;
        const { consumers } = answer as { consumers: ConsumerInfo[] };
        const forgotten = consumers.map((info) => ({ ...info, config: { ...info.config, max_deliver: -1 } }));
        return { ...answer, consumers: forgotten };
      },
    };
    const { done, failed } = await apply(await planned(standalone, writer), forgetful, quiet);
    expect(done).toEqual(["circl_lock", "orders"]);
    expect(failed.map(({ error }) => error.message).sort()).toEqual(
      ["oms-orders", "oms-second"].map(
        (consumer) =>
          `orders/${consumer}: the server did not keep max_deliver. It may be older than these fields: see its version above.`,
      ),
    );
  });

  test("what cannot be read says why, and not that replicas are behind", async () => {
    await using cluster = await Cluster.start(standalone);
    await using writer = await openWriter(cluster.target());
    const answering = (answer: (verb: string, names: readonly string[]) => object | undefined): Writer => ({
      ...writer,
      read: async <T>(verb: Parameters<Writer["read"]>[0], names: readonly string[] = [], body?: object) => {
        const error = answer(verb, names);
        if (error instanceof Error) throw error;
        return (error ?? (await writer.read<T>(verb, names, body))) as T;
      },
    });
    const unavailable = new ApiError("x", { code: 503, err_code: 10008, description: "JetStream system unavailable" });
    const applied = async (reader: Writer) =>
      failures(await apply(await planned(standalone, writer), reader, { ...quiet, readyTimeout: 300 })).sort();
    expect(
      await applied(
        answering((verb, names) => (verb === "STREAM.INFO" && names[0] === "orders" ? unavailable : undefined)),
      ),
    ).toEqual(["orders was written, but how it is now cannot be read: JetStream system unavailable (10008)"]);
    expect(
      await applied(answering((verb) => (verb === "CONSUMER.LIST" ? { total: 0, consumers: [] } : undefined))),
    ).toEqual(
      ["oms-orders", "oms-second"].map(
        (name) => `orders/${name} was written, but how it is now cannot be read: no server lists it`,
      ),
    );
  });

  test("what a server does not know of for a moment, as after an election, is waited for", async () => {
    await using cluster = await Cluster.start(standalone);
    await using writer = await openWriter(cluster.target());
    let unheard = 5;
    const electing: Writer = {
      ...writer,
      read: async <T>(verb: Parameters<Writer["read"]>[0], names?: readonly string[], body?: object) => {
        if (verb === "STREAM.INFO" && names?.[0] === "orders" && unheard-- > 0) throw new ApiError("x", NOT_FOUND);
        return await writer.read<T>(verb, names, body);
      },
    };
    expect(failures(await apply(await planned(standalone, writer), electing, quiet))).toEqual([]);
    expect(unheard).toBeLessThan(0);
  });

  test.each([
    ["once it has been gone for longer than an election takes", 600_000],
    ["where the time ends before that", 1_500],
  ])("what somebody deletes behind the write is said %s", async (_, readyTimeout) => {
    await using cluster = await Cluster.start(standalone);
    await using writer = await openWriter(cluster.target());
    let looks = 0;
    const raced: Writer = {
      ...writer,
      write: async <T>(...[verb, names, body]: Parameters<Writer["write"]>) => {
        const answer = await writer.write<T>(verb, names, body);
        if (verb === "STREAM.CREATE" && names[0] === "orders") await writer.write("STREAM.DELETE", ["orders"]);
        return answer;
      },
      read: async <T>(verb: Parameters<Writer["read"]>[0], names?: readonly string[], body?: object) => {
        if (verb === "STREAM.INFO" && names?.[0] === "orders") looks += 1;
        return await writer.read<T>(verb, names, body);
      },
    };
    expect(failures(await apply(await planned(standalone, writer), raced, { ...quiet, readyTimeout }))).toEqual([
      "orders was written, but how it is now cannot be read: stream not found (10059)",
    ]);
    expect(looks).toBeGreaterThan(2);
  });
});
