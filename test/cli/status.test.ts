import { afterEach, describe, expect, test, vi } from "vitest";
import { run } from "../../src/cli/commands/status.ts";
import { openReader } from "../../src/connect/nats.ts";
import { desiredState } from "../../src/jetstream/desired.ts";
import { observe } from "../../src/jetstream/observe.ts";
import { type Health, status } from "../../src/jetstream/status.ts";
import type { Model } from "../../src/model/resolve.ts";
import { realModel } from "../support/definitions.ts";
import { createAll, request } from "../support/jetstream.ts";
import { Cluster, stop } from "../support/nats-server.ts";
import { captured } from "../support/stdout.ts";
import { without } from "../support/tools.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** Runs the command against the first server and gives what it wrote. */
async function statusOf(environment: string, cluster: Cluster, options: { readonly json?: boolean } = {}) {
  vi.stubEnv("CIRCL_PASSWORD", "loopback-only");
  const { servers, tls } = cluster.target();
  const ca = tls?.ca ? { tlsCa: tls.ca } : {};
  return captured(() => run(environment, { server: servers.join(), user: "sync", timeout: "5000", ...ca, ...options }));
}

/** @param later seconds that pass before anybody looks */
async function healthOf(cluster: Cluster, model: Model, later = 0): Promise<Health> {
  await using reader = await openReader(cluster.target());
  const names = model.streams.map(({ name }) => name);
  return status(model, await observe(reader, names), (Date.now() + later * 1_000) * 1e6);
}

/** Every problem as one line, once `settled` holds: elections and the first word of an origin take a moment. */
async function problemsOf(cluster: Cluster, model: Model, settled: (health: Health) => boolean): Promise<string[]> {
  const health = await vi.waitFor(
    async () => {
      const now = await healthOf(cluster, model);
      if (!settled(now)) throw new Error(JSON.stringify(now));
      return now;
    },
    { timeout: 40_000, interval: 250 },
  );
  return [...health.streams, ...health.consumers].flatMap(({ name, problems }) =>
    problems.map((says) => `${name} ${says}`),
  );
}

