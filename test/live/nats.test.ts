import { execFile } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { connect } from "nats";
import { describe, expect, test } from "vitest";
import { desiredState } from "../../src/jetstream/desired.ts";
import { realModel } from "../support/definitions.ts";
import { createAll, expectKept, request } from "../support/jetstream.ts";
import { Cluster } from "../support/nats-server.ts";
import { tool, without } from "../support/tools.ts";

const run = promisify(execFile);

describe.skipIf(without("nats-server", "test-ca"))("real servers with the rendered configuration", () => {
  test("local takes every stream and consumer as shown, and takes them again", async () => {
    const model = realModel("local");
    await using cluster = await Cluster.start(model);
    const connection = await cluster.connect();
    const desired = desiredState(model);
    for (let attempt = 0; attempt < 2; attempt++) {
      const replies = await createAll(connection, desired);
      expect([...replies].filter(([, reply]) => reply.error)).toEqual([]);
      for (const config of desired.streams) expectKept(config, replies.get(String(config.name))?.config);
      for (const { stream_name, config } of desired.consumers) {
        expectKept(config, replies.get(`${stream_name}/${config.name}`)?.config);
      }
    }
    await connection.close();
  });

  test.each(["staging", "production"] as const)(
    "three servers of %s form a cluster over TLS and hold its streams",
    async (name) => {
      const model = realModel(name);
      await using cluster = await Cluster.start(model);
      const connection = await cluster.connect();
      expect(connection.info).toMatchObject({ tls_required: true, cluster: `circl-${name}` });
      const desired = desiredState(model);
      const replies = await createAll(connection, desired);
      expect([...replies].filter(([, reply]) => reply.error)).toEqual([]);
      for (const config of desired.streams) expectKept(config, replies.get(String(config.name))?.config);
      const replicas = await Promise.all(
        desired.streams.map(
          async ({ name }) => (await request(connection, `STREAM.INFO.${name}`)).cluster?.replicas?.length ?? 0,
        ),
      );
      expect(replicas).toEqual(desired.streams.map(({ num_replicas }) => Number(num_replicas) - 1));
      for (const { log } of cluster.servers) expect(log()).not.toMatch(/TLS route handshake error|x509/);
      await connection.close();
    },
  );

  test("nobody gets in without credentials or without TLS", async () => {
    await using cluster = await Cluster.start(realModel("staging"), { count: 1 });
    await expect(cluster.connect({})).rejects.toThrow(/Authorization Violation/i);
    const plain = connect({
      servers: `127.0.0.1:${cluster.servers[0]?.clientPort}`,
      user: "sync",
      pass: "loopback-only",
      tls: null,
      maxReconnectAttempts: 0,
    });
    await expect(plain).rejects.toThrow();
  });

  test("a location reaches its own stream by copy, at the origin's largest size too", async () => {
    const model = realModel("local");
    await using cluster = await Cluster.start(model);
    const connection = await cluster.connect();
    await createAll(connection, desiredState(model));
    const js = connection.jetstream();
    const subject = "circl.iot.location.updated";
    await js.publish(subject, new Uint8Array(1_048_576 - subject.length - 100));
    await js.publish(subject, new Uint8Array(300));
    await expect
      .poll(
        async () => (await (await connection.jetstreamManager()).streams.info("circl_iot_location")).state.messages,
        { timeout: 20_000 },
      )
      .toBe(2);
    await connection.close();
  });

  test("a SIGTERM after lame duck does not cut clients off", async () => {
    await using cluster = await Cluster.start(realModel("local"));
    const [server] = cluster.servers;
    if (!server) throw new Error("no server");
    const connection = await cluster.connect();
    await run(tool("nats-server"), [`-sl=ldm=${join(server.root, "run/nats.pid")}`]);
    server.process.kill("SIGTERM");
    await sleep(3_000);
    expect(server.log()).toContain("Entering lame duck mode");
    expect(server.process.exitCode).toBeNull();
    expect(connection.isClosed()).toBe(false);
    server.process.kill("SIGKILL");
    await connection.closed();
  });
});
