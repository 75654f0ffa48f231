/** Refusals that only a cluster has a reason for: our judgement against the server's. */
import type { NatsConnection } from "nats";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { openWriter } from "../../src/connect/nats.ts";
import type { WireConfig } from "../../src/jetstream/desired.ts";
import { diff } from "../../src/jetstream/diff.ts";
import { observe } from "../../src/jetstream/observe.ts";
import { refusals } from "../../src/jetstream/refusals.ts";
import { parseVersion } from "../../src/model/version.ts";
import { checkModel } from "../../src/rules/index.ts";
import { modelWith, orders, realModel } from "./definitions.ts";
import { request } from "./jetstream.ts";
import { streamUpdate } from "./jetstream-changes.ts";
import { createConsumer, judge, titled } from "./jetstream-refusal-suite.ts";
import { serverIsAtLeast } from "./jetstream-round-trip.ts";
import { Cluster, type RunningServer, stop } from "./nats-server.ts";
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
    { title: "replicas and no placement any more", before: { placement: here }, after: three },
    { title: "retention and placement", before: {}, after: { retention: "interest", placement: here } },
    { title: "no placement any more", before: { placement: here }, after: {} },
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
    // Not deleted: until a stream that grows has a leader, 2.12 does not answer to the next request about it. While one grows, no
    // other is scaled or moved: that is ours to say, and 0 is no code of the server's.
    expect(judged.ours.filter((code) => code !== 0)).toEqual(judged.server);
  });

  test("replicas beyond the servers: the server's to say, and that of S032 before anybody is asked", async () => {
    expect((await request(connection, "STREAM.CREATE.five", { name: "five" })).error).toBeUndefined();
    const judged = await judge(cluster, connection, await streamUpdate(connection, { name: "five", num_replicas: 5 }));
    expect(judged.server).toEqual([10005]);
    expect(judged.ours.filter((code) => code !== 0)).toEqual([]);
    const production = modelWith({ streams: [{ ...orders, replicas: 5 }] });
    expect(checkModel(production).map(({ code }) => code)).toContain("S032");
  });

  /** Begins `first`, then asks for `second` at once, until the server refuses that: a reconfiguration may be over by then. */
  const whileItGoesOn = async (title: string, before: WireConfig, first: WireConfig, second: WireConfig) => {
    const version = parseVersion(connection.info?.version ?? "");
    if (!version) throw new Error("the server says no version");
    for (let attempt = 0; attempt < 20; attempt++) {
      const name = `${title}_${attempt}`;
      expect((await request(connection, `STREAM.CREATE.${name}`, { name, ...before })).error).toBeUndefined();
      expect((await request(connection, `STREAM.UPDATE.${name}`, { name, ...first })).error).toBeUndefined();
      const change = await streamUpdate(connection, { name, ...second });
      const { error } = await request(connection, `STREAM.UPDATE.${name}`, change.config);
      if (error) return { server: [error.err_code], ours: refusals(change, version).map(({ errCode }) => errCode) };
    }
    throw new Error("every reconfiguration was over before the next began");
  };
  const elsewhere = { placement: { ...here, tags: ["!nowhere"] } };

  test("a move while another goes on", async () => {
    const judged = await whileItGoesOn("moving", {}, { placement: here }, elsewhere);
    expect(judged).toEqual({ server: [10124], ours: [10124] });
  });

  test("a scale while a move goes on, and a move while a scale does: refused since 2.15", async () => {
    const scale = { ...three, placement: here };
    if (!serverIsAtLeast(connection, "2.15")) {
      const named = { name: "scaled" };
      await request(connection, "STREAM.CREATE.scaled", named);
      await request(connection, "STREAM.UPDATE.scaled", { ...named, placement: here });
      const scaled = await judge(cluster, connection, await streamUpdate(connection, { ...named, ...scale }));
      return expect(scaled).toEqual({ server: [], ours: [] });
    }
    expect(await whileItGoesOn("scaled", {}, { placement: here }, scale)).toEqual({ server: [10124], ours: [10124] });
    expect(await whileItGoesOn("grown", {}, three, { ...three, placement: here })).toEqual({
      server: [10226],
      ours: [10226],
    });
  });

  test("copies that are given up: fine while all are whole, and refused by us alone while a server is away", async () => {
    // Of its own: while a stream of the cases before is still copied, we scale no other.
    await using own = await Cluster.start(realModel("staging"), { binary: tool(server) });
    const client = await own.connect();
    for (const name of ["whole", "torn"]) {
      expect((await request(client, `STREAM.CREATE.${name}`, { name, ...three })).error).toBeUndefined();
    }
    const fewer = (name: string) => streamUpdate(client, { name, num_replicas: 1 });
    const peers = async (name: string) => (await request(client, `STREAM.INFO.${name}`)).cluster?.replicas ?? [];
    await vi.waitFor(
      async () => {
        for (const name of ["whole", "torn"])
          expect((await peers(name)).filter((peer) => peer.current)).toHaveLength(2);
      },
      { timeout: 30_000, interval: 200 },
    );
    expect(await judge(own, client, await fewer("whole"))).toEqual({ server: [], ours: [] });

    const [first] = own.servers.filter((_, i) => !client.info?.server_name.endsWith(`-${i}`));
    if (!first) throw new Error("every server is ours");
    await stop(first.process);
    await vi.waitFor(
      async () => {
        const { cluster: group } = await request(client, "STREAM.INFO.torn");
        expect(group?.leader).toBeTruthy();
        expect(group?.replicas?.filter((peer) => peer.current)).toHaveLength(1);
      },
      { timeout: 60_000, interval: 250 },
    );
    const connected = { ...own.target(), servers: [client.getServer()] };
    const judged = await judge({ target: () => connected }, client, await fewer("torn"));
    // The server takes it: 0 is no code of its own.
    expect(judged).toEqual({ server: [], ours: [0] });
    await client.close();
  });

  test("a stream whose only server is away: the server refuses an update, and none is planned", async () => {
    await using own = await Cluster.start(realModel("staging"), { binary: tool(server) });
    const client = await own.connect();
    const led: Record<string, string | undefined> = {};
    for (let i = 0; i < 30 && !Object.values(led).includes("circl-staging-nats-2"); i++) {
      led[`one_${i}`] = (await request(client, `STREAM.CREATE.one_${i}`, { name: `one_${i}` })).cluster?.leader;
    }
    const [name = ""] = Object.entries(led).find(([, leader]) => leader === "circl-staging-nats-2") ?? [];
    await client.close();
    await stop((own.servers[2] as RunningServer).process);
    const target = { ...own.target(), servers: own.target().servers.slice(0, 2) };
    await using writer = await openWriter(target);
    const model = modelWith({
      key: "staging",
      environment: { name: "staging" },
      streams: [{ ...orders, name, subjects: [name] }],
    });
    const planned = async () =>
      diff(model, await observe(writer, [name]))
        .filter((change) => change.name === name)
        .map(({ action }) => action);
    await expect.poll(planned, { timeout: 60_000 }).toEqual(["unknown"]);
    const update = () => writer.write("STREAM.UPDATE", [name], { name, subjects: [name], description: "new" });
    await expect(update()).rejects.toMatchObject({ cause: { errCode: 10118 } });
  });
}