describe.skipIf(without("nats-server"))("circl status", () => {
  test("says that everything is missing, and then that all is well", async () => {
    const model = realModel("local");
    await using cluster = await Cluster.start(model);
    const before = await statusOf("local", cluster);
    expect(before.code).toBe(1);
    expect(before.stdout).toMatch(
      /^local: standalone circl-local-nats-0 at 127\.0\.0\.1:\d+, nats-server 2\.14\.9\n\n/,
    );
    expect(before.stdout).toMatch(/\n! {2}circl_iot +missing\n/);
    expect(before.stdout).toMatch(/\n! {2}circl_iot\/bff-iot +missing\n/);
    expect(before.stdout).toContain("\n! circl_iot is missing: `circl apply local` creates it\n");
    expect(before.stdout).not.toContain("! circl_iot/bff-iot is missing");

    const connection = await cluster.connect();
    await createAll(connection, desiredState(model));
    for (let i = 0; i < 5; i++) connection.publish("circl.iot.location.updated", "here");
    await connection.flush();
    await connection.close();
    const copied = ({ streams }: Health) =>
      streams.find(({ name }) => name === "circl_iot_location")?.live?.messages.amount === 5;
    expect(await problemsOf(cluster, model, copied)).toEqual([]);

    const { code, stdout } = await statusOf("local", cluster);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /\n {3}circl_iot_location {3}circl-local-nats-0 {2}1\/1 {7}5 \(0%\) +\d+ B \(0%\) +\d+m?s +about \S+ +circl_iot: 0 behind\n/,
    );
    expect(stdout).toMatch(/\n {3}circl_iot\/bff-iot +5 +0 +0 +about \d+m?s\n/);
    expect(stdout).toMatch(/\n\d+ streams, 9 consumers: 0 problems\.\n$/);
  });

  test("prints one JSON document with --json", async () => {
    await using cluster = await Cluster.start(realModel("local"));
    const { code, stdout } = await statusOf("local", cluster, { json: true });
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      formatVersion: 1,
      environment: "local",
      server: { name: "circl-local-nats-0" },
      streams: expect.arrayContaining([
        {
          name: "circl_oms",
          condition: "missing",
          problems: ["is missing: `circl apply local` creates it"],
        },
      ]),
      undeclared: { streams: 0, consumers: 0 },
      summary: { consumers: 9, problems: realModel("local").streams.length },
    });
  });

  test("does not judge another cluster", async () => {
    await using cluster = await Cluster.start(realModel("local"));
    await expect(statusOf("production", cluster)).rejects.toThrow(
      "is the standalone server circl-local-nats-0, but production is cluster circl-production",
    );
  });

  test("says that a copy does not hear of its origin", async () => {
    const model = realModel("local");
    await using cluster = await Cluster.start(model);
    const connection = await cluster.connect();
    const { streams, consumers } = desiredState(model);
    const origin = (name: unknown) => name === "circl_iot";
    await createAll(connection, {
      streams: streams.filter(({ name }) => !origin(name)),
      consumers: consumers.filter(({ stream_name }) => !origin(stream_name)),
    });
    await connection.close();
    const tried = ({ streams }: Health) => streams.some(({ problems }) => problems[0]?.includes("does not copy"));
    expect(await problemsOf(cluster, model, tried)).toEqual([
      "circl_iot is missing: `circl apply local` creates it",
      "circl_iot_location does not copy circl_iot: stream not found",
    ]);
  });

  test("says what somebody changed by hand, each field with what it is and what it should be", async () => {
    const model = realModel("local");
    await using cluster = await Cluster.start(model);
    const connection = await cluster.connect();
    const { streams, consumers } = desiredState(model);
    await createAll(connection, { streams, consumers });
    const letters = streams.find(({ name }) => name === "circl_dlq");
    const changed = { ...letters, max_age: 3_600e9, max_msgs: -1 };
    expect((await request(connection, "STREAM.UPDATE.circl_dlq", changed)).error).toBeUndefined();
    const reader = consumers.find(({ config }) => config.name === "bff-iot");
    const slower = { stream_name: "circl_iot", config: { ...reader?.config, max_ack_pending: 7 } };
    expect((await request(connection, "CONSUMER.DURABLE.CREATE.circl_iot.bff-iot", slower)).error).toBeUndefined();
    await connection.close();
    // The copy hears of its origin a moment after it was made.
    const { code, stdout } = await vi.waitFor(
      async () => {
        const seen = await statusOf("local", cluster);
        expect(seen.stdout).not.toContain("has not heard");
        return seen;
      },
      { timeout: 30_000 },
    );
    expect(code).toBe(1);
    expect(stdout).toMatch(/\n! {2}circl_dlq +circl-local-nats-0 /);
    expect(stdout).toContain(
      "\n! circl_dlq is not as declared: max_age, max_msgs\n" +
        "    max_age 1h -> 30d\n    max_msgs unlimited -> 100000\n" +
        "! circl_iot/bff-iot is not as declared: max_ack_pending\n    max_ack_pending 7 -> 1000\n",
    );
    expect(stdout).toContain(": 2 problems.");
  });

  test("says who lags, who was passed over, who waits, and counts what is not declared", async () => {
    const model = realModel("local");
    await using cluster = await Cluster.start(model);
    const connection = await cluster.connect();
    const { streams, consumers } = desiredState(model);
    const small = streams.map((config) => (config.name === "circl_oms" ? { ...config, max_msgs: 100 } : config));
    const strict = consumers.map((consumer) =>
      consumer.config.name === "oms-commands"
        ? { ...consumer, config: { ...consumer.config, max_ack_pending: 2 } }
        : consumer,
    );
    await createAll(connection, { streams: small, consumers: strict });
    await request(connection, "STREAM.CREATE.other", { name: "other", subjects: ["other"] });
    await request(connection, "CONSUMER.CREATE.circl_oms.x", {
      stream_name: "circl_oms",
      config: { durable_name: "x", ack_policy: "explicit" },
    });
    for (let i = 0; i < 150; i++) connection.publish(i < 140 ? "circl.oms.order.created" : "circl.oms.command.cancel");
    const commands = await connection.jetstream().consumers.get("circl_oms", "oms-commands");
    for (let i = 0; i < 2; i++) await commands.next({ expires: 2_000 });
    await connection.close();

    const health = await healthOf(cluster, model, 60);
    const found = Object.fromEntries([...health.streams, ...health.consumers].map((asset) => [asset.name, asset]));
    expect(found.circl_oms).toMatchObject({
      live: { messages: { amount: 100, limit: 100 }, endedBy: "maxMsgs", replicas: { wanted: 1, current: 1 } },
    });
    expect(found["circl_oms/bff-orders"]).toMatchObject({
      problems: ["was not given 50 messages that the stream no longer keeps"],
      live: { pending: 100, ackPending: 0, redelivered: 0 },
    });
    expect(found["circl_oms/dms-orders"]?.problems).toEqual([
      expect.stringMatching(/^lags by about 1m(\ds)?, and the stream keeps 1m(\ds)?: what it does not fetch is lost$/),
    ]);
    expect(found["circl_oms/oms-commands"]?.problems).toContain(
      "is given nothing: 2 messages are unacknowledged, and max_ack_pending is 2",
    );
    expect(found["circl_oms/oms-delivery"]).toMatchObject({ problems: [], live: { pending: 0 } });
    expect(health.undeclared).toEqual({ streams: 1, consumers: 1 });
  });
});

