/** What dist/production alerts on while real servers break and recover, said by a real Prometheus in time-lapse. */
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { JsMsg, NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { desiredState } from "../../src/jetstream/desired.ts";
import { realModel } from "../support/definitions.ts";
import { createAll, request } from "../support/jetstream.ts";
import { NatsExporter } from "../support/nats-exporter.ts";
import { Cluster, stop } from "../support/nats-server.ts";
import { Prometheus } from "../support/prometheus.ts";
import { Sandbox, type Tile38Server } from "../support/tile38-server.ts";
import { without } from "../support/tools.ts";

const monitoring = fileURLToPath(new URL("../../dist/production/50-monitoring.k8s.yaml", import.meta.url));
const model = realModel("production");
const needed = ["nats-server", "nats-exporter", "test-ca", "tile38-server", "busybox", "prometheus"];

/** Elections, and sources that find their origin again, take the seconds they take: time-lapse shortens only the patience with them. */
const IN_PASSING = ["NatsStreamWithoutLeader", "NatsConsumerWithoutLeader", "NatsSourceStalled"];

describe.skipIf(without(...needed))("alerts of production", { timeout: 300_000 }, () => {
  let cluster: Cluster;
  let connection: NatsConnection;
  let exporters: NatsExporter[];
  let sandbox: Sandbox;
  let tile38: Record<string, Tile38Server>;
  let prometheus: Prometheus;

  const aimAtNats = () =>
    prometheus.aim("nats", Object.fromEntries(exporters.map(({ address }, i) => [`nats-${i}`, address])));
  const tile38Targets = () =>
    Object.fromEntries(Object.entries(tile38).map(([pod, { metricsPort }]) => [pod, `127.0.0.1:${metricsPort}`]));

  beforeAll(async () => {
    cluster = await Cluster.start(model);
    connection = await cluster.connect();
    const replies = await createAll(connection, desiredState(model));
    expect([...replies].filter(([, reply]) => reply.error)).toEqual([]);
    exporters = await Promise.all(cluster.servers.map((server) => NatsExporter.start(model, server)));
    sandbox = new Sandbox(model);
    const leader = await sandbox.start("leader", "leader");
    await leader.until("/healthz");
    await leader.send(Array.from({ length: 500 }, (_, i) => `SET fleet truck${i} POINT 33 -112`));
    tile38 = {
      "tile38-leader-0": leader,
      "tile38-follower-0": await sandbox.start("follower", "follower-0", leader.port),
      "tile38-follower-1": await sandbox.start("follower", "follower-1", leader.port),
    };
    prometheus = await Prometheus.start(monitoring, {
      nats: Object.fromEntries(exporters.map(({ address }, i) => [`nats-${i}`, address])),
      tile38: tile38Targets(),
    });
  }, 120_000);

  afterAll(async () => {
    await connection?.close().catch(() => {});
    for (const part of [prometheus, ...(exporters ?? []), cluster, sandbox]) await part?.[Symbol.asyncDispose]();
  });

  /** Waits until exactly these fire; others may have been pending for a moment. @throws with what fires after three minutes */
  async function fires(names: readonly string[], tolerated: readonly string[] = []): Promise<void> {
    const relevant = async () => (await prometheus.alerts("firing")).filter((name) => !tolerated.includes(name));
    for (let attempt = 0; attempt < 900; attempt++) {
      const firing = await prometheus.alerts("firing");
      const strange = firing.filter((name) => !names.includes(name) && !tolerated.includes(name));
      if (strange.length > 0) break;
      if (names.every((name) => firing.includes(name))) return;
      await sleep(200);
    }
    expect(await relevant()).toEqual([...names].sort());
  }

  /** Waits until nothing fires or is about to. */
  async function clears(): Promise<void> {
    for (let attempt = 0; attempt < 900; attempt++) {
      const alerts = [...(await prometheus.alerts("firing")), ...(await prometheus.alerts("pending"))];
      if (alerts.length === 0) return;
      await sleep(200);
    }
    expect([...(await prometheus.alerts("firing")), ...(await prometheus.alerts("pending"))]).toEqual([]);
  }

  async function revive(i: number): Promise<void> {
    const server = await cluster.restart(i);
    await exporters[i]?.[Symbol.asyncDispose]();
    exporters[i] = await NatsExporter.start(model, server);
    aimAtNats();
  }

  test("none while everything is healthy, and the rules have something to read", async () => {
    await clears();
    for (let attempt = 0; attempt < 100 && (await measured()) < model.streams.length; attempt++) await sleep(200);
    expect(await measured()).toBe(model.streams.length);
    await sleep(10_000);
    expect(await prometheus.alerts("firing")).toEqual([]);
    await clears();
  });
  const measured = async () => (await prometheus.query("stream:nats_stream_total_messages:leader")).length;

  test("a server that stops", async () => {
    const [, , server] = cluster.servers;
    if (server) await stop(server.process);
    await fires(["NatsServerMissing", "NatsStreamReplicasMissing"], IN_PASSING);
    await revive(2);
    await clears();
  });

  test("dead letters", async () => {
    const jetstream = connection.jetstream();
    for (let i = 0; i < 101; i++) await jetstream.publish("circl.dlq.iot.location.update", "{}");
    await fires(["NatsDeadLetters"]);
    await request(connection, "STREAM.PURGE.circl_dlq");
    await clears();
  });

  test("messages that nobody reads", async () => {
    const jetstream = connection.jetstream();
    await Promise.all(
      Array.from({ length: 1_400 }, (_, i) => jetstream.publish("circl.iot.command.door", `{"n":${i}}`)),
    );
    // Both readers of the stream stand still; only for the commands are so many too many.
    await fires(["NatsConsumerBacklog", "NatsConsumerStuck"]);
    const backlogs = await prometheus.query('ALERTS{alertname="NatsConsumerBacklog",alertstate="firing"}');
    expect(backlogs.map(({ metric }) => metric.consumer_name)).toEqual(["iot-commands"]);
    for (const name of ["iot-commands", "bff-iot"]) await readAll("circl_iot", name, 1_400, (message) => message.ack());
    await clears();
  });

  test("messages that are given again and again", async () => {
    const jetstream = connection.jetstream();
    for (let i = 0; i < 150; i++) await jetstream.publish("circl.oms.order.created", "{}");
    for (const name of ["bff-orders"]) await readAll("circl_oms", name, 150, (message) => message.ack());
    await readAll("circl_oms", "dms-orders", 150, (message) => message.nak());
    await readAll("circl_oms", "dms-orders", 150, (message) => message.working());
    await fires(["NatsConsumerRedelivering"]);
    await request(connection, "STREAM.PURGE.circl_oms");
    await clears();
  });

  test("a client that asks for what is not there, again and again", async () => {
    const asking = new AbortController();
    const asked = (async () => {
      while (!asking.signal.aborted) {
        await request(connection, "STREAM.INFO.circl_omss");
        await sleep(50);
      }
    })();
    await fires(["NatsApiErrors"]);
    asking.abort();
    await asked;
    await clears();
  });

  test("an origin that is gone: the copy hears nothing, and keeps its last lag", async () => {
    await request(connection, "STREAM.DELETE.circl_iot");
    await fires(["NatsSourceStalled"], ["NatsStreamWithoutLeader", "NatsConsumerWithoutLeader"]);
    await fires(["NatsSourceStalled", "NatsStreamWithoutLeader", "NatsConsumerWithoutLeader"]);
    const [lag] = await prometheus.query("source:nats_stream_source_lag:leader");
    expect(lag?.value[1]).toBe("0");
    await createAll(connection, desiredState(model));
    await clears();
  });

  test("a Tile38 follower that stops", async () => {
    const follower = tile38["tile38-follower-1"];
    await follower?.kill();
    await fires(["Tile38Down", "Tile38FollowersMissing"]);
    tile38["tile38-follower-1"] = await sandbox.start("follower", "follower-1", tile38["tile38-leader-0"]?.port);
    prometheus.aim("tile38", tile38Targets());
    await clears();
  });

  test("a follower with ghosts: what its leader lost with the volume", async () => {
    const ghost = await sandbox.start("leader", "another", 0);
    await ghost.until("/healthz");
    await ghost.send(Array.from({ length: 200 }, (_, i) => `SET fleet ghost${i} POINT 33 -112`));
    prometheus.aim("tile38", { ...tile38Targets(), "tile38-follower-1": `127.0.0.1:${ghost.metricsPort}` });
    await fires(["Tile38FollowerDiverged", "Tile38FollowersMissing", "Tile38TwoLeaders"]);
    prometheus.aim("tile38", tile38Targets());
    await clears();
  });

  test("a Tile38 leader that stops", async () => {
    const leader = tile38["tile38-leader-0"];
    await leader?.stop();
    await fires(["Tile38Down", "Tile38FollowersMissing", "Tile38NoLeader"]);
    tile38["tile38-leader-0"] = await sandbox.start("leader", "leader");
    // Here its port is another one, so the followers are told; in the cluster the Service does that.
    for (const i of [0, 1]) {
      await tile38[`tile38-follower-${i}`]?.stop();
      const { port } = tile38["tile38-leader-0"];
      tile38[`tile38-follower-${i}`] = await sandbox.start("follower", `follower-${i}`, port);
    }
    prometheus.aim("tile38", tile38Targets());
    await clears();
  });

  test("two servers that stop: no quorum, and the one that is left knows no leader", async () => {
    for (const server of cluster.servers.slice(1)) await stop(server.process);
    await fires(["NatsDown", "NatsNoMetaLeader", "NatsServerMissing"], [...IN_PASSING, "NatsStreamReplicasMissing"]);
    await Promise.all([1, 2].map(revive));
    await clears();
  });

  // The last one: the group takes a removed server back only after five minutes (raft.go, peerRemoveTimeoutDefault).
  test("a server that is removed from the group while it runs: the others count two, and it knows no leader", async () => {
    const system = await cluster.connect({ user: "sys", pass: "loopback-only" });
    system.publish("$JS.API.SERVER.REMOVE", JSON.stringify({ peer: "circl-production-nats-2" }));
    await system.flush();
    await system.close();
    // Mostly it switches its JetStream off; 2.14.9 was also seen to go on with it, without a leader.
    const either = ["NatsJetStreamDisabled", "NatsNoMetaLeader"];
    await fires(["NatsMetaGroupSize"], [...either, ...IN_PASSING, "NatsStreamReplicasMissing"]);
    expect((await prometheus.alerts("firing")).filter((name) => either.includes(name))).toHaveLength(1);
  });

  async function readAll(stream: string, name: string, count: number, handle: (message: JsMsg) => void): Promise<void> {
    const consumer = await connection.jetstream().consumers.get(stream, name);
    let read = 0;
    while (read < count) {
      for await (const message of await consumer.fetch({ max_messages: count - read, expires: 5_000 })) {
        handle(message);
        read++;
      }
    }
    await connection.flush();
  }
});