describe.skipIf(without("nats-server", "test-ca"))("with one server of three stopped", () => {
  test("streams with one replica there are unknown, never empty, and the others are well", async () => {
    const model = realModel("staging");
    await using cluster = await Cluster.start(model);
    const connection = await cluster.connect();
    await createAll(connection, desiredState(model));
    const leaders = new Map<string, string | undefined>();
    for (const { name } of model.streams) {
      leaders.set(name, (await request(connection, `STREAM.INFO.${name}`)).cluster?.leader);
    }
    await connection.close();
    const gone = leaders.get("circl_oms");
    const holder = cluster.servers[Number(gone?.at(-1))];
    if (!holder) throw new Error("no leader");
    await stop(holder.process);
    const { code, stdout } = await vi.waitFor(() => statusOf("staging", cluster), { timeout: 40_000, interval: 250 });
    expect(code).toBe(1);
    for (const [name, leader] of leaders) {
      expect(stdout).toMatch(
        leader === gone ? new RegExp(`\\n!  ${name} +unknown\\n`) : new RegExp(`\\n[ !]  ${name} +${leader} +1/1 `),
      );
    }
    expect(stdout).toContain("\n! circl_oms is unknown: its servers do not answer\n");
    expect(stdout).toMatch(/\n! {2}circl_oms\/oms-commands +unknown\n/);
  });

  test("streams with three replicas go on, with one offline", async () => {
    const model = realModel("production");
    await using cluster = await Cluster.start(model);
    const connection = await cluster.connect();
    await createAll(connection, desiredState(model));
    await connection.close();
    const settled = ({ streams, consumers }: Health) =>
      streams.every(({ live }) => live?.sources.every(({ active }) => active >= 0)) &&
      consumers.every(({ condition }) => condition === "exists");
    expect(await problemsOf(cluster, model, (health) => settled(health) && health.problems === 0)).toEqual([]);
    if (!cluster.servers[2]) throw new Error("no third server");
    await stop(cluster.servers[2].process);
    const problems = await problemsOf(
      cluster,
      model,
      (health) => settled(health) && health.streams.every(({ live }) => live?.replicas.offline.length === 1),
    );
    expect(problems).toEqual(
      model.streams.map(({ name }) => `${name} has an offline replica: circl-production-nats-2`),
    );
  });
});
